//! What a run does not read: columns on which nothing turns by the statistics of a Parquet file. A chunk
//! that is destroyed shows whether it was read.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use arrow::array::{ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray};
use assert_cmd::Command;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::file::metadata::PageIndexPolicy;
use parquet::file::properties::WriterProperties;
use serde_json::Value;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

const ROWS: i64 = 400;

/// 2020-01-01, in days since 1970.
const FIRST_DAY: i32 = 18_262;

/// Users who joined in 2020, 2021 and 2022, a file for each year, and rules.
struct Users {
    folder: TempDir,
}

impl Users {
    fn new(declarations: &str, rules: &str) -> Users {
        let folder = TempDir::new().unwrap();
        let text = format!(
            "strata 1\ntimezone \"UTC\"\nnow 2024-11-15T00:00\n\n\
             table users key user_id from \"users\" {{\n  user_id : int\n{declarations}}}\n\n{rules}\n"
        );
        fs::write(folder.path().join("rules.seg"), text).unwrap();
        fs::create_dir(folder.path().join("users")).unwrap();
        for year in 0..3 {
            let path = folder.path().join(format!("users/{year}.parquet"));
            let batch = batch(year);
            let properties = WriterProperties::builder().set_bloom_filter_enabled(true).build();
            let mut writer =
                ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), Some(properties)).unwrap();
            writer.write(&batch).unwrap();
            writer.close().unwrap();
        }
        Users { folder }
    }

    fn file(&self, year: i32) -> PathBuf {
        self.folder.path().join(format!("users/{year}.parquet"))
    }

    /// Overwrites a column's pages.
    fn destroy(&self, year: i32, column: &str) {
        let path = self.file(year);
        let footer =
            ArrowReaderMetadata::load(&File::open(&path).unwrap(), ArrowReaderOptions::new()).unwrap();
        let chunks = footer.metadata().row_group(0).columns();
        let chunk = chunks.iter().find(|chunk| chunk.column_path().string() == column).unwrap();
        let (start, length) = chunk.byte_range();
        let mut bytes = fs::read(&path).unwrap();
        bytes[start as usize..(start + length) as usize].fill(0xff);
        fs::write(path, bytes).unwrap();
    }

    fn run(&self) -> Result<Value, String> {
        let done = Command::cargo_bin("strata")
            .unwrap()
            .current_dir(self.folder.path())
            .args(["run", "rules.seg", "--summary", "json"])
            .output()
            .unwrap();
        if !done.status.success() {
            return Err(String::from_utf8_lossy(&done.stderr).into_owned());
        }
        let mut summary: Value = serde_json::from_slice(&done.stdout).unwrap();
        for passing in ["seconds", "seconds_by_stage", "rows_per_second"] {
            summary.as_object_mut().unwrap().remove(passing);
        }
        Ok(summary)
    }

    /// What the run said before, and after these columns were destroyed.
    fn stays_the_same_without(&self, chunks: &[(i32, &str)]) {
        let before = self.run().unwrap();
        for (year, column) in chunks {
            self.destroy(*year, column);
        }
        assert_eq!(self.run().as_ref(), Ok(&before), "without {chunks:?}");
    }
}

