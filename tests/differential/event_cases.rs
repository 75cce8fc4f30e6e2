//! Programs of behaviour, held equal: the reference interpreter on the program, and on the program read
//! again from what `expand` prints; the event engine with different numbers of threads, batches, parts and
//! orders of rows, with all the memory it wants and with so little that the events go to the disk.

use crate::event_rows::{self, World};
use crate::model::Model;
use crate::programs::Generator;
use crate::random::Random;
use crate::{Case, Tally, case, compile, count_segments, value};
use std::sync::atomic::Ordering;
use strata::events::{EventOptions, evaluate_rows};
use strata::insight::Zoned;
use strata::interpret;
use strata::program::{Program, Value, print};

/// Users of a case.
const USERS: usize = 24;

/// By declaration, by user: the values.
type Answers = Vec<(String, Vec<Value>)>;

/// Runs a case; gives a full account where the evaluators differ.
pub fn run(seed: u64, tally: &Tally) -> Result<(), String> {
    let mut random = Random::new(seed ^ 0xE7E7_0000_0000_0000);
    let generated = Generator::program_of_events(&mut random);
    let program = match compile(&generated.model.text()) {
        Ok(program) => program,
        Err(refusal) => {
            tally.refuse(seed, &refusal);
            return Ok(());
        }
    };
    tally.accepted.fetch_add(1, Ordering::Relaxed);
    let mut case = case(&mut random, &generated);
    // Rule files, and so what `expand` prints, know whole seconds.
    case.now = case.now.div_euclid(1_000_000) * 1_000_000;
    let world = event_rows::world(&mut random, &generated, &program, case.now, USERS);
    let expected: Vec<Vec<Value>> = evaluations(&program, &case, &world);
    count_segments(&program.at(case.now).program, &expected, tally);
    match difference_or_panic(&program, &case, &world) {
        None => Ok(()),
        Some(difference) => Err(account(seed, generated.model, &program, &case, world, &difference)),
    }
}

/// By user, by node: the interpreter's values.
fn evaluations(program: &Program, case: &Case, world: &World) -> Vec<Vec<Value>> {
    let dated = program.at(case.now);
    let all = interpret::evaluate_all(&dated, &case.facts, &world.by_user(program));
    all.into_iter().map(|user| user.values).collect()
}

fn interpreted(program: &Program, case: &Case, world: &World) -> Answers {
    let evaluations = evaluations(program, case, world);
    let dated = program.at(case.now).program;
    let answer = |declaration: &strata::program::Declaration| {
        let node = declaration.value.0 as usize;
        (declaration.heading.name.clone(), evaluations.iter().map(|values| values[node].clone()).collect())
    };
    dated.declarations.iter().map(answer).collect()
}

/// Where two of them differ.
#[derive(Debug)]
pub struct Difference {
    other: &'static str,
    declaration: String,
    user: usize,
    expected: String,
    found: String,
}

/// The first difference between the interpreter and any of the others.
fn difference(program: &Program, case: &Case, world: &World) -> Option<Difference> {
    let expected = interpreted(program, case, world);
    for way in WAYS {
        if let Some(found) = differs(way.name, &expected, &engine(program, case, world, way)) {
            return Some(found);
        }
    }
    let (other, found) = ("expanded", expanded(program, case, world));
    let found = match found {
        Ok(found) => found,
        Err(refusal) => {
            let (declaration, expected) = ("the program".into(), ACCEPTED.into());
            return Some(Difference { other, declaration, user: 0, expected, found: refusal });
        }
    };
    differs(other, &expected, &found)
}

/// What is expected of a program that is read again, and of every evaluator.
const ACCEPTED: &str = "accepted";
const ANSWERED: &str = "an answer";

/// A panic is a difference too, to be cut down like any other.
fn difference_or_panic(program: &Program, case: &Case, world: &World) -> Option<Difference> {
    let attempt = || difference(program, case, world);
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(attempt)).unwrap_or_else(|_| {
        let declaration = "the program".to_owned();
        let (expected, found) = (ANSWERED.to_owned(), "a panic".to_owned());
        Some(Difference { other: "an evaluator", declaration, user: 0, expected, found })
    })
}

