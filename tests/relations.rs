//! Holds `analyze` and `diff` to the truth: random small rule files, and every user that their columns
//! allow, each evaluated by the reference interpreter. `STRATA_RELATIONS=2000` is the long mode,
//! `STRATA_RELATIONS_SEED=17` runs one case.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that meets the unexpected is to stop"
)]

#[path = "differential/random.rs"]
#[expect(dead_code, reason = "others ask chance for more")]
mod random;

use random::Random;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;
use strata::check::{Options, SingleText, check_with};
use strata::insight::analyze::{Extent, Limits, analyze};
use strata::insight::diff::{Difference, Entry, Status, diff};
use strata::interpret;
use strata::program::{DeclarationKind, Program, Type, Value};
use strata::prove::Budget;
use strata::semantics::Facts;

/// Users by their number among all.
type Users = BTreeSet<usize>;

/// A user: the columns' values, a label by its text.
type MadeUp = (i64, Option<i64>, Option<&'static str>, bool, Option<u32>);

/// A rule file in pieces.
#[derive(Clone)]
struct Rules {
    /// Labels of the column `c`.
    labels: Vec<&'static str>,
    /// The most of the column `a`.
    most: i64,
    segments: Vec<(String, String)>,
    scale: [String; 2],
    layer: Vec<(String, String)>,
}

impl Rules {
    fn random(random: &mut Random) -> Rules {
        let mut rules = Rules {
            labels: vec!["x", "y", "z"],
            most: 4,
            segments: Vec::new(),
            scale: [String::new(), String::new()],
            layer: Vec::new(),
        };
        rules.scale = [condition(random, &[], 2), condition(random, &[], 1)];
        rules.layer = (0..3).map(|at| (format!("m{at}"), condition(random, &["skill >= mi"], 2))).collect();
        for at in 0..5 {
            let name = format!("s{at}");
            let text = rules.segment(random);
            rules.segments.push((name, text));
        }
        rules
    }

    fn segment(&self, random: &mut Random) -> String {
        let mut names: Vec<&str> = self.segments.iter().map(|(name, _)| name.as_str()).collect();
        names.extend(["skill = hi", "band = m1", "band != m0"]);
        condition(random, &names, 3)
    }

    /// Another version of the same file.
    fn changed(&self, random: &mut Random) -> Rules {
        let mut rules = self.clone();
        for at in 0..rules.segments.len() {
            match random.below(5) {
                0 => {
                    let extra = condition(random, &[], 1);
                    let word = *random.pick(&["and", "or"]);
                    rules.segments[at].1 = format!("({}) {word} ({extra})", rules.segments[at].1);
                }
                // Written otherwise, and the same.
                1 => rules.segments[at].1 = format!("not (not ({}))", rules.segments[at].1),
                _ => {}
            }
        }
        if random.percent(30) {
            let last = rules.segments.len() - 1;
            rules.segments[last].0 = "renamed".into();
        }
        if random.percent(40) {
            rules.layer[0].1 = condition(random, &[], 2);
        }
        if random.percent(30) {
            rules.layer[2].0 = "other".into();
        }
        if random.percent(30) {
            rules.scale[1] = condition(random, &[], 1);
        }
        match random.below(6) {
            0 => rules.labels = vec!["x", "y", "z", "w"],
            1 => rules.labels = vec!["z", "x", "y"],
            2 => rules.most = 5,
            _ => {}
        }
        rules
    }

    fn text(&self) -> String {
        let mut text = format!(
            "strata 1\nnow 2024-11-15\ntype level = lo < mi < hi\ntable users key id {{\n  id : int\n  \
             a : int between 0 and {}\n  b : int? between 0 and 3\n  c : {} ?\n  v : bool\n  l : level?\n}}\n\
             scale skill : level {{\n  hi when {}\n  mi when {}\n  lo otherwise\n}}\n\
             layer band first match partial {{\n",
            self.most,
            self.labels.join(" | "),
            self.scale[0],
            self.scale[1]
        );
        for (name, condition) in &self.layer {
            text += &format!("  {name} when {condition}\n");
        }
        text += "}\n";
        for (name, condition) in &self.segments {
            text += &format!("segment {name} when {condition}\n");
        }
        text
    }

    /// Every user: the columns' values, a label by its text.
    fn users(&self) -> Vec<MadeUp> {
        let mut users = Vec::new();
        for a in 0..=self.most {
            for b in [None, Some(0), Some(1), Some(2), Some(3)] {
                for c in [None].into_iter().chain(self.labels.iter().copied().map(Some)) {
                    for v in [false, true] {
                        for l in [None, Some(0), Some(1), Some(2)] {
                            users.push((a, b, c, v, l));
                        }
                    }
                }
            }
        }
        users
    }
}

/// A condition in text; names are conditions that it may use.
fn condition(random: &mut Random, names: &[&str], depth: usize) -> String {
    if depth == 0 || random.percent(25) {
        if !names.is_empty() && random.percent(30) {
            return (*random.pick(names)).to_owned();
        }
        let k = random.below(5);
        return match random.below(13) {
            0 | 1 => format!("a >= {k}"),
            2 => format!("a < {k}"),
            3 => format!("a = {k}"),
            4 => format!("b <= {}", k.min(3)),
            5 => "b is missing".into(),
            6 => format!("not (b > {})", k.min(2)),
            7 => {
                (*random.pick(&["c = x", "c != y", "c in (x, z)", "c is missing", "c not in (y, z)"])).into()
            }
            8 => "v".into(),
            9 => (*random.pick(&["l >= mi", "l = lo", "l != hi", "l is known"])).into(),
            10 => (*random.pick(&["a > b", "b >= a", "a = b"])).into(),
            11 => "at least 2 of (v, a > 2, c = z)".into(),
            _ => format!("(b or_else 0) + 0 <= {k}"),
        };
    }
    let (left, right) = (condition(random, names, depth - 1), condition(random, names, depth - 1));
    match random.below(5) {
        0 => format!("not ({left})"),
        1 | 2 => format!("({left}) and ({right})"),
        _ => format!("({left}) or ({right})"),
    }
}

fn program(text: &str) -> Program {
    let loader = SingleText { path: PathBuf::from("rules.seg"), text: text.to_owned() };
    let codes = ["E0401", "E0402", "E0403", "E0404", "W1101", "W1401", "W1402", "W1403", "W1405"];
    let known = codes.into_iter().filter(|code| strata::diagnostic::Code::find(code).is_some());
    let options = Options { allow: known.map(str::to_owned).collect(), ..Options::default() };
    let checked = check_with(Path::new("rules.seg"), &loader, &options);
    checked.program.unwrap_or_else(|| panic!("{text}\n{:#?}", checked.diagnostics))
}

/// The users of each set, by name; of a layer's or scale's member by `layer = member`.
fn truth(program: &Program, users: &Rules) -> BTreeMap<String, Users> {
    let dated = program.at(program.now.unwrap());
    let labels = |name: &str| {
        let column = dated.program.users.as_ref().unwrap().columns.iter().find(|column| column.name == name);
        let Type::Label(ty) = column.unwrap().ty else { panic!("{name} has labels") };
        dated.program.types[ty.0 as usize].labels.clone()
    };
    let c_labels = labels("c");
    let mut sets: BTreeMap<String, Users> = BTreeMap::new();
    for (at, (a, b, c, v, l)) in users.users().into_iter().enumerate() {
        let int = |value: Option<i64>| value.map_or(Value::Missing, Value::Int);
        // A label that this program does not know is a missing value.
        let c = c.and_then(|c| c_labels.iter().position(|label| label == c)).map(|code| code as u32);
        let row = [
            Value::Int(1),
            Value::Int(a),
            int(b),
            c.map_or(Value::Missing, Value::Label),
            Value::Bool(v),
            l.map_or(Value::Missing, Value::Label),
        ];
        let values = interpret::evaluate(&dated, &Facts::default(), &row);
        for declaration in &dated.program.declarations {
            let name = &declaration.heading.name;
            let value = values.value(declaration.value);
            match &declaration.kind {
                DeclarationKind::Segment => {
                    let set = sets.entry(name.clone()).or_default();
                    if value.is_true() {
                        set.insert(at);
                    }
                }
                _ => {
                    let Type::Label(ty) = dated.program.node(declaration.value).ty else { continue };
                    for (code, label) in (0..).zip(&dated.program.types[ty.0 as usize].labels) {
                        let set = sets.entry(format!("{name} = {label}")).or_default();
                        if *value == Value::Label(code) {
                            set.insert(at);
                        }
                    }
                }
            }
        }
    }
    sets
}

/// All users who are like an example in what it says of them.
fn like(rules: &Rules, example: &strata::diagnostic::Witness) -> Users {
    let said = example.get("users").cloned().unwrap_or_default();
    let levels = ["lo", "mi", "hi"];
    let agrees = |name: &str, value: serde_json::Value| said.get(name).is_none_or(|said| *said == value);
    let users = rules.users().into_iter().enumerate();
    users
        .filter(|(_, (a, b, c, v, l))| {
            agrees("a", (*a).into())
                && agrees("b", (*b).into())
                && agrees("c", (*c).into())
                && agrees("v", (*v).into())
                && agrees("l", l.map(|l| levels[l as usize]).into())
        })
        .map(|(at, _)| at)
        .collect()
}

/// The seeds of this run.
fn seeds(usual: u64) -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    match number("STRATA_RELATIONS_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("STRATA_RELATIONS").unwrap_or(usual),
    }
}

