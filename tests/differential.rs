//! Holds the two evaluators equal: random typed programs, as text, over random users. The reference
//! interpreter takes one user at a time, the vectorised evaluator whole batches, text both plain and
//! as dictionaries, in chunks of any size; and the program is read again from what `expand` prints.
//!
//! A case is its seed. `STRATA_DIFFERENTIAL=20000 cargo test --test differential` is the long mode,
//! `STRATA_DIFFERENTIAL_SEED=17` runs one case. A failure is cut down to the smallest program and
//! user that still show it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected is to stop"
)]

#[path = "differential/event_cases.rs"]
mod event_cases;
#[path = "differential/event_programs.rs"]
mod event_programs;
#[path = "differential/event_rows.rs"]
mod event_rows;
#[path = "differential/expressions.rs"]
mod expressions;
#[path = "differential/model.rs"]
mod model;
#[path = "differential/plans.rs"]
mod plans;
#[path = "differential/programs.rs"]
mod programs;
#[path = "differential/random.rs"]
mod random;
#[path = "differential/rows.rs"]
mod rows;
#[path = "differential/ways.rs"]
mod ways;

use arrow::array::Array;
use model::Model;
use programs::{Generated, Generator};
use random::Random;
use rows::Texts;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use strata::interpret;
use strata::program::{DeclarationKind, Program, Type, Value};
use strata::semantics::{Dated, Facts, LookupFacts};
use strata::vector::{Assignment, Counts, NodeColumns, OutputColumn, Plan, Wanted};

/// Users of a case: more than one chunk of the smallest size.
const USERS: usize = 80;

/// Everything about a case but its program.
struct Case {
    now: i64,
    facts: Facts,
}

/// What the cases came to, over all of them.
#[derive(Default)]
struct Tally {
    accepted: AtomicU64,
    refused: AtomicU64,
    segments: AtomicU64,
    undecided_segments: AtomicU64,
    /// Stacks, plays and splits, and those that give something to somebody.
    plans: AtomicU64,
    plans_with_users: AtomicU64,
    refusals: Mutex<Vec<String>>,
}

impl Tally {
    /// Counts a program that the checker refuses; keeps the first few.
    fn refuse(&self, seed: u64, refusal: &str) {
        self.refused.fetch_add(1, Ordering::Relaxed);
        let mut refusals = self.refusals.lock().unwrap();
        if refusals.len() < 5 {
            refusals.push(format!("seed {seed}: {refusal}"));
        }
    }
}

#[test]
fn both_evaluators_agree() {
    over_seeds(500, run);
}

#[test]
fn all_evaluators_of_behaviour_agree() {
    over_seeds(400, event_cases::run);
}

#[test]
fn both_ways_of_a_run_agree() {
    over_seeds(100, ways::run);
}

/// Runs so many cases, or as many as the environment says.
fn over_seeds(cases: u64, run: impl Fn(u64, &Tally) -> Result<(), String> + Sync) {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let seeds = match number("STRATA_DIFFERENTIAL_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("STRATA_DIFFERENTIAL").unwrap_or(cases),
    };
    let (count, next) = (seeds.end - seeds.start, AtomicU64::new(seeds.start));
    let tally = Tally::default();
    let failure = Mutex::new(None);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while failure.lock().unwrap().is_none() {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        break;
                    }
                    let outcome =
                        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(seed, &tally)));
                    let found = outcome.unwrap_or_else(|_| Err(format!("seed {seed} panics")));
                    if let Err(found) = found {
                        *failure.lock().unwrap() = Some(found);
                    }
                }
            });
        }
    });
    if let Some(failure) = failure.into_inner().unwrap() {
        panic!("{failure}");
    }
    if count < 100 {
        return;
    }
    // The test cannot turn into an empty one unnoticed: programs are accepted, and rules are true for
    // some users and false for others.
    let (accepted, refused) = (tally.accepted.load(Ordering::Relaxed), tally.refused.load(Ordering::Relaxed));
    let refusals = tally.refusals.into_inner().unwrap();
    assert!(
        accepted * 100 >= 95 * (accepted + refused),
        "{refused} of {} programs are refused, such as:\n{}",
        accepted + refused,
        refusals.join("\n")
    );
    let segments = tally.segments.load(Ordering::Relaxed);
    let undecided = tally.undecided_segments.load(Ordering::Relaxed);
    assert!(undecided * 100 >= 60 * segments, "of {segments} segments only {undecided} tell users apart");
    let plans = tally.plans.load(Ordering::Relaxed);
    let given = tally.plans_with_users.load(Ordering::Relaxed);
    assert!(
        given * 100 >= 60 * plans,
        "of {plans} stacks, plays and splits only {given} give anybody anything"
    );
}

