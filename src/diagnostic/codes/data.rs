//! Codes about data binding, lookups and built programs (E06xx).

super::codes! {
    UNREADABLE = "E0601", Error, "data that are not there or cannot be read";
    UNKNOWN_FORMAT = "E0602", Error, "a file whose name says no known format";
    MISSING_COLUMN = "E0603", Error, "a declared column that the data do not have";
    WRONG_COLUMN_TYPE = "E0604", Error, "a column whose type in the data is not the declared one";
    DAMAGED_FILE = "E0605", Error, "a damaged file";
    MISSING_KEY = "E0606", Error, "a row without a usable key";
    DUPLICATE_KEY = "E0607", Error, "two rows with the same key";
    DUPLICATE_LOOKUP_KEY = "E0608", Error, "two rows of a lookup or calendar with the same key";
    BAD_VALUE = "E0609", Error, "a value that breaks its declaration";
    NO_DATA = "E0610", Error, "a folder, pattern or file without any table in it";
    NO_SOURCE = "E0611", Error, "a table whose data are named nowhere";
    AMBIGUOUS_COLUMN = "E0612", Error, "two columns of the same name in the data";
    NO_STORES = "E0621", Error, "an object store, in a build that reads none";
    UNKNOWN_STORE = "E0622", Error, "a URL of a kind that is not read";
    OUTPUT_FORMAT = "E0641", Error, "an output name that says no format";
    OUTPUT_FAILED = "E0642", Error, "an output that cannot be written";
    OUTPUT_PARTS = "E0643", Error, "a folder of parts that cannot be made";
    UNKNOWN_REQUEST = "E0644", Error, "a name on the command line that the rules do not have";
    BAD_NOW = "E0645", Error, "a moment on the command line that is none";
    NOT_RUNNABLE = "E0646", Error, "rules that a run cannot start with";
    SPILL_FAILED = "E0649", Error, "a temporary file that cannot be used";
    BUILT_NOT_WRITTEN = "E0651", Error, "a built program that cannot be written";
    BUILT_NOT_READ = "E0652", Error, "a built program that cannot be trusted";
}
