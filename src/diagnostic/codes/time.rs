//! Codes about time and events (E03xx).

super::codes! {
    NEEDS_TIME = "E0301", Error, "a date or timestamp is needed";
    NEEDS_TIMESTAMP = "E0302", Error, "hours and minutes of a plain date";
    BAD_WINDOW = "E0303", Error, "a window that is not a positive whole number long";
    STRAY_DURATION = "E0304", Error, "a duration where a number or a date is needed";
    DATE_ARITHMETIC = "E0305", Error, "dates added or subtracted like numbers";
    BAD_AGGREGATE = "E0311", Error, "an aggregate of events that is not written right";
    UNKNOWN_EVENTS = "E0312", Error, "events that are declared nowhere";
    BAD_SEQUENCE = "E0313", Error, "a sequence that is not written right";
    BAD_SCORE = "E0314", Error, "a score that is not written right";
    BAD_POPULATION = "E0315", Error, "a value of the population that is not written right";
    BAD_EVENTS = "E0316", Error, "an event table that is not declared right";
    BAD_RFM = "E0317", Error, "an `rfm` that is not declared right";
    BAD_AS_OF = "E0318", Error, "an `as of` that cannot be";
    UNKNOWN_EVENT_COLUMN = "E0319", Error, "a column that an event table does not have";
}
