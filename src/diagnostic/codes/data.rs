//! Codes about data binding, lookups and built programs (E06xx).

super::codes! {}
