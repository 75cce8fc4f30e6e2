//! Programs of behaviour, held equal: the reference interpreter on the program, and on the program read
//! again from what `expand` prints.

use crate::event_rows::{self, World};
use crate::model::Model;
use crate::programs::Generator;
use crate::random::Random;
use crate::{Case, Tally, case, compile, count_segments};
use std::sync::atomic::Ordering;
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
    match difference(&program, &case, &world) {
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
    let (other, found) = ("expanded", expanded(program, case, world));
    let found = match found {
        Ok(found) => found,
        Err(refusal) => {
            let (declaration, expected) = ("the program".into(), "accepted".into());
            return Some(Difference { other, declaration, user: 0, expected, found: refusal });
        }
    };
    differs(other, &expected, &found)
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
        let attempt = || difference(&program, case, &world);
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(attempt)).ok().flatten()?;
        // A refusal is no wrong value, and must not take its place.
        ((found.expected == "accepted") == (first.expected == "accepted")).then_some(found)
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
