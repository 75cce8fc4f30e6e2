//! Every Arrow type that a declared type may be read from (language.md, section 3).

use crate::support::{fixture, lines, program, program_in, read};
use strata::data::read::check_binding;

/// The same rows from the Parquet and the Arrow file.
fn both(zone: &str, columns: &str, name: &str) -> (Vec<String>, Vec<String>) {
    let program = program_in(zone, columns);
    let parquet = read(&program, &fixture(&format!("{name}.parquet"))).unwrap();
    let arrow = read(&program, &fixture(&format!("{name}.arrow"))).unwrap();
    assert_eq!(parquet.rows, arrow.rows);
    assert_eq!(parquet.bad, arrow.bad);
    (arrow.rows, arrow.bad)
}

#[test]
fn integers_of_every_width() {
    let columns = "id: int\n i8: int?\n u8: int?\n i16: int?\n u16: int?\n i32: int?\n u32: int?\n i64: int?\n u64: int?";
    let (rows, bad) = both("UTC", columns, "integers");
    assert_eq!(
        rows,
        [
            "1|-128|0|-32768|0|-2147483648|0|-9223372036854775808|0",
            "2|-|-|-|-|-|-|-|-",
            "3|127|255|32767|65535|2147483647|4294967295|9223372036854775807|-",
        ]
    );
    assert_eq!(bad, ["u64 1: 18446744073709551615 (row 3)"]);
}

#[test]
fn integers_as_floats_and_decimals() {
    let columns = "id: int\n i8: float?\n u64: decimal(20,0)?\n i64: decimal(38,2)?\n u16: decimal(4,1)?";
    let (rows, bad) = both("UTC", columns, "integers");
    assert_eq!(
        rows,
        [
            "1|-128|0e-0|-922337203685477580800e-2|0e-1",
            "2|-|-|-|-",
            "3|127|18446744073709551615e-0|922337203685477580700e-2|-",
        ]
    );
    assert_eq!(bad, ["u16 1: 65535 (row 3)"]);
}

#[test]
fn a_float_that_is_not_a_number_is_missing() {
    let (rows, bad) =
        both("UTC", "id: int\n f16: float?\n f32: float?\n f64: float?\n whole: float?", "floats");
    assert_eq!(rows, ["1|1.5|1.5|1.5|1", "2|-|-|-|2", "3|0|0|0|3", "4|-|-|-|-"]);
    assert_eq!(bad, [""; 0]);
    // In a required column that is a bad value, like any missing one.
    let (_, bad) = both("UTC", "id: int\n f64: float", "floats");
    assert_eq!(bad, ["f64 2: NaN (row 2), - (row 4)"]);
}

#[test]
fn decimals_of_every_width_are_exact() {
    let columns = "id: int\n d32: decimal(18,2)?\n d64: decimal(38,4)?\n d128: decimal(4,2)?\n d256: decimal(18,8)?\n whole: decimal(6,3)?";
    let (rows, bad) = both("UTC", columns, "decimals");
    assert_eq!(
        rows,
        [
            "1|150e-2|15000e-4|150e-2|150000000e-8|1000e-3",
            "2|-9999e-2|-999900e-4|-9999e-2|-|-99000e-3",
            "3|-|-|-|-|-",
        ]
    );
    assert_eq!(bad, ["d256 1: -99.990000001 (row 2)"]);
    // Digits that would be lost make a bad value, never a rounded one.
    let (rows, bad) = both("UTC", "id: int\n d128: decimal(4,1)?", "decimals");
    assert_eq!(rows, ["1|15e-1", "2|-", "3|-"]);
    assert_eq!(bad, ["d128 1: -99.99 (row 2)"]);
}

#[test]
fn texts_and_dictionaries_of_them() {
    let names = ["utf8", "large", "view", "d8", "d32", "du16", "d64", "dlarge"];
    let texts: Vec<String> = names.iter().map(|name| format!("{name}: string?")).collect();
    let (rows, bad) = both("UTC", &format!("id: int\n{}", texts.join("\n")), "texts");
    for (row, word) in rows.iter().zip(["社交", "search", "-", "ads", ""]) {
        assert!(row.split('|').skip(1).all(|value| value == word), "{row}");
        assert_eq!(row.split('|').count(), 9);
    }
    assert_eq!(bad, [""; 0]);
    let labels: Vec<String> = names.iter().map(|name| format!("{name}: search | 社交?")).collect();
    let (rows, bad) = both("UTC", &format!("id: int\n{}", labels.join("\n")), "texts");
    for (row, word) in rows.iter().zip(["社交", "search", "-", "-", "-"]) {
        assert!(row.split('|').skip(1).all(|value| value == word), "{row}");
    }
    let expected: Vec<String> = names.iter().map(|name| format!("{name} 2: ads (row 4),  (row 5)")).collect();
    assert_eq!(bad, expected);
}