#[track_caller]
fn holds_difference(found: &Option<Difference>, wanted: &Users, rules: &Rules, what: &str) {
    assert_eq!(found.is_some(), !wanted.is_empty(), "{what}: {found:?}");
    if let Some(found) = found {
        let like = like(rules, &found.example);
        assert!(!like.is_empty(), "{what}: there is no such user: {found:?}");
        assert!(like.is_subset(wanted), "{what}: not all who are like {found:?} are different");
    }
}

fn holds_entry(entry: &Entry, name: &str, was: &str, old: &Sets, new: &Sets, rules: &Rules, what: &str) {
    let what = &format!("{what}: {name} {entry:?}");
    let empty = Users::new();
    match entry.status {
        Status::New => assert!(new.contains_key(name) && !old.contains_key(name), "{what}"),
        Status::Gone => assert!(old.contains_key(name), "{what}"),
        Status::Undecided => panic!("{what}: there is nothing in these rules that cannot be decided"),
        status => {
            let (before, now) = (&old[was], &new[name]);
            let gained: Users = now.difference(before).copied().collect();
            let lost: Users = before.difference(now).copied().collect();
            let truth = match (gained.is_empty(), lost.is_empty()) {
                (true, true) => Status::Same,
                (false, true) => Status::Wider,
                (true, false) => Status::Narrower,
                (false, false) => Status::Changed,
            };
            assert_eq!(status, truth, "{what}");
            let (gained, lost) = if status == Status::Same { (empty.clone(), empty) } else { (gained, lost) };
            holds_difference(&entry.gained, &gained, rules, what);
            holds_difference(&entry.lost, &lost, rules, what);
        }
    }
    if entry.was.is_some() && name != was {
        assert!(!new[name].is_empty(), "{what}: an empty set is nobody's new name");
    }
}

