//! How many users pass each condition of a rule, in order, and how many more there would be without it.
//!
//! The counts come out of a run: the program is given a guard for each set of conditions that is to be
//! counted, so that whatever a run can evaluate can be counted here.

use crate::diagnostic::{FileId, Sources, Span};
use crate::program::{
    Decimal, DeclarationKind, Expr, Guard, GuardEnd, Layer, Measure, Node, NodeId, Program, Type,
};
use serde::Serialize;

/// One condition of the rule.
#[derive(Clone, Debug, PartialEq)]
struct Condition {
    node: NodeId,
    /// As written; none for what the rule does not say itself.
    text: Option<String>,
}

/// A rule taken apart.
#[derive(Clone, Debug)]
pub struct Funnel {
    /// The rule's name.
    pub of: String,
    /// The program whose guards count.
    pub program: Program,
    conditions: Vec<Condition>,
}

/// A condition with its users.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The condition.
    pub text: String,
    /// Users for whom it holds, whatever the others say.
    pub alone: u64,
    /// Users for whom it holds and all before it.
    pub remaining: u64,
    /// Users who would be in, too, if it were dropped.
    pub more_without: u64,
}

/// All of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Of this form.
    pub version: u32,
    /// The rule.
    pub of: String,
    /// The moment.
    pub now: String,
    /// All users.
    pub rows: u64,
    /// Users who pass every condition.
    pub passed: u64,
    /// The conditions in order.
    pub steps: Vec<Step>,
}

/// Why a rule has no funnel, in words.
pub type Refusal = String;

impl Funnel {
    /// Takes the segment of that name apart, or the member: `layer = member`, `layer.member`, or the
    /// member's name alone where only one layer has it.
    ///
    /// # Errors
    /// Where there is no such rule.
    pub fn new(program: &Program, sources: &Sources, name: &str) -> Result<Funnel, Refusal> {
        let mut program = program.clone();
        let conditions = conditions(&mut program, sources, name)?;
        let mut funnel = Funnel { of: name.to_owned(), program, conditions };
        funnel.program.guards = Vec::new();
        let nodes: Vec<NodeId> = funnel.conditions.iter().map(|condition| condition.node).collect();
        let mut sets: Vec<Vec<NodeId>> = nodes.iter().map(|node| vec![*node]).collect();
        sets.extend((1..=nodes.len()).map(|count| nodes.iter().take(count).copied().collect()));
        sets.extend((0..nodes.len()).map(|out| {
            nodes.iter().enumerate().filter(|(at, _)| *at != out).map(|(_, node)| *node).collect()
        }));
        for set in sets {
            let condition = all_of(&mut funnel.program, set);
            funnel.program.guards.push(count(condition));
        }
        Ok(funnel)
    }

    /// The counts of a run of [`Funnel::program`], by guard.
    pub fn report(&self, now: String, rows: u64, counts: &[u64]) -> Report {
        let steps = self.conditions.len();
        let at = |place: usize| counts.get(place).copied().unwrap_or_default();
        let passed = at(2 * steps - usize::from(steps > 0));
        let told = self.conditions.iter().enumerate().map(|(number, condition)| Step {
            text: condition.text.clone().unwrap_or_else(|| "taken by no earlier line".to_owned()),
            alone: at(number),
            remaining: at(steps + number),
            more_without: at(2 * steps + number).saturating_sub(passed),
        });
        Report { version: 1, of: self.of.clone(), now, rows, passed, steps: told.collect() }
    }
}

/// A guard that counts and is always kept.
fn count(condition: NodeId) -> Guard {
    let place = Span { file: FileId(0), start: 0, end: 0 };
    let nobody = GuardEnd { value: Decimal { unscaled: 0, scale: 0 }, inclusive: true };
    Guard { text: String::new(), measure: Measure::Count, condition, low: Some(nobody), high: None, place }
}

fn push(program: &mut Program, expr: Expr) -> NodeId {
    let place = Span { file: FileId(0), start: 0, end: 0 };
    let id = NodeId(u32::try_from(program.nodes.len()).unwrap_or(u32::MAX));
    program.nodes.push(Node { expr, ty: Type::Bool, optional: false, place });
    id
}

fn all_of(program: &mut Program, conditions: Vec<NodeId>) -> NodeId {
    match conditions.as_slice() {
        [] => push(program, Expr::Constant(crate::program::Value::Bool(true))),
        [one] => *one,
        _ => push(program, Expr::And(conditions)),
    }
}

