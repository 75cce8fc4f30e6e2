//! Negated conditions that let in users whose value is missing although nothing in the rule speaks
//! of that (W1101).

use super::super::group::Group;
use super::super::search::Search;
use super::super::solver::Literal;
use super::super::words;
use super::Look;
use super::conditions::one_line;
use crate::diagnostic::codes::logic;
use crate::diagnostic::{Diagnostic, Span};
use crate::program::written::Root;
use crate::program::{Expr, NodeId};
use std::collections::BTreeSet;

/// A test that is negated where it stands.
struct Negated {
    /// The test.
    test: NodeId,
    /// The smallest written condition that negates it, and whether that does nothing else.
    place: Span,
    plain: bool,
    /// Whether it stands beside an `or` or under a `not`.
    enclosed: bool,
    /// What holds where it matters.
    context: Vec<Literal>,
}

impl Look<'_> {
    /// One finding for each value that was not thought of.
    pub(super) fn missing(&self, group: &mut Group<'_>, root: Root) -> Vec<Diagnostic> {
        let mut tests = Vec::new();
        self.negated(group, root.node, root.span, (false, false), &[], &mut tests);
        let mentioned = self.mentioned(root.node);
        let mut said: BTreeSet<NodeId> = BTreeSet::new();
        let mut found = Vec::new();
        for test in tests {
            for value in self.optional_operands(test.test) {
                let sources = self.sources_of(value);
                if said.contains(&value) || sources.iter().any(|id| mentioned.contains(id)) {
                    continue;
                }
                let missing = !group.known(value);
                let wanted: Vec<Literal> = test.context.iter().copied().chain([missing]).collect();
                let goal = [(root.node, true)];
                let wanted = with_goal(group, root.node, wanted);
                if let Search::Somebody(..) = group.search_with(&goal, &wanted, self.prover.budget) {
                    said.insert(value);
                    found.push(self.unthought(&test, value));
                }
            }
        }
        found
    }

    /// Tests that are negated, with what holds beside them. `state`: negated so far, enclosed so far.
    fn negated(
        &self,
        group: &mut Group<'_>,
        id: NodeId,
        within: Span,
        state: (bool, bool),
        context: &[Literal],
        found: &mut Vec<Negated>,
    ) {
        let (negative, enclosed) = state;
        match &self.program().node(id).expr {
            Expr::Not(inner) => {
                let Some(place) = self.place_within(*inner, within) else {
                    // `x != y`, `x not in …`: the negation is the test's own.
                    if !negative && self.is_test(*inner) {
                        found.push(Negated {
                            test: *inner,
                            place: within,
                            plain: true,
                            enclosed,
                            context: context.to_vec(),
                        });
                    }
                    return;
                };
                if place.named {
                    return;
                }
                if !negative && self.is_test(*inner) {
                    found.push(Negated {
                        test: *inner,
                        place: within,
                        plain: true,
                        enclosed,
                        context: context.to_vec(),
                    });
                } else {
                    self.negated(group, *inner, place.span, (!negative, true), context, found);
                }
            }
            Expr::And(parts) | Expr::Or(parts) => {
                let all = matches!(self.program().node(id).expr, Expr::And(_)) != negative;
                for part in parts {
                    let Some(place) = self.place_within(*part, within).filter(|place| !place.named) else {
                        continue;
                    };
                    let mut beside = context.to_vec();
                    for other in parts.iter().filter(|other| *other != part) {
                        // What matters is where the others do not decide.
                        let literal = group.condition(*other);
                        beside.push(if all != negative { literal } else { !literal });
                    }
                    self.negated(group, *part, place.span, (negative, enclosed || !all), &beside, found);
                }
            }
            _ if negative && self.is_test(id) => {
                found.push(Negated {
                    test: id,
                    place: within,
                    plain: false,
                    enclosed: true,
                    context: context.to_vec(),
                });
            }
            _ => {}
        }
    }

    fn is_test(&self, id: NodeId) -> bool {
        matches!(
            self.program().node(id).expr,
            Expr::Compare { .. }
                | Expr::InSet { .. }
                | Expr::TextTest { .. }
                | Expr::Matches { .. }
                | Expr::IsTrue(_)
                | Expr::AnniversaryWithin { .. }
                | Expr::Workday(_)
        ) || matches!(&self.program().node(id).expr, Expr::And(parts) | Expr::Or(parts)
                // A range or set of one value, which has no written parts.
                if parts.iter().all(|part| self.is_test(*part)) && self.one_value(parts))
    }

    /// Whether tests are all of the same value and are not written one by one.
    fn one_value(&self, parts: &[NodeId]) -> bool {
        let values: BTreeSet<NodeId> = parts.iter().flat_map(|part| self.optional_operands(*part)).collect();
        let from = |node: NodeId| self.written.parts.binary_search_by_key(&node, |part| part.node).is_ok();
        values.len() <= 1 && !parts.iter().any(|part| from(*part))
    }

    /// The values that a test needs and that may be missing.
    fn optional_operands(&self, test: NodeId) -> Vec<NodeId> {
        let node = self.program().node(test);
        match &node.expr {
            Expr::And(parts) | Expr::Or(parts) => {
                let all: BTreeSet<NodeId> =
                    parts.iter().flat_map(|part| self.optional_operands(*part)).collect();
                all.into_iter().collect()
            }
            expr => expr.operands().into_iter().filter(|id| self.program().node(*id).optional).collect(),
        }
    }

    /// The optional attributes that a value comes from; itself where there are none.
    fn sources_of(&self, value: NodeId) -> BTreeSet<NodeId> {
        let world = &self.prover.world;
        let mut sources: BTreeSet<NodeId> = world
            .cone(&[value])
            .into_iter()
            .filter(|id| {
                let node = world.program.node(*id);
                world.is_given(&node.expr) && node.optional
            })
            .collect();
        sources.insert(value);
        sources
    }

    /// Whatever a rule asks to be known or missing, or has a default for.
    fn mentioned(&self, root: NodeId) -> BTreeSet<NodeId> {
        let world = &self.prover.world;
        let mut mentioned = BTreeSet::new();
        for id in world.cone(&[root]) {
            if let Expr::IsKnown(value) | Expr::OrElse(value, _) = &world.program.node(id).expr {
                mentioned.extend(self.sources_of(*value));
            }
        }
        mentioned
    }

    fn unthought(&self, test: &Negated, value: NodeId) -> Diagnostic {
        let name = words::name(&self.prover.world, value);
        let text = one_line(self.text(test.place));
        let finding = Diagnostic::new(
            logic::MISSING_LET_IN,
            test.place,
            format!("this lets in users whose `{name}` is missing"),
        );
        if !test.plain {
            return finding.help(format!(
                "say what shall become of them: add `{name} is known`, or `or {name} is missing`"
            ));
        }
        let mended = format!("{name} is known and {}", self.text(test.place));
        let mended = if test.enclosed { format!("({mended})") } else { mended };
        finding
            .help(format!("write `{name} is known and {text}`; if they shall be in, `{text} or {name} is missing` says so"))
            .fix(test.place, mended)
    }
}

fn with_goal(group: &mut Group<'_>, root: NodeId, mut wanted: Vec<Literal>) -> Vec<Literal> {
    wanted.push(group.condition(root));
    wanted
}
