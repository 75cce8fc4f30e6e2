//! Codes about stacks, plays, splits, tests and guards (E05xx, W15xx).

super::codes! {
    BAD_TEXT = "E0501", Error, "a text whose braces do not fit";
    BAD_FORMAT = "E0502", Error, "a format that does not fit its value";
    NOT_WRITABLE = "E0503", Error, "a value that cannot stand in a text";
    BAD_BASE = "E0504", Error, "a stack, play or split of something that it cannot be of";
    BAD_STACK = "E0505", Error, "a line of a stack that cannot be";
    BAD_PATTERN = "E0506", Error, "a line of a play for nobody";
    BAD_SPLIT = "E0507", Error, "a split whose arms do not add up";
    BAD_TEST = "E0508", Error, "a test that cannot be made";
    BAD_ROW = "E0509", Error, "a made-up row that does not fit its table";
    BAD_GUARD = "E0510", Error, "a guard that cannot be checked";
    GUARD_FAILED = "E0511", Error, "a guard that a run did not keep";
    NO_LINE = "W1501", Warning, "a member that a play says nothing to";
    MAY_BE_MISSING = "W1502", Warning, "a text with a value that may be missing";
}
