//! Tables read by several threads, and rows that are passed over.

use crate::support::{NOW, Rows, Scratch, lines, options, program, read_with};
use arrow::array::{
    ArrayRef, AsArray, BooleanArray, Int64Array, ListArray, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::compute::take;
use arrow::datatypes::{Int64Type, UInt16Type};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use std::collections::BTreeMap;
use std::fs::File;
use std::sync::{Arc, Mutex};
use std::thread;
use strata::data::BadValueMode;
use strata::data::facts::value_at;
use strata::data::read::{self, ColumnRange, KeyMode, ReadOptions, TableParts};
use strata::diagnostic::Diagnostic;
use strata::program::{Program, Value};

const GROUP: usize = 150_000;

/// What an array has, codes looked up.
fn values(array: &ArrayRef) -> ArrayRef {
    match array.as_dictionary_opt::<UInt16Type>() {
        Some(codes) => take(codes.values(), codes.keys(), None).unwrap(),
        None => array.clone(),
    }
}

/// A Parquet file of several row groups.
fn parquet(scratch: &Scratch, name: &str, columns: Vec<(&str, ArrayRef)>, page: usize) -> String {
    let path = scratch.write(name, "");
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(GROUP))
        .set_data_page_row_count_limit(page)
        .set_write_batch_size(page.min(1024))
        .build();
    let mut writer =
        ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    path
}

fn ints(values: impl IntoIterator<Item = i64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(values))
}

/// Reads in several threads, then puts everything in order. Row groups that are cut give the same.
fn read_in_parts(program: &Program, path: &str, options: &ReadOptions) -> Result<Rows, Vec<Diagnostic>> {
    let table = program.users.as_ref().unwrap();
    let whole = read::open_parts(table, program, path, options)?;
    let cut = Arc::new(whole.cut(20_000));
    let (whole, cut) = (read_parts(&whole), read_parts(&cut));
    match (&whole, &cut) {
        (Ok(whole), Ok(cut)) => assert_eq!((&whole.rows, &whole.bad), (&cut.rows, &cut.bad)),
        (Err(whole), Err(cut)) => assert_eq!(whole, cut),
        _ => panic!("whole {:?}, cut {:?}", whole.is_ok(), cut.is_ok()),
    }
    whole
}

fn read_parts(parts: &Arc<TableParts>) -> Result<Rows, Vec<Diagnostic>> {
    let batches: Mutex<BTreeMap<(usize, usize), RecordBatch>> = Mutex::default();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| pull(parts, &batches));
        }
    });
    let totals = parts.finish().map_err(|fault| vec![fault])?;
    let mut rows = Vec::new();
    for batch in batches.into_inner().unwrap().values() {
        for row in 0..batch.num_rows() {
            let values: Vec<String> =
                batch.columns().iter().map(|array| format!("{:?}", value_at(array, row))).collect();
            rows.push(values.join("|"));
        }
    }
    assert_eq!(totals.rows, rows.len() as u64);
    let bad = totals.bad_values.iter().map(|bad| {
        let examples = bad.examples.iter();
        let examples: Vec<String> = examples
            .map(|example| format!("{} (row {})", example.value.as_deref().unwrap_or("-"), example.row))
            .collect();
        format!("{} {}: {}", bad.column, bad.count, examples.join(", "))
    });
    Ok(Rows { rows, bad: bad.collect() })
}

fn pull(parts: &Arc<TableParts>, batches: &Mutex<BTreeMap<(usize, usize), RecordBatch>>) {
    while let Some(mut part) = parts.take() {
        let number = part.number();
        for (index, batch) in (&mut part).enumerate() {
            batches.lock().unwrap().insert((number, index), batch);
        }
    }
}

#[test]
fn threads_give_what_one_reader_gives() {
    let scratch = Scratch::new();
    let rows = 4 * GROUP as i64 + 17;
    let ages = ints((0..rows).map(|row| row * 31 % 121));
    parquet(&scratch, "users/a.parquet", vec![("id", ints(0..rows)), ("age", ages)], 1024);
    scratch.write("users/b.csv", "id,age\n9000000,30\n9000001,old\n9000002,500\n");
    let program = program("id : int\nage : int? between 0 and 119");
    let path = scratch.path("users").to_string_lossy().into_owned();
    let table = program.users.as_ref().unwrap();
    assert_eq!(read::open_parts(table, &program, &path, &options()).unwrap().count(), 6);

    let alone = read_with(&program, &path, &options()).unwrap();
    for _ in 0..3 {
        let together = read_in_parts(&program, &path, &options()).unwrap();
        assert_eq!(together.rows.len(), alone.rows.len());
        assert_eq!(together.rows[7], "Int(7)|Int(96)");
        assert_eq!(together.rows.last().unwrap(), "Int(9000002)|Missing");
        assert_eq!(together.bad, alone.bad);
    }
    // Counted over all files, in their order.
    assert_eq!(alone.bad.len(), 1);
    assert!(
        alone.bad[0].starts_with("age 4961: 120 (row 40), 120 (row 161), 120 (row 282)"),
        "{:?}",
        alone.bad
    );
}

