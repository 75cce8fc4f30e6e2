//! Codes about declarations and names (E01xx).

super::codes! {
    UNKNOWN_NAME = "E0101", Error, "a name that is declared nowhere";
    DECLARED_TWICE = "E0102", Error, "a name that is declared twice";
    CYCLE = "E0103", Error, "rules that need each other";
    NOT_EVALUATED = "E0104", Error, "a declaration that this version does not evaluate";
    FILE_NOT_FOUND = "E0105", Error, "a rule file that cannot be read";
    USE_CYCLE = "E0106", Error, "files that use each other";
    OUTSIDE = "E0107", Error, "a used file outside the root file's folder";
    ROOT_ONLY = "E0108", Error, "a setting that stands twice or in a used file";
    UNKNOWN_ZONE = "E0109", Error, "a time zone that does not exist";
    RESERVED = "E0110", Error, "a name that would be misread";
    UNKNOWN_TYPE = "E0111", Error, "a type that does not exist";
    BAD_TYPE = "E0112", Error, "a type that cannot be";
    BAD_DOMAIN = "E0113", Error, "a range of values that does not fit its column";
    BAD_TABLE = "E0114", Error, "a table that is not declared right";
    BAD_MEMBERS = "E0116", Error, "members that cannot stand like this";
    GRID_SHAPE = "E0117", Error, "a grid line with too few or too many patterns";
    STATED_TYPE = "E0118", Error, "a value that may be missing where a type says it is not";
    BAD_WITH = "E0119", Error, "a `with` that does not fit";
    EDITION = "E0120", Error, "an edition that this version does not know";
    BAD_ALLOW = "E0121", Error, "an `allow` for what cannot be allowed";
    TOO_LARGE = "E0122", Error, "a program that is too large";
}
