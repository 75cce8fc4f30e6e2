//! Codes about types (E02xx).

super::codes! {
    TYPE_CLASH = "E0201", Error, "two values of types that do not go together";
    NOT_A_CONDITION = "E0202", Error, "a value stands where a condition is needed";
    NO_ORDER = "E0203", Error, "`<` or `>` between values that have no order";
    UNKNOWN_LABEL = "E0204", Error, "a label that its type does not have";
    NUMBER_DOES_NOT_FIT = "E0205", Error, "a number that its column cannot hold";
    UNKNOWN_FUNCTION = "E0206", Error, "a function that does not exist";
    WRONG_ARGUMENTS = "E0207", Error, "a function with too few or too many values";
    TOO_MANY_DIGITS = "E0208", Error, "exact arithmetic beyond 38 digits";
    LABEL_OF_ANOTHER_TYPE = "E0209", Error, "a label of another type";
    DIFFERENT_LABELS = "E0210", Error, "two different labelled types compared";
    BAD_PATTERN = "E0211", Error, "a regular expression that cannot be read";
    NOT_A_LITERAL = "E0212", Error, "a fixed value is needed here";
    WRONG_TYPE = "E0213", Error, "a value of the wrong type for what is done with it";
}
