//! The work, round by round: what the events need to know of the users, one pass over each table of
//! events, the events of each part of the users, then the population.

use super::aggregate::{Source, aggregate};
use super::block::{Block, Parting};
use super::cells::Cells;
use super::columns::{PartColumns, joined, packed};
use super::keys::{NOBODY, Numbers, Twice};
use super::part::Part;
use super::population::{Sample, statistic};
use super::scan::{EventCounts, Scan};
use super::schedule::{Earliest, Round, Schedule, SequenceWork, TableWork};
use super::source::{EventError, EventOptions, Origin, Rows, Tables, each};
use super::steps;
use super::store::{Blocks, Budget, Store};
use super::texts::Ranks;
use crate::data::BadValues;
use crate::data::facts::{shown, value_at};
use crate::data::read::twice;
use crate::diagnostic::{Diagnostic, codes::data};
use crate::program::{AggregateFunction, NodeId, Scope, Table, Type, Value};
use crate::semantics::columnar::column_type;
use crate::semantics::{Dated, Facts, sequence};
use crate::vector::{Assignment, NodeColumns, Plan, VectorError, Wanted};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, new_empty_array};
use arrow::datatypes::Schema;
use hashbrown::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What users did, and what they all are together: all that has to be known before a user can be
/// evaluated.
#[derive(Clone, Debug)]
pub struct Context {
    /// The program, in which the values of the population are constants.
    pub dated: Dated,
    /// The values of the population.
    pub population: HashMap<NodeId, Value>,
    /// What became of the rows of each event table that was read.
    pub tables: Vec<EventCounts>,
    /// Bad values of the event tables.
    pub bad_values: Vec<BadValues>,
    columns: Vec<Arc<PartColumns>>,
    first_rows: Vec<usize>,
}

impl Context {
    /// What is known of the users in these rows of the user table.
    ///
    /// # Errors
    /// Where it is on disk and cannot be read.
    pub fn of_rows(&self, rows: &Range<usize>) -> Result<NodeColumns, Diagnostic> {
        let mut given = NodeColumns::new();
        for columns in &self.columns {
            columns.slice(rows, &mut given)?;
        }
        Ok(given)
    }

    /// Evaluates users, who are the rows of the user table from that one on.
    ///
    /// # Errors
    /// Those of [`Plan::evaluate_with`].
    pub fn evaluate(
        &self,
        wanted: &Wanted,
        first_row: usize,
        batch: &RecordBatch,
        facts: &Facts,
    ) -> Result<Assignment, VectorError> {
        let rows = first_row..first_row + batch.num_rows();
        let given = self.of_rows(&rows).map_err(|_| VectorError::NotGiven)?;
        Plan::new(&self.dated, wanted).evaluate_with(batch, &given, facts)
    }

    /// How many rows of the user table come before those of each place that [`Rows::take`] tells;
    /// empty where nothing is known of single users.
    pub fn first_rows(&self) -> &[usize] {
        &self.first_rows
    }
}

/// Works out what these declarations need of events and of the population; none where they need
/// nothing. `progress` hears how many rows of which table are done.
///
/// # Errors
/// All that is wrong with the tables, or that somebody asked for an end.
pub fn compute(
    dated: &Dated,
    wanted: &Wanted,
    facts: &Arc<Facts>,
    tables: &dyn Tables,
    options: &EventOptions,
    progress: &mut dyn FnMut(&str, u64),
) -> Result<Option<Context>, EventError> {
    let Some(schedule) = Schedule::new(dated, wanted) else { return Ok(None) };
    let mut work = Work {
        dated: schedule.dated.clone(),
        facts,
        tables,
        options,
        progress,
        users: None,
        budget: Arc::new(Budget::new(options.memory)),
        known: Context {
            dated: dated.clone(),
            population: HashMap::new(),
            tables: Vec::new(),
            bad_values: Vec::new(),
            columns: Vec::new(),
            first_rows: Vec::new(),
        },
    };
    for round in &schedule.rounds {
        work.round(round)?;
    }
    let mut known = work.known;
    known.dated = dated.knowing(&known.population);
    Ok(Some(known))
}

/// All users by number.
struct Users {
    numbers: Arc<Numbers>,
    parting: Parting,
}

struct Work<'a> {
    /// The program with the conditions of events.
    dated: Dated,
    facts: &'a Arc<Facts>,
    tables: &'a dyn Tables,
    options: &'a EventOptions,
    progress: &'a mut dyn FnMut(&str, u64),
    users: Option<Users>,
    budget: Arc<Budget>,
    known: Context,
}

