//! Whether a program that comes from outside is sound, so that evaluators may rely on it.

mod behaviour;
mod campaign;

use super::{DeclarationKind, Expr, Line, NodeId, Program, Scope, Type, TypeId, Value};

/// Checks what every built program keeps: operands before their users, every number in range,
/// conditions where conditions belong.
///
/// # Errors
/// In words, the first fault.
pub fn validate(program: &Program) -> Result<(), String> {
    for ty in &program.types {
        if ty.labels.is_empty() {
            return Err(format!("the type `{}` has no labels", ty.name));
        }
    }
    if program.types.is_empty() {
        return Err("the built-in types are gone".to_owned());
    }
    let events = program.events.iter().map(|events| &events.table);
    for table in program.users.iter().chain(events).chain(&program.lookups) {
        if table.key >= table.columns.len() {
            return Err(format!("the table `{}` has no key", table.name));
        }
        for column in &table.columns {
            of_type(program, &column.ty)?;
        }
    }
    for events in &program.events {
        let at = events.table.columns.get(events.at);
        if !at.is_some_and(|at| matches!(at.ty, Type::Date | Type::Timestamp)) {
            return Err(format!("the events `{}` have no time", events.table.name));
        }
    }
    let scopes = program.scopes();
    for (at, node) in program.nodes.iter().enumerate() {
        of_type(program, &node.ty)?;
        if node.expr.operands().iter().any(|id| id.0 as usize >= at) {
            return Err(format!("node {at} needs one that comes after it"));
        }
        expression(program, &node.expr, &node.ty)
            .and_then(|()| behaviour::scoped(program, &scopes, &node.expr))
            .map_err(|fault| format!("node {at}: {fault}"))?;
    }
    for declaration in &program.declarations {
        let name = &declaration.heading.name;
        let exists = |id: NodeId| (id.0 as usize) < program.nodes.len();
        if !exists(declaration.value) || scopes.get(declaration.value.0 as usize) != Some(&Scope::User) {
            return Err(format!("`{name}` has no value"));
        }
        let ty = &program.node(declaration.value).ty;
        let lines: &[Line] = match &declaration.kind {
            DeclarationKind::Trait => &[],
            DeclarationKind::Segment if *ty == Type::Bool => &[],
            DeclarationKind::Segment => return Err(format!("`{name}` is no condition")),
            DeclarationKind::Scale(lines) => lines,
            DeclarationKind::Layer(layer) => {
                let labels = program.label_type(layer.ty).map_or(0, |ty| ty.labels.len());
                if labels != layer.members.len() || *ty != Type::Label(layer.ty) {
                    return Err(format!("the members of `{name}` are not all there"));
                }
                &layer.lines
            }
            kind => {
                campaign::declaration(program, name, kind, ty)?;
                &[]
            }
        };
        for line in lines {
            let labels = match ty {
                Type::Label(ty) => program.label_type(*ty).map_or(0, |ty| ty.labels.len()),
                _ => 0,
            };
            if line.member as usize >= labels {
                return Err(format!("a line of `{name}` leads nowhere"));
            }
            if line.condition.is_some_and(|id| !exists(id) || program.node(id).ty != Type::Bool) {
                return Err(format!("a line of `{name}` has no condition"));
            }
        }
    }
    campaign::tests_and_guards(program)
}

fn of_type(program: &Program, ty: &Type) -> Result<(), String> {
    match ty {
        Type::Label(TypeId(id)) if *id as usize >= program.types.len() => {
            Err(format!("there is no type {id}"))
        }
        Type::Decimal { precision, scale } if *precision == 0 || *precision > 38 || scale > precision => {
            Err(format!("there is no decimal({precision},{scale})"))
        }
        Type::List(item) if matches!(item.as_ref(), Type::List(_)) => {
            Err("there are no lists of lists".to_owned())
        }
        Type::List(item) => of_type(program, item),
        _ => Ok(()),
    }
}

/// Whether a constant is a value of its type.
fn is_of(value: &Value, ty: &Type, program: &Program) -> bool {
    match (value, ty) {
        (Value::Missing, _)
        | (Value::Bool(_), Type::Bool)
        | (Value::Int(_), Type::Int)
        | (Value::Text(_), Type::Text)
        | (Value::Date(_), Type::Date)
        | (Value::Timestamp(_), Type::Timestamp)
        | (Value::Time(_), Type::Time) => true,
        (Value::Float(x), Type::Float) => x.is_finite(),
        (Value::Decimal(x), Type::Decimal { scale, .. }) => x.scale == *scale,
        (Value::Label(code), Type::Label(ty)) => {
            program.label_type(*ty).is_some_and(|ty| (*code as usize) < ty.labels.len())
        }
        (Value::List(items), Type::List(item)) => items.iter().all(|value| is_of(value, item, program)),
        _ => false,
    }
}

