//! Codes about declarations and names (E01xx).

super::codes! {}