fn failed(cause: impl std::fmt::Display) -> Diagnostic {
    Diagnostic::placeless(data::NOT_RUNNABLE, format!("the data cannot be evaluated: {cause}"))
}

/// The value and the filter of a statistic, and what they came to for the users that count.
type Sampled = ((NodeId, Option<NodeId>), Arc<Sample>);

impl Work<'_> {
    fn round(&mut self, round: &Round) -> Result<(), EventError> {
        let columns = if round.tables.is_empty() { None } else { Some(self.events(round)?) };
        self.population(round)?;
        // Population values of this round do not need its aggregates.
        self.known.columns.extend(columns.map(Arc::new));
        self.dated = self.dated.knowing(&self.known.population);
        Ok(())
    }

    fn user_table(&self) -> Option<&Table> {
        self.dated.program.users.as_ref()
    }

    /// Numbers the users.
    fn number_users(&mut self) -> Result<(), EventError> {
        if self.users.is_some() {
            return Ok(());
        }
        let Some(table) = self.user_table().cloned() else { return Ok(()) };
        let name = table.columns.get(table.key).map(|key| key.name.clone()).unwrap_or_default();
        let rows = self.tables.users(&[table.key])?;
        let progress = &mut self.progress;
        let (keys, _) =
            each(&rows, self.options, &mut |rows| progress(&table.name, rows), move |_, batch| {
                batch.column_by_name(&name).cloned().ok_or_else(|| failed("the key was not read"))
            })?;
        let mut first_rows = Vec::new();
        let mut count = 0;
        for ((part, _), keys) in &keys {
            first_rows.resize((*part + 1).max(first_rows.len()), count);
            count += keys.len();
        }
        if count >= NOBODY as usize {
            return Err(failed("there are more than four thousand million users").into());
        }
        let keys: Vec<ArrayRef> = keys.into_iter().map(|(_, keys)| keys).collect();
        let (numbers, found) = Numbers::new(&keys);
        if let Some(Twice { first, second }) = found.filter(|_| self.options.check_keys) {
            let key = key_at(&keys, second).unwrap_or(Value::Missing);
            let key = shown(&self.dated.program, &table, &key);
            return Err(twice(&table, &key, u64::from(first) + 1, u64::from(second) + 1).into());
        }
        self.known.first_rows = first_rows;
        let parting = Parting::new(count, self.options.part_users);
        self.users = Some(Users { numbers: Arc::new(numbers), parting });
        Ok(())
    }

    /// Works on the users batch by batch: `f` gets the values of these nodes.
    fn of_users<T: Send + 'static>(
        &mut self,
        nodes: &[NodeId],
        f: impl Fn(&[ArrayRef]) -> Result<T, Diagnostic> + Send + Sync + 'static,
    ) -> Result<Vec<(Origin, T)>, EventError> {
        let plan = Plan::of_nodes(&self.dated, Scope::User, nodes);
        let (facts, known) = (self.facts.clone(), Arc::new(self.known.clone()));
        let name = self.user_table().map(|table| table.name.clone()).unwrap_or_default();
        let rows: Arc<dyn Rows> = match &self.users {
            // Whoever needs no column need not read the table.
            Some(users) if plan.columns().is_empty() => Arc::new(Bare::new(users.parting.users())),
            _ => self.tables.users(plan.columns())?,
        };
        let bare = self.users.is_some() && plan.columns().is_empty();
        let seen = Mutex::new(HashMap::<usize, usize>::new());
        let progress = &mut self.progress;
        let (outcomes, _) =
            each(&rows, self.options, &mut |rows| progress(&name, rows), move |(part, _), batch| {
                let rows = batch.num_rows();
                // The batches of one place come one after the other.
                let start = {
                    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                    let first = if bare {
                        part * Bare::ROWS
                    } else {
                        known.first_rows.get(part).copied().unwrap_or(0)
                    };
                    let next = seen.entry(part).or_insert(first);
                    *next += rows;
                    *next - rows
                };
                let given = known.of_rows(&(start..start + rows))?;
                let values = plan.nodes(batch, &given, &facts).map_err(failed)?;
                f(&values)
            })?;
        Ok(outcomes)
    }

    /// What events need to know of the users: a value for each of them.
    fn dense(&mut self, nodes: &[NodeId]) -> Result<NodeColumns, EventError> {
        let batches = self.of_users(nodes, |columns| Ok(columns.to_vec()))?;
        let mut dense = NodeColumns::new();
        for (at, node) in nodes.iter().enumerate() {
            let pieces: Vec<ArrayRef> =
                batches.iter().filter_map(|(_, columns)| columns.get(at)).cloned().collect();
            let column = match pieces.is_empty() {
                true => new_empty_array(&column_type(&self.dated.program.node(*node).ty)),
                false => joined(&pieces).map_err(failed)?,
            };
            dense.insert(*node, column);
        }
        Ok(dense)
    }

    fn events(&mut self, round: &Round) -> Result<PartColumns, EventError> {
        self.number_users()?;
        let mut tables = Vec::with_capacity(round.tables.len());
        for work in &round.tables {
            tables.push(self.table(work)?);
        }
        let aggregates = round.tables.iter().flat_map(|table| &table.aggregates);
        let nodes = aggregates.map(|work| (work.node, work.ty.clone()));
        let nodes = nodes.chain(round.sequences.iter().map(|work| (work.node, Type::Bool))).collect();
        let parting = self.users.as_ref().map_or(Parting::new(0, 1), |users| users.parting);
        let nows = round.sequences.iter().map(|work| self.now_of(work)).collect();
        let columns = PartColumns::new(nodes, parting, self.options.memory)?;
        let parts = Parts { round, parting, nows, options: self.options };
        parts.each(&mut tables, &|number, found| columns.put(number, found))?;
        Ok(columns)
    }

    /// The moment of evaluation as a sequence counts time.
    fn now_of(&self, work: &SequenceWork) -> Option<i64> {
        let now = match &self.dated.program.node(work.sequence.now).expr {
            crate::program::Expr::Constant(now) => now,
            _ => return None,
        };
        sequence::tick(now, work.days, &self.dated.program.zone())
    }

    /// One pass over a table of events.
    fn table(&mut self, work: &TableWork) -> Result<Laid, EventError> {
        let (Some(users), Some(events)) = (&self.users, self.dated.program.events.get(work.table)) else {
            return Err(failed("there are no such events").into());
        };
        let table = events.table.clone();
        let (parting, numbers) = (users.parting, users.numbers.clone());
        self.check_key_type(&table)?;
        let scan = Scan::new(&self.dated, work, parting, numbers, self.facts.clone());
        let mut scan = scan.ok_or_else(|| failed("there are no such events"))?;
        if !scan.plan.given().is_empty() {
            scan.of_users = self.dense(scan.plan.given())?;
        }
        let mut columns = scan.plan.columns().to_vec();
        columns.push(table.key);
        let earliest = if let Earliest::At(earliest) = &work.earliest { Some(earliest) } else { None };
        let rows = self.tables.events(work.table, &columns, earliest)?;
        let scan = Arc::new(scan);
        let store = Arc::new(Store::new(parting, self.budget.clone(), rows.expected()));
        let progress = &mut self.progress;
        let (counted, totals) = each(&rows, self.options, &mut |rows| progress(&table.name, rows), {
            let (scan, store) = (scan.clone(), store.clone());
            move |origin, batch| {
                let (block, counts) = scan.block(origin, batch)?;
                store.add(block, batch.num_rows()).map(|()| counts)
            }
        })?;
        let mut counts = EventCounts { table: table.name.clone(), ..EventCounts::default() };
        for (_, more) in &counted {
            counts.add(more);
        }
        counts.rows += totals.skipped;
        counts.skipped = totals.skipped;
        // A table that comes again in a later round was told of already.
        if !self.known.tables.iter().any(|known| known.table == counts.table) {
            self.known.tables.push(counts);
            self.known.bad_values.extend(totals.bad_values);
        }
        // The threads that added to it have gone.
        let (reaches, blocks) =
            Arc::into_inner(store).ok_or_else(|| failed("a thread did not end"))?.finish();
        Ok(Laid::new(blocks, &reaches, &scan, work, &self.dated))
    }

    /// Keys of another type than the users' could only be compared by luck.
    fn check_key_type(&self, table: &Table) -> Result<(), EventError> {
        let ty = |table: &Table| table.columns.get(table.key).map(|key| key.ty.clone());
        let same = match (self.user_table().and_then(ty), ty(table)) {
            (Some(Type::Decimal { scale: a, .. }), Some(Type::Decimal { scale: b, .. })) => a == b,
            (a, b) => a == b,
        };
        if same {
            return Ok(());
        }
        let message = format!("the key of `{}` has another type than that of the users", table.name);
        Err(Diagnostic::new(data::NOT_RUNNABLE, table.place, message).into())
    }

    fn population(&mut self, round: &Round) -> Result<(), EventError> {
        let mut samples: Vec<(NodeId, Option<NodeId>)> = Vec::new();
        for work in &round.population {
            let sample = (work.population.value, work.population.filter);
            if !samples.contains(&sample) {
                samples.push(sample);
            }
        }
        if samples.is_empty() {
            return Ok(());
        }
        let sampled = self.sampled(&samples)?;
        let dated = &self.dated;
        let next = AtomicUsize::new(0);
        let found = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..self.options.threads.clamp(1, round.population.len().max(1)) {
                scope.spawn(|| {
                    while let Some(work) = round.population.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let sample = (work.population.value, work.population.filter);
                        let Some((_, values)) = sampled.iter().find(|(known, _)| *known == sample) else {
                            continue;
                        };
                        let value = statistic(work, &dated.program.node(sample.0).ty, values);
                        found.lock().unwrap_or_else(PoisonError::into_inner).push((work.node, value));
                    }
                });
            }
        });
        for (node, value) in found.into_inner().unwrap_or_else(PoisonError::into_inner) {
            self.known.population.insert(node, value?);
        }
        Ok(())
    }

    /// The known values of the users that count, for each pair of value and filter.
    fn sampled(&mut self, samples: &[(NodeId, Option<NodeId>)]) -> Result<Vec<Sampled>, EventError> {
        let nodes: Vec<NodeId> =
            samples.iter().flat_map(|(value, filter)| std::iter::once(*value).chain(*filter)).collect();
        let types: Vec<Type> =
            samples.iter().map(|(value, _)| self.dated.program.node(*value).ty.clone()).collect();
        let filtered: Vec<bool> = samples.iter().map(|(_, filter)| filter.is_some()).collect();
        let budget = Arc::new(Budget::new(self.options.memory));
        let all: Vec<Sampled> =
            samples.iter().map(|sample| (*sample, Arc::new(Sample::new(budget.clone())))).collect();
        let sinks: Vec<Arc<Sample>> = all.iter().map(|(_, sink)| sink.clone()).collect();
        self.of_users(&nodes, move |columns| {
            let mut columns = columns.iter();
            for ((ty, filtered), sink) in types.iter().zip(&filtered).zip(&sinks) {
                let Some(value) = columns.next() else { break };
                let filter = if *filtered { columns.next() } else { None };
                let nulls = value.logical_nulls();
                let counts = |row: usize| {
                    nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row))
                        && filter.is_none_or(|filter| filter.is_valid(row) && filter.as_boolean().value(row))
                };
                let rows: Vec<u32> =
                    (0..value.len()).filter(|row| counts(*row)).map(|row| row as u32).collect();
                sink.add(Cells::gather(value, ty, &rows, None))?;
            }
            Ok(())
        })?;
        Ok(all)
    }
}

