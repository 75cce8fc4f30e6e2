//! The two ways through a run: each thread with parts of its own, which leaves columns out on which nothing
//! turns and keeps values as codes, and one reader for all that reads all. They give the same counts and
//! the same rows, whatever the program and the number of threads.

use crate::programs::Generator;
use crate::random::Random;
use crate::rows::{self, Texts};
use crate::{Tally, case, compile};
use arrow::array::{
    Array, ArrayRef, AsArray, DictionaryArray, Int32Array, ListArray, RecordBatch, StringArray,
};
use arrow::compute::{cast, concat_batches, sort_to_indices, take_record_batch};
use arrow::datatypes::{DataType, Field, Int32Type, Schema, UInt32Type};
use indexmap::IndexMap;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use strata::program::{Program, Type};
use strata::run::{Layout, RunOptions, run as run_program};

/// Files that the users are divided among: more than there are threads, and one of them without users.
const FILES: usize = 6;

/// Runs a case both ways.
pub fn run(seed: u64, tally: &Tally) -> Result<(), String> {
    let mut random = Random::new(seed);
    let generated = Generator::program(&mut random);
    let text = generated.model.text();
    let program = match compile(&text) {
        Ok(program) => program,
        Err(refusal) => {
            tally.refuse(seed, &refusal);
            return Ok(());
        }
    };
    tally.accepted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let case = case(&mut random, &generated);
    let users = rows::rows(&mut random, &generated, &program, case.now, crate::USERS);
    let batch = rows::batch(&program, &users, Texts::Plain);
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let data = folder.path().join("users");
    std::fs::create_dir(&data).unwrap();
    let mut batch = with_names(&program, &batch);
    if random.percent(60) {
        batch = sorted(&batch, &mut random);
    }
    write_parts(&data, &batch, &mut random);
    let layout = *random.pick(&[Layout::Wide, Layout::Long, Layout::Lists]);
    // Small ones leave out rows of a file.
    let batch_rows = *random.pick(&[5, 16, 100, 10_000]);
    let one = |one_reader: bool, threads: usize, output: Option<&Path>| {
        let options = RunOptions {
            tables: IndexMap::from([("users".to_owned(), data.display().to_string())]),
            now: Some(moment(case.now)),
            output: output.map(Path::to_owned),
            layout,
            with_traits: layout != Layout::Long,
            threads,
            force: true,
            facts: Some(case.facts.clone()),
            one_reader,
            batch_rows,
            ..RunOptions::default()
        };
        let summary = run_program(&program, &options, &mut |_| {}).map_err(|error| format!("{error:?}"))?;
        let mut summary = serde_json::to_value(&summary).unwrap();
        for passing in ["seconds", "seconds_by_stage", "rows_per_second", "output"] {
            summary.as_object_mut().unwrap().remove(passing);
        }
        Ok::<_, String>((summary, output.map(read)))
    };
    let (here, there) = (folder.path().join("one.parquet"), folder.path().join("many.parquet"));
    let expected_counts = one(true, 1, None).map_err(|error| account(seed, &text, &error))?;
    for (one_reader, threads) in [(true, 2), (false, 1), (false, 3)] {
        let expected = one(true, 1, Some(&here)).map_err(|error| account(seed, &text, &error))?;
        let found = one(one_reader, threads, Some(&there)).map_err(|error| account(seed, &text, &error))?;
        if found.0 != expected.0 || found.1 != expected.1 {
            let difference = format!("{threads} threads write otherwise:\n{found:?}\nfor\n{expected:?}");
            return Err(account(seed, &text, &difference));
        }
        let counted = one(one_reader, threads, None).map_err(|error| account(seed, &text, &error))?;
        if counted.0 != expected_counts.0 {
            let difference =
                format!("{threads} threads count otherwise: {}\nfor {}", counted.0, expected_counts.0);
            return Err(account(seed, &text, &difference));
        }
    }
    Ok(())
}

fn account(seed: u64, program: &str, difference: &str) -> String {
    format!("seed {seed}: {difference}\n{program}")
}