/// Runs a case; gives a full account where the evaluators differ.
fn run(seed: u64, tally: &Tally) -> Result<(), String> {
    let mut random = Random::new(seed);
    let generated = Generator::program(&mut random);
    let program = match compile(&generated.model.text()) {
        Ok(program) => program,
        Err(refusal) => {
            tally.refuse(seed, &refusal);
            return Ok(());
        }
    };
    tally.accepted.fetch_add(1, Ordering::Relaxed);
    let case = case(&mut random, &generated);
    let users = rows::rows(&mut random, &generated, &program, case.now, USERS);
    let dated = program.at(case.now);
    let expected = expectations(&dated, &case.facts, &users);
    count_segments(&dated.program, &expected, tally);
    let found = difference(&dated, &case.facts, &users, &expected)
        .or_else(|| difference_of_expanded(&program, &case, &users));
    match found {
        None => Ok(()),
        Some(difference) => Err(account(seed, generated.model, &case, users, &difference)),
    }
}

/// The text as a program.
fn compile(text: &str) -> Result<Program, String> {
    let checked = strata::check::check_text_without_proofs("rules.seg", text);
    checked.program.ok_or_else(|| {
        let messages = checked.diagnostics.iter().map(|found| {
            let place = found.labels.first().map(|label| label.span);
            let at = place.and_then(|span| text.get(span.start as usize..span.end as usize));
            format!("{}: {} (`{}`)", found.code.id(), found.message, at.unwrap_or(""))
        });
        messages.take(3).collect::<Vec<_>>().join("\n")
    })
}

/// A moment and facts.
fn case(random: &mut Random, generated: &Generated) -> Case {
    let mut now = random.between(16_000, 21_500) * 86_400_000_000 + random.between(0, 86_399_999_999);
    let zone = jiff::tz::TimeZone::get(generated.model.zone).unwrap();
    let start = jiff::Timestamp::from_microsecond(now).unwrap();
    if random.percent(30)
        && let Some(change) = zone.following(start).next()
    {
        now = change.timestamp().as_microsecond() + random.between(-1, 1) * random.between(0, 90_000_000_000);
    }
    let mut facts = Facts::default();
    let mut lookup = LookupFacts::default();
    for key in -3..30 {
        let value = |known: bool, value: Value| if known { value } else { Value::Missing };
        let number = Value::Float(random.between(-400, 4_000) as f64 / 8.0);
        let text = Value::Text((*random.pick(&["vip", "x", "杭州", ""])).into());
        let row = vec![Value::Int(key), value(random.percent(80), number), value(random.percent(80), text)];
        if random.percent(80) {
            lookup.rows.insert(Value::Int(key), row);
        }
    }
    facts.lookups.push(lookup);
    let mut names = LookupFacts::default();
    for key in ["vip", "杭州", "gold", "", "zz9"] {
        let number = if random.percent(70) { Value::Int(random.between(-5, 40)) } else { Value::Missing };
        let date = if random.percent(70) {
            Value::Date(random.between(15_000, 22_000) as i32)
        } else {
            Value::Missing
        };
        names.rows.insert(Value::Text(key.into()), vec![Value::Text(key.into()), number, date]);
    }
    facts.lookups.push(names);
    for days in 15_000..22_000 {
        if random.percent(10) {
            facts.calendar.insert(days, random.percent(50));
        }
    }
    Case { now, facts }
}