/// The key of the user with that number.
fn key_at(keys: &[ArrayRef], user: u32) -> Option<Value> {
    let mut place = user as usize;
    for keys in keys {
        if place < keys.len() {
            return Some(value_at(keys, place));
        }
        place -= keys.len();
    }
    None
}

/// Rows without columns, of users of whom all that is needed is known.
struct Bare {
    users: usize,
    next: AtomicUsize,
}

impl Bare {
    const ROWS: usize = 1 << 15;

    fn new(users: usize) -> Bare {
        Bare { users, next: AtomicUsize::new(0) }
    }
}

impl Rows for Bare {
    fn take(&self) -> Option<(usize, super::source::Batches)> {
        let place = self.next.fetch_add(1, Ordering::Relaxed);
        let rows = self.users.checked_sub(place * Self::ROWS).filter(|rows| *rows > 0)?.min(Self::ROWS);
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch =
            RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &options).ok()?;
        Some((place, Box::new(std::iter::once(batch))))
    }

    fn expected(&self) -> Option<u64> {
        u64::try_from(self.users).ok()
    }

    fn finish(&self) -> Result<super::source::RowTotals, Diagnostic> {
        Ok(super::source::RowTotals::default())
    }
}

/// The events of a table, laid out.
struct Laid {
    blocks: Blocks,
    sources: Vec<Source>,
    /// By value: the order of texts and lists, where it matters.
    order: Vec<Option<Ranks>>,
}

