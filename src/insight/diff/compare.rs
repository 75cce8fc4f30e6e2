//! Which sets belong together, and how each pair differs.

use super::super::declared::{self, Kind, MOST_PATHS};
use super::super::union::Union;
use super::{Difference, Entry, Status};
use crate::program::{NodeId, Program};
use crate::prove::{Decision, Example, Possibility, Prover, Reason};
use hashbrown::HashMap;
use std::cell::RefCell;
use std::rc::Rc;

/// A set of users by its condition in the united graph.
#[derive(Clone, Debug)]
struct Named {
    name: String,
    label: Option<String>,
    condition: NodeId,
    /// What stands in a play's text.
    said: Vec<NodeId>,
}

/// A declaration of either program.
#[derive(Clone, Debug)]
struct Rule {
    kind: Kind,
    name: String,
    label: Option<String>,
    /// Of a segment its condition; else its members.
    sets: Sets,
}

#[derive(Clone, Debug)]
enum Sets {
    One(NodeId),
    Members(Vec<Named>),
    /// Too many to be looked at one by one: the value.
    Whole(NodeId),
}

impl Rule {
    fn members(&self) -> &[Named] {
        match &self.sets {
            Sets::One(_) | Sets::Whole(_) => &[],
            Sets::Members(members) => members,
        }
    }

    fn entry(&self, status: Status) -> Entry {
        let members = match &self.sets {
            Sets::One(_) => None,
            Sets::Whole(_) => Some(Vec::new()),
            Sets::Members(members) => Some(members.iter().map(|member| member.entry(status)).collect()),
        };
        let name = self.name.clone();
        Entry { kind: Some(self.kind), label: self.label.clone(), members, ..plain(name, status) }
    }
}

impl Named {
    fn entry(&self, status: Status) -> Entry {
        Entry { label: self.label.clone(), ..plain(self.name.clone(), status) }
    }
}

fn plain(name: String, status: Status) -> Entry {
    Entry {
        kind: None,
        name,
        label: None,
        status,
        was: None,
        gained: None,
        lost: None,
        reason: None,
        members: None,
    }
}

/// The declarations of both.
pub(super) struct Pairs {
    old: Vec<Rule>,
    new: Vec<Rule>,
}

/// All sets of both programs, with their conditions in the united graph.
pub(super) fn pairs(old: &Program, new: &Program, united: &mut Union) -> Pairs {
    Pairs { old: rules(old, united, true), new: rules(new, united, false) }
}

fn rules(program: &Program, united: &mut Union, is_old: bool) -> Vec<Rule> {
    let mut rules = Vec::new();
    for declaration in &program.declarations {
        let kind = Kind::of(&declaration.kind);
        let here = |united: &Union, id: NodeId| if is_old { united.old(id) } else { id };
        let sets = match kind {
            Kind::Trait => continue,
            Kind::Segment => Sets::One(here(united, declaration.value)),
            _ => match declared::members(program, declaration) {
                None => Sets::Whole(here(united, declaration.value)),
                Some(members) => Sets::Members(
                    members
                        .into_iter()
                        .map(|member| Named {
                            name: member.name,
                            label: member.label,
                            condition: member.set.condition(united, &here),
                            said: member.said.iter().map(|id| here(united, *id)).collect(),
                        })
                        .collect(),
                ),
            },
        };
        let heading = &declaration.heading;
        rules.push(Rule { kind, name: heading.name.clone(), label: heading.label.clone(), sets });
    }
    rules
}

/// More pairs of a new and a gone name than this are not tried for renamings.
const MOST_RENAMINGS: usize = 10_000;

/// Holds sets against each other.
pub(super) struct Comparison<'a> {
    prover: &'a Prover<'a>,
    /// An example of each set that was looked at for a renaming; none where there is nobody.
    examples: RefCell<HashMap<NodeId, Option<Rc<Example>>>>,
}

impl<'a> Comparison<'a> {
    pub fn new(prover: &'a Prover<'a>) -> Self {
        Comparison { prover, examples: RefCell::default() }
    }

