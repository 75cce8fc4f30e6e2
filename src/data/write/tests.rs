use super::*;
use arrow::array::{
    ArrayRef, AsArray, BooleanArray, Decimal128Array, DictionaryArray, Int32Array, Int64Array, StringArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Int32Type, Int64Type, TimeUnit};
use std::fs::{self, File};
use std::io::Read;

fn batch(keys: &[i64]) -> RecordBatch {
    let stages: ArrayRef = Arc::new(
        DictionaryArray::<Int32Type>::try_new(
            Int32Array::from_iter(keys.iter().map(|k| (k % 3 != 0).then_some((k % 2) as i32))),
            Arc::new(StringArray::from(vec!["新手", "a,b"])),
        )
        .unwrap(),
    );
    let mut tags = arrow::array::ListBuilder::new(arrow::array::StringBuilder::new());
    for key in keys {
        tags.append_value([Some("vip \"1\""), Some("2")].into_iter().take((*key % 3) as usize));
    }
    let many = |n: i64| i128::from(n) * 100 + 5;
    let fields = vec![
        Field::new("user_id", DataType::Int64, false),
        Field::new("pro", DataType::Boolean, false),
        Field::new_dictionary("stage", DataType::Int32, DataType::Utf8, true),
        Field::new("paid", DataType::Decimal128(18, 2), true),
        Field::new("seen", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true),
        Field::new_list("tags", Arc::new(Field::new_list_field(DataType::Utf8, true)), true),
    ];
    RecordBatch::try_new(
        Arc::new(Schema::new(fields)),
        vec![
            Arc::new(Int64Array::from(keys.to_vec())),
            Arc::new(BooleanArray::from_iter(keys.iter().map(|k| Some(k % 2 == 0)))),
            stages,
            Arc::new(
                Decimal128Array::from_iter_values(keys.iter().map(|k| many(*k)))
                    .with_precision_and_scale(18, 2)
                    .unwrap(),
            ),
            Arc::new(
                TimestampMicrosecondArray::from_iter_values(keys.iter().map(|k| k * 1_000_000))
                    .with_timezone("UTC"),
            ),
            Arc::new(tags.finish()),
        ],
    )
    .unwrap()
}

fn options() -> SinkOptions {
    let metadata = vec![("strata.now".to_owned(), "2024-11-15T00:00:00Z".to_owned())];
    SinkOptions { metadata, ..SinkOptions::default() }
}