type Sets = BTreeMap<String, Users>;

#[test]
fn every_difference_is_the_truth() {
    let mut statuses = BTreeSet::new();
    let mut renamed = 0;
    for seed in seeds(60) {
        let random = &mut Random::new(seed);
        let old_rules = Rules::random(random);
        let new_rules = old_rules.changed(random);
        let (old_text, new_text) = (old_rules.text(), new_rules.text());
        let (old, new) = (program(&old_text), program(&new_text));
        let budget = Budget::new(2_000_000, Duration::from_secs(600));
        let found = diff(&old, &new, new.now.unwrap(), budget);
        let (old_sets, new_sets) = (truth(&old, &new_rules), truth(&new, &new_rules));
        let what = format!("seed {seed}\n{old_text}\n{new_text}");
        for rule in &found.rules {
            match &rule.members {
                None => {
                    let was = rule.was.as_ref().unwrap_or(&rule.name);
                    renamed += usize::from(rule.was.is_some());
                    statuses.insert(rule.status.word());
                    holds_entry(rule, &rule.name, was, &old_sets, &new_sets, &new_rules, &what);
                }
                Some(members) => {
                    for member in members {
                        let was = member.was.as_ref().unwrap_or(&member.name);
                        let name = |member: &str| format!("{} = {member}", rule.name);
                        renamed += usize::from(member.was.is_some());
                        let (name, was) = (name(&member.name), name(was));
                        holds_entry(member, &name, &was, &old_sets, &new_sets, &new_rules, &what);
                    }
                }
            }
        }
        let segments = |rules: &Rules| rules.segments.iter().map(|(name, _)| name.clone()).collect();
        let (before, after): (BTreeSet<String>, BTreeSet<String>) =
            (segments(&old_rules), segments(&new_rules));
        let told: BTreeSet<String> = found
            .rules
            .iter()
            .filter(|rule| rule.members.is_none())
            .flat_map(|rule| [Some(rule.name.clone()), rule.was.clone()])
            .flatten()
            .collect();
        assert_eq!(told, before.union(&after).cloned().collect(), "{what}: each segment is told of");
        assert!(!diff(&old, &old, old.now.unwrap(), budget).changed, "{what}");
    }
    for status in ["same", "wider", "narrower", "changed"] {
        assert!(statuses.contains(status), "no case shows {status}");
    }
    assert!(renamed > 0, "no case shows a new name");
}

