//! Codes about logic (E04xx) and lints (W1…).

super::codes! {
    NEVER = "E0401", Error, "a condition that can never be true";
    OVERLAP = "E0402", Error, "members that overlap";
    GAP = "E0403", Error, "a layer that leaves users out";
    SHADOWED = "E0404", Error, "a line that earlier lines shadow entirely";
    ASSERTION = "E0405", Error, "an assertion that does not hold";
    MIXED_AND_OR = "W1001", Warning, "`and` and `or` mixed without parentheses";
    MISSING_LET_IN = "W1101", Warning, "a negated condition that lets in missing values";
    ALWAYS = "W1401", Warning, "a condition that is always true";
    IDLE_PART = "W1402", Warning, "a part of a condition that changes nothing";
    SAME_SEGMENTS = "W1403", Warning, "two segments that are the same set";
    IMPOSSIBLE_PATH = "W1404", Note, "a stack's paths that no user can have";
    UNDECIDED = "W1405", Warning, "what could not be decided";
    EXPIRED = "W1601", Warning, "a rule past its expiry date";
    EMPTY_SCORE_LEVEL = "W1602", Warning, "a level of a score that nobody has";
}