fn write(path: &Path, batches: &[RecordBatch]) {
    let mut sink = open(path, &batch(&[]).schema(), &options()).unwrap();
    for batch in batches {
        sink.write(batch).unwrap();
    }
    assert!(!path.exists() || fs::read(path).unwrap() == b"old", "shown before it was finished");
    sink.finish().unwrap();
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn unpacked(path: &Path) -> String {
    let file = File::open(path).unwrap();
    let mut text = String::new();
    match path.extension().unwrap().to_str().unwrap() {
        "gz" => flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap(),
        "zst" => zstd::Decoder::new(file).unwrap().read_to_string(&mut text).unwrap(),
        _ => { file }.read_to_string(&mut text).unwrap(),
    };
    text
}

#[test]
fn the_ending_says_the_format() {
    let format = |name: &str| Format::of(Path::new(name));
    assert_eq!(format("a/B.PARQUET"), Some(Format::Parquet));
    assert_eq!(format("x.csv.gz"), Some(Format::Csv(Compression::Gzip)));
    assert_eq!(format("x.ndjson.zst"), Some(Format::JsonLines(Compression::Zstandard)));
    assert_eq!(format("x.feather"), Some(Format::ArrowFile));
    assert_eq!(format("x.arrows"), Some(Format::ArrowStream));
    assert_eq!(format("x.parquet.gz"), None);
    assert_eq!(format("x.gz"), None);
    assert_eq!(format("csv"), None);
    let refused = open(Path::new("result"), &batch(&[]).schema(), &options()).err().unwrap();
    assert_eq!(refused.code, data::OUTPUT_FORMAT);
}

#[test]
fn text_files_hold_the_rows() {
    let folder = tempfile::tempdir().unwrap();
    let expected = "user_id,pro,stage,paid,seen,tags\n\
        1,false,\"a,b\",1.05,1970-01-01T00:00:01Z,\"[\"\"vip \\\"\"1\\\"\"\"\"]\"\n\
        2,true,新手,2.05,1970-01-01T00:00:02Z,\"[\"\"vip \\\"\"1\\\"\"\"\",\"\"2\"\"]\"\n\
        3,false,,3.05,1970-01-01T00:00:03Z,[]\n";
    for name in ["a.csv", "a.csv.gz", "a.csv.zst"] {
        let path = folder.path().join(name);
        write(&path, &[batch(&[1, 2]), batch(&[3])]);
        assert_eq!(unpacked(&path), expected, "{name}");
    }
    for name in ["a.jsonl", "a.ndjson.gz", "a.jsonl.zst"] {
        let path = folder.path().join(name);
        write(&path, &[batch(&[1]), batch(&[3])]);
        insta::allow_duplicates! {
            insta::assert_snapshot!(unpacked(&path), @r#"
            {"user_id":1,"pro":false,"stage":"a,b","paid":1.05,"seen":"1970-01-01T00:00:01Z","tags":["vip \"1\""]}
            {"user_id":3,"pro":false,"stage":null,"paid":3.05,"seen":"1970-01-01T00:00:03Z","tags":[]}
            "#);
        }
    }
    let path = folder.path().join("none.csv");
    write(&path, &[]);
    assert_eq!(unpacked(&path), "user_id,pro,stage,paid,seen,tags\n", "the header stands without rows too");
}

#[test]
fn parquet_holds_rows_and_metadata() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    write(&path, &[batch(&[1, 2, 3]), batch(&[4])]);
    let reader =
        parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(File::open(&path).unwrap())
            .unwrap();
    let metadata = reader.metadata().file_metadata().key_value_metadata().unwrap().clone();
    assert!(metadata.iter().any(|kv| kv.key == "strata.now" && kv.value.is_some()));
    let batches: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
    let all = arrow::compute::concat_batches(&batches[0].schema(), &batches).unwrap();
    assert_eq!(all.columns(), batch(&[1, 2, 3, 4]).columns());
}

#[test]
fn arrow_holds_rows_and_metadata() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.arrow");
    write(&path, &[batch(&[1, 2, 3]), batch(&[4])]);
    let reader = arrow::ipc::reader::FileReader::try_new(File::open(&path).unwrap(), None).unwrap();
    assert_eq!(reader.schema().metadata()["strata.now"], "2024-11-15T00:00:00Z");
    assert_eq!(reader.map(|b| b.unwrap().num_rows()).sum::<usize>(), 4);

    let path = folder.path().join("a.arrows");
    write(&path, &[batch(&[1, 2, 3]), batch(&[4])]);
    let reader = arrow::ipc::reader::StreamReader::try_new(File::open(&path).unwrap(), None).unwrap();
    let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    assert_eq!(batches[1].columns(), batch(&[4]).columns());
}

#[test]
fn a_file_appears_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.csv", "a.csv.gz", "a.jsonl.zst", "a.parquet", "a.arrow", "a.arrows"] {
        let path = folder.path().join(name);
        fs::write(&path, "old").unwrap();
        let mut sink = open(&path, &batch(&[]).schema(), &options()).unwrap();
        sink.write(&batch(&[1, 2, 3])).unwrap();
        sink.close().unwrap();
        drop(sink);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()), [name], "nothing is left beside it");
        write(&path, &[batch(&[1])]);
        assert_ne!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()), [name]);
        fs::remove_file(&path).unwrap();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_plainly() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.csv", "a.csv.gz", "a.jsonl", "a.jsonl.zst", "a.parquet", "a.arrow", "a.arrows"] {
        let path = folder.path().join(name);
        std::os::unix::fs::symlink("/dev/full", &path).unwrap();
        let failed = open(&path, &batch(&[]).schema(), &options())
            .and_then(|mut sink| sink.write(&batch(&[1])).and_then(|()| sink.finish()))
            .unwrap_err();
        assert_eq!(failed.code, data::OUTPUT_FAILED);
        assert_eq!(failed.message, format!("cannot write `{}`: the disk is full", path.display()));
    }
}

#[test]
fn a_folder_that_is_not_there_is_told_plainly() {
    let failed = open(Path::new("/no/such/a.csv"), &batch(&[]).schema(), &options()).err().unwrap();
    assert_eq!(failed.message, "cannot write `/no/such/a.csv`: its folder does not exist");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.csv");
    fs::create_dir(&path).unwrap();
    let failed = open(&path, &batch(&[]).schema(), &options()).err().unwrap();
    assert!(failed.message.ends_with("a folder of that name stands there"));
}

