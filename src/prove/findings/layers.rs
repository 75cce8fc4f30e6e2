//! Layers and grids: whether members exclude each other (E0402) and leave nobody out (E0403).

use super::super::group::Group;
use super::super::solver::{Literal, Outcome, Sat};
use super::super::{Example, Possibility, Reason};
use super::conditions::one_line;
use super::{Look, because, whose};
use crate::diagnostic::codes::logic;
use crate::diagnostic::{Diagnostic, Span};
use crate::program::{Declaration, DeclarationKind, Layer, Line, NodeId};

/// So many overlaps of one layer are shown.
const MOST_OVERLAPS: usize = 50;

/// Two lines that one user can be on.
struct Overlap {
    first: usize,
    second: usize,
    outcome: Result<Example, Reason>,
}

impl Look<'_> {
    /// Looks at every layer and grid.
    pub(super) fn layers(&mut self) {
        let program = self.program();
        for (at, declaration) in program.declarations.iter().enumerate() {
            if let DeclarationKind::Layer(layer) = &declaration.kind {
                if layer.first_match {
                    self.shadowed_lines(&layer.lines);
                } else {
                    self.overlaps(at, declaration, layer);
                    self.idle_otherwise(&layer.lines);
                }
                if !layer.partial && layer.lines.iter().all(|line| line.condition.is_some()) {
                    self.gap(at, declaration, layer);
                }
            }
        }
    }

    fn overlaps(&mut self, at: usize, declaration: &Declaration, layer: &Layer) {
        let conditions: Vec<(usize, &Line, NodeId)> = layer
            .lines
            .iter()
            .enumerate()
            .filter_map(|(at, line)| Some((at, line, line.condition?)))
            .collect();
        let found = self.find_overlaps(&conditions);
        if found.is_empty() {
            self.found.proved_overlaps.push(at);
        }
        let more = found.len() >= MOST_OVERLAPS;
        let mut open = None;
        let shown: Vec<(usize, usize)> = found
            .iter()
            .filter(|overlap| overlap.outcome.is_ok())
            .map(|overlap| (overlap.first, overlap.second))
            .collect();
        for overlap in found {
            let lines = (layer.lines.get(overlap.first), layer.lines.get(overlap.second));
            let (Some(first), Some(second)) = lines else { continue };
            match overlap.outcome {
                Ok(example) => {
                    let last = shown.last() == Some(&(overlap.first, overlap.second)) && more;
                    self.report_overlap(layer, first, second, &example, last);
                }
                Err(reason) => open = open.or(Some((reason, first.clone(), second.clone()))),
            }
        }
        if let Some((reason, first, second)) = open {
            self.found.open_overlaps.push(at);
            let name = |line: &Line| member(layer, line).to_owned();
            let pair = if first.member == second.member {
                format!("whether members of `{}` exclude each other", declaration.heading.name)
            } else {
                format!(
                    "whether `{}` and `{}` of `{}` exclude each other",
                    name(&first),
                    name(&second),
                    declaration.heading.name
                )
            };
            self.report(
                Diagnostic::new(
                    logic::UNDECIDED,
                    declaration.heading.place,
                    format!("it could not be decided {pair}: {}", because(reason)),
                )
                .help("each run counts the users concerned and fails if there are any; `first match` lets the earlier line win"),
            );
        }
    }

    /// All pairs of lines, of different members, that one user can be on. One search asks whether any
    /// two can; only where they can, the pair is put aside and the next looked for.
    fn find_overlaps(&self, lines: &[(usize, &Line, NodeId)]) -> Vec<Overlap> {
        let roots: Vec<NodeId> = lines.iter().map(|(_, _, id)| *id).collect();
        let mut group = Group::new(&self.prover.world, &roots);
        // Several lines of a grid may lead to one member, and may overlap.
        let mut members: Vec<(u32, Vec<Literal>)> = Vec::new();
        // A line that is chosen holds; one that holds need not be chosen, so that a pair put aside
        // leaves the user's other pairs to be found.
        let literals: Vec<Literal> = lines
            .iter()
            .map(|(_, _, id)| {
                let (holds, chosen) = (group.condition(*id), group.gates.solver.variable());
                group.always(&[!chosen, holds]);
                chosen
            })
            .collect();
        for ((_, line, _), literal) in lines.iter().zip(&literals) {
            match members.iter_mut().find(|(member, _)| *member == line.member) {
                Some((_, own)) => own.push(*literal),
                None => members.push((line.member, vec![*literal])),
            }
        }
        let claims: Vec<Literal> = members.into_iter().map(|(_, own)| group.gates.or(own)).collect();
        let counts = group.gates.counts(&claims, 2);
        let two = counts.get(1).copied().unwrap_or(Literal::FALSE);
        let guard = group.gates.solver.variable();
        let mut found = Vec::new();
        while found.len() < MOST_OVERLAPS {
            let outcome = group.settle(&[two, guard], self.prover.budget);
            let pair = match outcome {
                Outcome::Unsatisfiable => break,
                Outcome::GaveUp => {
                    if let Some((first, second)) = ends(lines) {
                        found.push(Overlap { first, second, outcome: Err(Reason::Budget) });
                    }
                    break;
                }
                Outcome::Satisfiable => {
                    let holding: Vec<usize> = (0..lines.len())
                        .filter(|at| {
                            literals.get(*at).is_some_and(|literal| group.gates.solver.value(*literal))
                        })
                        .collect();
                    first_pair(lines, &holding)
                }
            };
            let Some((a, b)) = pair else { break };
            let (Some((first, _, a_id)), Some((second, _, b_id))) = (lines.get(a), lines.get(b)) else {
                break;
            };
            // A proof about two conditions needs those two only.
            match self.prover.overlap(*a_id, *b_id) {
                Possibility::Somebody(example) => {
                    found.push(Overlap { first: *first, second: *second, outcome: Ok(example) });
                }
                Possibility::Undecided(reason) => {
                    found.push(Overlap { first: *first, second: *second, outcome: Err(reason) });
                }
                Possibility::Nobody => {}
            }
            let (Some(a), Some(b)) = (literals.get(a), literals.get(b)) else { break };
            group.always(&[!guard, !*a, !*b]);
            if self.prover.budget.is_over() {
                found.push(Overlap { first: *first, second: *second, outcome: Err(Reason::Budget) });
                break;
            }
        }
        found.sort_by_key(|overlap| (overlap.first, overlap.second));
        found
    }

    fn report_overlap(&mut self, layer: &Layer, first: &Line, second: &Line, example: &Example, more: bool) {
        let (a, b) = (member(layer, first), member(layer, second));
        let place = |line: &Line| {
            line.condition.and_then(|id| self.condition_within(id, line.place)).unwrap_or(line.place)
        };
        let (a_place, b_place) = (place(first), place(second));
        let finding = Diagnostic::new(
            logic::OVERLAP,
            b_place,
            format!("`{a}` and `{b}` overlap{}", whose(&example.region)),
        )
        .here(format!("`{b}` takes them"))
        .label(a_place, format!("`{a}` takes them too"));
        let exclude = self.excluding(layer, first, second, b_place);
        let finding = match exclude {
            Some(text) => finding
                .help(format!(
                    "where `{a}` shall win, write `{}`, or let earlier lines win with `first match`",
                    one_line(&text)
                ))
                .fix(b_place, text),
            None => finding.help("make one of them narrower, or let earlier lines win with `first match`"),
        };
        let finding = match more {
            true => Diagnostic {
                help: finding.help.map(|help| format!("{help}; more members of this layer overlap")),
                ..finding
            },
            false => finding,
        };
        let finding = self.with_example(finding, example);
        self.report(finding);
    }

    /// The second condition without the first's users, as text, where it still takes somebody.
    fn excluding(&self, layer: &Layer, first: &Line, second: &Line, place: Span) -> Option<String> {
        let (a, b) = (first.condition?, second.condition?);
        if layer.grid || !matches!(self.prover.find(&[(b, true), (a, false)]), Possibility::Somebody(_)) {
            return None;
        }
        let a_text = self.text(self.condition_within(a, first.place)?);
        let b_text = self.text(place);
        let b_text = match self.program().node(b).expr {
            crate::program::Expr::Or(_) => format!("({b_text})"),
            _ => b_text.to_owned(),
        };
        Some(format!("{b_text} and not ({a_text})"))
    }

    fn gap(&mut self, at: usize, declaration: &Declaration, layer: &Layer) {
        let goal: Vec<(NodeId, bool)> =
            layer.lines.iter().filter_map(|line| Some((line.condition?, false))).collect();
        let name = &declaration.heading.name;
        match self.prover.find(&goal) {
            Possibility::Nobody => self.found.proved_gaps.push(at),
            Possibility::Undecided(reason) => {
                self.found.open_gaps.push(at);
                self.report(
                    Diagnostic::new(
                        logic::UNDECIDED,
                        declaration.heading.place,
                        format!("it could not be decided whether `{name}` leaves anybody out: {}", because(reason)),
                    )
                    .help("each run counts the users concerned and fails if there are any; a last line with `otherwise` takes the rest"),
                );
            }
            Possibility::Somebody(example) => {
                let (mend, at_end) = self.filling(layer);
                let finding = Diagnostic::new(
                    logic::GAP,
                    declaration.heading.place,
                    format!("`{name}` leaves users out{}", whose(&example.region)),
                )
                .help(format!(
                    "give them a member, such as `{mend}`, or write `partial` if they shall have none"
                ));
                let finding = match at_end {
                    Some(end) => finding.fix(end, format!("\n  {mend}")),
                    None => finding,
                };
                let finding = self.with_example(finding, &example);
                self.report(finding);
            }
        }
    }

    /// A line that takes everybody else, and where it goes.
    fn filling(&self, layer: &Layer) -> (String, Option<Span>) {
        let taken = |name: &str| layer.members.iter().any(|member| member.name == name);
        let name =
            ["rest", "everyone_else", "remaining"].into_iter().find(|name| !taken(name)).unwrap_or("rest_");
        let mend = if layer.grid { format!("otherwise -> {name}") } else { format!("{name} otherwise") };
        (mend, layer.lines.last().map(|line| line.place.end_point()))
    }
}

/// The name of a line's member.
fn member<'a>(layer: &'a Layer, line: &Line) -> &'a str {
    layer.members.get(line.member as usize).map_or("", |member| member.name.as_str())
}

/// The first two of these that are of different members.
fn first_pair(lines: &[(usize, &Line, NodeId)], holding: &[usize]) -> Option<(usize, usize)> {
    let member = |at: usize| lines.get(at).map(|(_, line, _)| line.member);
    holding.iter().enumerate().find_map(|(place, a)| {
        holding.iter().skip(place + 1).find(|b| member(*a) != member(**b)).map(|b| (*a, *b))
    })
}

fn ends(lines: &[(usize, &Line, NodeId)]) -> Option<(usize, usize)> {
    Some((lines.first()?.0, lines.last()?.0))
}