/// Users of a year: of every second the score is missing; cities are `a0`, `a1` … `a9` and `b`.
fn batch(year: i32) -> RecordBatch {
    let rows = || 0..ROWS;
    let cities = rows().map(|row| if row % 50 == 7 { "b".to_owned() } else { format!("a{}", row % 10) });
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("user_id", Arc::new(Int64Array::from_iter_values(rows().map(|row| i64::from(year) * ROWS + row)))),
        (
            "joined",
            Arc::new(Date32Array::from_iter_values(
                rows().map(|row| FIRST_DAY + year * 366 + i32::try_from(row % 365).unwrap()),
            )),
        ),
        ("score", Arc::new(rows().map(|row| (row % 2 == 0).then_some(row % 60)).collect::<Int64Array>())),
        ("level", Arc::new(Int64Array::from_iter_values(rows().map(|row| row % 7)))),
        ("share", Arc::new(Float64Array::from_iter_values(rows().map(|row| row as f64 / 40.0)))),
        ("city", Arc::new(StringArray::from_iter_values(cities))),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

const ALL: &str = "  joined : date\n  score : int?\n  level : int\n  share : float?\n  city : string\n";

fn needs(users: &Users, year: i32, column: &str) {
    users.destroy(year, column);
    let error = users.run().unwrap_err();
    assert!(error.contains("E0605") || error.contains("cannot be decoded"), "{error}");
}

#[test]
fn a_column_is_left_out_where_its_tests_are_settled_and_where_nothing_turns_on_it() {
    let users = Users::new(
        ALL,
        "segment late when joined >= 2022-06-01 and score >= 5\n\
         segment late_or_high when joined >= 2022-06-01 or level > 6\n\
         layer when_joined first match {\n  early when joined < 2021-06-01\n  mid when joined < 2022-06-01 and city = \"b\"\n  rest otherwise\n}",
    );
    // In 2020 all are early whatever their city and nobody joined late; `level > 6` never holds.
    users.stays_the_same_without(&[(0, "joined"), (0, "score"), (0, "level"), (0, "city"), (1, "score")]);
    needs(&users, 2, "score");
}

#[test]
fn counts_of_conditions_and_negations_settle_too() {
    let users = Users::new(
        ALL,
        "segment two when at least 2 of (joined >= 2023-06-01, level < 0, score > 20)\n\
         segment not_late when not (joined >= 2023-06-01 and score > 20)\n\
         segment both when (joined < 2023-06-01 or score > 1) and level is known",
    );
    users.stays_the_same_without(&[(0, "score"), (1, "score"), (2, "score"), (0, "joined"), (2, "level")]);
}

#[test]
fn a_bloom_filter_settles_what_the_ends_do_not() {
    // `a55` lies between `a0` and `b`.
    let users = Users::new(ALL, "segment there when city in (\"a55\", \"a77\") and score >= 5");
    users.stays_the_same_without(&[(0, "score"), (0, "city"), (2, "score")]);
    let users = Users::new(ALL, "segment there when city in (\"a55\", \"a7\") and score >= 5");
    needs(&users, 0, "score");
}

#[test]
fn floats_may_hide_a_nan_and_missing_values_make_nothing_hold() {
    let users = Users::new(ALL, "segment some when share >= 0\nsegment none when score >= 100 or share < 0");
    let before = users.run().unwrap();
    assert_eq!(before["segments"]["some"], 3 * ROWS);
    // That no known share is below zero settles the one, but not that all are known the other.
    users.stays_the_same_without(&[(0, "score")]);
    needs(&users, 0, "share");
}

#[test]
fn what_may_break_its_declaration_is_read() {
    let bounded = ALL.replace("level : int", "level : int between 0 and 5");
    let users = Users::new(&bounded, "segment late when joined >= 2022-06-01 and level > 2");
    let before = users.run().unwrap();
    assert_eq!(before["bad_values"][0]["count"], 3 * ROWS / 7, "{before}");
    needs(&users, 0, "level");
    let wide = ALL.replace("level : int", "level : int between 0 and 6");
    let users = Users::new(&wide, "segment late when joined >= 2022-06-01 and level > 2");
    users.stays_the_same_without(&[(0, "level"), (0, "joined")]);
}

#[test]
fn keys_are_always_read() {
    let users = Users::new(ALL, "segment late when joined >= 2030-01-01 and score > 3");
    let out: &Path = &users.folder.path().join("out.parquet");
    let run = |users: &Users| {
        Command::cargo_bin("strata")
            .unwrap()
            .current_dir(users.folder.path())
            .args(["run", "rules.seg", "--quiet", "--out"])
            .arg(out)
            .output()
            .unwrap()
    };
    users.destroy(0, "joined");
    assert!(run(&users).status.success());
    users.destroy(0, "user_id");
    assert!(!run(&users).status.success());
}

#[test]
fn what_is_the_same_in_all_rows_is_not_read() {
    let columns = "  joined : date\n  fan : bool\n  tier : gold | silver\n  score : int?\n  level : int\n";
    let rules = "segment fans when fan and score >= 5\nsegment golden when tier = gold or level > 3\n\
                 trait more : int = level + 2\nsegment known_fans when fan is known and not fan";
    let users = Users::new(columns, rules);
    for year in 0..3_i64 {
        let rows = 0..ROWS;
        // Nobody was a fan in the first year, all were in the second, and some in the third.
        let fans = rows.clone().map(|row| Some(year == 1 || year == 2 && row % 3 == 0));
        let tiers =
            rows.clone().map(|row| if year == 0 || year == 2 && row % 2 == 0 { "gold" } else { "silver" });
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("user_id", Arc::new(Int64Array::from_iter_values(rows.clone().map(|row| year * ROWS + row)))),
            ("joined", Arc::new(Date32Array::from_iter_values(rows.clone().map(|_| FIRST_DAY)))),
            ("fan", Arc::new(fans.collect::<BooleanArray>())),
            ("tier", Arc::new(StringArray::from_iter_values(tiers))),
            (
                "score",
                Arc::new(rows.clone().map(|row| (row % 2 == 0).then_some(row % 60)).collect::<Int64Array>()),
            ),
            (
                "level",
                Arc::new(Int64Array::from_iter_values(rows.map(|row| if year == 1 { 7 } else { row % 7 }))),
            ),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let file = File::create(users.file(i32::try_from(year).unwrap())).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    }
    let before = users.run().unwrap();
    assert!(before["segments"]["golden"].as_i64().unwrap() > 2 * ROWS, "{before}");
    users.stays_the_same_without(&[
        (0, "fan"),
        (0, "score"),
        (0, "tier"),
        (1, "fan"),
        (1, "tier"),
        (1, "level"),
    ]);
    needs(&users, 2, "fan");
}

/// A file of one row group with an index of its pages: 200,000 users in the order in which they joined.
fn sorted_by_day(users: &Users) -> PathBuf {
    let rows = 200_000;
    let every = |row: i64, other: i64| row * 7919 % other;
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("user_id", Arc::new(Int64Array::from_iter_values(0..rows))),
        (
            "joined",
            Arc::new(Date32Array::from_iter_values(
                (0..rows).map(|row| FIRST_DAY + i32::try_from(row / 200).unwrap()),
            )),
        ),
        (
            "score",
            Arc::new((0..rows).map(|row| (row % 3 > 0).then_some(every(row, 60))).collect::<Int64Array>()),
        ),
        ("level", Arc::new(Int64Array::from_iter_values((0..rows).map(|row| every(row, 100_003))))),
        (
            "share",
            Arc::new(Float64Array::from_iter_values((0..rows).map(|row| every(row, 1000) as f64 / 8.0))),
        ),
        (
            "city",
            Arc::new(StringArray::from_iter_values((0..rows).map(|row| format!("a{}", every(row, 300))))),
        ),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let properties = WriterProperties::builder()
        .set_data_page_row_count_limit(3_000)
        .set_write_batch_size(500)
        .set_dictionary_page_size_limit(100_000)
        .build();
    for year in 0..3 {
        fs::remove_file(users.file(year)).unwrap();
    }
    let path = users.file(0);
    let mut writer =
        ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    path
}

/// Overwrites the pages of a column that have rows of these alone; says how many there are.
fn destroy_pages(path: &Path, column: &str, rows: std::ops::Range<i64>) -> usize {
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Required);
    let footer = ArrowReaderMetadata::load(&File::open(path).unwrap(), options).unwrap();
    let metadata = footer.metadata();
    let chunks = metadata.row_group(0).columns();
    let chunk = chunks.iter().position(|chunk| chunk.column_path().string() == column).unwrap();
    let pages = metadata.offset_index().unwrap()[0][chunk].page_locations();
    let mut bytes = fs::read(path).unwrap();
    let mut destroyed = 0;
    for (at, page) in pages.iter().enumerate() {
        let end = pages.get(at + 1).map_or(metadata.row_group(0).num_rows(), |next| next.first_row_index);
        if page.first_row_index >= rows.start && end <= rows.end {
            let start = page.offset as usize;
            bytes[start..start + page.compressed_page_size as usize].fill(0xff);
            destroyed += 1;
        }
    }
    fs::write(path, bytes).unwrap();
    destroyed
}

#[test]
fn pages_are_left_out_where_the_index_settles_what_a_batch_turns_on() {
    let rules = "segment late when joined >= 2022-06-01 and score >= 5 and city != \"a7\"\n\
                 segment late_or_high when joined >= 2022-06-01 or level >= 100000\n\
                 segment late_share when joined >= 2022-06-01 and share > 50";
    let users = Users::new(ALL, rules);
    let path = sorted_by_day(&users);
    let before = users.run().unwrap();
    assert!(before["segments"]["late"].as_u64().unwrap() > 1000, "{before}");
    // 2022-06-01 is day 882: row 176,400. Batches begin at multiples of 65,536, and the one before 131,072
    // ends on a page that the next begins in.
    for column in ["score", "city", "share"] {
        assert!(destroy_pages(&path, column, 0..131_000) > 40, "{column}");
    }
    // Of late ones the level makes no difference.
    assert!(destroy_pages(&path, "level", 196_608..200_000) > 0);
    assert_eq!(users.run(), Ok(before.clone()));
    // The share of a batch in which something turns on it is read.
    assert!(destroy_pages(&path, "share", 165_000..170_000) > 0);
    assert!(users.run().is_err());
}
