//! Made-up users and events, and both evaluators' answers.

use arrow::array::{Array, AsArray};
use strata::data::facts::value_at;
use strata::events::{Context, EventOptions, evaluate_rows};
use strata::interpret::{UserRows, evaluate_all};
use strata::program::{Program, Value};
use strata::semantics::{Dated, Facts};

/// Users and the rows of each event table, as the values of each column.
#[derive(Clone, Debug, Default)]
pub struct World {
    pub users: Vec<Vec<Value>>,
    pub events: Vec<Vec<Vec<Value>>>,
}

pub fn program(text: &str) -> Program {
    let checked = strata::check::check_text_without_proofs("rules.seg", text);
    let told: Vec<String> = checked
        .diagnostics
        .iter()
        .map(|found| {
            format!(
                "{}: {} `{}`",
                found.code,
                found.message,
                found.span.map_or("", |span| &text[span.start as usize..span.end as usize])
            )
        })
        .collect();
    assert!(checked.program.is_some(), "{}", told.join("\n"));
    checked.program.unwrap()
}

/// By declaration, by user: what the interpreter says.
pub fn interpreted(dated: &Dated, facts: &Facts, world: &World) -> Vec<Vec<Value>> {
    let program = &dated.program;
    let key = program.users.as_ref().unwrap().key;
    let users: Vec<UserRows> = world
        .users
        .iter()
        .map(|user| {
            let own = |(table, rows): (usize, &Vec<Vec<Value>>)| {
                let of = program.events[table].table.key;
                rows.iter().filter(|row| !row[of].is_missing() && row[of] == user[key]).cloned().collect()
            };
            UserRows { columns: user.clone(), events: world.events.iter().enumerate().map(own).collect() }
        })
        .collect();
    let evaluations = evaluate_all(dated, facts, &users);
    let values = program.declarations.iter().map(|declaration| {
        evaluations.iter().map(|evaluation| evaluation.value(declaration.value).clone()).collect()
    });
    values.collect()
}

/// By declaration, by user: what the engine says.
pub fn computed(
    dated: &Dated,
    facts: &Facts,
    world: &World,
    batch_rows: usize,
    options: &EventOptions,
) -> (Vec<Vec<Value>>, Option<Context>) {
    let found = evaluate_rows(dated, facts, &world.users, &world.events, batch_rows, options);
    let (assignments, context) = found.unwrap();
    let mut values = vec![Vec::new(); dated.program.declarations.len()];
    for assignment in assignments {
        for output in &assignment.outputs {
            let array = output.column.to_array();
            let array = match array.as_boolean_opt() {
                Some(bits) => std::sync::Arc::new(bits.clone()),
                None => array,
            };
            values[output.declaration].extend((0..array.len()).map(|row| value_at(&array, row)));
        }
    }
    (values, context)
}

/// Tells the first declaration and user for whom the answers differ.
pub fn difference(dated: &Dated, expected: &[Vec<Value>], found: &[Vec<Value>]) -> Option<String> {
    for (declaration, (expected, found)) in dated.program.declarations.iter().zip(expected.iter().zip(found))
    {
        for (user, expected) in expected.iter().enumerate() {
            // A bool of a segment is never missing.
            if Some(expected) != found.get(user) {
                let name = &declaration.heading.name;
                return Some(format!(
                    "`{name}` of user {user}: {expected:?}, but the engine says {:?}",
                    found.get(user)
                ));
            }
        }
    }
    None
}