    /// The new declarations in order, then those that are gone.
    pub fn entries(&self, pairs: Pairs) -> Vec<Entry> {
        let Pairs { old, new } = pairs;
        let by_name = |rule: &Rule, among: &[Rule]| {
            among.iter().position(|known| known.name == rule.name && alike(known.kind, rule.kind))
        };
        let mut partner: Vec<Option<usize>> = new.iter().map(|rule| by_name(rule, &old)).collect();
        let mut gone: Vec<usize> = (0..old.len()).filter(|at| !partner.contains(&Some(*at))).collect();
        let fresh: Vec<usize> = (0..new.len()).filter(|at| partner.get(*at) == Some(&None)).collect();
        if fresh.len() * gone.len() <= MOST_RENAMINGS {
            for at in fresh {
                let Some(rule) = new.get(at) else { continue };
                let found = gone.iter().position(|old_at| {
                    old.get(*old_at)
                        .is_some_and(|known| known.kind == rule.kind && self.is_renamed(known, rule))
                });
                if let (Some(found), Some(place)) = (found, partner.get_mut(at)) {
                    *place = Some(gone.remove(found));
                }
            }
        }
        let mut entries: Vec<Entry> = Vec::new();
        for (rule, partner) in new.iter().zip(&partner) {
            entries.push(match partner.and_then(|at| old.get(at)) {
                Some(known) => self.compare(known, rule),
                None => rule.entry(Status::New),
            });
        }
        entries.extend(gone.iter().filter_map(|at| old.get(*at)).map(|rule| rule.entry(Status::Gone)));
        entries
    }

    /// Whether a rule is another under a new name: the same users throughout.
    fn is_renamed(&self, old: &Rule, new: &Rule) -> bool {
        match (&old.sets, &new.sets) {
            (Sets::One(old), Sets::One(new)) => self.is_same_and_somebody(*old, *new),
            (Sets::Whole(old), Sets::Whole(new)) => old == new,
            (Sets::Members(old), Sets::Members(new)) => {
                old.len() == new.len()
                    && !old.is_empty()
                    && new.iter().all(|member| {
                        old.iter().any(|known| self.is_same_and_somebody(known.condition, member.condition))
                    })
            }
            _ => false,
        }
    }

    fn example(&self, set: NodeId) -> Option<Rc<Example>> {
        if let Some(known) = self.examples.borrow().get(&set) {
            return known.clone();
        }
        let found = match self.prover.possible(set) {
            Possibility::Somebody(example) => Some(Rc::new(example)),
            _ => None,
        };
        self.examples.borrow_mut().insert(set, found.clone());
        found
    }

    fn is_same_and_somebody(&self, old: NodeId, new: NodeId) -> bool {
        let nobody = |goal: &[(NodeId, bool)]| self.prover.decide(goal) == Decision::Nobody;
        let Some(example) = self.example(new) else { return false };
        if old == new {
            return true;
        }
        // The example alone tells most pairs apart.
        if self.prover.tester(&[old]).holds(&example).first() == Some(&Some(false)) {
            return false;
        }
        nobody(&[(old, true), (new, false)]) && nobody(&[(old, false), (new, true)])
    }

    /// A rule and its counterpart.
    fn compare(&self, old: &Rule, new: &Rule) -> Entry {
        let was = (old.name != new.name).then(|| old.name.clone());
        match (&old.sets, &new.sets) {
            (Sets::One(old), Sets::One(condition)) => Entry {
                kind: Some(new.kind),
                label: new.label.clone(),
                was,
                ..self.set(new.name.clone(), *old, *condition)
            },
            (Sets::Whole(_), _) | (_, Sets::Whole(_)) => self.whole(old, new, was),
            _ => {
                let members = self.members(old.members(), new.members(), new.kind == Kind::Stack);
                let status = status_of(&members);
                let reason = None;
                Entry { was, reason, members: Some(members), ..Entry { members: None, ..new.entry(status) } }
            }
        }
    }

