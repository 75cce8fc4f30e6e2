//! Files of every page version, encoding and pattern of missing values, read here and by the general reader.

use super::Rows;
use crate::data::read::store::Opened;
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, DictionaryArray, Float64Array, Int32Array,
    Int64Array, ListBuilder, RecordBatch, StringArray, StringBuilder, TimestampMicrosecondArray,
};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Int32Type, Int64Type, Schema, UInt16Type};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{WriterProperties, WriterVersion};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

const ROWS: usize = 3_000;

/// Which rows are missing.
type Missing = fn(usize) -> bool;

/// Columns of every kind that is read here, and one that is not, between them.
fn batch(missing: Missing, optional: bool) -> RecordBatch {
    let known = |row: usize| !optional || !missing(row);
    let mixed = |row: usize| (row as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17);
    let rows = || 0..ROWS;
    let texts: ArrayRef = Arc::new(StringArray::from_iter_values((0..300).map(|n| format!("城市{n}"))));
    let codes = Int32Array::from_iter(rows().map(|row| known(row).then(|| (mixed(row) % 300) as i32)));
    let texts = DictionaryArray::<Int32Type>::try_new(codes, texts).unwrap();
    let mut lists = ListBuilder::new(StringBuilder::new());
    for row in rows() {
        (0..row % 3).for_each(|n| lists.values().append_value(format!("{n}")));
        lists.append(known(row));
    }
    let number = |below: u64| rows().map(move |row| known(row).then(|| (mixed(row) % below) as i64));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("few", Arc::new(number(7).collect::<Int64Array>())),
        ("runs", Arc::new(rows().map(|row| known(row).then_some(row as i64 / 400)).collect::<Int64Array>())),
        ("many", Arc::new(number(u64::MAX).collect::<Int64Array>())),
        ("lists", Arc::new(lists.finish())),
        ("small", Arc::new(number(90).map(|n| n.map(|n| n as i32)).collect::<Int32Array>())),
        ("day", Arc::new(number(20_000).map(|n| n.map(|n| n as i32)).collect::<Date32Array>())),
        ("share", Arc::new(number(1000).map(|n| n.map(|n| n as f64 / 7.0)).collect::<Float64Array>())),
        ("at", Arc::new(number(1 << 50).collect::<TimestampMicrosecondArray>().with_timezone("UTC"))),
        ("yes", Arc::new(number(3).map(|n| n.map(|n| n == 0)).collect::<BooleanArray>())),
        ("city", Arc::new(texts)),
    ];
    let fields = columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), optional));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    RecordBatch::try_new(schema, columns.into_iter().map(|(_, array)| array).collect()).unwrap()
}

fn opened(path: &Path) -> Opened {
    Opened::Local(File::open(path).unwrap())
}

/// The footer, with texts to be read as codes.
fn footer(path: &Path, schema: &Arc<Schema>) -> ArrowReaderMetadata {
    let options = ArrowReaderOptions::new().with_schema(schema.clone());
    ArrowReaderMetadata::load(&File::open(path).unwrap(), options).unwrap()
}

/// Which columns of a file have dictionaries from end to end.
#[derive(Clone, Copy, PartialEq)]
enum Dictionaries {
    All,
    Some,
    None,
}