fn conditions(program: &mut Program, sources: &Sources, name: &str) -> Result<Vec<Condition>, Refusal> {
    if let Some(declaration) = program.declaration(name) {
        let value = declaration.value;
        return match &declaration.kind {
            DeclarationKind::Segment => {
                let own = own_text(program, declaration.heading.place);
                Ok(parts(program, sources, value, own))
            }
            DeclarationKind::Layer(layer) => {
                let members: Vec<String> =
                    layer.members.iter().map(|member| format!("`{name} = {}`", member.name)).collect();
                Err(format!("`{name}` has several members; name one of them: {}", members.join(", ")))
            }
            _ => Err(format!("`{name}` is no segment or member, so nobody passes into it")),
        };
    }
    let (layer, member) = member(program, name)?;
    let Some(code) = layer.members.iter().position(|known| known.name == member) else {
        return Err(format!("there is no member `{member}`"));
    };
    let own: Vec<&crate::program::Line> =
        layer.lines.iter().filter(|line| line.member as usize == code).collect();
    let otherwise = own.iter().any(|line| line.condition.is_none());
    let mut found = Vec::new();
    if otherwise {
        for line in &layer.lines {
            if let Some(condition) = line.condition.filter(|_| line.member as usize != code) {
                let text = written(program, sources, condition, line.place);
                let text = format!("not {}", in_parentheses(&text));
                let node = push(program, Expr::Not(condition));
                found.push(Condition { node, text: Some(text) });
            }
        }
        return Ok(found);
    }
    let first = layer.lines.iter().position(|line| line.member as usize == code).unwrap_or(0);
    let earlier: Vec<NodeId> = layer
        .lines
        .iter()
        .take(first)
        .filter(|_| layer.first_match)
        .filter_map(|line| line.condition)
        .collect();
    if !earlier.is_empty() {
        let nots: Vec<NodeId> = earlier.into_iter().map(|id| push(program, Expr::Not(id))).collect();
        let node = all_of(program, nots);
        found.push(Condition { node, text: None });
    }
    match own.as_slice() {
        [line] => {
            if let Some(condition) = line.condition {
                found.extend(parts(program, sources, condition, line.place));
            }
        }
        lines => {
            let any: Vec<NodeId> = lines.iter().filter_map(|line| line.condition).collect();
            let text = format!("one of the {} lines of {member}", lines.len());
            let node = push(program, Expr::Or(any));
            found.push(Condition { node, text: Some(text) });
        }
    }
    Ok(found)
}

/// The layer and member that a name means.
fn member(program: &Program, name: &str) -> Result<(Layer, String), Refusal> {
    let layers = || {
        program.declarations.iter().filter_map(|declaration| match &declaration.kind {
            DeclarationKind::Layer(layer) => Some((declaration.heading.name.as_str(), layer)),
            _ => None,
        })
    };
    let parted = name.split_once('=').or_else(|| name.rsplit_once('.'));
    if let Some((of, member)) = parted {
        let (of, member) = (of.trim(), member.trim());
        return layers()
            .find(|(known, layer)| *known == of && layer.members.iter().any(|it| it.name == member))
            .map(|(_, layer)| (layer.clone(), member.to_owned()))
            .ok_or_else(|| format!("the rules declare no layer or grid `{of}` with a member `{member}`"));
    }
    let having: Vec<(&str, &Layer)> =
        layers().filter(|(_, layer)| layer.members.iter().any(|member| member.name == name)).collect();
    match having.as_slice() {
        [(_, layer)] => Ok(((*layer).clone(), name.to_owned())),
        [] => {
            let names = program.declarations.iter().map(|found| found.heading.name.as_str());
            let near = crate::diagnostic::nearest(name, names);
            let mend = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            Err(format!("the rules declare no segment or member `{name}`{mend}"))
        }
        several => {
            let names: Vec<String> = several.iter().map(|(of, _)| format!("`{of} = {name}`")).collect();
            Err(format!("`{name}` is a member of several layers; write {}", names.join(" or ")))
        }
    }
}

/// The conditions that a rule joins by `and`, or the rule as one.
fn parts(program: &Program, sources: &Sources, id: NodeId, own: Span) -> Vec<Condition> {
    let node = program.node(id);
    let parts = match &node.expr {
        // A chain or `between` is one condition to who wrote it.
        Expr::And(parts) if parts.iter().any(|part| program.node(*part).place != node.place) => parts.clone(),
        _ => vec![id],
    };
    parts
        .into_iter()
        .map(|node| Condition { node, text: Some(written(program, sources, node, own)) })
        .collect()
}

/// A condition as the rule has it; where another rule wrote it first, spelled out.
fn written(program: &Program, sources: &Sources, id: NodeId, own: Span) -> String {
    let place = program.node(id).place;
    let inside = own.file == place.file && own.start <= place.start && place.end <= own.end;
    let text = sources.text(place);
    if text.is_empty() || !inside {
        let zone = program.zone();
        return crate::program::print::expression(
            program,
            &super::Zoned { zone, now: program.now.unwrap_or(0) },
            id,
        );
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// From a rule's name to the next one's.
fn own_text(program: &Program, name: Span) -> Span {
    let names = program.declarations.iter().map(|other| other.heading.place);
    let next = names.filter(|place| place.file == name.file && place.start > name.start).min();
    Span { end: next.map_or(u32::MAX, |next| next.start), ..name }
}

fn in_parentheses(text: &str) -> String {
    if text.contains(' ') { format!("({text})") } else { text.to_owned() }
}