    /// A stack with very many paths: the same where it is put together in the same way.
    fn whole(&self, old: &Rule, new: &Rule, was: Option<String>) -> Entry {
        let same = matches!((&old.sets, &new.sets), (Sets::Whole(old), Sets::Whole(new)) if old == new);
        let status = if same { Status::Same } else { Status::Undecided };
        let reason = (!same).then(|| format!("it has more than {MOST_PATHS} paths"));
        Entry { was, reason, members: Some(Vec::new()), ..Entry { members: None, ..new.entry(status) } }
    }

    /// Members by name, then by their users. Paths that nobody can have are passed over.
    fn members(&self, old: &[Named], new: &[Named], paths: bool) -> Vec<Entry> {
        let empty =
            |member: &&Named| paths && self.prover.decide(&[(member.condition, true)]) == Decision::Nobody;
        let mut gone: Vec<&Named> = old
            .iter()
            .filter(|known| !new.iter().any(|member| member.name == known.name))
            .filter(|known| !empty(known))
            .collect();
        let is_shown = |member: &&Named| old.iter().any(|known| known.name == member.name) || !empty(member);
        let mut entries = Vec::new();
        for member in new.iter().filter(is_shown) {
            let entry = match old.iter().find(|known| known.name == member.name) {
                Some(known) => otherwise_said(
                    self.set(member.name.clone(), known.condition, member.condition),
                    known,
                    member,
                ),
                None => {
                    let found = gone
                        .iter()
                        .position(|known| self.is_same_and_somebody(known.condition, member.condition));
                    match found {
                        Some(at) => Entry {
                            was: Some(gone.remove(at).name.clone()),
                            ..plain(member.name.clone(), Status::Same)
                        },
                        None => plain(member.name.clone(), Status::New),
                    }
                }
            };
            entries.push(Entry { label: member.label.clone(), ..entry });
        }
        entries.extend(gone.iter().map(|known| known.entry(Status::Gone)));
        entries
    }

    /// One set against another.
    fn set(&self, name: String, old: NodeId, new: NodeId) -> Entry {
        if old == new {
            return plain(name, Status::Same);
        }
        let gained = self.prover.find(&[(new, true), (old, false)]);
        let lost = self.prover.find(&[(old, true), (new, false)]);
        let status = match (Decision::from(&gained), Decision::from(&lost)) {
            (Decision::Nobody, Decision::Nobody) => Status::Same,
            (Decision::Somebody, Decision::Nobody) => Status::Wider,
            (Decision::Nobody, Decision::Somebody) => Status::Narrower,
            (Decision::Somebody, Decision::Somebody) => Status::Changed,
            _ => Status::Undecided,
        };
        let reason = match (&gained, &lost) {
            (Possibility::Undecided(reason), _) | (_, Possibility::Undecided(reason)) => Some(*reason),
            _ => None,
        };
        Entry {
            gained: self.difference(gained),
            lost: self.difference(lost),
            reason: reason.map(|reason: Reason| declared::because(reason).to_owned()),
            ..plain(name, status)
        }
    }

    fn difference(&self, found: Possibility) -> Option<Difference> {
        let Possibility::Somebody(example) = found else { return None };
        let program = self.prover.program();
        let Example { region, .. } = &example;
        Some(Difference {
            region: region.clone(),
            sentence: example.sentence(program),
            example: example.witness(program),
        })
    }
}

/// A text for the same users whose values are other ones is not the same.
fn otherwise_said(entry: Entry, old: &Named, new: &Named) -> Entry {
    if entry.status != Status::Same || old.said == new.said {
        return entry;
    }
    let reason = "the same users; what stands in the braces is worked out otherwise";
    Entry { status: Status::Changed, reason: Some(reason.to_owned()), ..entry }
}

/// A layer may become a grid and the other way round: its members are compared all the same.
fn alike(a: Kind, b: Kind) -> bool {
    let partition = |kind| matches!(kind, Kind::Layer | Kind::Grid);
    a == b || partition(a) && partition(b)
}

/// Of a layer by its members.
fn status_of(members: &[Entry]) -> Status {
    let same = |entry: &Entry| entry.status == Status::Same && entry.was.is_none();
    if members.iter().all(same) {
        Status::Same
    } else if members.iter().all(|entry| same(entry) || entry.status == Status::Undecided) {
        Status::Undecided
    } else {
        Status::Changed
    }
}
