//! Soundness of stacks, plays, splits, tests and guards.

use super::is_of;
use crate::program::{
    Column, DeclarationKind, NodeId, Program, TestRow, TextArm, TextFormat, TextPart, Type, Value,
};

fn exists(program: &Program, id: NodeId) -> bool {
    (id.0 as usize) < program.nodes.len()
}

fn condition(program: &Program, id: NodeId, what: &str) -> Result<(), String> {
    if exists(program, id) && program.node(id).ty == Type::Bool {
        Ok(())
    } else {
        Err(format!("{what} has no condition"))
    }
}

/// That a text's condition is one and its values can be written.
pub(super) fn arm(program: &Program, arm: &TextArm) -> Result<(), String> {
    condition(program, arm.condition, "a text")?;
    parts(program, &arm.parts)
}

fn parts(program: &Program, parts: &[TextPart]) -> Result<(), String> {
    for part in parts {
        let TextPart::Value(id, format) = part else { continue };
        let ty = &program.node(*id).ty;
        let fits = match format {
            TextFormat::Plain => !matches!(ty, Type::Label(_) | Type::List(_)),
            TextFormat::Digits(_) => matches!(ty, Type::Int | Type::Float | Type::Decimal { .. }),
            TextFormat::Time(_) => matches!(ty, Type::Date | Type::Timestamp | Type::Time),
            TextFormat::Step => *ty == Type::Text,
        };
        if !exists(program, *id) || !fits {
            return Err("a value of a text cannot be written".to_owned());
        }
    }
    Ok(())
}

/// That a stack, play or split is whole; `ty` is its value's type.
pub(super) fn declaration(
    program: &Program,
    name: &str,
    kind: &DeclarationKind,
    ty: &Type,
) -> Result<(), String> {
    match kind {
        DeclarationKind::Stack(stack) => {
            let Type::Label(base) = program.node(stack.value).ty else {
                return Err(format!("`{name}` refines no layer"));
            };
            let members = program.label_type(base).map_or(0, |ty| ty.labels.len());
            let sound = *ty == Type::Text && exists(program, stack.value) && members == stack.paths.len();
            let steps = stack.paths.iter().flatten().all(|step| exists(program, step.value));
            if sound && steps { Ok(()) } else { Err(format!("the paths of `{name}` are not all there")) }
        }
        DeclarationKind::Play(play) => {
            if *ty != Type::Text || !exists(program, play.line) || program.node(play.line).ty != Type::Int {
                return Err(format!("`{name}` says no text"));
            }
            play.lines.iter().try_for_each(|line| {
                let what = format!("a line of `{name}`");
                line.when
                    .iter()
                    .chain([&line.condition])
                    .try_for_each(|id| condition(program, *id, &what))?;
                parts(program, &line.parts)
            })
        }
        DeclarationKind::Split(split) => {
            let labels = program.label_type(split.ty).map_or(0, |ty| ty.labels.len());
            let sound = *ty == Type::Label(split.ty) && labels == split.arms.len();
            if sound { Ok(()) } else { Err(format!("the arms of `{name}` are not all there")) }
        }
        _ => Ok(()),
    }
}

/// That tests and guards speak of what is there.
pub(super) fn tests_and_guards(program: &Program) -> Result<(), String> {
    for guard in &program.guards {
        condition(program, guard.condition, "a guard")?;
    }
    for assertion in &program.assertions {
        condition(program, assertion.condition, "an assertion")?;
    }
    let users = program.users.as_ref().map(|users| users.columns.as_slice()).unwrap_or(&[]);
    for test in &program.tests {
        let what = format!("the test `{}`", test.name);
        test.expectations.iter().try_for_each(|of| condition(program, of.condition, &what))?;
        rows(program, users, &test.users, &what)?;
        if test.events.len() != program.events.len() {
            return Err(format!("{what} has rows of other tables"));
        }
        for (events, given) in program.events.iter().zip(&test.events) {
            rows(program, &events.table.columns, given, &what)?;
        }
    }
    Ok(())
}

fn rows(program: &Program, columns: &[Column], given: &[TestRow], what: &str) -> Result<(), String> {
    for row in given {
        let fits = |(column, value): (&Column, &Option<Value>)| {
            value.as_ref().is_none_or(|value| is_of(value, &column.ty, program))
        };
        if row.values.len() != columns.len() || !columns.iter().zip(&row.values).all(fits) {
            return Err(format!("{what} has a row of another shape"));
        }
    }
    Ok(())
}
