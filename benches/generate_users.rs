//! Makes up a table of users to measure with: `cargo run --release --example generate_users --
//! --rows 10000000 -o users.parquet`. The same seed gives the same users.

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int32Array,
    Int64Array, ListBuilder, RecordBatch, StringArray, StringBuilder, TimestampMicrosecondArray,
};
use arrow::datatypes::{Field, Int32Type, Schema};
use clap::Parser;
use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use strata::data::write::{self, SinkOptions};

#[derive(Parser)]
struct Args {
    /// How many users.
    #[arg(long, default_value_t = 10_000_000)]
    rows: u64,
    /// Where chance starts.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The file to write; its ending says the format.
    #[arg(short, long)]
    out: PathBuf,
}

const BATCH: u64 = 64 * 1024;
const NOW: i64 = 1_731_600_000; // 2024-11-15T00:00+08:00, in seconds
const DAY: i64 = 86_400;

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

    fn below(&mut self, limit: i64) -> i64 {
        (self.next() % limit.unsigned_abs().max(1)).cast_signed()
    }

    fn often(&mut self, percent: i64) -> bool {
        self.below(100) < percent
    }

    /// Many small, few large.
    fn skewed(&mut self, limit: i64) -> i64 {
        let (a, b, c) = (self.below(1000), self.below(1000), self.below(1000));
        a * b / 1000 * c / 1000 * limit / 1000
    }
}

fn known<T>(chance: &mut Chance, percent: i64, value: impl FnOnce(&mut Chance) -> T) -> Option<T> {
    chance.often(percent).then(|| value(chance))
}

fn labels(chance: &mut Chance, rows: u64, labels: &[&str], percent: i64) -> ArrayRef {
    let count = i64::try_from(labels.len()).unwrap_or(1);
    let keys = (0..rows).map(|_| known(chance, percent, |c| i32::try_from(c.below(count)).unwrap_or(0)));
    let keys: Int32Array = keys.collect();
    let values = Arc::new(StringArray::from(labels.to_vec()));
    Arc::new(DictionaryArray::<Int32Type>::new(keys, values))
}

fn ints(chance: &mut Chance, rows: u64, percent: i64, value: impl Fn(&mut Chance) -> i64) -> ArrayRef {
    Arc::new((0..rows).map(|_| known(chance, percent, &value)).collect::<Int64Array>())
}

fn floats(chance: &mut Chance, rows: u64, percent: i64, limit: i64) -> ArrayRef {
    let floats = (0..rows).map(|_| known(chance, percent, |c| c.skewed(limit * 100) as f64 / 100.0));
    Arc::new(floats.collect::<Float64Array>())
}

fn bools(chance: &mut Chance, rows: u64, percent: i64) -> ArrayRef {
    Arc::new((0..rows).map(|_| known(chance, percent, |c| c.often(30))).collect::<BooleanArray>())
}

fn money(chance: &mut Chance, rows: u64, percent: i64) -> Result<ArrayRef, Box<dyn Error>> {
    let amounts = (0..rows).map(|_| known(chance, percent, |c| i128::from(c.skewed(200_000_000))));
    Ok(Arc::new(amounts.collect::<Decimal128Array>().with_precision_and_scale(18, 2)?))
}

fn moments(chance: &mut Chance, rows: u64, percent: i64, days: i64) -> ArrayRef {
    let moments = (0..rows).map(|_| known(chance, percent, |c| (NOW - c.below(days * DAY)) * 1_000_000));
    Arc::new(moments.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
}

fn dates(chance: &mut Chance, rows: u64, percent: i64, from: i64, days: i64) -> ArrayRef {
    let date = |c: &mut Chance| i32::try_from(NOW / DAY + from + c.below(days)).unwrap_or(0);
    Arc::new((0..rows).map(|_| known(chance, percent, date)).collect::<Date32Array>())
}

fn tags(chance: &mut Chance, rows: u64) -> ArrayRef {
    let mut lists = ListBuilder::new(StringBuilder::new());
    for _ in 0..rows {
        let count = usize::try_from(chance.below(4)).unwrap_or(0);
        let first = chance.below(20);
        lists.append_value((0..count).map(|n| Some(format!("t{}", first + n as i64 * 3))));
    }
    Arc::new(lists.finish())
}

fn columns(
    chance: &mut Chance,
    first: u64,
    rows: u64,
) -> Result<Vec<(&'static str, ArrayRef)>, Box<dyn Error>> {
    let cities: Vec<String> = (0..300).map(|n| format!("城市{n}")).collect();
    let cities: Vec<&str> = cities.iter().map(String::as_str).collect();
    let ids = (first..first + rows).map(|n| n.cast_signed() * 3 + 1_000_000);
    Ok(vec![
        ("user_id", Arc::new(ids.collect::<Int64Array>())),
        ("age", ints(chance, rows, 93, |c| 14 + c.below(60))),
        ("channel", labels(chance, rows, &["social", "search", "ads", "referral"], 100)),
        ("city", labels(chance, rows, &cities, 97)),
        ("device", labels(chance, rows, &["ios", "android", "web"], 100)),
        ("quiz_score", ints(chance, rows, 100, |c| c.below(101))),
        ("invest_years", floats(chance, rows, 80, 30)),
        ("risk_appetite", labels(chance, rows, &["conservative", "balanced", "aggressive"], 100)),
        ("investable", money(chance, rows, 100)?),
        ("balance", money(chance, rows, 70)?),
        ("spend", floats(chance, rows, 100, 5000)),
        ("orders_90d", ints(chance, rows, 100, |c| c.skewed(40))),
        ("visits_30d", ints(chance, rows, 100, |c| c.skewed(120))),
        ("signup_at", moments(chance, rows, 100, 1500)),
        ("last_paid", moments(chance, rows, 60, 700)),
        ("birthday", dates(chance, rows, 85, -25_000, 20_000)),
        ("due_date", dates(chance, rows, 10, -30, 300)),
        ("member", bools(chance, rows, 100)),
        ("opted_in", bools(chance, rows, 90)),
        ("tags", tags(chance, rows)),
    ])
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let failed = |found: strata::diagnostic::Diagnostic| found.message;
    let mut chance = Chance(args.seed);
    let fields: Vec<Field> = columns(&mut chance, 0, 1)?
        .iter()
        .map(|(name, column)| Field::new(*name, column.data_type().clone(), *name != "user_id"))
        .collect();
    let schema = Arc::new(Schema::new(fields));
    let mut sink = write::open(&args.out, &schema, &SinkOptions::default()).map_err(failed)?;
    let mut first = 0;
    while first < args.rows {
        let rows = BATCH.min(args.rows - first);
        let columns = columns(&mut chance, first, rows)?.into_iter().map(|(_, column)| column).collect();
        sink.write(&RecordBatch::try_new(schema.clone(), columns)?).map_err(failed)?;
        first += rows;
    }
    sink.finish().map_err(failed)?;
    Ok(())
}
