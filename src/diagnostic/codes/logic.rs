//! Codes about logic (E04xx) and lints (W1…).

super::codes! {
    SHADOWED = "E0404", Error, "a line that earlier lines leave nobody";
    MIXED_AND_OR = "W1001", Warning, "`and` and `or` mixed without parentheses";
    IMPOSSIBLE_PATH = "W1404", Note, "a stack's paths that no user can have";
    EXPIRED = "W1601", Warning, "a rule past its expiry date";
    EMPTY_SCORE_LEVEL = "W1602", Warning, "a level of a score that nobody has";
}
