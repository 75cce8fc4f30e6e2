//! Every format, as other programs write it.

use crate::support::{Scratch, fixture, lines, options, program, program_in, read, read_with};
use strata::data::read::{self as reading, ReadOptions};

#[test]
fn every_compression_and_page_layout() {
    let program = program("id: int\n age: int between 0 and 99\n city: string");
    let names = [
        "snappy.parquet",
        "zstd.parquet",
        "gzip.parquet",
        "lz4.parquet",
        "brotli.parquet",
        "none.parquet",
        "version1.parquet",
        "pages2.parquet",
        "lz4.feather",
        "zstd.feather",
        "stream.arrows",
    ];
    for name in names {
        for batch_rows in [1 << 16, 7] {
            let rows = read_with(&program, &fixture(name), &ReadOptions { batch_rows, ..options() }).unwrap();
            assert_eq!(rows.rows.len(), 1000, "{name}");
            assert_eq!(rows.rows[999], "1000|99|Köln", "{name}");
            assert!(rows.bad.is_empty(), "{name}");
        }
    }
}

#[test]
fn parquet_says_how_many_rows_there_are() {
    let program = program("id: int");
    let users = program.users.as_ref().unwrap();
    let mut reader = reading::open(users, &program, &fixture("snappy.parquet"), &options()).unwrap();
    assert_eq!(reader.rows(), Some(1000));
    assert_eq!(reader.bytes(), std::fs::metadata(fixture("snappy.parquet")).unwrap().len());
    assert!(reader.by_ref().all(|batch| batch.is_ok()));
    assert!((reader.progress() - 1.0).abs() < 1e-9);
    let csv = reading::open(users, &program, &fixture("pyarrow.csv"), &options()).unwrap();
    assert_eq!(csv.rows(), None);
}

#[test]
fn only_wanted_columns_and_the_key_are_given() {
    let program = program("id: int\n age: int?\n city: string?");
    for name in ["one_row.parquet", "one_row.arrow", "extra.parquet", "extra.arrow"] {
        let wanted = ReadOptions { columns: Some(vec![2]), ..options() };
        let rows = read_with(&program, &fixture(name), &wanted).unwrap();
        assert_eq!(rows.rows, ["7|Berlin"], "{name}");
    }
    // What no rule needs must be there all the same.
    let wanted = ReadOptions { columns: Some(vec![]), ..options() };
    assert_eq!(lines(&read_with(&program, &fixture("gaps.parquet"), &wanted).unwrap_err()).len(), 2);
}

#[test]
fn a_table_may_have_no_rows() {
    let program = program("id: int\n age: int\n city: string");
    let scratch = Scratch::new();
    let csv = scratch.write("none.csv", "id,age,city\n");
    let json = scratch.write("none.jsonl", "");
    for path in [fixture("no_rows.parquet"), fixture("no_rows.arrow"), csv, json] {
        let rows = read(&program, &path).unwrap();
        assert_eq!(rows.rows, [""; 0], "{path}");
    }
}

const PANDAS: &str = "id: int\n label: string?\n age: int?\n score: float?\n city: Berlin | 北京?\n signup_at: timestamp?\n active: bool?";
const PANDAS_ROWS: [&str; 3] = [
    "1|a|30|1.5|Berlin|2024-11-15T00:30:00Z|true",
    "2|b|-|-|-|-|-",
    "3|c|40|3|北京|2023-12-31T16:00:00Z|false",
];

#[test]
fn pandas_writes_an_index_categories_and_local_times() {
    let program = program_in("Asia/Shanghai", PANDAS);
    for name in ["pandas.parquet", "pandas.csv", "pandas.csv.gz"] {
        let rows = read(&program, &fixture(name)).unwrap();
        assert_eq!(rows.rows, PANDAS_ROWS, "{name}");
        assert_eq!(rows.bad, [""; 0], "{name}");
    }
    let semicolons = ReadOptions { delimiter: b';', ..options() };
    assert_eq!(read_with(&program, &fixture("pandas_mark.csv"), &semicolons).unwrap().rows, PANDAS_ROWS);
}

#[test]
fn pandas_json_lines() {
    let program = program_in("Asia/Shanghai", &PANDAS.replace("label: string?\n", ""));
    let rows = read(&program, &fixture("pandas.jsonl")).unwrap();
    let expected = PANDAS_ROWS.map(|row| row.replace("|a|", "|").replace("|b|", "|").replace("|c|", "|"));
    assert_eq!(rows.rows, expected);
    assert_eq!(rows.bad, [""; 0]);
}

