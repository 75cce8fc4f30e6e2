//! Codes about data binding, lookups and built programs (E06xx).

super::codes! {
    OUTPUT_FORMAT = "E0641", Error, "an output name that says no format";
    OUTPUT_FAILED = "E0642", Error, "an output that cannot be written";
    OUTPUT_PARTS = "E0643", Error, "a folder of parts that cannot be made";
    UNKNOWN_REQUEST = "E0644", Error, "a name on the command line that the rules do not have";
    BAD_NOW = "E0645", Error, "a moment on the command line that is none";
    NOT_RUNNABLE = "E0646", Error, "rules that a run cannot start with";
}
