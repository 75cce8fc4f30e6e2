//! Values that break their declaration.

use crate::support::{Scratch, fixture, lines, options, program, program_in, read, read_with};
use strata::data::BadValueMode;
use strata::data::read::ReadOptions;

#[test]
fn they_count_as_missing_and_are_counted_by_column() {
    let scratch = Scratch::new();
    let path = scratch.write(
        "users.csv",
        "id,age,level,gmv,score\n1,999,low,-1,0.5\n2,,mid,3,2\n3,x,none,1.234,\n4,-1,low,7,0\n5,121,high,0,abc\n",
    );
    let program = program(
        "id: int\n age: int between 0 and 120\n level: low < mid < high\n gmv: decimal(9,2) >= 0\n score: float? < 1",
    );
    let read = read(&program, &path).unwrap();
    assert_eq!(
        read.rows,
        ["1|-|low|-|0.5", "2|-|mid|300e-2|-", "3|-|-|-|-", "4|-|low|700e-2|0", "5|-|high|0e-2|-"]
    );
    assert_eq!(
        read.bad,
        [
            "age 5: 999 (row 1), - (row 2), x (row 3)",
            "level 1: none (row 3)",
            "gmv 2: -1 (row 1), 1.234 (row 3)",
            "score 2: 2 (row 2), abc (row 5)",
        ]
    );
}

#[test]
fn open_and_closed_ends_differ() {
    let scratch = Scratch::new();
    let path = scratch.write("x.csv", "id,a,b,c\n1,1,1,1\n2,2,2,2\n");
    let program = program("id: int\n a: int > 1\n b: int <= 1\n c: float >= 2");
    assert_eq!(read(&program, &path).unwrap().rows, ["1|-|1|-", "2|2|-|2"]);
}

#[test]
fn the_past_ends_now() {
    let scratch = Scratch::new();
    // Now is 2024-11-15T12:00Z, 20:00 in Shanghai.
    let path = scratch.write(
        "x.csv",
        "id,at,day\n1,2024-11-15T20:00,2024-11-15\n2,2024-11-15T20:00:00.000001,2024-11-16\n",
    );
    let program = program_in("Asia/Shanghai", "id: int\n at: timestamp past\n day: date past");
    let rows = read(&program, &path).unwrap();
    assert_eq!(rows.rows, ["1|2024-11-15T12:00:00Z|2024-11-15", "2|-|-"]);
    assert_eq!(rows.bad.len(), 2);
}

#[test]
fn rows_are_numbered_over_all_batches_of_a_file() {
    let program = program("id: int\n age: int between 0 and 98\n city: string");
    for name in ["snappy.parquet", "zstd.feather"] {
        let small = ReadOptions { batch_rows: 64, ..options() };
        let rows = read_with(&program, &fixture(name), &small).unwrap();
        assert_eq!(rows.bad, ["age 10: 99 (row 100), 99 (row 200), 99 (row 300)"]);
    }
}

#[test]
fn in_error_mode_the_first_one_stops() {
    let scratch = Scratch::new();
    let path = scratch.write("x.csv", "id,a,b\n1,1,1\n2,1,no\n3,no,1\n");
    let strict = ReadOptions { bad_values: BadValueMode::Error, ..options() };
    let program = program("id: int\n a: int\n b: int");
    let faults = read_with(&program, &path, &strict).unwrap_err();
    let expected = format!("E0609: row 2 of `{path}`: `no` is no value that column `b` (`int`) may have");
    assert_eq!(lines(&faults), [expected]);
}

#[test]
fn a_row_without_a_key_always_stops() {
    let scratch = Scratch::new();
    let program = program("id: int");
    let missing = scratch.write("missing.csv", "id,x\n1,\n,2\n");
    let expected = format!("E0606: row 2 of `{missing}` has no key (`id` is missing)");
    assert_eq!(lines(&read(&program, &missing).unwrap_err()), [expected]);
    let bad = scratch.write("bad.csv", "id\n1\nx\n");
    let expected = format!("E0606: row 2 of `{bad}` has the key `x`, which is no value of `id`");
    assert_eq!(lines(&read(&program, &bad).unwrap_err()), [expected]);
}