#[cfg(unix)]
#[test]
fn a_new_file_is_readable_by_others_and_an_old_one_keeps_its_mode() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let plain = folder.path().join("plain");
    fs::write(&plain, "").unwrap();
    let path = folder.path().join("a.csv");
    write(&path, &[batch(&[1])]);
    assert_eq!(mode(&path), mode(&plain));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&path, "old").unwrap();
    write(&path, &[batch(&[1])]);
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn parts_lie_in_folders_by_value() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("out");
    let options = SinkOptions { partition_by: Some("stage".into()), ..options() };
    let schema = batch(&[]).schema();
    for round in 0..2 {
        let mut sink = open(&place, &schema, &options).unwrap();
        sink.write(&batch(&[1, 2, 3])).unwrap();
        sink.write(&batch(&[5, 6])).unwrap();
        if round == 0 {
            assert!(!place.exists());
        }
        sink.finish().unwrap();
        assert_eq!(names(folder.path()), ["out"]);
        assert_eq!(names(&place), ["stage=__HIVE_DEFAULT_PARTITION__", "stage=a,b", "stage=新手"]);
    }
    let file = File::open(place.join("stage=a,b/part-0.parquet")).unwrap();
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file)
        .unwrap()
        .build()
        .unwrap();
    let part = reader.into_iter().next().unwrap().unwrap();
    assert!(part.column_by_name("stage").is_none(), "the folder says it");
    assert_eq!(part.column(0).as_primitive::<Int64Type>().values(), &[1, 5]);
    // Dropped before its end it changes nothing.
    let mut sink = open(&place, &schema, &options).unwrap();
    sink.write(&batch(&[1])).unwrap();
    drop(sink);
    assert_eq!(names(&place).len(), 3);
    assert_eq!(names(folder.path()), ["out"]);
}

#[test]
fn parts_never_replace_what_no_run_wrote() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("letter.txt"), "dear").unwrap();
    let schema = batch(&[]).schema();
    let by = |name: &str| SinkOptions { partition_by: Some(name.into()), ..options() };
    let refused = open(folder.path(), &schema, &by("stage")).err().unwrap();
    assert_eq!(refused.code, data::OUTPUT_PARTS);
    assert!(refused.message.contains("letter.txt"));
    for name in ["user_id", "no_such"] {
        let refused = open(&folder.path().join("out"), &schema, &by(name)).err().unwrap();
        assert_eq!(refused.code, data::OUTPUT_PARTS);
    }
    assert_eq!(names(folder.path()), ["letter.txt"]);
}

#[test]
fn folder_names_are_safe() {
    for (value, name) in [
        ("a/b", "a%2Fb"),
        ("..", "%2E%2E"),
        ("", "__HIVE_DEFAULT_PARTITION__"),
        ("50%", "50%25"),
        ("新手", "新手"),
    ] {
        assert_eq!(partition::escaped(value), name);
    }
}

/// A column of labels out of so many, some of them missing.
#[test]
fn parquet_holds_keys_in_whatever_order_they_come() {
    let folder = tempfile::tempdir().unwrap();
    let schema = Arc::new(Schema::new(vec![Field::new("id", DataType::Int64, false)]));
    let mixed = |n: i64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64.cast_signed()).rotate_left(17);
    type Pattern = fn(i64, fn(i64) -> i64) -> i64;
    let patterns: [(&str, Pattern); 5] = [
        ("one by one", |n, _| n),
        ("by threes, down", |n, _| -3 * n),
        ("any", |n, mixed| mixed(n)),
        ("nearly ascending", |n, mixed| n * 1000 + mixed(n) % 700),
        ("from end to end", |n, _| if n % 2 == 0 { i64::MIN + n } else { i64::MAX - n }),
    ];
    for rows in [0, 1, 2, 33, 128, 129, 300_000] {
        for (name, pattern) in patterns {
            let keys: Vec<i64> = (0..rows).map(|n| pattern(n, mixed)).collect();
            let array: ArrayRef = Arc::new(Int64Array::from(keys));
            let path = folder.path().join("keys.parquet");
            let mut sink = open(&path, &schema, &options()).unwrap();
            let batch = RecordBatch::try_new(schema.clone(), vec![array.clone()]).unwrap();
            sink.write(&batch).unwrap();
            sink.finish().unwrap();
            let file = File::open(&path).unwrap();
            let reader =
                parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
            let batches: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
            let all = arrow::compute::concat_batches(&schema, &batches).unwrap();
            assert_eq!(all.column(0), &array, "{rows} keys, {name}");
        }
    }
}