/// By user, by node: the interpreter's values.
fn expectations(dated: &Dated, facts: &Facts, users: &[Vec<Value>]) -> Vec<Vec<Value>> {
    users.iter().map(|user| interpret::evaluate(dated, facts, user).values).collect()
}

fn count_segments(program: &Program, expected: &[Vec<Value>], tally: &Tally) {
    for declaration in &program.declarations {
        if matches!(declaration.kind, DeclarationKind::Segment) {
            let of = |values: &Vec<Value>| values[declaration.value.0 as usize].is_true();
            let held = expected.iter().filter(|values| of(values)).count();
            tally.segments.fetch_add(1, Ordering::Relaxed);
            if held > 0 && held < expected.len() {
                tally.undecided_segments.fetch_add(1, Ordering::Relaxed);
            }
        }
        let kind = &declaration.kind;
        if matches!(kind, DeclarationKind::Stack(_) | DeclarationKind::Play(_) | DeclarationKind::Split(_)) {
            let known = |values: &Vec<Value>| !values[declaration.value.0 as usize].is_missing();
            tally.plans.fetch_add(1, Ordering::Relaxed);
            tally.plans_with_users.fetch_add(u64::from(expected.iter().any(known)), Ordering::Relaxed);
        }
    }
}

/// Where the evaluators differ.
#[derive(Debug)]
struct Difference {
    declaration: String,
    user: usize,
    interpreted: String,
    vectorised: String,
    layout: String,
}

/// The first difference, in any layout.
fn difference(
    dated: &Dated,
    facts: &Facts,
    users: &[Vec<Value>],
    expected: &[Vec<Value>],
) -> Option<Difference> {
    let all = Wanted::all(&dated.program);
    for (texts, chunk_rows) in [(Texts::Plain, 1 << 14), (Texts::Dictionary, 64)] {
        let batch = rows::batch(&dated.program, users, texts);
        let plan = Plan::new(dated, &all).with_chunk_rows(chunk_rows);
        let layout = format!("{texts:?} texts, chunks of {chunk_rows}");
        // A part of a batch begins anywhere in its buffers.
        let cut = users.len() / 3;
        let parts =
            [(0, batch.clone()), (0, batch.slice(0, cut)), (cut, batch.slice(cut, users.len() - cut))];
        let mut workspace = plan.workspace();
        for (start, part) in parts {
            let given = NodeColumns::new();
            let assignment = plan.evaluate_in(&mut workspace, &part, &given, facts).unwrap();
            let mut counts = plan.no_counts();
            plan.count_in(&mut workspace, &part, &given, facts, &mut counts).unwrap();
            let found = compare(&dated.program, &assignment, &expected[start..])
                .or_else(|| compare_counts(&dated.program, &counts, &expected[start..]));
            if let Some(found) = found {
                return Some(Difference { user: start + found.user, layout, ..found });
            }
        }
    }
    None
}

/// The first difference between a program and the one that `expand` prints of it.
fn difference_of_expanded(program: &Program, case: &Case, users: &[Vec<Value>]) -> Option<Difference> {
    // Rule files, and so what is printed, know whole seconds.
    let now = case.now.div_euclid(1_000_000) * 1_000_000;
    let dated = program.at(now);
    let zoned = strata::insight::Zoned { zone: program.zone(), now };
    let text = strata::program::print::program(&dated.program, &zoned);
    let told = |declaration: &str, user: usize, interpreted: String, vectorised: String| Difference {
        declaration: declaration.to_owned(),
        user,
        interpreted,
        vectorised,
        layout: "read again from what `expand` prints".to_owned(),
    };
    let again = match compile(&text) {
        Ok(again) => again,
        Err(refusal) => return Some(told("the program", 0, "accepted".into(), format!("{refusal}\n{text}"))),
    };
    let again = again.at(now);
    for (user, row) in users.iter().enumerate() {
        let expected = interpret::evaluate(&dated, &case.facts, row).values;
        let found = interpret::evaluate(&again, &case.facts, row).values;
        for declaration in &dated.program.declarations {
            let name = declaration.heading.name.as_str();
            let own = again.program.declarations.iter().find(|own| own.heading.name == name);
            let expected = &expected[declaration.value.0 as usize];
            let found = own.map(|own| &found[own.value.0 as usize]);
            if found != Some(expected) {
                return Some(told(name, user, format!("{expected:?}"), format!("{found:?}\n{text}")));
            }
        }
    }
    None
}

