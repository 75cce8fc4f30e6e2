//! Codes about time and events (E03xx).

super::codes! {}
