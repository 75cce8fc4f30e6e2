//! Evaluating a program over a table of users: scan, evaluate, count, write.

mod behaviour;
pub mod guards;
mod layout;
pub mod moment;
mod one_user;
mod parallel;
pub mod paths;
mod pipeline;
mod present;
mod scores;
mod select;
mod stop;
mod summary;
mod tally;
pub mod undecided;

pub use layout::Layout;
pub use moment::NowFrom;
pub use one_user::one_user;
pub use present::present;
pub(crate) use select::assigns;
pub use stop::Stop;
pub use summary::{BadColumn, BadExample, EventRows, Stages, Summary};

use crate::data::read::{self, KeyMode, ReadOptions, ReadTotals};
use crate::data::write::{self, SinkOptions};
use crate::data::{BadValueMode, facts};
use crate::diagnostic::{Diagnostic, codes::data, nearest};
use crate::program::{NodeId, Program, Table};
use crate::semantics::{Dated, Facts};
use crate::vector::{Plan, PlanSummary, Wanted};
use behaviour::Files;
use indexmap::IndexMap;
use pipeline::{Halt, Work};
use scores::Score;
use select::Selection;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use summary::Moment;
use tally::Tally;

/// Rows of a batch: enough that what is done once for a batch and column does not count, few enough to be
/// in a cache from decoding to counting.
const BATCH_ROWS: usize = 64 * 1024;

/// Bytes that the search for duplicate keys may take, where nothing else is said.
const KEY_MEMORY: usize = 256 << 20;

/// What a run is asked for.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// Data by table name, in place of what the rules name.
    pub tables: IndexMap<String, String>,
    /// A date or timestamp as written on the command line.
    pub now: Option<String>,
    /// Where the assignments go; without it they are only counted.
    pub output: Option<PathBuf>,
    /// How the output is laid out.
    pub layout: Layout,
    /// Declarations to restrict the run to; none for all.
    pub only: Vec<String>,
    /// Whether the output has the traits and scales too.
    pub with_traits: bool,
    /// Threads that evaluate; one reads and one writes besides.
    pub threads: usize,
    /// What becomes of values that break their declaration.
    pub bad_values: BadValueMode,
    /// Whether two rows of one key stop a run that writes an output.
    pub check_keys: bool,
    /// Bytes that the events, and the search for duplicate keys, may each take before they go to the
    /// disk; without it the events stay in memory, and the search takes 256 MiB.
    pub memory: Option<usize>,
    /// Between the fields of CSV files, read and written.
    pub delimiter: u8,
    /// Whether only the guards are counted.
    pub nothing_shown: bool,
    /// Whether an output is written that a guard forbids.
    pub force: bool,
    /// Leaves of stacks with fewer users than this are told.
    pub min_size: Option<u64>,
    /// Whether CSV cells keep what a spreadsheet would run as a formula.
    pub raw_csv: bool,
    /// The column whose values become folders.
    pub partition_by: Option<String>,
    /// Lookups and calendar that a built program brings along; else they are read from their files.
    pub facts: Option<Facts>,
    /// Whether one thread reads all rows, one after the other, even where the table has parts that
    /// several could read, and all columns as values, even where nothing turns on them or codes would do.
    /// The answer is the same.
    pub one_reader: bool,
    /// Users that are evaluated at a time.
    pub batch_rows: usize,
    /// Who may stop the run.
    pub stop: Stop,
}

impl Default for RunOptions {
    fn default() -> Self {
        RunOptions {
            tables: IndexMap::new(),
            now: None,
            output: None,
            layout: Layout::Wide,
            only: Vec::new(),
            with_traits: false,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            bad_values: BadValueMode::Missing,
            check_keys: true,
            memory: None,
            delimiter: b',',
            nothing_shown: false,
            force: false,
            min_size: None,
            raw_csv: false,
            partition_by: None,
            facts: None,
            one_reader: false,
            batch_rows: BATCH_ROWS,
            stop: Stop::default(),
        }
    }
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress<'a> {
    /// Rows of a table are read for what users did, or for what all of them are together.
    Events {
        /// The table.
        table: &'a str,
        /// Rows so far.
        rows: u64,
    },
    /// Users are evaluated.
    Users {
        /// Users so far.
        rows: u64,
        /// How many there are, if that is known.
        of: Option<u64>,
    },
}

