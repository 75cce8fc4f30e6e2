//! A short print of expressions, with all grouping visible.

use strata::syntax::ast::{EventSource, Expr, ExprKind, Into, Name, Window, WindowKind};

fn name(name: &Name) -> String {
    if name.quoted { format!("`{}`", name.text) } else { name.text.clone() }
}

fn all(items: &[Expr]) -> String {
    items.iter().map(show).collect::<Vec<_>>().join(" ")
}

fn not(negated: bool) -> &'static str {
    if negated { "not-" } else { "" }
}

/// One expression as nested lists.
pub fn show(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Error => "ERROR".to_owned(),
        ExprKind::Bool(value) => value.to_string(),
        ExprKind::Number(number) => format!("{}e-{}", number.unscaled, number.scale).replace("e-0", ""),
        ExprKind::Text(text) => format!("{text:?}"),
        ExprKind::Date(date) => date.to_string(),
        ExprKind::Timestamp(at, offset) => {
            format!("{at}{}", offset.map_or(String::new(), |by| format!("/{by}")))
        }
        ExprKind::Time(time) => time.to_string(),
        ExprKind::Duration(amount, unit) => format!("({unit:?} {})", show(amount)),
        ExprKind::Name(text) => name(text),
        ExprKind::Qualified(of, text) => format!("{}.{}", name(of), name(text)),
        ExprKind::Lookup { table, key, column } => format!("{}[{}].{}", name(table), show(key), name(column)),
        ExprKind::Parenthesised(inner) => format!("<{}>", show(inner)),
        ExprKind::Negate(inner) => format!("(neg {})", show(inner)),
        ExprKind::Not(inner, _) => format!("(not {})", show(inner)),
        ExprKind::And(items) => format!("(and {})", all(items)),
        ExprKind::Or(items) => format!("(or {})", all(items)),
        ExprKind::Implies(left, right) => format!("(implies {} {})", show(left), show(right)),
        ExprKind::Compare(first, links) => {
            let links: String =
                links.iter().map(|(op, _, right)| format!(" {op:?} {}", show(right))).collect();
            format!("({}{links})", show(first))
        }
        ExprKind::Between { value, low, high, negated } => {
            format!("({}between {} {} {})", not(*negated), show(value), show(low), show(high))
        }
        ExprKind::In { value, items, negated } => {
            format!("({}in {} {})", not(*negated), show(value), all(items))
        }
        ExprKind::InWindow { value, anniversary, direction, amount, unit, negated } => {
            let what = if *anniversary { "anniversary-" } else { "" };
            format!("({}{what}in {} {direction:?} {} {unit:?})", not(*negated), show(value), show(amount))
        }
        ExprKind::Order { left, before, right } => {
            format!("({} {} {})", if *before { "before" } else { "after" }, show(left), show(right))
        }
        ExprKind::TextTest { value, test, patterns, negated } => {
            format!("({}{test:?} {} {})", not(*negated), show(value), all(patterns))
        }
        ExprKind::Matches { value, pattern, negated } => {
            format!("({}matches {} {:?})", not(*negated), show(value), pattern.value)
        }
        ExprKind::Has { value, kind, items, negated } => {
            format!("({}has-{kind:?} {} {})", not(*negated), show(value), all(items))
        }
        ExprKind::Is { value, known } => {
            format!("({} {})", if *known { "known" } else { "missing" }, show(value))
        }
        ExprKind::OrElse(left, right) => format!("(or_else {} {})", show(left), show(right)),
        ExprKind::Arithmetic(left, op, _, right) => format!("({op:?} {} {})", show(left), show(right)),
        ExprKind::Call(function, items) => format!("{}({})", name(function), all(items)),
        ExprKind::Since { unit, kind, value } => format!("({unit:?}-{kind:?} {})", show(value)),
        ExprKind::FromTo { unit, from, to } => format!("({unit:?}-from-to {} {})", show(from), show(to)),
        ExprKind::CountOf { quantifier, count, conditions } => {
            format!("({quantifier:?} {} {})", count.0.unscaled, all(conditions))
        }
        ExprKind::Points(arms) => format!("(points{})", arms_of(arms)),
        ExprKind::Case { arms, otherwise } => {
            let rest = otherwise.as_ref().map_or(String::new(), |rest| format!(" else {}", show(rest)));
            format!("(case{}{rest})", arms_of(arms))
        }
        ExprKind::Aggregate(call) => {
            let value = call.value.as_ref().map_or(String::new(), |value| format!("{} of ", show(value)));
            let window =
                call.window.as_ref().map_or(String::new(), |window| format!(" {}", window_of(window)));
            format!("({} {value}{}{window})", name(&call.function), source(&call.source))
        }
        ExprKind::Sequence(call) => {
            let steps: Vec<String> =
                call.steps.iter().map(|step| format!("{:?} {}", step.kind, source(&step.source))).collect();
            let within = call
                .within
                .as_ref()
                .map_or(String::new(), |(amount, unit, _)| format!(" within {} {unit:?}", show(amount)));
            format!("(sequence {}{within})", steps.join(", "))
        }
        ExprKind::Score(call) => {
            let filter = call.filter.as_ref().map_or(String::new(), |e| format!(" where {}", show(e)));
            let into = match &call.into {
                Into::Bins(bins) => show(bins),
                Into::Cuts(cuts) => format!("[{}]", all(cuts)),
            };
            let best = if call.lowest_is_best { " lowest" } else { "" };
            format!("(score {}{filter} into {into}{best})", show(&call.value))
        }
        ExprKind::Population(call) => {
            format!("(population {} {})", name(&call.function), all(&call.arguments))
        }
        ExprKind::AsOf(as_of) => {
            format!("({} as-of {} {:?})", show(&as_of.value), show(&as_of.amount), as_of.unit)
        }
    }
}

fn source(source: &EventSource) -> String {
    let filter = source.filter.as_ref().map_or(String::new(), |e| format!(" where {}", show(e)));
    format!("{}{filter}", name(&source.table))
}

fn window_of(window: &Window) -> String {
    match &window.kind {
        WindowKind::Last { amount, unit, before } => {
            let before = before.as_ref().map_or(String::new(), |e| format!(" before {}", show(e)));
            format!("last {} {unit:?}{before}", show(amount))
        }
        WindowKind::Ago { from, to } => {
            format!("ago {} {:?} to {} {:?}", show(&from.0), from.1, show(&to.0), to.1)
        }
        WindowKind::Since(from) => format!("since {}", show(from)),
    }
}

fn arms_of(arms: &[(Expr, Expr)]) -> String {
    arms.iter().map(|(when, then)| format!(" [{} {}]", show(when), show(then))).collect()
}
