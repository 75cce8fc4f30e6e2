//! Why a user is in or out: each rule as a tree with this user's values.

use super::change::{self, Change, Goal};
use crate::diagnostic::{Sources, Span};
use crate::interpret::{self, Evaluation, PopulationValues, UserRows};
use crate::program::{
    Declaration, DeclarationKind, Expr, Line, NodeId, Play, Program, Split, Stack, Type, Value, print,
};
use crate::semantics::show::{Zoned, value_text};
use crate::semantics::{Dated, Facts, split};
use hashbrown::{HashMap, HashSet};
use serde::Serialize;

/// One part of a rule, with what it came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trace {
    /// The part as it is written.
    pub text: String,
    /// Whether it holds; none for a value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holds: Option<bool>,
    /// The values that it looked at: name and value.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<(String, String)>,
    /// Whether the outcome above rests on it.
    pub decisive: bool,
    /// Its parts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Trace>,
}

/// Why one declaration has the value that it has for this user.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rule {
    /// `segment`, `layer`, `grid`, `stack`, `play`, `split`, `scale` or `trait`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Its label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// `in`, `out`, the member, or the value.
    pub outcome: String,
    /// Its lines or condition.
    pub parts: Vec<Trace>,
    /// For a rule that does not hold: the smallest changes that would make it hold, each enough by
    /// itself. For a layer by its members.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Turn>,
}

/// What would bring the user in.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Turn {
    /// The member, for a layer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// Alternatives, the smallest first; empty where no small change was found.
    pub alternatives: Vec<Change>,
}

/// Explains the declarations named in `only`, or every segment, layer and grid where it is empty.
/// Changes of a layer are looked for only where it is named.
pub fn why(
    dated: &Dated,
    facts: &Facts,
    population: &PopulationValues,
    sources: &Sources,
    user: &UserRows,
    only: &[String],
) -> Vec<Rule> {
    let program = &dated.program;
    let values = interpret::evaluate_user(dated, facts, population, user);
    // A change of one user leaves the population as it is.
    let alone = dated.knowing(population);
    let mut teller = Teller::new(dated, &alone, facts, sources, user, &values);
    program
        .declarations
        .iter()
        .filter(|declaration| match &declaration.kind {
            _ if !only.is_empty() => only.contains(&declaration.heading.name),
            DeclarationKind::Trait | DeclarationKind::Scale(_) => false,
            _ => true,
        })
        .map(|declaration| {
            teller.told.clear();
            teller.rule(declaration, !only.is_empty())
        })
        .collect()
}

/// A condition as a tree with a user's values.
pub fn condition(
    dated: &Dated,
    facts: &Facts,
    sources: &Sources,
    user: &UserRows,
    values: &Evaluation,
    id: NodeId,
) -> Trace {
    Teller::new(dated, dated, facts, sources, user, values).node(id, true, None, None)
}

struct Teller<'a> {
    /// The program in which the population's values are constants.
    alone: &'a Dated,
    program: &'a Program,
    facts: &'a Facts,
    sources: &'a Sources,
    user: &'a UserRows,
    values: &'a Evaluation,
    zone: jiff::tz::TimeZone,
    /// Declarations by their node.
    named: HashMap<NodeId, &'a Declaration>,
    /// Declarations that this rule's tree has explained already.
    told: HashSet<NodeId>,
}

impl<'a> Teller<'a> {
    fn new(
        dated: &'a Dated,
        alone: &'a Dated,
        facts: &'a Facts,
        sources: &'a Sources,
        user: &'a UserRows,
        values: &'a Evaluation,
    ) -> Self {
        let program = &dated.program;
        let mut named = HashMap::new();
        for declaration in &program.declarations {
            // A trait that is just a column tells nothing more than the column.
            if !matches!(program.node(declaration.value).expr, Expr::Column(_) | Expr::Constant(_)) {
                named.entry(declaration.value).or_insert(declaration);
            }
        }
        Teller {
            alone,
            program,
            facts,
            sources,
            user,
            values,
            zone: program.zone(),
            named,
            told: HashSet::new(),
        }
    }

