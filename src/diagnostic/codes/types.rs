//! Codes about types (E02xx).

super::codes! {}