fn differs(other: &'static str, expected: &Answers, found: &Answers) -> Option<Difference> {
    for (name, values) in expected {
        let own = found.iter().find(|(own, _)| own == name).map(|(_, own)| own.as_slice()).unwrap_or(&[]);
        if let Some(user) = (0..values.len()).find(|user| Some(&values[*user]) != own.get(*user)) {
            return Some(Difference {
                other,
                declaration: name.clone(),
                user,
                expected: format!("{:?}", values[user]),
                found: format!("{:?}", own.get(user)),
            });
        }
    }
    None
}

/// How the engine works; nothing may depend on it.
struct Way {
    name: &'static str,
    threads: usize,
    part_users: usize,
    batch_rows: usize,
    memory: Option<usize>,
    shuffled: bool,
}

const WAYS: &[Way] = &[
    Way {
        name: "engine",
        threads: 1,
        part_users: 1 << 14,
        batch_rows: 1 << 16,
        memory: None,
        shuffled: false,
    },
    Way { name: "engine, cut small", threads: 3, part_users: 4, batch_rows: 7, memory: None, shuffled: true },
    Way {
        name: "engine, on disk",
        threads: 2,
        part_users: 8,
        batch_rows: 16,
        memory: Some(1),
        shuffled: true,
    },
];

/// The engine's answers.
fn engine(program: &Program, case: &Case, world: &World, way: &Way) -> Answers {
    let dated = program.at(case.now);
    let mut world = world.clone();
    if way.shuffled {
        for (events, seed) in world.events.iter_mut().zip(1..) {
            let mut random = Random::new(seed);
            for at in (1..events.len()).rev() {
                events.swap(at, random.below(at + 1));
            }
        }
    }
    let options = EventOptions {
        threads: way.threads,
        part_users: way.part_users,
        memory: way.memory,
        ..EventOptions::default()
    };
    let found = evaluate_rows(&dated, &case.facts, &world.users, &world.events, way.batch_rows, &options);
    let (assignments, _) = found.unwrap();
    let declarations = dated.program.declarations.iter().enumerate();
    declarations
        .map(|(at, declaration)| {
            let ty = &dated.program.node(declaration.value).ty;
            let values = assignments.iter().flat_map(|assignment| {
                let column = &assignment.outputs[at].column;
                (0..assignment.rows).map(move |row| value(column, ty, row))
            });
            (declaration.heading.name.clone(), values.collect())
        })
        .collect()
}

/// The answers of the program that `expand` prints, over the events in another order.
fn expanded(program: &Program, case: &Case, world: &World) -> Result<Answers, String> {
    let dated = program.at(case.now);
    let zoned = Zoned { zone: program.zone(), now: case.now };
    let text = print::program(&dated.program, &zoned);
    let again = compile(&text).map_err(|refusal| format!("{refusal}\n{text}"))?;
    let mut turned = world.clone();
    for events in &mut turned.events {
        events.reverse();
    }
    Ok(interpreted(&again, case, &turned))
}

/// Cuts a failing case down and tells it.
fn account(
    seed: u64,
    mut model: Model,
    full: &Program,
    case: &Case,
    mut world: World,
    first: &Difference,
) -> String {
    // A column that is dropped keeps its place in `full`, by name.
    let still = |model: &Model, world: &World| -> Option<Difference> {
        let program = compile(&model.text()).ok()?;
        let world = world.of(full, &program);
        let found = difference_or_panic(&program, case, &world)?;
        // A refusal or a panic is no wrong value, and must not take its place.
        let alike = |word: &str| (found.expected == word) == (first.expected == word);
        (alike(ACCEPTED) && alike(ANSWERED)).then_some(found)
    };
    for _ in 0..300 {
        let simpler = model.simpler().into_iter().find(|model| still(model, &world).is_some());
        let Some(simpler) = simpler else { break };
        model = simpler;
    }
    for _ in 0..300 {
        let Some(less) = world.simpler().into_iter().find(|world| still(&model, world).is_some()) else {
            break;
        };
        world = less;
    }
    let found = still(&model, &world);
    let found = found.as_ref().unwrap_or(first);
    let shown = compile(&model.text()).map(|program| world.of(full, &program).text(&program));
    format!(
        "the evaluators differ (seed {seed}; run it with STRATA_DIFFERENTIAL_SEED={seed})\n\n{}\nnow = {} \
         ({})\n{}\n{} of user {}\n  interpreter: {}\n  {}: {}\n",
        model.text(),
        case.now,
        jiff::Timestamp::from_microsecond(case.now).unwrap(),
        shown.unwrap_or_default(),
        found.declaration,
        found.user,
        found.expected,
        found.other,
        found.found,
    )
}