fn expression(program: &Program, expr: &Expr, ty: &Type) -> Result<(), String> {
    let of = |id: &NodeId| &program.node(*id).ty;
    let wanted = |id: &NodeId, wanted: Type| {
        if *of(id) == wanted { Ok(()) } else { Err("an operand has the wrong type".to_owned()) }
    };
    let moment = |id: &NodeId| match of(id) {
        Type::Date | Type::Timestamp => Ok(()),
        _ => Err("an operand is no date".to_owned()),
    };
    let number = |id: &NodeId| match of(id) {
        Type::Int | Type::Float | Type::Decimal { .. } => Ok(()),
        _ => Err("an operand is no number".to_owned()),
    };
    match expr {
        Expr::Constant(value) => {
            if is_of(value, ty, program) {
                Ok(())
            } else {
                Err("a constant has the wrong type".to_owned())
            }
        }
        Expr::Column(index) => match program.users.as_ref().and_then(|users| users.columns.get(*index)) {
            Some(column) if column.ty == *ty => Ok(()),
            _ => Err("there is no such column".to_owned()),
        },
        Expr::EventColumn { table, column } => {
            match program.events.get(*table).and_then(|events| events.table.columns.get(*column)) {
                Some(column) if column.ty == *ty => Ok(()),
                _ => Err("there is no such column of events".to_owned()),
            }
        }
        Expr::Now | Expr::Today => Ok(()),
        Expr::And(x) | Expr::Or(x) | Expr::CountOf { conditions: x, .. } => {
            x.iter().try_for_each(|id| wanted(id, Type::Bool))
        }
        Expr::Not(x) | Expr::IsTrue(x) => wanted(x, Type::Bool),
        Expr::IsKnown(_) => Ok(()),
        Expr::Compare { left, right, .. } => wanted(left, of(right).clone()),
        Expr::InSet { value, set } => {
            if set.iter().all(|item| is_of(item, of(value), program)) {
                Ok(())
            } else {
                Err("a set has the wrong type".to_owned())
            }
        }
        Expr::TextTest { text, pattern, .. } => wanted(text, Type::Text).and(wanted(pattern, Type::Text)),
        Expr::Matches { text, pattern } => {
            wanted(text, Type::Text)?;
            regex::Regex::new(pattern).map(|_| ()).map_err(|_| "a pattern cannot be read".to_owned())
        }
        Expr::Has { list, item } => wanted(list, Type::List(Box::new(of(item).clone()))),
        Expr::Workday(x) | Expr::DatePart(_, x) => wanted(x, Type::Date),
        Expr::AnniversaryWithin { date, start, end } => {
            [date, start, end].into_iter().try_for_each(|id| wanted(id, Type::Date))
        }
        Expr::Case { arms, otherwise } => {
            arms.iter().try_for_each(|(condition, value)| {
                wanted(condition, Type::Bool).and(wanted(value, ty.clone()))
            })?;
            otherwise.iter().try_for_each(|value| wanted(value, ty.clone()))
        }
        Expr::Points(arms) => arms.iter().try_for_each(|(condition, _)| wanted(condition, Type::Bool)),
        Expr::OrElse(x, y) => wanted(x, ty.clone()).and(wanted(y, ty.clone())),
        Expr::Arithmetic { left, right, .. } => number(left).and(number(right)),
        Expr::NumberFunction(_, x) | Expr::Round(x, _) => number(x),
        Expr::Least(x) | Expr::Greatest(x) => x.iter().try_for_each(|id| wanted(id, ty.clone())),
        Expr::Convert(_) => Ok(()),
        Expr::TextFunction(_, x) | Expr::TextLength(x) => wanted(x, Type::Text),
        Expr::ListSize(x) => match of(x) {
            Type::List(_) => Ok(()),
            _ => Err("an operand is no list".to_owned()),
        },
        Expr::LocalDate(x) | Expr::TimeOfDay(x) | Expr::Hour(x) => wanted(x, Type::Timestamp),
        Expr::Shift { value, amount, .. } => moment(value).and(wanted(amount, Type::Int)),
        Expr::Elapsed { from, to, .. } => moment(from).and(wanted(to, of(from).clone())),
        Expr::ElapsedBound { to, .. } => moment(to),
        Expr::Lookup { lookup, column, key } => {
            let table = program.lookups.get(*lookup).ok_or("there is no such lookup")?;
            let key_type = table.columns.get(table.key).map(|column| column.ty.clone());
            if table.columns.get(*column).map(|column| &column.ty) != Some(ty) {
                return Err("a lookup has no such column".to_owned());
            }
            key_type.map_or(Ok(()), |key_type| wanted(key, key_type))
        }
        Expr::Aggregate(of) => behaviour::aggregate(program, of, ty),
        Expr::Sequence(of) => behaviour::sequence(program, of),
        Expr::Population(of) => number(&of.value).and(behaviour::population(program, of, ty)),
        Expr::Score { value, cuts, .. } => {
            let value_type = of(value).clone();
            number(value)?;
            if *ty != Type::Int {
                return Err("a score is an int".to_owned());
            }
            cuts.iter().try_for_each(|cut| wanted(cut, value_type.clone()))
        }
        Expr::Digits(x) => x.iter().try_for_each(|id| wanted(id, Type::Int)),
        Expr::Texts(arms) if *ty == Type::Text => arms.iter().try_for_each(|arm| campaign::arm(program, arm)),
        Expr::Texts(_) => Err("a text is no text".to_owned()),
        Expr::SplitHash { key, .. } => match of(key) {
            Type::Int | Type::Text | Type::Decimal { .. } | Type::Date | Type::Timestamp
                if *ty == Type::Int =>
            {
                Ok(())
            }
            _ => Err("a split goes by no such key".to_owned()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::CompareOp;

    fn sound() -> Program {
        let text = "type level = low < high\ntable users key id {\n  id : int\n  age : int?\n  city : string\n}\n\
                    scale skill : level {\n  high when age >= 18\n  low otherwise\n}\n\
                    segment s when skill = high and city contains \"x\"\n\
                    layer l {\n  a when s\n  b otherwise\n}\n";
        crate::check::check_text_without_proofs("rules.seg", text).program.unwrap()
    }

    fn refused(change: impl FnOnce(&mut Program)) -> String {
        let mut program = sound();
        assert_eq!(validate(&program), Ok(()));
        change(&mut program);
        validate(&program).unwrap_err()
    }

    fn first(program: &mut Program, wanted: impl Fn(&Expr) -> bool) -> &mut Expr {
        &mut program.nodes.iter_mut().find(|node| wanted(&node.expr)).unwrap().expr
    }

    #[test]
    fn what_could_not_have_been_built_is_refused() {
        let refusals = [
            refused(|p| *first(p, |e| matches!(e, Expr::And(_))) = Expr::And(vec![NodeId(9999), NodeId(0)])),
            refused(|p| *first(p, |e| matches!(e, Expr::Column(1))) = Expr::Column(7)),
            refused(|p| *first(p, |e| matches!(e, Expr::Column(1))) = Expr::Column(2)),
            refused(|p| {
                let Expr::Compare { right, .. } =
                    first(p, |e| matches!(e, Expr::Compare { op: CompareOp::Ge, .. }))
                else {
                    panic!("the scale compares")
                };
                *right = NodeId(2);
            }),
            refused(|p| {
                *first(p, |e| matches!(e, Expr::Constant(Value::Label(1)))) = Expr::Constant(Value::Label(9))
            }),
            refused(|p| *first(p, |e| matches!(e, Expr::TextTest { .. })) = Expr::Not(NodeId(0))),
            refused(|p| p.users.as_mut().unwrap().key = 12),
            refused(|p| p.users.as_mut().unwrap().columns[1].ty = Type::Label(TypeId(44))),
            refused(|p| p.types.clear()),
            refused(|p| p.declarations[1].value = NodeId(4444)),
            refused(|p| p.declarations[1].value = NodeId(0)),
            refused(|p| {
                let DeclarationKind::Layer(layer) = &mut p.declarations[2].kind else { panic!("a layer") };
                layer.lines[0].member = 5;
            }),
            refused(|p| {
                let DeclarationKind::Layer(layer) = &mut p.declarations[2].kind else { panic!("a layer") };
                layer.members.pop();
            }),
        ];
        assert!(refusals.iter().all(|reason| !reason.is_empty()), "{refusals:?}");
    }
}
