//! Whole conditions that are never or always true (E0401, W1401), and parts of them that change
//! nothing (W1402).

use super::super::group::Group;
use super::super::search::Search;
use super::super::solver::Literal;
use super::super::{Decision, Reason};
use super::Look;
use crate::diagnostic::codes::logic;
use crate::diagnostic::{Diagnostic, Span};
use crate::program::written::{Role, Root};
use crate::program::{Expr, NodeId};

impl Look<'_> {
    /// Looks at every whole condition once.
    pub(super) fn conditions(&mut self) {
        let mut roots = self.written.roots.clone();
        roots.sort_by_key(|root| root.span);
        roots.dedup();
        for root in roots {
            if self.prover.budget.is_over() {
                self.unlooked.push(root.span);
                continue;
            }
            self.condition(root);
        }
    }

    fn condition(&mut self, root: Root) {
        let world = &self.prover.world;
        // The group borrows the world, findings are reported once it is gone.
        let mut found = Vec::new();
        let mut group = Group::new(world, &[root.node]);
        match group.search(&[(root.node, true)], self.prover.budget) {
            Search::Nobody(_) => found.push(self.never(root)),
            Search::Open(Reason::Budget) => found.push(self.undecided(root, Reason::Budget)),
            Search::Open(reason) => found.push(self.undecided(root, reason)),
            Search::Somebody(..) => match group.search(&[(root.node, false)], self.prover.budget) {
                Search::Nobody(_) => {
                    if root.role != Role::GridLine {
                        found.push(always(root));
                    }
                }
                _ => {
                    if root.role != Role::GridLine {
                        let mut idle = Vec::new();
                        self.idle_parts(&mut group, root.node, root.span, &[], &mut idle);
                        found.extend(idle);
                        found.extend(self.missing(&mut group, root));
                    }
                }
            },
        }
        self.found.diagnostics.extend(found);
    }

    fn never(&self, root: Root) -> Diagnostic {
        let what = match root.role {
            Role::Where => "no event can ever keep this condition",
            _ => "this condition can never be true",
        };
        let finding = Diagnostic::new(logic::NEVER, root.span, what);
        // Which parts contradict each other.
        let clash = match &self.program().node(root.node).expr {
            Expr::And(parts) => self.clash(parts, root.span),
            _ => Vec::new(),
        };
        let texts: Vec<String> =
            clash.iter().map(|span| format!("`{}`", one_line(self.text(*span)))).collect();
        match texts.as_slice() {
            [] => finding.help("compare it with the values that the types and domains allow"),
            [one] => finding.help(format!("{one} can never be true, whatever else holds")),
            [rest @ .., last] => finding.help(format!("{} and {last} exclude each other", rest.join(", "))),
        }
    }

    /// The parts of an `and` that suffice to make it impossible.
    fn clash(&self, parts: &[NodeId], within: Span) -> Vec<Span> {
        let world = &self.prover.world;
        let mut kept: Vec<NodeId> = parts.to_vec();
        let mut group = Group::new(world, parts);
        for part in parts {
            let without: Vec<NodeId> = kept.iter().copied().filter(|other| other != part).collect();
            let literals: Vec<Literal> = without.iter().map(|id| group.condition(*id)).collect();
            if group.refuted(&literals, self.prover.budget).is_some() {
                kept = without;
            }
        }
        let places: Vec<Span> =
            kept.iter().filter_map(|id| self.place_within(*id, within)).map(|part| part.span).collect();
        if places.len() == kept.len() { places } else { Vec::new() }
    }

    fn undecided(&self, root: Root, reason: Reason) -> Diagnostic {
        Diagnostic::new(
            logic::UNDECIDED,
            root.span,
            format!("it could not be decided whether this can ever be true: {}", super::because(reason)),
        )
        .help("see whether it can be said with comparisons of one attribute each")
    }

    /// Parts without which, or without whose alternative, the whole is the same. `context` holds
    /// where the part matters.
    fn idle_parts(
        &self,
        group: &mut Group<'_>,
        id: NodeId,
        within: Span,
        context: &[(NodeId, bool)],
        found: &mut Vec<Diagnostic>,
    ) {
        let (parts, all) = match &self.program().node(id).expr {
            Expr::And(parts) => (parts, true),
            Expr::Or(parts) => (parts, false),
            Expr::Not(inner) => {
                if let Some(place) = self.own_place(*inner, within) {
                    self.idle_parts(group, *inner, place, context, found);
                }
                return;
            }
            _ => return,
        };
        let mut kept: Vec<(usize, NodeId)> = parts.iter().copied().enumerate().collect();
        let mut places: Vec<Option<Span>> = parts.iter().map(|part| self.own_place(*part, within)).collect();
        // Later parts are the likelier repetition of earlier ones.
        for (at, part) in parts.iter().enumerate().rev() {
            let Some(place) = places.get(at).copied().flatten() else { continue };
            let beside = beside(&kept, at, all, context);
            // Of an `and` it is idle if it holds anyway, of an `or` if it never adds anybody.
            let against: Vec<(NodeId, bool)> = beside.into_iter().chain([(*part, !all)]).collect();
            // Whoever says what becomes of missing values has a reason to.
            if !self.is_settled(*part) && group.is_nobody(&against, self.prover.budget) {
                kept.retain(|(other, _)| *other != at);
                if let Some(place) = places.get_mut(at) {
                    *place = None;
                }
                found.push(self.idle(group, *part, place, all));
            }
        }
        for (at, part) in parts.iter().enumerate() {
            if let Some(place) = places.get(at).copied().flatten() {
                let beside = beside(&kept, at, all, context);
                self.idle_parts(group, *part, place, &beside, found);
            }
        }
    }

    /// Where a part stands in this very condition, and not only by its name.
    fn own_place(&self, id: NodeId, within: Span) -> Option<Span> {
        self.place_within(id, within).map(|part| part.span).filter(|span| *span != within || self.is_leaf(id))
    }

    /// Whether a part speaks of missing values, or is decided by the clock alone.
    fn is_settled(&self, id: NodeId) -> bool {
        match &self.program().node(id).expr {
            Expr::IsKnown(_) | Expr::Constant(_) => true,
            Expr::Not(inner) => matches!(self.program().node(*inner).expr, Expr::IsKnown(_)),
            _ => false,
        }
    }

    fn is_leaf(&self, id: NodeId) -> bool {
        !matches!(self.program().node(id).expr, Expr::And(_) | Expr::Or(_) | Expr::Not(_))
    }

    fn idle(&self, group: &mut Group<'_>, part: NodeId, place: Span, all: bool) -> Diagnostic {
        let impossible = !all && group.is_nobody(&[(part, true)], self.prover.budget);
        let message = if impossible {
            "this part can never be true"
        } else if all {
            "this part changes nothing: it is true wherever the rest is"
        } else {
            "this part changes nothing: whoever it takes in is in already"
        };
        Diagnostic::new(logic::IDLE_PART, place, message).help(format!(
            "leave `{}` out, or mend it if something else was meant",
            one_line(self.text(place))
        ))
    }

    /// Whether two conditions are proved to be the same.
    pub(super) fn same(&self, a: NodeId, b: NodeId) -> bool {
        a == b
            || [(a, b), (b, a)]
                .into_iter()
                .all(|(in_it, out)| self.prover.decide(&[(in_it, true), (out, false)]) == Decision::Nobody)
    }
}

/// What holds beside a part: the others of an `and`, none of the others of an `or`.
fn beside(kept: &[(usize, NodeId)], at: usize, all: bool, context: &[(NodeId, bool)]) -> Vec<(NodeId, bool)> {
    let others = kept.iter().filter(|(other, _)| *other != at).map(|(_, id)| (*id, all));
    context.iter().copied().chain(others).collect()
}

fn always(root: Root) -> Diagnostic {
    let (what, help) = match root.role {
        Role::Where => {
            ("every event keeps this condition", "leave it out, or mend it if something else was meant")
        }
        Role::Member => (
            "this condition is always true",
            "write `otherwise` on the last line, or mend it if something else was meant",
        ),
        _ => ("this condition is always true", "mend it if something else was meant"),
    };
    Diagnostic::new(logic::ALWAYS, root.span, what).help(help)
}

/// A text on one line, cut where it is long.
pub(super) fn one_line(text: &str) -> String {
    const MOST: usize = 80;
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if flat.chars().count() <= MOST { flat } else { flat.chars().take(MOST).chain(['…']).collect() }
}
