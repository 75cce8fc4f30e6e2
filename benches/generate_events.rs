//! Makes up users and what they did, to measure with: `cargo run --release --example generate_events
//! -- --users 10000000 --events 100000000 -o folder` writes `folder/users.parquet` and ten files in
//! `folder/events/`, ordered by time as a log is. The same seed gives the same data.

use arrow::array::{
    ArrayRef, Decimal128Array, DictionaryArray, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::Int32Type;
use clap::Parser;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use std::error::Error;
use std::fs::{File, create_dir_all};
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[derive(Parser)]
struct Args {
    /// How many users.
    #[arg(long, default_value_t = 10_000_000)]
    users: u64,
    /// How many events.
    #[arg(long, default_value_t = 100_000_000)]
    events: u64,
    /// Where chance starts.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The folder to write into.
    #[arg(short, long)]
    out: PathBuf,
}

/// Rows of a row group.
const GROUP: u64 = 500_000;
const FILES: u64 = 10;
/// 2024-11-15T00:00Z, in microseconds.
const NOW: i64 = 1_731_628_800_000_000;
const DAY: i64 = 86_400_000_000;
/// The log goes back so many days.
const DAYS: i64 = 730;

/// SplitMix64.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }
}

fn labels(keys: Vec<i32>, labels: &[String]) -> ArrayRef {
    let values = Arc::new(labels.iter().map(|label| Some(label.as_str())).collect::<StringArray>());
    Arc::new(DictionaryArray::<Int32Type>::new(Int32Array::from(keys), values))
}

fn moments(values: Vec<i64>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from(values).with_timezone("UTC"))
}

fn writer(path: &Path, batch: &RecordBatch) -> Result<ArrowWriter<File>, Box<dyn Error>> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(Default::default()))
        .set_max_row_group_row_count(Some(usize::try_from(GROUP)?))
        .build();
    Ok(ArrowWriter::try_new(File::create(path)?, batch.schema(), Some(properties))?)
}

fn users(chance: &mut Chance, first: u64, rows: u64) -> Result<RecordBatch, Box<dyn Error>> {
    let channels: Vec<String> = ["social", "search", "ads", "referral"].map(str::to_owned).to_vec();
    let ids = (first..first + rows).map(u64::cast_signed).collect::<Int64Array>();
    let ages = (0..rows).map(|_| (chance.below(20) > 0).then(|| 14 + chance.below(66).cast_signed()));
    let ages = ages.collect::<Int64Array>();
    let keys = (0..rows).map(|_| i32::try_from(chance.below(4)).unwrap_or(0)).collect();
    let joined = (0..rows).map(|_| NOW - chance.below(1500).cast_signed() * DAY).collect();
    Ok(RecordBatch::try_from_iter([
        ("user_id", Arc::new(ids) as ArrayRef),
        ("age", Arc::new(ages)),
        ("channel", labels(keys, &channels)),
        ("signup_at", moments(joined)),
    ])?)
}

/// Events number `first` and on of `all`; a user has more the lower the square of a chance falls.
fn events(
    chance: &mut Chance,
    users: u64,
    (first, rows, all): (u64, u64, u64),
) -> Result<RecordBatch, Box<dyn Error>> {
    let categories: Vec<String> = (0..20).map(|n| format!("category {n}")).collect();
    let statuses: Vec<String> = ["paid", "refunded"].map(str::to_owned).to_vec();
    let count = usize::try_from(rows)?;
    let (mut ids, mut times) = (Vec::with_capacity(count), Vec::with_capacity(count));
    let (mut amounts, mut category, mut status) =
        (Vec::with_capacity(count), Vec::with_capacity(count), Vec::with_capacity(count));
    for row in first..first + rows {
        let a = chance.below(1 << 32);
        let skewed = (u128::from(a) * u128::from(a) * u128::from(users)) >> 64;
        // Neighbours in the order of their activity are no neighbours in the table.
        let id = u64::try_from(skewed)?.wrapping_mul(7_368_787) % users;
        ids.push(id.cast_signed());
        let step = i128::from(DAYS) * i128::from(DAY) / i128::from(all.max(1));
        let start = i64::try_from(i128::from(row) * step)?;
        times.push(NOW - DAYS * DAY + start + chance.below(DAY.unsigned_abs()).cast_signed());
        amounts.push(Some(i128::from(100 + chance.below(1000) * chance.below(100))));
        category.push(i32::try_from(chance.below(20))?);
        status.push(i32::from(chance.below(12) == 0));
    }
    let amounts = amounts.into_iter().collect::<Decimal128Array>().with_precision_and_scale(18, 2)?;
    Ok(RecordBatch::try_from_iter([
        ("user_id", Arc::new(Int64Array::from(ids)) as ArrayRef),
        ("ordered_at", moments(times)),
        ("amount", Arc::new(amounts)),
        ("category", labels(category, &categories)),
        ("status", labels(status, &statuses)),
    ])?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    create_dir_all(args.out.join("events"))?;
    let mut chance = Chance(args.seed);
    let mut file: Option<ArrowWriter<File>> = None;
    for first in (0..args.users).step_by(usize::try_from(GROUP)?) {
        let batch = users(&mut chance, first, GROUP.min(args.users - first))?;
        if file.is_none() {
            file = Some(writer(&args.out.join("users.parquet"), &batch)?);
        }
        if let Some(file) = &mut file {
            file.write(&batch)?;
        }
    }
    file.map(ArrowWriter::close).transpose()?;
    let each = args.events.div_ceil(FILES);
    for part in 0..FILES {
        let (start, end) = (part * each, ((part + 1) * each).min(args.events));
        let mut file: Option<ArrowWriter<File>> = None;
        for first in (start..end).step_by(usize::try_from(GROUP)?) {
            let batch = events(&mut chance, args.users, (first, GROUP.min(end - first), args.events))?;
            if file.is_none() {
                file = Some(writer(&args.out.join(format!("events/part-{part:02}.parquet")), &batch)?);
            }
            if let Some(file) = &mut file {
                file.write(&batch)?;
            }
        }
        file.map(ArrowWriter::close).transpose()?;
    }
    Ok(())
}