#[test]
fn every_relation_is_the_truth() {
    let mut seen = [0; 4];
    for seed in seeds(60) {
        let random = &mut Random::new(seed ^ 0x5eed);
        let rules = Rules::random(random);
        let text = rules.text();
        let program = program(&text);
        let sets = truth(&program, &rules);
        let names: Vec<&String> = rules.segments.iter().map(|(name, _)| name).collect();
        let limits = Limits { time: Duration::from_secs(600), ..Limits::default() };
        let found = analyze(&program, &program.at(program.now.unwrap()), limits);
        let what = format!("seed {seed}\n{text}\n{found:#?}");
        assert!(found.undecided.is_empty() && found.not_compared == 0, "{what}");
        let all = rules.users().len();
        for segment in &found.segments {
            let extent = match sets[&segment.name].len() {
                0 => Extent::Nobody,
                many if many == all => Extent::Everybody,
                _ => Extent::Somebody,
            };
            assert_eq!(segment.users, Some(extent), "{what}");
            if let Some(example) = &segment.example {
                assert!(like(&rules, example).is_subset(&sets[&segment.name]), "{what}");
            }
        }
        // Of equal sets the first stands for all.
        let mut heads: Vec<&String> = Vec::new();
        let mut equal: Vec<Vec<String>> = Vec::new();
        for name in &names {
            match heads.iter().position(|head| sets[*head] == sets[*name]) {
                Some(at) => equal[at].push((*name).clone()),
                None => {
                    heads.push(name);
                    equal.push(vec![(*name).clone()]);
                }
            }
        }
        equal.retain(|class| class.len() > 1);
        seen[0] += equal.len();
        assert_eq!(found.equal, equal, "{what}");
        heads.retain(|name| !sets[*name].is_empty());
        let mut within = BTreeSet::new();
        let (mut overlaps, mut disjoint) = (BTreeSet::new(), BTreeSet::new());
        for (place, a) in heads.iter().enumerate() {
            for (other, b) in heads.iter().enumerate() {
                let inside = |a: &String, b: &String| a != b && sets[a].is_subset(&sets[b]);
                if inside(a, b) && !heads.iter().any(|m| inside(a, m) && inside(m, b)) {
                    within.insert(((*a).clone(), (*b).clone()));
                }
                if place < other {
                    let pair = [(*a).clone(), (*b).clone()];
                    if sets[*a].is_disjoint(&sets[*b]) {
                        disjoint.insert(pair);
                    } else if !inside(a, b) && !inside(b, a) {
                        overlaps.insert(pair);
                    }
                }
            }
        }
        let found_within: BTreeSet<(String, String)> =
            found.within.iter().map(|edge| (edge.inner.clone(), edge.outer.clone())).collect();
        assert_eq!(found_within, within, "{what}");
        assert_eq!(found.disjoint.iter().cloned().collect::<BTreeSet<_>>(), disjoint, "{what}");
        let found_overlaps: BTreeSet<[String; 2]> =
            found.overlaps.iter().map(|overlap| overlap.segments.clone()).collect();
        assert_eq!(found_overlaps, overlaps, "{what}");
        for overlap in &found.overlaps {
            let [a, b] = &overlap.segments;
            let both: Users = sets[a].intersection(&sets[b]).copied().collect();
            let like = like(&rules, overlap.example.as_ref().unwrap());
            assert!(!like.is_empty() && like.is_subset(&both), "{what}\n{overlap:?}");
        }
        seen[1] += within.len();
        seen[2] += overlaps.len();
        seen[3] += disjoint.len();
    }
    assert!(seen.iter().all(|seen| *seen > 0), "equal, within, overlaps, disjoint: {seen:?}");
}