fn labels(rows: std::ops::Range<usize>, count: usize, missing: usize, texts: &ArrayRef) -> ArrayRef {
    let code = |row: usize| (row % 31 >= missing).then_some((row * 7 % count) as i32);
    let codes = Int32Array::from_iter(rows.map(code));
    Arc::new(DictionaryArray::<Int32Type>::try_new(codes, texts.clone()).unwrap())
}

#[test]
fn parquet_holds_pages_of_bits_and_codes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.parquet");
    let rows = 300_001;
    let cases: Vec<(usize, usize)> = vec![(1, 0), (1, 3), (2, 0), (5, 3), (100, 31), (256, 1), (300, 7)];
    let texts = |count: usize| -> ArrayRef {
        Arc::new(StringArray::from_iter_values((0..count).map(|n| format!("标签{n}"))))
    };
    let texts: Vec<ArrayRef> = cases.iter().map(|(count, _)| texts(*count)).collect();
    let mut fields = vec![Field::new("id", DataType::Int64, false)];
    for at in 0..3 {
        fields.push(Field::new(format!("bit{at}"), DataType::Boolean, false));
    }
    for (at, (_, missing)) in cases.iter().enumerate() {
        let name = format!("label{at}");
        fields.push(Field::new_dictionary(name, DataType::Int32, DataType::Utf8, *missing > 0));
    }
    let schema = Arc::new(Schema::new(fields));
    let make = |rows: std::ops::Range<usize>| {
        let bits = |by: usize| -> ArrayRef {
            Arc::new(BooleanArray::from_iter(rows.clone().map(|row| Some(by > 0 && row * 13 % by < 2))))
        };
        let ids = Int64Array::from_iter_values(rows.clone().map(|row| row as i64));
        let mut columns: Vec<ArrayRef> = vec![Arc::new(ids), bits(0), bits(3), bits(1000)];
        for ((count, missing), texts) in cases.iter().zip(&texts) {
            columns.push(labels(rows.clone(), *count, *missing, texts));
        }
        RecordBatch::try_new(schema.clone(), columns).unwrap()
    };
    let mut sink = open(&path, &schema, &options()).unwrap();
    let encoder = sink.encoder().unwrap();
    // One row group by batches of no round number of rows, one that another thread could have made.
    let mut group = encoder.group().unwrap();
    for start in (0..200_000).step_by(37_001) {
        encoder.add(&mut group, &make(start..(start + 37_001).min(200_000))).unwrap();
    }
    sink.write_group(encoder.finish(group).unwrap()).unwrap();
    sink.write(&make(200_000..rows)).unwrap();
    sink.finish().unwrap();

    let read = |from: usize, count: usize| {
        use parquet::arrow::arrow_reader::{
            ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection,
        };
        use parquet::file::metadata::PageIndexPolicy;
        let file = File::open(&path).unwrap();
        let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Required);
        let metadata = ArrowReaderMetadata::load(&file, options).unwrap();
        let missing = |column: usize| {
            let groups = metadata.metadata().row_groups().iter();
            groups
                .map(|group| group.column(column).statistics().unwrap().null_count_opt().unwrap())
                .sum::<u64>()
        };
        for (at, (_, of)) in cases.iter().enumerate() {
            assert_eq!(missing(4 + at), (0..rows).filter(|row| row % 31 < *of).count() as u64);
        }
        let selection = RowSelection::from_consecutive_ranges(std::iter::once(from..from + count), rows);
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata);
        let reader = reader.with_row_selection(selection).build().unwrap();
        let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
        arrow::compute::concat_batches(&batches[0].schema(), &batches).unwrap()
    };
    for (from, count) in [(0, rows), (150_000, 3), (131_071, 2), (199_990, 20)] {
        let (found, expected) = (read(from, count), make(from..from + count));
        assert_eq!(found.num_rows(), count);
        for (found, expected) in found.columns().iter().zip(expected.columns()) {
            let plain = |array: &ArrayRef| match array.data_type() {
                DataType::Dictionary(..) => arrow::compute::cast(array, &DataType::Utf8).unwrap(),
                _ => array.clone(),
            };
            assert_eq!(&plain(found), &plain(expected), "{from}");
        }
    }
}

