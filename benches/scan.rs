//! The bare scan: reads columns of a Parquet file with the `parquet` crate alone, its row groups shared
//! out to threads, and lets them go. What no reader built on it can be faster than, unless it reads less:
//! `cargo run --release --example scan -- users.parquet age,city`. Of a CSV or JSON-lines file all fields are
//! parsed, by Arrow's own parser in one thread.

use arrow::array::RecordBatch;
use arrow::csv;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use arrow::json;
use clap::Parser;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use std::error::Error;
use std::fs::File;
use std::io::{BufReader, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

#[derive(Parser)]
struct Args {
    users: PathBuf,
    #[arg(value_delimiter = ',')]
    columns: Vec<String>,
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// How often it is read; the first time is to warm up and not reported.
    #[arg(long, default_value_t = 3)]
    repeat: usize,
}

type Failure = Box<dyn Error + Send + Sync>;

/// The footer, with texts to be read as dictionaries, as a careful reader would have them.
fn metadata(path: &Path) -> Result<ArrowReaderMetadata, Failure> {
    let found = ArrowReaderMetadata::load(&File::open(path)?, ArrowReaderOptions::new())?;
    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let fields = found.schema().fields().iter().map(|field| match field.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            Field::new(field.name(), dictionary.clone(), field.is_nullable())
        }
        _ => field.as_ref().clone(),
    });
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let options = ArrowReaderOptions::new().with_schema(schema);
    Ok(ArrowReaderMetadata::try_new(found.metadata().clone(), options)?)
}

/// Reads all row groups; says how many rows there were and how many bytes they took in memory.
fn scan(path: &Path, metadata: &ArrowReaderMetadata, args: &Args) -> Result<(usize, usize), Failure> {
    let next = AtomicUsize::new(0);
    let groups = metadata.metadata().num_row_groups();
    let one = || -> Result<(usize, usize), Failure> {
        let (mut rows, mut bytes) = (0, 0);
        loop {
            let group = next.fetch_add(1, Ordering::Relaxed);
            if group >= groups {
                return Ok((rows, bytes));
            }
            let names = args.columns.iter().map(String::as_str);
            let mask = ProjectionMask::columns(metadata.parquet_schema(), names);
            let reader =
                ParquetRecordBatchReaderBuilder::new_with_metadata(File::open(path)?, metadata.clone())
                    .with_projection(mask)
                    .with_row_groups(vec![group])
                    .with_batch_size(32 * 1024);
            for batch in reader.build()? {
                let batch: RecordBatch = batch?;
                rows += batch.num_rows();
                bytes += batch.get_array_memory_size();
            }
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..args.threads).map(|_| scope.spawn(one)).collect();
        let mut all = (0, 0);
        for worker in workers {
            let (rows, bytes) = worker.join().map_err(|_| "a thread panicked")??;
            all = (all.0 + rows, all.1 + bytes);
        }
        Ok(all)
    })
}

/// Parses a text file; says how many rows there were and how many bytes they took in memory.
fn parse(path: &Path) -> Result<(usize, usize), Failure> {
    let mut file = BufReader::with_capacity(1 << 20, File::open(path)?);
    let some = Some(1000);
    let batches: Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>>> = if path
        .extension()
        .is_some_and(|ending| ending == "csv")
    {
        let format = csv::reader::Format::default().with_header(true);
        let schema = Arc::new(format.infer_schema(&mut file, some)?.0);
        file.rewind()?;
        Box::new(csv::ReaderBuilder::new(schema).with_format(format).with_batch_size(32 * 1024).build(file)?)
    } else {
        let schema = Arc::new(json::reader::infer_json_schema_from_seekable(&mut file, some)?.0);
        Box::new(json::ReaderBuilder::new(schema).with_batch_size(32 * 1024).build(file)?)
    };
    let mut all = (0, 0);
    for batch in batches {
        let batch = batch?;
        all = (all.0 + batch.num_rows(), all.1 + batch.get_array_memory_size());
    }
    Ok(all)
}

fn main() -> Result<(), Failure> {
    let args = Args::parse();
    let repeat = args.repeat;
    let once: Box<dyn Fn() -> Result<(usize, usize), Failure>> =
        if args.users.extension().is_some_and(|ending| ending == "parquet") {
            let metadata = metadata(&args.users)?;
            Box::new(move || scan(&args.users, &metadata, &args))
        } else {
            Box::new(move || parse(&args.users))
        };
    let mut seconds = Vec::new();
    let (mut rows, mut bytes) = once()?;
    for _ in 0..repeat {
        let start = Instant::now();
        (rows, bytes) = once()?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    #[expect(clippy::print_stdout, reason = "the outcome of the program")]
    {
        println!("{}", serde_json::json!({ "rows": rows, "bytes": bytes, "seconds": seconds }));
    }
    Ok(())
}