#[test]
fn pandas_turns_whole_numbers_with_gaps_into_floats() {
    let rows = read(&program("id: int\n n: int?"), &fixture("pandas_floats.csv")).unwrap();
    assert_eq!((rows.rows, rows.bad), (vec!["1|5".to_owned(), "2|-".to_owned()], vec![]));
}

#[test]
fn duckdb_files_of_each_format_say_the_same() {
    let columns = "id: int\n name: string?\n gmv: decimal(18,2)?\n born: date?\n happened: timestamp?\n seen: timestamp?\n tags: list of string?\n active: bool?";
    let program = program_in("Asia/Shanghai", columns);
    for name in ["duckdb.parquet", "duckdb.csv", "duckdb.csv.zst", "duckdb.jsonl"] {
        let rows = read(&program, &fixture(name)).unwrap();
        assert_eq!(
            rows.rows,
            [
                "1|a, \"b\"|1250e-2|2024-11-15|2024-11-15T00:30:00.5Z|2024-11-15T08:30:00Z|[x,y]|true",
                "2|-|-|-|-|-|-|-",
                "3|two\nlines|-1e-2|1999-12-31|1999-12-31T15:59:59Z|1999-12-31T15:59:59Z|[]|false",
            ],
            "{name}"
        );
        assert_eq!(rows.bad, [""; 0], "{name}");
    }
}

#[test]
fn a_folder_or_a_pattern_is_one_table_with_its_folders_as_columns() {
    let program = program("id: int\n age: int\n year: int\n place: string");
    let expected = ["1|30|2023|a/b", "2|30|2023|a/b", "3|30|2024|a/b"];
    assert_eq!(read(&program, &fixture("parts")).unwrap().rows, expected);
    assert_eq!(read(&program, &fixture("parts/*/*/*.parquet")).unwrap().rows, expected);
    assert_eq!(read(&program, &fixture("parts/year=*")).unwrap().rows, expected);
    let scratch = Scratch::new();
    scratch.write("x/b.csv", "id,n\n3,c\n");
    scratch.write("x/a.jsonl", "{\"id\":1,\"n\":\"a\"}\n{\"id\":2}\n");
    scratch.write("x/_SUCCESS", "");
    scratch.write("x/.hidden.csv", "nothing");
    scratch.write("x/k=__HIVE_DEFAULT_PARTITION__/c.csv", "n,id\nd,4\n");
    let mixed = crate::support::program("id: int\n n: string?");
    let rows = read(&mixed, &scratch.path("x").to_string_lossy()).unwrap();
    assert_eq!(rows.rows, ["1|a", "2|-", "3|c", "4|d"]);
    let unknown = crate::support::program("id: int\n k: string?");
    let rows = read(&unknown, &scratch.path("x/k=*").to_string_lossy()).unwrap();
    assert_eq!(rows.rows, ["4|-"]);
}

#[test]
fn a_column_may_have_another_name_in_the_data() {
    let scratch = Scratch::new();
    let path = scratch.write("users.csv", "用户,年龄(岁)\r\n1,30\r\n2,\r\n");
    let program =
        program("id: int from \"用户\"\n age: int? from \"年龄(岁)\"\n again: float? from \"年龄(岁)\"");
    assert_eq!(read(&program, &path).unwrap().rows, ["1|30|30", "2|-|-"]);
}

#[test]
fn csv_lists_bools_and_formats() {
    let scratch = Scratch::new();
    let content = "id,tags,days,ok,at\n1,\"[\"\"a\"\",null,\"\"b\"\"]\",[\"2024-01-01\"],1,15/11/2024 08:30\n2,[],[],False,\n3,a;b,[1],yes,2024-11-15\n";
    let path = scratch.write("x.csv", content);
    let program = program(
        "id: int\n tags: list of string?\n days: list of date?\n ok: bool?\n at: timestamp? format \"%d/%m/%Y %H:%M\"",
    );
    let rows = read(&program, &path).unwrap();
    assert_eq!(
        rows.rows,
        ["1|[a,b]|[2024-01-01]|true|2024-11-15T08:30:00Z", "2|[]|[]|false|-", "3|-|[]|-|-"]
    );
    assert_eq!(
        rows.bad,
        ["tags 1: a;b (row 3)", "days 1: [1] (row 3)", "ok 1: yes (row 3)", "at 1: 2024-11-15 (row 3)"]
    );
}