#[test]
fn moments_of_every_unit_with_and_without_a_zone() {
    let names: Vec<String> = ["s", "ms", "us", "ns"]
        .iter()
        .flat_map(|unit| ["local", "utc", "zoned"].map(|kind| format!("{kind}_{unit}: timestamp?")))
        .collect();
    let (rows, bad) = both("Asia/Shanghai", &format!("id: int\n{}", names.join("\n")), "times");
    let kinds = |local: &str, utc: &str| [local, utc, utc].repeat(4).join("|");
    assert_eq!(rows[0], format!("1|{}", kinds("2024-11-15T00:30:01Z", "2024-11-15T08:30:01Z")));
    assert_eq!(rows[1], format!("2|{}", kinds("-", "-")));
    assert_eq!(rows[2], format!("3|{}", kinds("1969-12-31T15:59:59Z", "1969-12-31T23:59:59Z")));
    assert_eq!(bad, [""; 0]);
}

#[test]
fn nanoseconds_are_cut_and_dates_are_days() {
    let columns = "id: int\n ns_floor: timestamp?\n d32: date?\n d64: date?\n text: date? format \"%Y%m%d\"";
    let (rows, bad) = both("Asia/Shanghai", columns, "times");
    assert_eq!(
        rows,
        [
            "1|1970-01-01T00:00:00.000001Z|2024-11-15|2024-11-15|2024-11-15",
            "2|-|-|-|-",
            "3|1969-12-31T23:59:59.999999Z|1969-12-31|1969-12-31|-",
        ]
    );
    assert_eq!(bad, ["text 1: 15.11. (row 3)"]);
}

#[test]
fn a_skipped_local_time_moves_on_and_a_double_one_is_the_first() {
    let (rows, _) = both("Europe/Berlin", "id: int\n at: timestamp", "gaps");
    assert_eq!(rows, ["1|2024-03-31T01:30:00Z", "2|2024-10-27T00:30:00Z", "3|2024-07-01T10:00:00Z"]);
}

#[test]
fn lists_of_every_layout_without_missing_items() {
    let columns = "id: int\n list: list of string?\n large: list of string?\n fixed: list of int?\n dictionary: list of string?";
    let (rows, bad) = both("UTC", columns, "lists");
    assert_eq!(
        rows,
        ["1|[vip,kol]|[vip,kol]|[1,2]|[vip,kol]", "2|-|-|-|-", "3|[]|[]|[4]|[]", "4|[新]|[新]|[5,6]|[新]",]
    );
    assert_eq!(bad, [""; 0]);
    let views = program("id: int\n view: list of string?\n large_view: list of kol | vip?");
    let read = read(&views, &fixture("list_views.arrow")).unwrap();
    assert_eq!(read.rows, ["1|[vip,kol]|[vip,kol]", "2|-|-", "3|[]|[]", "4|[新]|[]"]);
    assert_eq!(read.bad, ["large_view 1: [新] (row 4)"]);
}

#[test]
fn a_column_of_nothing_suits_every_type() {
    let (rows, bad) = both("UTC", "id: int\n age: int?\n city: string?", "nothing_known");
    assert_eq!(rows, ["1|-|-", "2|-|-"]);
    assert_eq!(bad, [""; 0]);
    let (rows, bad) = both("UTC", "id: int\n age: int\n city: list of string", "nothing_known");
    assert_eq!(rows, ["1|-|-", "2|-|-"]);
    assert_eq!(bad, ["age 2: - (row 1), - (row 2)", "city 2: - (row 1), - (row 2)"]);
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let program = program("id: int\n age: int?\n city: string?\n since: date?");
    for ending in ["parquet", "arrow"] {
        let path = fixture(&format!("misnamed.{ending}"));
        let faults =
            check_binding(program.users.as_ref().unwrap(), &program, &path, &crate::support::options());
        assert_eq!(
            lines(&faults),
            [
                format!("E0603: `{path}` has no column `id`"),
                format!("E0603: `{path}` has no column `age`"),
                format!(
                    "E0604: column `city` of `{path}` holds floating-point numbers, but is declared `string`"
                ),
                format!("E0603: `{path}` has no column `since`"),
            ]
        );
        let helps: Vec<&str> = faults.iter().filter_map(|fault| fault.help.as_deref()).collect();
        assert_eq!(
            helps[1..3],
            [
                "the file has `Age`; if that is it, write `from \"Age\"` after the type",
                "declare it `float`, or mend the file"
            ]
        );
    }
}

#[test]
fn types_are_not_guessed() {
    let refused = [
        ("texts.parquet", "utf8: int?", "text", "int"),
        ("texts.parquet", "d8: date?", "text", "date"),
        ("times.parquet", "utc_ms: date?", "timestamps", "date"),
        ("times.parquet", "d32: timestamp?", "dates", "timestamp"),
        ("floats.parquet", "f64: int?", "floating-point numbers", "int"),
        ("floats.parquet", "f64: decimal(9,2)?", "floating-point numbers", "decimal(9,2)"),
        ("lists.parquet", "list: string?", "lists of text", "string"),
        ("lists.parquet", "list: list of int?", "lists of text", "list of int"),
        ("integers.parquet", "i8: bool?", "whole numbers", "bool"),
        ("integers.parquet", "i8: a | b?", "whole numbers", "a | b"),
    ];
    for (file, column, held, declared) in refused {
        let name = column.split(':').next().unwrap();
        let path = fixture(file);
        let faults = read(&program(&format!("id: int\n{column}")), &path).unwrap_err();
        let expected =
            format!("E0604: column `{name}` of `{path}` holds {held}, but is declared `{declared}`");
        assert_eq!(lines(&faults), [expected]);
    }
}