/// Why a run gave nothing.
#[derive(Debug)]
pub enum RunError {
    /// What was found.
    Found(Vec<Diagnostic>),
    /// The signal that stopped it.
    Stopped(i32),
}

impl From<Diagnostic> for RunError {
    fn from(found: Diagnostic) -> Self {
        RunError::Found(vec![found])
    }
}

impl From<Vec<Diagnostic>> for RunError {
    fn from(found: Vec<Diagnostic>) -> Self {
        RunError::Found(found)
    }
}

impl From<Halt> for RunError {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Found(found) => (*found).into(),
            Halt::Stopped(signal) => RunError::Stopped(signal),
        }
    }
}

/// Runs a program. `progress` hears how far it is.
///
/// # Errors
/// Everything that keeps the run from starting, or the first thing that stops it on the way. Then
/// no output is there, and an older one is as it was.
pub fn run(
    program: &Program,
    options: &RunOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<Summary, RunError> {
    run_to(program, options, None, progress)
}

/// Runs a program as [`run`] does; the rows go into `sink`, in the table's order, and not to
/// `options.output`. They are laid out as in a file: the key, then a column for each declaration that
/// is shown.
///
/// # Errors
/// As [`run`], and those of the sink.
pub fn run_into(
    program: &Program,
    options: &RunOptions,
    sink: Box<dyn write::Sink>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Summary, RunError> {
    run_to(program, options, Some(sink), progress)
}

fn run_to(
    program: &Program,
    options: &RunOptions,
    given: Option<Box<dyn write::Sink>>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Summary, RunError> {
    let start = Instant::now();
    let (users, selection, (now, now_from)) = prepare(program, options)?;
    let writing = given.is_some() || options.output.is_some();
    let (dated, scores, wanted) = wanted(program.at(now), &selection, writing);
    let plan = Arc::new(Plan::new(&dated, &wanted));

    let path = source(users, options)?;
    let read_options = ReadOptions {
        columns: Some(plan.columns().to_vec()),
        delimiter: options.delimiter,
        bad_values: options.bad_values,
        batch_rows: options.batch_rows.max(1),
        now,
        keys: KeyMode::Skip,
        threads: options.threads,
        ..ReadOptions::default()
    };
    let files = Files::bind(&dated, &wanted, users, options, &read_options);
    // Whoever numbers the users to join events to them finds out whether a key comes twice.
    let joins = files.as_ref().is_ok_and(Files::joins);
    let keys = match writing {
        true if options.check_keys && !joins => {
            KeyMode::Check { memory: options.memory.unwrap_or(KEY_MEMORY) }
        }
        true => KeyMode::Skip,
        false => KeyMode::Unread,
    };
    let read_options = ReadOptions { keys, ..read_options };
    // Whoever writes or joins looks at the keys themselves.
    let codes = plan.tested_columns().filter(|column| *column != users.key).collect();
    let of_users = match options.one_reader {
        true => read_options.clone(),
        false => ReadOptions { codes, plan: Some(plan.clone()), ..read_options.clone() },
    };
    let parts = read::open_parts(users, program, &path, &of_users);
    let (files, parts) = match (files, parts) {
        (Ok(files), Ok(parts)) => (files, parts),
        (files, parts) => {
            let found = parts.err().into_iter().chain(files.err()).flatten();
            return Err(found.collect::<Vec<Diagnostic>>().into());
        }
    };
    let total = parts.rows();
    let loaded = match &options.facts {
        Some(facts) => facts::Loaded { facts: facts.clone(), bad_values: Vec::new() },
        None => facts::load(program, &options.tables, &read_options)?,
    };
    if let Some(output) = &options.output {
        spare_the_data(output, program, options, &path)?;
    }

    options.stop.listen();
    let facts = Arc::new(loaded.facts);
    let context = files.context(&dated, &wanted, &facts, options, &mut |table, rows| {
        progress(Progress::Events { table, rows });
    })?;
    // With the values of the population known, more of the rules are constants.
    let plan = match &context {
        Some(context) => Arc::new(Plan::new(&context.dated, &wanted)),
        None => plan,
    };

    let moment = Moment { now: moment::show(now, &program.zone()), from: now_from };
    let hash = program.hash();
    let writer = writing.then(|| layout::Writer::new(program, users, &selection, options.layout));
    let mut sink = match (given, &options.output, &writer) {
        (Some(sink), ..) => Some(sink),
        (None, Some(path), Some(writer)) => {
            let metadata = metadata(program, &moment, &hash);
            let partition_by = options.partition_by.clone();
            let sink_options = SinkOptions {
                metadata,
                delimiter: options.delimiter,
                partition_by,
                raw_csv: options.raw_csv,
            };
            Some(write::open(path, writer.schema(), &sink_options)?)
        }
        _ => None,
    };
    let key = users.columns.get(users.key).map(|key| key.name.clone()).unwrap_or_default();
    let tally = Tally::new(&dated.program, &selection).with_levels(&scores);
    let (tables, bad_events) = match &context {
        Some(context) => (context.tables.clone(), context.bad_values.clone()),
        None => (Vec::new(), Vec::new()),
    };
    let work = Work::new(plan, facts, context, tally, writer, key);
    let into = sink.as_deref_mut().map(|sink| sink as &mut dyn write::Sink);
    let progress = &mut |rows| progress(Progress::Users { rows, of: total });
    let parts = parallel::shared_out(&parts, &work, writing, options.threads);
    let apart = !options.one_reader && parallel::suits(&parts, &work, into.as_deref(), options.threads);
    let (totals, tally, mut times) = if apart {
        parallel::pump(parts, work, options.threads, into, &options.stop, progress)?
    } else {
        let reader = parts.reader();
        let (reader, tally, times) =
            pipeline::pump(reader, work, options.threads, into, &options.stop, progress)?;
        (ReadTotals { rows: reader.rows_read(), bad_values: reader.bad_values().to_vec() }, tally, times)
    };
    let guards = guards::outcomes(program, &tally);
    let failures = undecided::failures(&dated.program, &tally);
    let kept = options.force || failures.is_empty() && guards.iter().all(|guard| guard.holds);
    if let Some(mut sink) = sink.filter(|_| kept) {
        let closing = Instant::now();
        sink.close()?;
        if let Some(signal) = options.stop.requested() {
            return Err(RunError::Stopped(signal));
        }
        sink.finish()?;
        times.write += closing.elapsed();
    }
    let mut summary = Summary::new(program, moment, &tally, hash)
        .with_bad_values(totals.bad_values.iter().chain(&bad_events).chain(&loaded.bad_values))
        .with_events(tables)
        .with_scores(&dated.program, &scores, &tally)
        .with_times(start.elapsed(), times);
    summary.guards = guards;
    summary.failures = failures;
    summary.guard_counts.clone_from(&tally.guards);
    if let Some(least) = options.min_size {
        summary.tell_small_paths(program, &tally, least);
    }
    summary.output = options.output.as_ref().filter(|_| kept).map(|path| path.display().to_string());
    Ok(summary)
}

/// What a run would do with each chunk of rows. No data are looked at.
///
/// # Errors
/// What is wrong with the request.
pub fn plan(program: &Program, options: &RunOptions) -> Result<PlanSummary, RunError> {
    let (_, selection, (now, _)) = prepare(program, options)?;
    let (dated, _, wanted) = wanted(program.at(now), &selection, options.output.is_some());
    Ok(Plan::new(&dated, &wanted).summary())
}

/// What is evaluated, and the scores whose levels are counted: a summary alone has no use for attributes.
fn wanted(dated: Dated, selection: &Selection, writing: bool) -> (Dated, Vec<Score>, Wanted) {
    let assigns =
        |index: &usize| dated.program.declarations.get(*index).is_some_and(|found| assigns(&found.kind));
    let shown = selection.shown.iter().copied().filter(|index| writing || assigns(index)).collect::<Vec<_>>();
    let (dated, scores) = scores::with_levels(dated, &shown);
    let guards = dated.program.guards.iter().map(|guard| guard.condition);
    let conditions: Vec<NodeId> = guards
        .chain(undecided::conditions(&dated.program))
        .chain(scores.iter().flat_map(|score| score.levels.clone()))
        .collect();
    (dated, scores, Wanted::these(shown).with_conditions(conditions))
}

type Prepared<'a> = (&'a Table, Selection, (i64, NowFrom));

/// All that can be wrong with a request before a file is opened, at once.
fn prepare<'a>(program: &'a Program, options: &RunOptions) -> Result<Prepared<'a>, Vec<Diagnostic>> {
    let Some(users) = &program.users else {
        return Err(vec![
            Diagnostic::placeless(
                data::NOT_RUNNABLE,
                "the rules declare no user table, so there is nobody to run them for",
            )
            .help("declare one: `table users key user_id from \"users.csv\" { … }`"),
        ]);
    };
    let mut problems = unknown_tables(program, users, options);
    let selection = match options.nothing_shown {
        true => Ok(Selection { shown: Vec::new() }),
        false => Selection::new(program, &options.only, options.with_traits, options.layout),
    };
    let now = moment::settle(program, options.now.as_deref());
    match (selection, now) {
        (Ok(selection), Ok(now)) if problems.is_empty() => return Ok((users, selection, now)),
        (selection, now) => {
            problems.extend(selection.err().into_iter().flatten());
            problems.extend(now.err());
        }
    }
    Err(problems)
}