#[test]
fn json_numbers_keep_all_digits() {
    let scratch = Scratch::new();
    let path = scratch.write(
        "x.jsonl",
        "{\"id\": 9007199254740993, \"d\": 12345678901234567890.12, \"other\": {\"deep\": [1]}, \"f\": 1e3}\n\n{\"id\": 2, \"d\": \"0.10\", \"t\": 5}\n",
    );
    let program = program("id: int\n d: decimal(30,2)?\n f: float?\n t: string?");
    assert_eq!(
        read(&program, &path).unwrap().rows,
        ["9007199254740993|1234567890123456789012e-2|1000|-", "2|10e-2|-|5"]
    );
    // A required column that no line has is missing from the data.
    let faults = read(&crate::support::program("id: int\n dd: decimal(30,2)"), &path).unwrap_err();
    assert_eq!(lines(&faults), [format!("E0603: `{path}` has no column `dd`")]);
}

#[test]
fn a_file_describes_itself() {
    let names = |path: &str| -> Vec<String> {
        reading::describe(path, b',').unwrap().into_iter().map(|column| column.name).collect()
    };
    assert_eq!(names(&fixture("pyarrow.csv")), ["id", "age", "city"]);
    assert_eq!(names(&fixture("one_row.arrow")), ["id", "age", "city"]);
    assert_eq!(names(&fixture("parts")), ["id", "age", "year", "place"]);
    assert_eq!(names(&fixture("pandas.jsonl")), ["id", "age", "score", "city", "signup_at", "active"]);
}

/// Row groups with other dictionaries, texts of each kind: what is read does not depend on how.
#[test]
fn few_distinct_texts_come_as_dictionaries() {
    use arrow::array::{ArrayRef, Int64Array, LargeStringArray, RecordBatch, StringArray, StringViewArray};
    use arrow::datatypes::DataType;
    use std::sync::Arc;

    let scratch = Scratch::new();
    let path = scratch.path("x.parquet");
    let word =
        |row: i64| (row % 7 != 0).then(|| format!("{}{}", if row < 2500 { "上" } else { "下" }, row % 3));
    let rows = 0..5000i64;
    let texts: Vec<Option<String>> = rows.clone().map(word).collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(Int64Array::from_iter_values(rows.clone()))),
        ("plain", Arc::new(StringArray::from_iter(texts.iter()))),
        ("large", Arc::new(LargeStringArray::from_iter(texts.iter()))),
        ("view", Arc::new(StringViewArray::from_iter(texts.iter()))),
        ("unique", Arc::new(StringArray::from_iter_values(rows.clone().map(|row| format!("u{row}"))))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let properties =
        parquet::file::properties::WriterProperties::builder().set_max_row_group_row_count(Some(2500));
    let file = std::fs::File::create(&path).unwrap();
    let mut writer =
        parquet::arrow::ArrowWriter::try_new(file, batch.schema(), Some(properties.build())).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();

    let path = path.to_string_lossy();
    let program = program(
        "id: int\n plain: string?\n large: 上0 | 上1 | 上2 | 下0 | 下1 | 下2?\n view: string?\n unique: string",
    );
    for batch_rows in [1 << 16, 999] {
        let options = ReadOptions { batch_rows, ..options() };
        let read = read_with(&program, &path, &options).unwrap();
        assert_eq!(read.bad, [""; 0]);
        let expected: Vec<String> = rows
            .clone()
            .map(|row| {
                let word = word(row).unwrap_or("-".to_owned());
                format!("{row}|{word}|{word}|{word}|u{row}")
            })
            .collect();
        assert!(read.rows == expected);
    }
    let mut reader = reading::open(program.users.as_ref().unwrap(), &program, &path, &options()).unwrap();
    let batch = reader.next().unwrap().unwrap();
    assert!(matches!(batch.column(1).data_type(), DataType::Dictionary(..)));
    assert!(matches!(batch.column(3).data_type(), DataType::Dictionary(..)));
    assert_eq!(batch.column(4).data_type(), &DataType::Utf8);
}