impl Laid {
    fn new(
        mut blocks: Blocks,
        reaches: &[(u128, bool)],
        scan: &Scan,
        work: &TableWork,
        dated: &Dated,
    ) -> Laid {
        let ordered = |value: usize| {
            work.aggregates
                .iter()
                .any(|of| of.value == Some(value) && of.function != AggregateFunction::Distinct)
        };
        let (mut sources, mut order) = (Vec::new(), Vec::new());
        for (at, (ty, texts)) in scan.types.iter().zip(&scan.texts).enumerate() {
            let ranks = texts.as_ref().map(|texts| texts.ranks(ty));
            let (reach, wide) = reaches.get(at).copied().unwrap_or_default();
            let kinds = match ty {
                Type::Bool => 2,
                Type::Label(id) => dated.program.label_type(*id).map_or(0, |ty| ty.labels.len()),
                _ => ranks.as_ref().map_or(usize::MAX, Ranks::count),
            };
            order.push(ranks.clone().filter(|_| ordered(at)));
            sources.push(Source { ty: ty.clone(), reach, wide, ranks, kinds });
        }
        put_in_order(blocks.in_memory(), &order);
        Laid { blocks, sources, order }
    }
}

/// Puts places in the order of texts and lists where their numbers stood.
fn put_in_order(blocks: &mut [Block], order: &[Option<Ranks>]) {
    for block in blocks {
        for (cells, ranks) in block.values.iter_mut().zip(order) {
            if let Some(ranks) = ranks {
                ranks.put(cells);
            }
        }
    }
}