    fn rule(&mut self, declaration: &'a Declaration, named: bool) -> Rule {
        self.told.insert(declaration.value);
        let value = self.values.value(declaration.value);
        let (kind, outcome) = match &declaration.kind {
            DeclarationKind::Segment => ("segment", if value.is_true() { "in" } else { "out" }.to_owned()),
            DeclarationKind::Scale(_) => ("scale", self.show(declaration.value)),
            DeclarationKind::Trait => ("trait", self.show(declaration.value)),
            DeclarationKind::Layer(layer) => {
                let outcome =
                    if value.is_missing() { "no member".to_owned() } else { self.show(declaration.value) };
                (if layer.grid { "grid" } else { "layer" }, outcome)
            }
            DeclarationKind::Stack(_) => ("stack", self.said(declaration.value, "no path")),
            DeclarationKind::Play(_) => ("play", self.said(declaration.value, "nothing")),
            DeclarationKind::Split(_) => ("split", self.said(declaration.value, "no arm")),
        };
        let parts = self.parts_of(declaration);
        let changes = match &declaration.kind {
            DeclarationKind::Segment if !value.is_true() => vec![Turn {
                member: None,
                alternatives: change::least_changes(
                    self.alone,
                    self.facts,
                    self.user,
                    declaration.value,
                    &Goal::Holds,
                ),
            }],
            DeclarationKind::Layer(layer) if named => {
                let label = |code: u32| self.program.label(layer.ty, code).to_owned();
                (0..u32::try_from(layer.members.len()).unwrap_or(0))
                    .filter(|code| !matches!(value, Value::Label(current) if current == code))
                    .map(|code| Turn {
                        member: Some(label(code)),
                        alternatives: change::least_changes(
                            self.alone,
                            self.facts,
                            self.user,
                            declaration.value,
                            &Goal::Is(code),
                        ),
                    })
                    .collect()
            }
            _ => Vec::new(),
        };
        Rule {
            kind,
            name: declaration.heading.name.clone(),
            label: declaration.heading.label.clone(),
            outcome,
            parts,
            changes,
        }
    }

    /// The condition or the lines of a declaration.
    fn parts_of(&mut self, declaration: &'a Declaration) -> Vec<Trace> {
        match &declaration.kind {
            DeclarationKind::Segment => {
                let rule = self.rule_place(declaration);
                vec![self.node(declaration.value, true, None, rule)]
            }
            DeclarationKind::Trait => {
                let rule = self.rule_place(declaration);
                let mut trace = self.leaf(declaration.value, true, rule);
                trace.holds = None;
                vec![trace]
            }
            DeclarationKind::Scale(lines) => self.lines(lines, declaration),
            DeclarationKind::Layer(layer) => self.lines(&layer.lines, declaration),
            DeclarationKind::Stack(stack) => vec![self.path(stack)],
            DeclarationKind::Play(play) => self.play_lines(play),
            DeclarationKind::Split(split) => vec![self.place(split, declaration)],
        }
    }

    /// A value, or what to say where there is none.
    fn said(&self, id: NodeId, none: &str) -> String {
        match self.values.value(id) {
            Value::Missing => none.to_owned(),
            Value::Text(text) => text.to_string(),
            _ => self.show(id),
        }
    }

    /// The steps of the user's path, with their values.
    fn path(&self, stack: &Stack) -> Trace {
        let mut values = vec![(stack.base.clone(), self.show(stack.value))];
        let steps = match self.values.value(stack.value) {
            Value::Label(code) => stack.paths.get(*code as usize).map(Vec::as_slice).unwrap_or(&[]),
            _ => &[],
        };
        values.extend(steps.iter().map(|step| {
            let shown = match &self.program.node(step.value).ty {
                Type::Bool => if self.values.value(step.value).is_true() { "in" } else { "out" }.to_owned(),
                _ => self.show(step.value),
            };
            (step.name.clone(), shown)
        }));
        let names: Vec<&str> = values.iter().map(|(name, _)| name.as_str()).collect();
        Trace { text: names.join(" / "), holds: None, values, decisive: true, parts: Vec::new() }
    }

    /// The lines of a play up to the one that speaks.
    fn play_lines(&mut self, play: &'a Play) -> Vec<Trace> {
        let mut traces = Vec::new();
        for line in &play.lines {
            let pattern: Vec<String> = line.pattern.iter().map(ToString::to_string).collect();
            let whom = if pattern.is_empty() { play.of.clone() } else { pattern.join("/") };
            let holds = self.values.value(line.condition).is_true();
            let parts = line.when.map(|when| self.node(when, holds, None, Some(line.place)));
            traces.push(Trace {
                text: format!("{whom} -> \"{}\"", line.template),
                holds: Some(holds),
                values: Vec::new(),
                decisive: holds,
                parts: parts.into_iter().collect(),
            });
            if holds {
                break;
            }
        }
        traces
    }

