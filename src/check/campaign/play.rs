//! Plays: what is said to whom, the first line that holds.

use super::Subject;
use crate::check::Checker;
use crate::diagnostic::codes::tests as codes;
use crate::diagnostic::{Diagnostic, Span};
use crate::program::written::Role;
use crate::program::{
    Audience, DeclarationKind, Expr, NodeId, Play, PlayLine, Stack, StackStep, StepPattern as Pattern,
    TextArm, Type, TypeId, Value,
};
use crate::syntax::ast::{self, StepPattern};

/// The most paths of a stack that are looked at one by one.
const MOST_PATHS: usize = 20_000;

/// How many members a warning names.
const MOST_NAMED: usize = 5;

impl Checker {
    /// `play NAME for X { … }`.
    pub(in crate::check) fn play(&mut self, written: &ast::Play) -> Option<(NodeId, DeclarationKind)> {
        let subject = self.subject(&written.of, "a play speaks to", "a layer, grid, stack or segment");
        let Some((subject, of)) = subject else {
            for line in &written.lines {
                let when = line.when.as_ref().and_then(|when| self.condition(when));
                self.text_parts(&line.text, when);
            }
            return None;
        };
        let mut lines: Vec<PlayLine> = Vec::new();
        let mut sound = true;
        for line in &written.lines {
            let whom = self.whom(line, &subject, &of);
            let when = line.when.as_ref().map(|when| self.whole_condition(when, Role::PlayLine));
            sound &= !matches!(when, Some(None));
            let when = when.flatten();
            let condition = whom.as_ref().map(|(_, condition)| {
                self.all_of([Some(*condition), when].into_iter().flatten().collect(), line.span)
            });
            let parts = self.text_parts(&line.text, condition.or(when));
            match (whom, condition, parts) {
                (Some((pattern, _)), Some(condition), Some(parts)) => {
                    lines.push(PlayLine {
                        pattern,
                        when,
                        condition,
                        parts,
                        template: line.text.written.clone(),
                        place: line.span,
                    });
                }
                _ => sound = false,
            }
        }
        if !sound {
            return None;
        }
        self.members_without_line(written, &subject, &lines);
        let place = written.name.span;
        let arms: Vec<TextArm> = lines
            .iter()
            .map(|line| TextArm { condition: line.condition, parts: line.parts.clone() })
            .collect();
        let mut numbers = Vec::new();
        for (number, line) in (0_i64..).zip(&lines) {
            let number = self.constant_node(Value::Int(number), Type::Int, line.place);
            numbers.push((line.condition, number));
        }
        let line = self.builder.node(Expr::Case { arms: numbers, otherwise: None }, Type::Int, true, place);
        let text = self.builder.node(Expr::Texts(arms), Type::Text, true, place);
        let audience = match subject {
            Subject::Layer(..) => Audience::Layer,
            Subject::Stack(_) => Audience::Stack,
            Subject::Segment(_) => Audience::Segment,
        };
        Some((text, DeclarationKind::Play(Play { audience, of, lines, line })))
    }

    /// Whom a line is for: its pattern and the condition that it stands for.
    fn whom(&mut self, line: &ast::PlayLine, subject: &Subject, of: &str) -> Option<(Vec<Pattern>, NodeId)> {
        let place = match (line.pattern.first(), line.pattern.last()) {
            (Some(first), Some(last)) => first.span.to(last.span),
            _ => line.span,
        };
        match subject {
            Subject::Stack(stack) => self.path(line, stack, place),
            _ if line.pattern.len() > 1 => {
                self.report(
                    Diagnostic::new(
                        codes::BAD_PATTERN,
                        place,
                        format!("`{of}` is no stack, so a line begins with one name and no path"),
                    )
                    .help("write the member alone"),
                );
                None
            }
            Subject::Layer(value, ty) => match &line.pattern.first()?.kind {
                StepPattern::Member(name) => match self.label_code(*ty, &name.text) {
                    Some(code) => Some((
                        vec![Pattern::Member(name.text.clone())],
                        self.is_label(*value, *ty, code, place),
                    )),
                    None => {
                        self.unknown_label(*ty, &name.text, name.span);
                        None
                    }
                },
                StepPattern::Anything => {
                    let known = self.known(*value, place);
                    Some((vec![Pattern::Any], known))
                }
                StepPattern::Nothing => {
                    let known = self.known(*value, place);
                    let not = self.builder.node(Expr::Not(known), Type::Bool, false, place);
                    Some((vec![Pattern::Nothing], not))
                }
            },
            Subject::Segment(condition) => match &line.pattern.first()?.kind {
                StepPattern::Member(name) if name.text == of => {
                    Some((vec![Pattern::Member(of.to_owned())], *condition))
                }
                StepPattern::Anything => Some((vec![Pattern::Any], *condition)),
                _ => {
                    self.report(
                        Diagnostic::new(
                            codes::BAD_PATTERN,
                            place,
                            format!("this play is for the segment `{of}`, so each line begins with `{of}`"),
                        )
                        .help(format!("write `{of} when … -> \"…\"`")),
                    );
                    None
                }
            },
        }
    }

