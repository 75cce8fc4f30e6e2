//! Codes about words and syntax (E00xx).

super::codes! {}