    /// Where the user lies in a split.
    fn place(&self, split: &Split, declaration: &Declaration) -> Trace {
        let mut open = vec![declaration.value];
        let mut place = None;
        while let Some(next) = open.pop() {
            match &self.program.node(next).expr {
                Expr::SplitHash { .. } => place = Some(self.values.value(next)),
                Expr::Case { arms, .. } => open.extend(arms.iter().map(|(condition, _)| *condition)),
                Expr::And(parts) => open.extend(parts),
                Expr::Compare { left, .. } => open.push(*left),
                _ => {}
            }
        }
        let at = match place {
            #[expect(clippy::cast_precision_loss, reason = "52 bits are a double's own")]
            Some(Value::Int(place)) => format!("{:.6}", *place as f64 / split::PLACES as f64),
            _ => "missing".to_owned(),
        };
        let of = split.of.clone().unwrap_or_else(|| "all".to_owned());
        let values = vec![("place".to_owned(), at)];
        let text = format!("a share of {of} by the seed \"{}\"", split.seed);
        Trace { text, holds: None, values, decisive: true, parts: Vec::new() }
    }

    /// The lines up to the one that decided; those of a layer all, since each is a rule of its own.
    fn lines(&mut self, lines: &'a [Line], declaration: &'a Declaration) -> Vec<Trace> {
        let ty = match &self.program.node(declaration.value).ty {
            Type::Label(ty) => *ty,
            _ => return Vec::new(),
        };
        let scale = matches!(declaration.kind, DeclarationKind::Scale(_));
        let mut decided = false;
        let mut traces = Vec::new();
        for line in lines {
            let member = self.program.label(ty, line.member).to_owned();
            let holds = line.condition.is_none_or(|condition| self.values.value(condition).is_true());
            let decisive = holds && !decided;
            if decided && scale {
                break;
            }
            traces.push(match line.condition {
                Some(condition) => {
                    let inner = self.node(condition, decisive, None, Some(line.place));
                    Trace { text: format!("{member}: {}", inner.text), ..inner }
                }
                None => Trace {
                    text: format!("{member}: otherwise"),
                    holds: Some(!decided),
                    values: Vec::new(),
                    decisive,
                    parts: Vec::new(),
                },
            });
            decided |= holds;
        }
        traces
    }

    /// A condition as a tree: `and`, `or`, `not` and counts by their parts, tests as leaves.
    fn node(&mut self, id: NodeId, decisive: bool, above: Option<Span>, rule: Option<Span>) -> Trace {
        let node = self.program.node(id);
        let holds = self.values.value(id).is_true();
        let parts: Vec<NodeId> = match &node.expr {
            Expr::And(parts) | Expr::Or(parts) => parts.clone(),
            Expr::CountOf { conditions, .. } => conditions.clone(),
            Expr::Not(inner) if self.program.node(*inner).place != node.place => vec![*inner],
            _ => Vec::new(),
        };
        // What lowering has split (a chain, `between`, a window) is one thing to the reader.
        let split = parts.iter().all(|part| {
            let place = self.program.node(*part).place;
            place == node.place || place.start < node.place.start || place.end > node.place.end
        });
        if parts.is_empty() || split || Some(node.place) == above {
            return self.leaf(id, decisive, rule);
        }
        let rests_on = |part: NodeId| match &node.expr {
            Expr::And(_) if !holds => !self.values.value(part).is_true(),
            Expr::Or(_) if holds => self.values.value(part).is_true(),
            _ => true,
        };
        let decided: Vec<bool> = parts.iter().map(|part| decisive && rests_on(*part)).collect();
        let place = node.place;
        Trace {
            text: self.text(id, rule),
            holds: Some(holds),
            values: Vec::new(),
            decisive,
            parts: parts
                .into_iter()
                .zip(decided)
                .map(|(part, decisive)| self.node(part, decisive, Some(place), Some(place)))
                .collect(),
        }
    }

    /// A test with the values that it looked at; a scale, layer, segment or trait among them is
    /// explained below it, once.
    fn leaf(&mut self, id: NodeId, decisive: bool, rule: Option<Span>) -> Trace {
        let mut values = Vec::new();
        let mut inner = Vec::new();
        let mut seen = HashSet::new();
        let whole = &self.program.node(id).expr;
        let mut open: Vec<NodeId> = if whole.closes_scope() { Vec::new() } else { whole.operands() };
        open.reverse();
        if let Some(declaration) = self.named.get(&id).copied()
            && !self.told.contains(&id)
        {
            open = vec![declaration.value];
        }
        while let Some(next) = open.pop() {
            if !seen.insert(next) {
                continue;
            }
            if let Some(declaration) = self.named.get(&next).copied() {
                values.push((declaration.heading.name.clone(), self.outcome(declaration)));
                inner.push(declaration);
                continue;
            }
            let expr = &self.program.node(next).expr;
            if let Expr::Column(index) = expr
                && let Some(column) = self.program.users.as_ref().and_then(|users| users.columns.get(*index))
            {
                values.push((column.name.clone(), self.show(next)));
            }
            // What was made of many rows is shown as it is written.
            if expr.closes_scope() {
                values.push((self.text(next, rule), self.show(next)));
                continue;
            }
            let mut operands = expr.operands();
            operands.reverse();
            open.extend(operands);
        }
        let mut parts = Vec::new();
        for declaration in inner {
            if self.told.insert(declaration.value) {
                let below = self.parts_of(declaration);
                parts.push(Trace {
                    text: format!("{} = {}", declaration.heading.name, self.outcome(declaration)),
                    holds: None,
                    values: Vec::new(),
                    decisive,
                    parts: below,
                });
            }
        }
        let condition =
            matches!(self.values.value(id), Value::Bool(_)) && self.program.node(id).ty == Type::Bool;
        let holds = condition.then(|| self.values.value(id).is_true());
        Trace { text: self.text(id, rule), holds, values, decisive, parts }
    }

