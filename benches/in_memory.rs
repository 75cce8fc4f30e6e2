//! Counts a program's segments over users that are in memory, and says as JSON what it counted and
//! how long it took: `cargo run --release --example in_memory -- rules.seg users.parquet`.

use arrow::array::RecordBatch;
use clap::Parser;
use std::error::Error;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;
use strata::check::{self, Options};
use strata::data::read::{self, ReadOptions};
use strata::semantics::Facts;
use strata::vector::{Counts, NodeColumns, Plan, Wanted};

#[derive(Parser)]
struct Args {
    rules: PathBuf,
    users: String,
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// How often it is counted; the first time is to warm up and not reported.
    #[arg(long, default_value_t = 3)]
    repeat: usize,
}

fn count(plan: &Plan, batches: &[RecordBatch], threads: usize) -> Result<Counts, Box<dyn Error>> {
    let next = AtomicUsize::new(0);
    let counts = thread::scope(|scope| {
        let one = || {
            let mut workspace = plan.workspace();
            let mut counts = plan.no_counts();
            while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
                plan.count_in(&mut workspace, batch, &NodeColumns::new(), &Facts::default(), &mut counts)?;
            }
            Ok(counts)
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
        workers.into_iter().map(|worker| worker.join()).collect::<Vec<_>>()
    });
    let mut all = plan.no_counts();
    for counts in counts {
        let counts: Result<Counts, strata::vector::VectorError> = counts.map_err(|_| "a thread panicked")?;
        all.merge(&counts?);
    }
    Ok(all)
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let compiling = Instant::now();
    let checked = check::check(&args.rules, &Options::default());
    let Some(program) = checked.program else {
        return Err(checked.diagnostics.first().map_or(String::new(), |found| found.message.clone()).into());
    };
    let now = program.now.unwrap_or_default();
    let dated = program.at(now);
    let plan = Plan::new(&dated, &Wanted::assignments(&dated.program));
    let compiled = compiling.elapsed();

    let users = program.users.as_ref().ok_or("no users are declared")?;
    let options = ReadOptions {
        columns: Some(plan.columns().to_vec()),
        batch_rows: 1 << 17,
        now,
        ..ReadOptions::default()
    };
    let failed =
        |found: &[strata::diagnostic::Diagnostic]| found.first().map_or(String::new(), |f| f.message.clone());
    let reader = read::open(users, &program, &args.users, &options).map_err(|found| failed(&found))?;
    let batches: Vec<RecordBatch> = reader.collect::<Result<_, _>>().map_err(|found| found.message)?;
    let bytes: usize = batches.iter().map(RecordBatch::get_array_memory_size).sum();

    let mut seconds = Vec::new();
    let mut counts = count(&plan, &batches, args.threads)?;
    for _ in 0..args.repeat {
        let start = Instant::now();
        counts = count(&plan, &batches, args.threads)?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    let members: Vec<_> = counts.declared.iter().map(|count| &count.members).collect();
    let report = serde_json::json!({
        "rows": counts.rows,
        "seconds": seconds,
        "compile_seconds": compiled.as_secs_f64(),
        "bytes": bytes,
        "distinct_tests": plan.distinct_tests(),
        "registers": plan.registers(),
        "counts": members,
    });
    #[expect(clippy::print_stdout, reason = "the outcome of the program")]
    {
        println!("{report}");
    }
    Ok(())
}