#[test]
fn stretches_of_a_row_group_have_its_batches() {
    let scratch = Scratch::new();
    let rows = 100_000;
    let known = |row: i64| row % 7 != 3 || (20_000..40_000).contains(&row);
    // The dictionaries of large pages are given up after some.
    let spread = |row: i64| known(row).then_some(row.wrapping_mul(0x9e37_79b9) % 1_000_003);
    let amounts = Int64Array::from_iter((0..rows).map(spread));
    let city = |row: i64| known(row + 1).then(|| format!("city {}", row % 50));
    let name = |row: i64| format!("name {row}");
    let tags = (0..rows).map(|row| Some(vec![Some(row % 5); (row % 3) as usize]));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", ints(0..rows)),
        ("amount", Arc::new(amounts)),
        ("city", Arc::new(StringArray::from_iter((0..rows).map(city)))),
        ("name", Arc::new(StringArray::from_iter_values((0..rows).map(name)))),
        (
            "member",
            Arc::new(BooleanArray::from_iter((0..rows).map(|row| known(row).then_some(row % 3 == 0)))),
        ),
        ("tags", Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(tags))),
    ];
    let all = "id : int\namount : int?\ncity : string?\nname : string\nmember : bool?\ntags : list of int";
    let flat = "id : int\namount : int?\ncity : string?\nmember : bool?";
    for (columns_of, page) in [(all, 1024), (flat, 1024), (flat, 20_000)] {
        let path = parquet(&scratch, "users.parquet", columns.clone(), page);
        let program = program(columns_of);
        let table = program.users.as_ref().unwrap();
        for codes in [Vec::new(), (1..4).collect()] {
            let options = ReadOptions { batch_rows: 3000, codes, ..options() };
            let parts = read::open_parts(table, &program, &path, &options).unwrap();
            let whole: Vec<RecordBatch> = parts.reader().collect::<Result<_, _>>().unwrap();
            for (most, count) in [(1, 34), (7000, 12), (50_000, 2), (100_000, 1)] {
                let cut = Arc::new(parts.cut(most));
                assert_eq!(cut.count(), count);
                let mut batches = Vec::new();
                while let Some(part) = cut.take() {
                    batches.extend(part);
                }
                assert_eq!(cut.finish().unwrap().rows, rows as u64);
                assert_eq!(batches.len(), whole.len());
                for (batch, expected) in batches.iter().zip(&whole) {
                    assert_eq!(batch.num_rows(), expected.num_rows());
                    for (found, expected) in batch.columns().iter().zip(expected.columns()) {
                        assert_eq!(&values(found), &values(expected));
                    }
                }
            }
        }
    }
}

#[test]
fn every_format_has_parts() {
    let program = program("id : int\nage : int?");
    for name in ["people.csv", "people.jsonl"] {
        let scratch = Scratch::new();
        let text = match name {
            "people.csv" => "id,age\n1,30\n2,\n",
            _ => "{\"id\":1,\"age\":30}\n{\"id\":2}\n",
        };
        let path = scratch.write(name, text);
        let together = read_in_parts(&program, &path, &options()).unwrap();
        assert_eq!(together.rows, ["Int(1)|Int(30)", "Int(2)|Missing"], "{name}");
    }
}

#[test]
fn of_several_faults_the_first_row_is_named() {
    let scratch = Scratch::new();
    let rows = 6 * GROUP as i64;
    let age = |row: i64| if [2 * GROUP as i64 + 5, 5 * GROUP as i64].contains(&row) { 999 } else { 20 };
    let columns = vec![("id", ints(0..rows)), ("age", ints((0..rows).map(age)))];
    let path = parquet(&scratch, "users.parquet", columns, 1024);
    let program = program("id : int\nage : int between 0 and 120");
    let strict = ReadOptions { bad_values: BadValueMode::Error, ..options() };
    let alone = read_with(&program, &path, &strict).unwrap_err();
    assert!(alone[0].message.starts_with(&format!("row {} of", 2 * GROUP + 6)), "{}", alone[0].message);
    for _ in 0..5 {
        assert_eq!(read_in_parts(&program, &path, &strict).unwrap_err(), alone);
    }
}