    /// From a declaration's name to the next one's: where its own text stands.
    fn rule_place(&self, declaration: &Declaration) -> Option<Span> {
        let name = declaration.heading.place;
        let names = self.program.declarations.iter().map(|other| other.heading.place);
        let next = names.filter(|place| place.file == name.file && place.start > name.start).min();
        Some(Span { end: next.map_or(u32::MAX, |next| next.start), ..name })
    }

    fn outcome(&self, declaration: &Declaration) -> String {
        match declaration.kind {
            DeclarationKind::Segment => {
                if self.values.value(declaration.value).is_true() { "in" } else { "out" }.to_owned()
            }
            _ => self.show(declaration.value),
        }
    }

    fn show(&self, id: NodeId) -> String {
        value_text(self.program, &self.zone, &self.program.node(id).ty, self.values.value(id))
    }

    /// What was written, on one line; where the same condition was written first in another rule,
    /// spelled out instead.
    fn text(&self, id: NodeId, within: Option<Span>) -> String {
        let place = self.program.node(id).place;
        let inside = within
            .is_none_or(|rule| rule.file == place.file && rule.start <= place.start && place.end <= rule.end);
        let written = self.sources.text(place);
        if !inside || written.is_empty() {
            let calendar = Zoned { zone: self.zone.clone(), now: self.alone.now };
            return print::expression(self.program, &calendar, id);
        }
        let mut words = Vec::new();
        for line in written.lines() {
            let code = line.split(" #").next().unwrap_or(line);
            words.extend(code.split_whitespace());
        }
        words.join(" ")
    }
}

/// The rules as an indented tree. `mark` renders whether a part holds.
pub fn render(rules: &[Rule], mark: impl Fn(bool) -> String) -> String {
    let mut out = String::new();
    for rule in rules {
        let label = rule.label.as_ref().map(|label| format!(" \"{label}\"")).unwrap_or_default();
        let is = if rule.kind == "trait" { " =" } else { ":" };
        out.push_str(&format!("{} {}{label}{is} {}\n", rule.kind, rule.name, rule.outcome));
        for part in &rule.parts {
            render_trace(&mut out, part, 1, &mark);
        }
        for turn in &rule.changes {
            render_turn(&mut out, turn);
        }
        out.push('\n');
    }
    out
}

/// A tree as indented lines.
pub fn tree_text(trace: &Trace, depth: usize, mark: &impl Fn(bool) -> String) -> String {
    let mut out = String::new();
    render_trace(&mut out, trace, depth, mark);
    out
}

fn render_trace(out: &mut String, trace: &Trace, depth: usize, mark: &impl Fn(bool) -> String) {
    let indent = "  ".repeat(depth);
    let sign = trace.holds.map(|holds| format!("{} ", mark(holds))).unwrap_or_default();
    let values: Vec<String> = trace.values.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    let values = if values.is_empty() { String::new() } else { format!("   [{}]", values.join(", ")) };
    out.push_str(&format!("{indent}{sign}{}{values}\n", trace.text));
    for part in &trace.parts {
        render_trace(out, part, depth + 1, mark);
    }
}

fn render_turn(out: &mut String, turn: &Turn) {
    let whom = turn.member.as_ref().map(|member| format!("{member} ")).unwrap_or_default();
    match turn.alternatives.split_first() {
        None => out.push_str(&format!("  {whom}no small change was found that would bring this user in\n")),
        Some((least, others)) => {
            let lead = if turn.member.is_some() { "would need" } else { "would be in with" };
            out.push_str(&format!("  {whom}{lead} {}\n", spell(least)));
            for other in others {
                out.push_str(&format!("    or with {}\n", spell(other)));
            }
        }
    }
}

fn spell(change: &Change) -> String {
    let parts: Vec<String> =
        change.iter().map(|one| format!("{} = {} (now {})", one.column, one.to, one.from)).collect();
    parts.join(" and ")
}