/// The first declaration whose users are not so many as the interpreter finds.
fn compare_counts(program: &Program, counts: &Counts, expected: &[Vec<Value>]) -> Option<Difference> {
    let users = &expected[..usize::try_from(counts.rows).unwrap()];
    for (count, declaration) in counts.declared.iter().zip(&program.declarations) {
        let values = || users.iter().map(|values| &values[declaration.value.0 as usize]);
        let (mut members, mut none) = (Vec::new(), 0);
        match (&declaration.kind, &program.node(declaration.value).ty) {
            (DeclarationKind::Segment, _) => {
                members.push(values().filter(|value| value.is_true()).count() as u64);
            }
            (_, Type::Label(_)) => {
                for value in values() {
                    let Value::Label(code) = value else {
                        none += 1;
                        continue;
                    };
                    members.resize(members.len().max(*code as usize + 1), 0);
                    members[*code as usize] += 1;
                }
            }
            _ => continue,
        }
        if (&count.members, count.none) != (&members, none) {
            return Some(Difference {
                declaration: format!("how many are in {}", declaration.heading.name),
                user: 0,
                interpreted: format!("{members:?}, none {none}"),
                vectorised: format!("{:?}, none {}", count.members, count.none),
                layout: String::new(),
            });
        }
    }
    None
}

fn compare(program: &Program, assignment: &Assignment, expected: &[Vec<Value>]) -> Option<Difference> {
    assert_eq!(assignment.outputs.len(), program.declarations.len());
    for (output, declaration) in assignment.outputs.iter().zip(&program.declarations) {
        let ty = &program.node(declaration.value).ty;
        for (user, values) in expected.iter().enumerate().take(assignment.rows) {
            let differs = |what: &str, interpreted: String, vectorised: String| {
                Some(Difference {
                    declaration: format!("{what}{}", declaration.heading.name),
                    user,
                    interpreted,
                    vectorised,
                    layout: String::new(),
                })
            };
            let interpreted = &values[declaration.value.0 as usize];
            let vectorised = value(&output.column, ty, user);
            if *interpreted != vectorised {
                return differs("", format!("{interpreted:?}"), format!("{vectorised:?}"));
            }
            if let (Some(lines), DeclarationKind::Play(play)) = (&output.lines, &declaration.kind) {
                let expected = &values[play.line.0 as usize];
                let found = match lines.is_null(user) {
                    true => Value::Missing,
                    false => Value::Int(i64::from(lines.value(user))),
                };
                if *expected != found {
                    return differs("line of ", format!("{expected:?}"), format!("{found:?}"));
                }
            }
            if let Some(many) = &output.claimed_by_many {
                let expected = claimed_by_many(&declaration.kind, values);
                if many.value(user) != expected {
                    return differs("claims of ", expected.to_string(), many.value(user).to_string());
                }
            }
        }
    }
    None
}

/// Whether more than one member of a layer claims the user.
fn claimed_by_many(kind: &DeclarationKind, values: &[Value]) -> bool {
    let DeclarationKind::Layer(layer) = kind else { return false };
    let holds = |line: &&strata::program::Line| {
        line.condition.is_some_and(|condition| values[condition.0 as usize].is_true())
    };
    let members: std::collections::HashSet<u32> =
        layer.lines.iter().filter(holds).map(|line| line.member).collect();
    members.len() > 1
}