    fn known(&mut self, value: NodeId, place: Span) -> NodeId {
        if self.node(value).optional {
            self.builder.node(Expr::IsKnown(value), Type::Bool, false, place)
        } else {
            self.constant_node(Value::Bool(true), Type::Bool, place)
        }
    }

    /// A path pattern: the steps of some base members. A pattern with fewer steps takes all that is below.
    fn path(&mut self, line: &ast::PlayLine, stack: &Stack, place: Span) -> Option<(Vec<Pattern>, NodeId)> {
        let Type::Label(ty) = self.node(stack.value).ty else { return None };
        let members = self.types.get(ty.0 as usize).map(|ty| ty.labels.clone()).unwrap_or_default();
        let (first, rest) = line.pattern.split_first()?;
        if let StepPattern::Member(name) = &first.kind
            && !members.contains(&name.text)
        {
            self.unknown_label(ty, &name.text, name.span);
            return None;
        }
        let mut ways = Vec::new();
        // The pattern's step that stopped most members, for the message.
        let mut furthest = 0;
        for (code, (member, steps)) in (0_u32..).zip(members.iter().zip(&stack.paths)) {
            let takes = match &first.kind {
                StepPattern::Member(name) => name.text == *member,
                StepPattern::Anything => true,
                StepPattern::Nothing => false,
            };
            if !takes {
                continue;
            }
            let fitting =
                rest.iter().zip(steps).take_while(|(pattern, step)| self.step_fits(pattern, step)).count();
            furthest = furthest.max(fitting + 1);
            if fitting < rest.len() {
                continue;
            }
            let mut parts = vec![self.is_label(stack.value, ty, code, place)];
            for (pattern, step) in rest.iter().zip(steps) {
                parts.extend(self.step_condition(pattern, step));
            }
            ways.push(self.all_of(parts, place));
        }
        if ways.is_empty() {
            self.no_such_path(line, stack, &members, furthest);
            return None;
        }
        let pattern = line.pattern.iter().map(|step| match &step.kind {
            StepPattern::Anything => Pattern::Any,
            StepPattern::Nothing => Pattern::Nothing,
            StepPattern::Member(name) => Pattern::Member(name.text.clone()),
        });
        Some((pattern.collect(), self.one_of_them(ways, place)))
    }

    fn step_fits(&self, pattern: &ast::PathStep, step: &StackStep) -> bool {
        match &pattern.kind {
            StepPattern::Anything => true,
            StepPattern::Nothing => self.step_optional(step),
            StepPattern::Member(name) => step.members.contains(&name.text),
        }
    }

    /// The condition of one step; none for `_`.
    fn step_condition(&mut self, pattern: &ast::PathStep, step: &StackStep) -> Option<NodeId> {
        let place = pattern.span;
        let negated = matches!(pattern.kind, StepPattern::Nothing);
        let condition = match (&pattern.kind, self.node(step.value).ty.clone()) {
            (StepPattern::Anything, _) => return None,
            (_, Type::Bool) => step.value,
            (StepPattern::Member(name), Type::Label(ty)) => {
                let code = self.label_code(ty, &name.text)?;
                self.is_label(step.value, ty, code, place)
            }
            _ => self.builder.node(Expr::IsKnown(step.value), Type::Bool, false, place),
        };
        if negated {
            return Some(self.builder.node(Expr::Not(condition), Type::Bool, false, place));
        }
        Some(condition)
    }

    /// No path of the stack is like this.
    fn no_such_path(&mut self, line: &ast::PlayLine, stack: &Stack, members: &[String], furthest: usize) {
        let Some(step) = line.pattern.get(furthest).or(line.pattern.last()) else { return };
        let shown = |step: &ast::PathStep| match &step.kind {
            StepPattern::Anything => "_".to_owned(),
            StepPattern::Nothing => "-".to_owned(),
            StepPattern::Member(name) => name.text.clone(),
        };
        let base = line.pattern.first().map(&shown).unwrap_or_default();
        let steps = members.iter().position(|member| *member == base).and_then(|at| stack.paths.get(at));
        let step_of = steps.and_then(|steps| steps.get(furthest.checked_sub(1)?));
        let finding = Diagnostic::new(
            codes::BAD_PATTERN,
            step.span,
            match (steps, step_of) {
                (Some(_), Some(of)) => format!("`{}` is no member of `{}`", shown(step), of.name),
                (Some(steps), None) => {
                    let count = steps.len() + 1;
                    format!("a path of `{base}` ends before this: it has {count} {}", plural(count))
                }
                (None, _) => "no path of this stack is like this".to_owned(),
            },
        );
        self.report(match (steps, step_of) {
            (_, Some(of)) => {
                let members = crate::check::expr::spell::list(of.members.iter().map(String::as_str));
                finding.help(format!("its members are {members}; `_` stands for any, `-` for none"))
            }
            (Some(steps), None) => {
                let names: Vec<&str> = steps.iter().map(|step| step.name.as_str()).collect();
                let way = [base.as_str()].iter().chain(&names).copied().collect::<Vec<_>>().join("/");
                finding.help(format!("its steps are `{way}`"))
            }
            _ => finding.help("`_` stands for any member"),
        });
    }

