//! Counts a program's segments over users that are in memory, and says as JSON what it counted and
//! how long it took: `cargo run --release --example in_memory -- rules.seg users.parquet`.

use arrow::array::RecordBatch;
use clap::Parser;
use std::error::Error;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;
use strata::check::{self, Options, Proofs};
use strata::data::read::{self, ReadOptions};
use strata::semantics::Facts;
use strata::vector::{Counts, NodeColumns, Plan, Wanted};

/// As in the command.
#[cfg(feature = "allocator")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
struct Args {
    rules: PathBuf,
    users: String,
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// How often it is counted; the first time is to warm up and not reported.
    #[arg(long, default_value_t = 3)]
    repeat: usize,
    /// Only so many users, who stay in cache, over and over until there were as many as in the file:
    /// what the processor can do where it need not wait for memory.
    #[arg(long)]
    in_cache: Option<usize>,
}

fn count(plan: &Plan, batches: &[RecordBatch], threads: usize) -> Result<Counts, Box<dyn Error>> {
    let next = AtomicUsize::new(0);
    let turns: Vec<&[RecordBatch]> = batches.chunks(4).collect();
    let counts = thread::scope(|scope| {
        let one = || {
            let mut workspace = plan.workspace();
            let mut counts = plan.no_counts();
            // As from files: those of a row group have their dictionaries in common.
            while let Some(some) = turns.get(next.fetch_add(1, Ordering::Relaxed)) {
                for batch in *some {
                    plan.count_in(
                        &mut workspace,
                        batch,
                        &NodeColumns::new(),
                        &Facts::default(),
                        &mut counts,
                    )?;
                }
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

/// The first rows, as often as it takes for as many rows as there are.
fn over_and_over(batches: &[RecordBatch], rows: usize) -> Vec<RecordBatch> {
    let all: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let Some(first) = batches.first().filter(|first| first.num_rows() > 0) else { return Vec::new() };
    let few = first.slice(0, rows.clamp(1, first.num_rows()));
    vec![few.clone(); all / few.num_rows()]
}

/// Seconds that this process has spent on processors, over all threads; 0 where nobody says it.
fn processor_seconds() -> f64 {
    // Linux counts in hundredths of a second: user and system time are fields 14 and 15.
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: f64 =
        after_name.split_whitespace().skip(11).take(2).filter_map(|t| t.parse::<f64>().ok()).sum();
    ticks / 100.0
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    let compiling = Instant::now();
    // What proofs take, `benches/prove.rs` measures.
    let options = Options { proofs: Proofs::None, ..Options::default() };
    let checked = check::check(&args.rules, &options);
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
        codes: plan.tested_columns().filter(|column| *column != users.key).collect(),
        ..ReadOptions::default()
    };
    let failed =
        |found: &[strata::diagnostic::Diagnostic]| found.first().map_or(String::new(), |f| f.message.clone());
    let reader = read::open(users, &program, &args.users, &options).map_err(|found| failed(&found))?;
    let batches: Vec<RecordBatch> = reader.collect::<Result<_, _>>().map_err(|found| found.message)?;
    let batches = match args.in_cache {
        Some(rows) => over_and_over(&batches, rows),
        None => batches,
    };
    let bytes: usize = batches.iter().map(RecordBatch::get_array_memory_size).sum();

    let (mut seconds, mut processors) = (Vec::new(), Vec::new());
    let mut counts = count(&plan, &batches, args.threads)?;
    for _ in 0..args.repeat {
        let (start, busy) = (Instant::now(), processor_seconds());
        counts = count(&plan, &batches, args.threads)?;
        seconds.push(start.elapsed().as_secs_f64());
        processors.push(processor_seconds() - busy);
    }
    let members: Vec<_> = counts.declared.iter().map(|count| &count.members).collect();
    let report = serde_json::json!({
        "rows": counts.rows,
        "seconds": seconds,
        "processor_seconds": processors,
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
