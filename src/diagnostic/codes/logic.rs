//! Codes about logic (E04xx) and lints (W1…).

super::codes! {}
