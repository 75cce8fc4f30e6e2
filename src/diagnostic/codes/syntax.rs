//! Codes about words and syntax (E00xx).

super::codes! {
    UNEXPECTED = "E0001", Error, "text that does not fit where it stands";
    UNCLOSED_STRING = "E0002", Error, "a string or quoted name that is never closed";
    BRACKET = "E0003", Error, "a bracket without its partner";
    BAD_NUMBER = "E0004", Error, "a number that cannot be read";
    TOO_DEEP = "E0005", Error, "a rule that is nested too deep or a file that is too long";
    BAD_DATE = "E0006", Error, "a date or time that cannot be read";
    HABIT = "E0007", Error, "a sign or word of another language";
    LOOK_ALIKE = "E0008", Error, "a character that only looks right";
    MISSING_WHEN = "E0009", Error, "a condition without `when`";
    UNKNOWN_DECLARATION = "E0010", Error, "a line that begins with no word of the language";
    RESERVED_NAME = "E0011", Error, "a name that the language needs for itself";
    BAD_STRING = "E0012", Error, "an escape in a string that means nothing";
    OTHER_LINE = "E0013", Error, "a part on another line than it belongs to";
    NEEDS_PARENTHESES = "E0014", Error, "comparisons strung together in a way that has no one reading";
    EMPTY = "E0015", Error, "brackets with nothing in them";
    NO_MISSING_LITERAL = "E0016", Error, "a word for a missing value";
    LEFT_OUT = "E0017", Error, "something is left out";
}