#[test]
fn keys_are_compared_across_parts() {
    let scratch = Scratch::new();
    let group = GROUP as i64;
    let keys = ReadOptions { keys: KeyMode::Check { memory: 1 << 20 }, ..options() };
    let program = program("id : int");
    let cases: [(&str, Vec<i64>, Option<String>); 6] = [
        ("ascending", (0..5 * group).collect(), None),
        ("descending", (0..3 * group).rev().collect(), None),
        (
            "neighbours",
            (0..4 * group).map(|row| if row == 2 * group + 9 { row - 1 } else { row }).collect(),
            Some(format!(
                "rows {} and {} have the same key `{}`",
                2 * group + 9,
                2 * group + 10,
                2 * group + 8
            )),
        ),
        (
            "border",
            (0..4 * group).map(|row| if row == 2 * group { row - 1 } else { row }).collect(),
            Some(format!("rows {} and {} have the same key `{}`", 2 * group, 2 * group + 1, 2 * group - 1)),
        ),
        (
            "parts in no order",
            (2 * group..4 * group).chain(0..group).chain([3 * group]).collect(),
            Some(format!("rows {} and {} have the same key `{}`", group + 1, 3 * group + 1, 3 * group)),
        ),
        (
            "neighbours after a descent",
            [7, 5].into_iter().chain(10..3 * group).chain([3 * group - 1, 5]).collect(),
            Some(format!(
                "rows {} and {} have the same key `{}`",
                3 * group - 8,
                3 * group - 7,
                3 * group - 1
            )),
        ),
    ];
    for (name, ids, expected) in cases {
        let path = parquet(&scratch, "users.parquet", vec![("id", ints(ids))], 1024);
        for found in [read_in_parts(&program, &path, &keys), read_with(&program, &path, &keys)] {
            let found = found.err().map(|found| lines(&found));
            assert_eq!(
                found,
                expected.as_ref().map(|expected| vec![format!("E0607: table `users`: {expected}")]),
                "{name}"
            );
        }
    }
}

#[test]
fn a_damaged_row_group_is_found() {
    let scratch = Scratch::new();
    let path = parquet(&scratch, "users.parquet", vec![("id", ints(0..4 * GROUP as i64))], 1024);
    let mut bytes = std::fs::read(&path).unwrap();
    let reader = SerializedFileReader::new(File::open(&path).unwrap()).unwrap();
    let (start, _) = reader.metadata().row_group(2).column(0).byte_range();
    for byte in bytes.iter_mut().skip(start as usize).take(64) {
        *byte = 0xff;
    }
    std::fs::write(&path, bytes).unwrap();
    let program = program("id : int");
    let alone = lines(&read_with(&program, &path, &options()).unwrap_err());
    assert!(alone[0].starts_with("E0605: ") && alone[0].contains("is damaged"), "{alone:?}");
    assert_eq!(lines(&read_in_parts(&program, &path, &options()).unwrap_err()), alone);
}

/// Rows within a range, with what was read to find them.
fn within(program: &Program, path: &str, column: usize, low: i64, high: i64) -> (Rows, Rows) {
    let value = |micros: i64| match column {
        2 => Some(Value::Timestamp(micros)),
        _ => Some(Value::Int(micros)),
    };
    let range = ColumnRange { column, low: value(low), high: value(high) };
    let pruned = ReadOptions { ranges: vec![range], ..options() };
    let alone = read_with(program, path, &pruned).unwrap();
    let together = read_in_parts(program, path, &pruned).unwrap();
    assert_eq!(alone.bad, together.bad);
    (alone, together)
}

#[test]
fn rows_that_cannot_matter_are_passed_over() {
    let scratch = Scratch::new();
    let rows = 4 * GROUP as i64;
    let moments = (0..rows).map(|row| NOW - row);
    let moments: ArrayRef =
        Arc::new(TimestampMicrosecondArray::from_iter_values(moments).with_timezone("UTC"));
    let age = ints((0..rows).map(|row| if row % GROUP as i64 == 70_001 { -1 } else { row % 7 }));
    let city: ArrayRef =
        Arc::new(StringArray::from_iter_values((0..rows).map(|row| format!("c{}", row % 3))));
    let columns = vec![("id", ints(0..rows)), ("age", age), ("at", moments), ("city", city)];
    let path = parquet(&scratch, "users.parquet", columns, 1024);
    let program = program("id : int\nage : int >= 0\nat : timestamp\ncity : string");

    // One page of the second row group.
    let middle = GROUP as i64 + 70_000;
    let (alone, together) = within(&program, &path, 0, middle, middle + 3);
    assert!(together.rows.len() < 4096 && together.rows.len() == alone.rows.len());
    for row in middle..=middle + 3 {
        let start = format!("Int({row})|");
        assert!(together.rows.iter().any(|found| found.starts_with(&start)), "{row}");
    }
    // Rows are numbered as the file has them, whatever was passed over.
    assert_eq!(alone.bad, [format!("age 1: -1 (row {})", GROUP + 70_002)]);

    // Two ranges that touch two row groups.
    let (alone, _) = within(&program, &path, 2, NOW - 3 * GROUP as i64, NOW - 3 * GROUP as i64 + 2);
    assert!(alone.rows.len() < 4096, "{}", alone.rows.len());
    assert!(alone.rows.iter().any(|row| row.starts_with(&format!("{}|", 3 * GROUP))));
    assert!(alone.rows.iter().any(|row| row.starts_with(&format!("{}|", 3 * GROUP - 2))));

    // Nothing at all, and all.
    assert!(within(&program, &path, 0, -9, -1).0.rows.is_empty());
    assert_eq!(within(&program, &path, 0, 0, rows).0.rows.len() as i64, rows);
}