    /// W1501: members that no line speaks to.
    fn members_without_line(&mut self, written: &ast::Play, subject: &Subject, lines: &[PlayLine]) {
        let (silent, what) = match subject {
            Subject::Segment(_) => return,
            Subject::Layer(_, ty) => (self.silent_members(*ty, lines), "member"),
            Subject::Stack(stack) => (self.silent_paths(stack, lines), "path"),
        };
        let Some(first) = silent.first() else { return };
        let mut named: Vec<String> = silent.iter().take(MOST_NAMED).map(|name| format!("`{name}`")).collect();
        if silent.len() > MOST_NAMED {
            named.push(format!("{} more", silent.len() - MOST_NAMED));
        }
        self.report(
            Diagnostic::new(
                codes::NO_LINE,
                written.name.span,
                format!(
                    "`{}` says nothing to the {what}{} {}",
                    written.name.text,
                    if silent.len() == 1 { "" } else { "s" },
                    spoken(&named)
                ),
            )
            .help(format!("add a line: `{first} -> \"…\"`")),
        );
    }

    fn silent_members(&self, ty: TypeId, lines: &[PlayLine]) -> Vec<String> {
        let labels = self.types.get(ty.0 as usize).map(|ty| ty.labels.as_slice()).unwrap_or(&[]);
        let spoken = |label: &String| {
            lines.iter().any(|line| covers(&line.pattern, &[Pattern::Member(label.clone())]))
        };
        labels
            .iter()
            .filter(|label| !spoken(label))
            .map(|label| crate::check::expr::spell::label(label))
            .collect()
    }

    /// Paths that no line speaks to, by the longest beginning that none speaks to at all.
    fn silent_paths(&self, stack: &Stack, lines: &[PlayLine]) -> Vec<String> {
        let Type::Label(ty) = self.node(stack.value).ty else { return Vec::new() };
        let members = self.types.get(ty.0 as usize).map(|ty| ty.labels.as_slice()).unwrap_or(&[]);
        let mut silent = Vec::new();
        let mut looked_at = 0;
        for (member, steps) in members.iter().zip(&stack.paths) {
            let mut open = vec![vec![Pattern::Member(member.clone())]];
            while let Some(path) = open.pop() {
                looked_at += 1;
                if looked_at > MOST_PATHS {
                    return silent;
                }
                if lines.iter().any(|line| covers(&line.pattern, &path)) {
                    continue;
                }
                let touched = lines.iter().any(|line| touches(&line.pattern, &path));
                let next = steps.get(path.len() - 1).filter(|_| touched);
                let Some(step) = next else {
                    silent.push(path.iter().map(shown_step).collect::<Vec<_>>().join("/"));
                    continue;
                };
                let nothing = self.step_optional(step).then_some(Pattern::Nothing);
                let members = step.members.iter().cloned().map(Pattern::Member);
                // Back to front, so that the paths come in order.
                let steps: Vec<Pattern> = members.chain(nothing).collect();
                open.extend(steps.into_iter().rev().map(|step| {
                    let mut longer = path.clone();
                    longer.push(step);
                    longer
                }));
            }
        }
        silent
    }
}

fn shown_step(step: &Pattern) -> String {
    match step {
        Pattern::Member(name) => crate::check::expr::spell::label(name),
        other => other.to_string(),
    }
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "step" } else { "steps" }
}

fn spoken(names: &[String]) -> String {
    match names.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// Whether a pattern takes everything that another takes: it is no longer, and each step is the same or
/// anything.
fn covers(pattern: &[Pattern], other: &[Pattern]) -> bool {
    pattern.len() <= other.len()
        && pattern.iter().zip(other).all(|(step, other)| *step == Pattern::Any || step == other)
}

/// Whether a pattern takes something below a path.
fn touches(pattern: &[Pattern], path: &[Pattern]) -> bool {
    pattern.iter().zip(path).all(|(step, of)| *step == Pattern::Any || step == of)
}