/// The value that an output column has for a user.
fn value(column: &OutputColumn, ty: &Type, row: usize) -> Value {
    use arrow::array::AsArray;
    use arrow::datatypes as arrows;
    let array = column.to_array();
    if array.is_null(row) {
        return Value::Missing;
    }
    match ty {
        Type::Bool => Value::Bool(array.as_boolean().value(row)),
        Type::Int => Value::Int(array.as_primitive::<arrows::Int64Type>().value(row)),
        Type::Float => Value::Float(array.as_primitive::<arrows::Float64Type>().value(row)),
        Type::Decimal { scale, .. } => Value::Decimal(strata::program::Decimal {
            unscaled: array.as_primitive::<arrows::Decimal128Type>().value(row),
            scale: *scale,
        }),
        Type::Text => match array.as_dictionary_opt::<arrows::Int32Type>() {
            Some(texts) => {
                let code = usize::try_from(texts.keys().value(row)).unwrap();
                Value::Text(texts.values().as_string::<i32>().value(code).into())
            }
            None => Value::Text(array.as_string::<i32>().value(row).into()),
        },
        Type::Date => Value::Date(array.as_primitive::<arrows::Date32Type>().value(row)),
        Type::Timestamp => {
            Value::Timestamp(array.as_primitive::<arrows::TimestampMicrosecondType>().value(row))
        }
        Type::Time => Value::Time(array.as_primitive::<arrows::Time64MicrosecondType>().value(row)),
        Type::Label(_) => Value::Label(array.as_primitive::<arrows::UInt32Type>().value(row)),
        Type::List(_) => unreachable!("no declaration is a list"),
    }
}

/// Cuts a failing case down and tells it.
fn account(seed: u64, model: Model, case: &Case, users: Vec<Vec<Value>>, first: &Difference) -> String {
    // A column that is dropped keeps its place in `full`, by name.
    let full = compile(&model.text()).unwrap();
    let full_columns = &full.users.as_ref().unwrap().columns;
    let names: Vec<String> = full_columns.iter().map(|column| column.name.clone()).collect();
    let differs = |model: &Model, users: &[Vec<Value>]| -> Option<Difference> {
        let program = compile(&model.text()).ok()?;
        let columns = &program.users.as_ref()?.columns;
        let project = |user: &Vec<Value>| -> Vec<Value> {
            let place = |name: &String| names.iter().position(|known| known == name).unwrap();
            columns.iter().map(|column| user[place(&column.name)].clone()).collect()
        };
        let users: Vec<Vec<Value>> = users.iter().map(project).collect();
        let attempt = || {
            let dated = program.at(case.now);
            difference(&dated, &case.facts, &users, &expectations(&dated, &case.facts, &users))
                .or_else(|| difference_of_expanded(&program, case, &users))
        };
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(attempt)).ok().flatten()
    };
    let (mut model, mut users) = (model, users);
    let alone = vec![users[first.user].clone()];
    if differs(&model, &alone).is_some() {
        users = alone;
    }
    for _ in 0..200 {
        let Some(simpler) = model.simpler().into_iter().find(|model| differs(model, &users).is_some()) else {
            break;
        };
        model = simpler;
    }
    if let [user] = &mut users[..] {
        for at in 0..user.len() {
            let before = std::mem::replace(&mut user[at], Value::Missing);
            if differs(&model, std::slice::from_ref(user)).is_none() {
                user[at] = before;
            }
        }
    }
    let found = differs(&model, &users);
    let found = found.as_ref().unwrap_or(first);
    let user: Vec<String> = names
        .iter()
        .zip(&users[found.user.min(users.len() - 1)])
        .filter(|(_, value)| !value.is_missing())
        .map(|(name, value)| format!("  {name} = {value:?}"))
        .collect();
    format!(
        "the evaluators differ (seed {seed}; run it with STRATA_DIFFERENTIAL_SEED={seed})\n\n{}\nnow = {} \
         ({})\nuser:\n{}\n\n{}\n  interpreter: {}\n  vector:      {}\n  ({}, {} users)",
        model.text(),
        case.now,
        jiff::Timestamp::from_microsecond(case.now).unwrap(),
        user.join("\n"),
        found.declaration,
        found.interpreted,
        found.vectorised,
        found.layout,
        users.len(),
    )
}
