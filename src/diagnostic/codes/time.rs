//! Codes about time and events (E03xx).

super::codes! {
    NEEDS_TIME = "E0301", Error, "a date or timestamp is needed";
    NEEDS_TIMESTAMP = "E0302", Error, "hours and minutes of a plain date";
    BAD_WINDOW = "E0303", Error, "a window that is not a positive whole number long";
    STRAY_DURATION = "E0304", Error, "a duration where a number or a date is needed";
    DATE_ARITHMETIC = "E0305", Error, "dates added or subtracted like numbers";
    NOT_EVALUATED = "E0310", Error, "behaviour or population values, which this version does not evaluate";
}