fn agree(properties: WriterProperties, rows: &RecordBatch, dictionaries: Dictionaries, account: &str) {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut writer = ArrowWriter::try_new(file.reopen().unwrap(), rows.schema(), Some(properties)).unwrap();
    writer.write(rows).unwrap();
    writer.close().unwrap();
    let footer = footer(file.path(), &rows.schema());
    let groups: Vec<usize> = (0..footer.metadata().num_row_groups()).collect();
    let general = |fields: &[usize]| {
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(
            File::open(file.path()).unwrap(),
            footer.clone(),
        );
        let mask = parquet::arrow::ProjectionMask::roots(builder.parquet_schema(), fields.iter().copied());
        let batches: Vec<RecordBatch> =
            builder.with_projection(mask).build().unwrap().map(Result::unwrap).collect();
        concat_batches(&batches[0].schema(), &batches).unwrap()
    };
    for (fields, batch_rows) in
        [((0..10).collect::<Vec<_>>(), 1_000), (vec![9, 2], 64), (vec![0, 8], 777), (vec![1, 5], 63)]
    {
        // Every other field may come as codes.
        let coded: Vec<usize> = fields.iter().copied().filter(|field| field % 2 == batch_rows % 2).collect();
        let wanted = (&fields[..], &coded[..]);
        let reader =
            Rows::new(opened(file.path()), &footer, wanted, groups.clone(), batch_rows).ok().unwrap();
        let own = reader.columns.iter().flatten().count();
        let texts = dictionaries == Dictionaries::All;
        let expected =
            fields.len() - usize::from(fields.contains(&3)) - usize::from(fields.contains(&9) && !texts);
        // Texts that are all missing need no dictionary, and keep it.
        let more = usize::from(dictionaries == Dictionaries::Some && fields.contains(&9));
        assert!((expected..=expected + more).contains(&own), "{account}: {own} columns are read here");
        let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
        assert!(batches.iter().all(|batch| batch.num_rows() <= batch_rows));
        let codes = batches.iter().flat_map(RecordBatch::columns).filter(
            |column| matches!(column.data_type(), DataType::Dictionary(key, _) if **key == DataType::UInt16),
        );
        // Neither lists nor bools have codes.
        let most = batches.len() * coded.iter().filter(|field| ![3, 8].contains(*field)).count();
        match (dictionaries, codes.count()) {
            (Dictionaries::All, codes) => assert_eq!(codes, most, "{account}"),
            (Dictionaries::Some, codes) => assert!(codes <= most, "{account}"),
            (Dictionaries::None, codes) => assert_eq!(codes, 0, "{account}"),
        }
        let plain = |batch: &RecordBatch| -> Vec<ArrayRef> {
            let columns = batch.columns().iter();
            let plain = columns.map(|column| match column.data_type() {
                DataType::Dictionary(_, value) => arrow::compute::cast(column, value).unwrap(),
                _ => column.clone(),
            });
            plain.collect()
        };
        let found: Vec<Vec<ArrayRef>> = batches.iter().map(plain).collect();
        for (at, expected) in plain(&general(&fields)).iter().enumerate() {
            let parts: Vec<&dyn Array> = found.iter().map(|columns| columns[at].as_ref()).collect();
            let found = arrow::compute::concat(&parts).unwrap();
            assert_eq!(&found, expected, "{account}: field {}, {batch_rows} rows at a time", fields[at]);
        }
    }
}

#[test]
fn files_read_as_the_general_reader_reads_them() {
    let patterns: [(&str, Missing); 5] = [
        ("none", |_| false),
        ("all", |_| true),
        ("some", |row| row * 7 % 5 == 0),
        ("few", |row| row % 700 == 3),
        ("runs", |row| row / 130 % 3 == 1),
    ];
    for (name, missing) in patterns {
        for optional in [true, false] {
            let rows = batch(missing, optional);
            for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
                for compression in [Compression::UNCOMPRESSED, Compression::ZSTD(ZstdLevel::default())] {
                    let properties = WriterProperties::builder()
                        .set_writer_version(version)
                        .set_compression(compression)
                        .set_data_page_row_count_limit(450)
                        .set_write_batch_size(150)
                        .set_max_row_group_row_count(Some(1_100))
                        .build();
                    let account =
                        format!("{name} missing, {version:?}, {compression:?}, optional {optional}");
                    agree(properties, &rows, Dictionaries::All, &account);
                }
            }
            let plain = WriterProperties::builder().set_dictionary_enabled(false).build();
            let account = format!("{name} missing, no dictionaries, optional {optional}");
            agree(plain, &rows, Dictionaries::None, &account);
            // A writer gives a dictionary up where it becomes too large, in the middle of a column.
            let short = WriterProperties::builder()
                .set_dictionary_page_size_limit(600)
                .set_data_page_row_count_limit(70)
                .set_write_batch_size(70);
            let account = format!("{name} missing, short dictionaries, optional {optional}");
            agree(short.build(), &rows, Dictionaries::Some, &account);
        }
    }
}

#[test]
fn rows_of_one_run_come_as_one_value() {
    let rows = batch(|row| row >= 2_000, true);
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut writer = ArrowWriter::try_new(file.reopen().unwrap(), rows.schema(), None).unwrap();
    writer.write(&rows).unwrap();
    writer.close().unwrap();
    let footer = footer(file.path(), &rows.schema());
    let reader = Rows::new(opened(file.path()), &footer, (&[1], &[1]), vec![0], 100).ok().unwrap();
    for (at, batch) in reader.map(Result::unwrap).enumerate() {
        let codes = batch.column(0).as_dictionary::<UInt16Type>();
        // A run begins with every fourth batch; from the twentieth on all are missing.
        let run = i64::try_from(at / 4).unwrap();
        if at < 20 {
            assert_eq!(codes.values().as_primitive::<Int64Type>().values(), &[run]);
        }
        assert_eq!(codes.null_count(), if at < 20 { 0 } else { 100 });
    }
    // Where a run ends within the batch, its rows are codes as others are.
    let reader = Rows::new(opened(file.path()), &footer, (&[1], &[1]), vec![0], 300).ok().unwrap();
    let lengths = reader.map(|batch| batch.unwrap().column(0).as_dictionary::<UInt16Type>().values().len());
    assert_eq!(lengths.take(4).collect::<Vec<_>>(), [1, 5, 5, 1]);
}