fn unknown_tables(program: &Program, users: &Table, options: &RunOptions) -> Vec<Diagnostic> {
    let names: Vec<&str> =
        std::iter::once(users).chain(other_tables(program)).map(|table| table.name.as_str()).collect();
    let unknown = options.tables.keys().filter(|name| !names.contains(&name.as_str()));
    unknown
        .map(|name| {
            let message = format!("`--table {name}=…`: the rules declare no table `{name}`");
            let help = match nearest(name, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the tables are `{}`", names.join("`, `")),
            };
            Diagnostic::placeless(data::UNKNOWN_REQUEST, message).help(help)
        })
        .collect()
}

/// All tables but the users'.
fn other_tables(program: &Program) -> impl Iterator<Item = &Table> {
    program.events.iter().map(|events| &events.table).chain(&program.lookups)
}

/// Where a table's data are.
fn source(table: &Table, options: &RunOptions) -> Result<String, Diagnostic> {
    read::path_of(table, options.tables.get(&table.name).map(String::as_str))
}

/// Refuses to replace what the run reads.
fn spare_the_data(
    output: &Path,
    program: &Program,
    options: &RunOptions,
    users: &str,
) -> Result<(), Diagnostic> {
    let Ok(place) = output.canonicalize() else { return Ok(()) };
    let others = other_tables(program).filter_map(|table| source(table, options).ok());
    let mut inputs = others.chain([users.to_owned()]).filter_map(|path| Path::new(&path).canonicalize().ok());
    if !place.is_file() && !place.is_dir() || !inputs.any(|input| input == place || input.starts_with(&place))
    {
        return Ok(());
    }
    let message = format!("cannot write `{}`: the run reads its data there", output.display());
    Err(Diagnostic::placeless(data::OUTPUT_FAILED, message).help("name another file after `-o`"))
}

fn metadata(program: &Program, moment: &Moment, hash: &str) -> Vec<(String, String)> {
    [
        ("strata.program", hash),
        ("strata.now", &moment.now),
        ("strata.timezone", &program.timezone),
        ("strata.version", env!("CARGO_PKG_VERSION")),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into()
}

#[cfg(test)]
mod tests;
