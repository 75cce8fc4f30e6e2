//! Stacks, plays, splits, guards and tests as text.

use super::{Printer, label, name, string};
use crate::program::{
    Audience, Decimal, GuardEnd, Measure, NodeId, Play, Program, Split, Stack, StepPattern, TestRow, TextArm,
    TextFormat, TextPart, Type, Value,
};
use std::fmt::Write as _;

/// A step of a path pattern as it is written.
fn pattern_step(step: &StepPattern) -> String {
    match step {
        StepPattern::Member(name) => label(name),
        other => other.to_string(),
    }
}

impl Printer<'_> {
    pub(super) fn stack(&mut self, heading: &str, stack: &Stack) {
        let _ = writeln!(self.out, "stack {heading} on {} {{", name(&stack.base));
        let members = match &self.program.node(stack.value).ty {
            Type::Label(ty) => self.program.label_type(*ty).map(|ty| ty.labels.as_slice()).unwrap_or(&[]),
            _ => &[],
        };
        for (member, steps) in members.iter().zip(&stack.paths) {
            if steps.is_empty() {
                continue;
            }
            let steps: Vec<String> = steps.iter().map(|step| written_name(&step.name)).collect();
            let _ = writeln!(self.out, "  {} by {}", label(member), steps.join(", "));
        }
        self.out.push_str("}\n");
    }

    pub(super) fn play(&mut self, heading: &str, play: &Play) {
        let _ = writeln!(self.out, "play {heading} for {} {{", name(&play.of));
        for line in &play.lines {
            let pattern: Vec<String> = match play.audience {
                Audience::Segment => vec![name(&play.of)],
                _ => line.pattern.iter().map(pattern_step).collect(),
            };
            let when = line.when.map_or(String::new(), |id| format!(" when {}", self.expression(id)));
            let text = self.template(&line.parts);
            let _ = writeln!(self.out, "  {}{when} -> {text}", pattern.join("/"));
        }
        self.out.push_str("}\n");
    }

    /// A text with its values in braces.
    fn template(&self, parts: &[TextPart]) -> String {
        let mut text = "\"".to_owned();
        for part in parts {
            match part {
                TextPart::Literal(literal) => {
                    let quoted = string(&literal.replace('{', "{{").replace('}', "}}"));
                    let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
                    text.push_str(inner.unwrap_or_default());
                }
                TextPart::Value(id, format) => {
                    let value = self.expression(self.labelled(*id).unwrap_or(*id));
                    let _ = match format {
                        TextFormat::Plain | TextFormat::Step => write!(text, "{{{value}}}"),
                        TextFormat::Digits(digits) => write!(text, "{{{value}:.{digits}}}"),
                        TextFormat::Time(pattern) => write!(text, "{{{value}:{pattern}}}"),
                    };
                }
            }
        }
        text.push('"');
        text
    }

    /// The labelled value of which this is the text.
    fn labelled(&self, id: NodeId) -> Option<NodeId> {
        self.program.label_of_text(id)
    }

    /// Texts that no declaration has.
    pub(super) fn texts(&self, arms: &[TextArm]) -> String {
        let mut text = "case {".to_owned();
        for arm in arms {
            let _ =
                write!(text, " when {} then {}", self.expression(arm.condition), self.template(&arm.parts));
        }
        text + " }"
    }

    pub(super) fn split(&mut self, heading: &str, split: &Split) {
        let of = split.of.as_deref().map_or("all".to_owned(), name);
        let _ = writeln!(self.out, "split {heading} of {of} seed {} {{", string(&split.seed));
        for arm in &split.arms {
            let _ = writeln!(self.out, "  {} {}", Self::heading(&arm.heading), percent(arm.share));
        }
        self.out.push_str("}\n");
    }

    pub(super) fn assertions(&mut self) {
        for assertion in &self.program.assertions {
            let word = if assertion.always { "always" } else { "never" };
            let condition = self.expression(assertion.condition);
            let _ = writeln!(self.out, "\nassert {word} ({condition})");
        }
    }

    pub(super) fn guards(&mut self) {
        for guard in &self.program.guards {
            let measure = match guard.measure {
                Measure::Count => "count",
                Measure::Share => "share",
            };
            let condition = self.expression(guard.condition);
            let value = |end: &GuardEnd| match guard.measure {
                Measure::Count => end.value.to_string(),
                Measure::Share => percent(end.value),
            };
            let range = match (&guard.low, &guard.high) {
                (Some(low), Some(high)) if low == high => format!("= {}", value(low)),
                (Some(low), Some(high)) => format!("between {} and {}", value(low), value(high)),
                (Some(low), None) => format!("{} {}", if low.inclusive { ">=" } else { ">" }, value(low)),
                (None, Some(high)) => format!("{} {}", if high.inclusive { "<=" } else { "<" }, value(high)),
                (None, None) => String::new(),
            };
            let _ = writeln!(self.out, "\nguard {measure}({condition}) {range}");
        }
    }

    pub(super) fn tests(&mut self) {
        let program = self.program;
        for test in &program.tests {
            let _ = writeln!(self.out, "\ntest {} {{", string(&test.name));
            if let Some(now) = test.now {
                let _ = writeln!(self.out, "  now {}", self.calendar.timestamp(now));
            }
            if let Some(users) = &program.users {
                self.given(&users.name, &columns(program, None), &test.users);
            }
            for (table, rows) in test.events.iter().enumerate() {
                if let Some(events) = program.events.get(table) {
                    self.given(&events.table.name, &columns(program, Some(table)), rows);
                }
            }
            for expectation in &test.expectations {
                let _ = writeln!(self.out, "  expect {}", self.expression(expectation.condition));
            }
            self.out.push_str("}\n");
        }
    }

    fn given(&mut self, table: &str, columns: &[(String, Type)], rows: &[TestRow]) {
        if rows.is_empty() {
            return;
        }
        let mut shown = Vec::new();
        for row in rows {
            let values: Vec<String> = columns
                .iter()
                .zip(&row.values)
                .filter_map(|((column, ty), value)| {
                    let written = match value.as_ref()? {
                        Value::Missing => "missing".to_owned(),
                        value => self.value(value, ty),
                    };
                    Some(format!("{}: {written}", name(column)))
                })
                .collect();
            shown.push(format!("{{ {} }}", values.join(", ")));
        }
        let _ = writeln!(self.out, "  given {} {}", name(table), shown.join(",\n    "));
    }
}

fn columns(program: &Program, events: Option<usize>) -> Vec<(String, Type)> {
    let table = match events {
        None => program.users.as_ref(),
        Some(at) => program.events.get(at).map(|events| &events.table),
    };
    let columns = table.map(|table| table.columns.as_slice()).unwrap_or(&[]);
    columns.iter().map(|column| (column.name.clone(), column.ty.clone())).collect()
}

/// A name that may be qualified: `value.r`.
fn written_name(text: &str) -> String {
    text.split('.').map(name).collect::<Vec<_>>().join(".")
}

/// A share as `10%`.
pub fn percent(share: Decimal) -> String {
    let scaled = match share.scale {
        0 => Decimal { unscaled: share.unscaled * 100, scale: 0 },
        1 => Decimal { unscaled: share.unscaled * 10, scale: 0 },
        scale => Decimal { unscaled: share.unscaled, scale: scale - 2 },
    };
    format!("{scaled}%")
}