/// A moment as the command line takes it.
fn moment(micros: i64) -> String {
    jiff::Timestamp::from_microsecond(micros / 1_000_000 * 1_000_000).unwrap().to_string()
}

/// The batch as a file would have it: names for the codes of labels.
fn with_names(program: &Program, batch: &RecordBatch) -> RecordBatch {
    let users = program.users.as_ref().unwrap();
    let columns: Vec<ArrayRef> = users
        .columns
        .iter()
        .zip(batch.columns())
        .map(|(column, array)| match &column.ty {
            Type::Label(_) => named(program, &column.ty, array),
            Type::List(item) if matches!(**item, Type::Label(_)) => {
                let lists = array.as_list::<i32>();
                let items = cast(&named(program, item, lists.values()), &DataType::Utf8).unwrap();
                let field = Arc::new(Field::new_list_field(DataType::Utf8, true));
                Arc::new(ListArray::new(field, lists.offsets().clone(), items, lists.nulls().cloned()))
            }
            _ => array.clone(),
        })
        .collect();
    let fields = users.columns.iter().zip(&columns);
    let fields: Vec<Field> =
        fields.map(|(column, array)| Field::new(&column.name, array.data_type().clone(), true)).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

fn named(program: &Program, ty: &Type, codes: &ArrayRef) -> ArrayRef {
    let Type::Label(id) = ty else { return codes.clone() };
    let labels = StringArray::from_iter_values(&program.types[id.0 as usize].labels);
    let codes: Int32Array = codes.as_primitive::<UInt32Type>().unary(|code| code.cast_signed());
    Arc::new(DictionaryArray::<Int32Type>::new(codes, Arc::new(labels)))
}

/// The rows in the order of a column, so that each file has few of its values.
fn sorted(batch: &RecordBatch, random: &mut Random) -> RecordBatch {
    let columns: Vec<&ArrayRef> =
        batch.columns().iter().filter(|column| !column.data_type().is_nested()).collect();
    let order = sort_to_indices(columns[random.below(columns.len())], None, None).unwrap();
    take_record_batch(batch, &order).unwrap()
}

/// Writes the rows to files in their order, cut at random.
fn write_parts(folder: &Path, batch: &RecordBatch, random: &mut Random) {
    // Some with what helps a reader to leave something out, some with little of it.
    let properties = WriterProperties::builder()
        .set_bloom_filter_enabled(random.percent(50))
        .set_dictionary_enabled(random.percent(80))
        .set_statistics_enabled(*random.pick(&[
            EnabledStatistics::Page,
            EnabledStatistics::Page,
            EnabledStatistics::Chunk,
            EnabledStatistics::None,
        ]))
        .set_data_page_row_count_limit(*random.pick(&[3, 10, 1000]))
        .set_write_batch_size(*random.pick(&[1, 4]))
        .set_writer_version(*random.pick(&[WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0]))
        .build();
    let mut cuts: Vec<usize> = (1..FILES - 1).map(|_| random.below(batch.num_rows())).collect();
    cuts.extend([0, batch.num_rows(), batch.num_rows()]);
    cuts.sort_unstable();
    for (number, cut) in cuts.windows(2).enumerate() {
        let file = File::create(folder.join(format!("part-{number}.parquet"))).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties.clone())).unwrap();
        writer.write(&batch.slice(cut[0], cut[1] - cut[0])).unwrap();
        writer.close().unwrap();
    }
}

/// What a file holds, texts as texts.
fn read(path: &Path) -> RecordBatch {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    let schema = reader.schema().clone();
    let batches: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
    let batch = concat_batches(&schema, &batches).unwrap();
    let plain = |array: &ArrayRef| match array.data_type() {
        DataType::Dictionary(..) => cast(array, &DataType::Utf8).unwrap(),
        _ => array.clone(),
    };
    let columns: Vec<ArrayRef> = batch.columns().iter().map(plain).collect();
    let fields = schema.fields().iter().zip(&columns);
    let fields: Vec<Field> = fields
        .map(|(field, array)| Field::new(field.name(), array.data_type().clone(), field.is_nullable()))
        .collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}