/// The parts of the users, to be worked on by several threads.
struct Parts<'a> {
    round: &'a Round,
    parting: Parting,
    nows: Vec<Option<i64>>,
    options: &'a EventOptions,
}

impl Parts<'_> {
    /// Has each part worked on, in groups that are in memory together; gives each part's columns to
    /// `keep`: one for each aggregate, then for each sequence.
    fn each(
        &self,
        tables: &mut [Laid],
        keep: &(dyn Fn(usize, Vec<ArrayRef>) -> Result<(), Diagnostic> + Sync),
    ) -> Result<(), EventError> {
        let mut ends: Vec<usize> = tables.iter().flat_map(|table| table.blocks.ends()).collect();
        ends.push(self.parting.count());
        ends.sort_unstable();
        ends.dedup();
        let mut start = 0;
        for end in ends {
            let group = start..end;
            start = end;
            let mut loaded = Vec::with_capacity(tables.len());
            for table in tables.iter_mut() {
                let mut blocks = table.blocks.around(&group, self.parting)?;
                if let Some(blocks) = &mut blocks {
                    put_in_order(blocks, &table.order);
                }
                loaded.push(blocks);
            }
            let tables: Vec<(&[Block], &[Source])> = tables
                .iter()
                .zip(&loaded)
                .map(|(table, loaded)| {
                    (loaded.as_deref().unwrap_or(table.blocks.all()), table.sources.as_slice())
                })
                .collect();
            self.group(group, &tables, keep)?;
        }
        Ok(())
    }

    fn group(
        &self,
        group: Range<usize>,
        tables: &[(&[Block], &[Source])],
        keep: &(dyn Fn(usize, Vec<ArrayRef>) -> Result<(), Diagnostic> + Sync),
    ) -> Result<(), EventError> {
        let next = AtomicUsize::new(group.start);
        let failure = Mutex::new(None);
        std::thread::scope(|scope| {
            for _ in 0..self.options.threads.max(1) {
                scope.spawn(|| {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= group.end || (self.options.stop)() {
                            return;
                        }
                        if let Err(found) = keep(number, self.one(number, tables)) {
                            *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
                            return;
                        }
                    }
                });
            }
        });
        if (self.options.stop)() {
            return Err(EventError::Stopped);
        }
        match failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(found) => Err(found.into()),
            None => Ok(()),
        }
    }

    fn one(&self, number: usize, tables: &[(&[Block], &[Source])]) -> Vec<ArrayRef> {
        let users = self.parting.range(number).len();
        let parts: Vec<Part> = tables.iter().map(|(blocks, _)| Part { blocks, number, users }).collect();
        let mut columns = Vec::new();
        for ((work, (_, sources)), part) in self.round.tables.iter().zip(tables).zip(&parts) {
            columns.extend(work.aggregates.iter().map(|work| packed(aggregate(work, part, sources))));
        }
        let sequences = self.round.sequences.iter().zip(&self.nows);
        columns.extend(sequences.map(|(work, now)| steps::sequence(work, &parts, users, *now)));
        columns
    }
}