/// Batches whose lists of texts differ, as those of paths do, and texts that are different for each row,
/// so many that a list of them is no gain.
#[test]
fn parquet_holds_texts_of_batches_that_share_no_list() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("texts.parquet");
    let field = |name: &str| Field::new_dictionary(name, DataType::Int32, DataType::Utf8, true);
    let schema =
        Arc::new(Schema::new(vec![Field::new("id", DataType::Int64, false), field("path"), field("said")]));
    let rows = 90_000;
    let of = |row: usize| format!("path {}", row / 20_000 + row % 3);
    let said = |row: usize| (!row.is_multiple_of(5)).then(|| format!("dear user {row}, 您好 and welcome"));
    let make = |rows: std::ops::Range<usize>| {
        let ids = Int64Array::from_iter_values(rows.clone().map(|row| row as i64));
        let paths: Vec<String> = rows.clone().map(of).collect();
        let paths: DictionaryArray<Int32Type> = paths.iter().map(String::as_str).collect();
        let texts: Vec<Option<String>> = rows.map(said).collect();
        let texts: DictionaryArray<Int32Type> = texts.iter().map(|text| text.as_deref()).collect();
        RecordBatch::try_new(schema.clone(), vec![Arc::new(ids), Arc::new(paths), Arc::new(texts)]).unwrap()
    };
    let mut sink = open(&path, &schema, &options()).unwrap();
    for start in (0..rows).step_by(30_000) {
        sink.write(&make(start..start + 30_000)).unwrap();
    }
    sink.finish().unwrap();
    let reader =
        parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(File::open(&path).unwrap());
    let mut row = 0;
    for batch in reader.unwrap().build().unwrap() {
        let batch = batch.unwrap();
        let texts = |column: usize| arrow::compute::cast(batch.column(column), &DataType::Utf8).unwrap();
        let (paths, texts) = (texts(1), texts(2));
        for at in 0..batch.num_rows() {
            assert_eq!(paths.as_string::<i32>().value(at), of(row));
            assert_eq!(texts.is_valid(at).then(|| texts.as_string::<i32>().value(at).to_owned()), said(row));
            row += 1;
        }
    }
    assert_eq!(row, rows);
}

#[test]
fn parquet_holds_lists_of_texts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lists.parquet");
    let names: ArrayRef = Arc::new(StringArray::from_iter_values((0..40).map(|n| format!("分群{n}"))));
    let ty = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let item = Arc::new(Field::new_list_field(ty, false));
    let fields = vec![
        Field::new("id", DataType::Int64, false),
        Field::new("segments", DataType::List(item.clone()), false),
    ];
    let schema = Arc::new(Schema::new(fields));
    // Empty lists, lists of one and long ones, over several pages.
    let length = |row: usize| if row % 7 < 3 { 0 } else { row * 31 % 11 };
    let code = |row: usize, at: usize| (row * 3 + at * 5) % 40;
    let make = |rows: std::ops::Range<usize>| {
        let ids = Int64Array::from_iter_values(rows.clone().map(|row| row as i64));
        let offsets = arrow::buffer::OffsetBuffer::from_lengths(rows.clone().map(length));
        let codes = rows.flat_map(|row| (0..length(row)).map(move |at| code(row, at) as i32));
        let items = DictionaryArray::<Int32Type>::try_new(Int32Array::from_iter_values(codes), names.clone());
        let lists =
            arrow::array::ListArray::try_new(item.clone(), offsets, Arc::new(items.unwrap()), None).unwrap();
        RecordBatch::try_new(schema.clone(), vec![Arc::new(ids), Arc::new(lists)]).unwrap()
    };
    let rows: usize = 150_000;
    let mut sink = open(&path, &schema, &options()).unwrap();
    for start in (0..rows).step_by(50_000) {
        // A slice begins within its buffers.
        sink.write(&make(start.saturating_sub(10)..start + 50_000).slice(start.min(10), 50_000)).unwrap();
    }
    sink.finish().unwrap();
    let reader =
        parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(File::open(&path).unwrap());
    let mut row = 0;
    for batch in reader.unwrap().build().unwrap() {
        for list in batch.unwrap().column(1).as_list::<i32>().iter() {
            let texts = arrow::compute::cast(&list.unwrap(), &DataType::Utf8).unwrap();
            let found: Vec<&str> = texts.as_string::<i32>().iter().flatten().collect();
            let expected: Vec<String> = (0..length(row)).map(|at| format!("分群{}", code(row, at))).collect();
            assert_eq!(found, expected, "row {row}");
            row += 1;
        }
    }
    assert_eq!(row, rows);
}
