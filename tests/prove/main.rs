//! Proofs against the truth. Every user of a small schema is evaluated by the reference interpreter:
//! each finding about random rules is so, each silence too, and each example user shows what it is to
//! show, whatever the attributes that it leaves out. `STRATA_PROVE=20000` is the long mode.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may stop at what it does not expect"
)]

mod behaviour;
mod diagram;
mod model;
#[path = "../differential/random.rs"]
#[expect(dead_code, reason = "others ask chance for more")]
mod random;

use model::{COLUMNS, NOW, SCHEMA, Truth, condition, users};
use random::Random;
use std::collections::BTreeSet;
use std::path::Path;
use strata::check::{Options, Proofs, SingleText, check_with};
use strata::diagnostic::{Diagnostic, Sources};
use strata::interpret::evaluate;
use strata::program::{DeclarationKind, Program, Value};
use strata::prove::{Possibility, Prover, Verdict};
use strata::semantics::Facts;

fn cases() -> u64 {
    std::env::var("STRATA_PROVE").ok().and_then(|text| text.parse().ok()).unwrap_or(300)
}

fn checked(text: &str, proofs: Proofs) -> (Option<Program>, Vec<Diagnostic>, Sources) {
    let single = SingleText { path: "rules.seg".into(), text: text.to_owned() };
    let checked = check_with(Path::new("rules.seg"), &single, &Options { proofs, ..Options::default() });
    (checked.program, checked.diagnostics, checked.sources)
}

/// A random program: a line of the text for each declaration or member.
fn program(random: &mut Random) -> String {
    let mut text = SCHEMA.to_owned();
    for segment in 0..3 {
        text += &format!("segment s{segment} when {}\n", condition(random, 2));
    }
    let members = 2 + random.below(3);
    let mode = *random.pick(&["", "", "partial", "first match", "first match partial"]);
    let otherwise = !mode.contains("partial") && random.percent(30);
    text += &format!("layer l {mode} {{\n");
    for member in 0..members {
        // Disjoint members are rare by chance, so that some are made of one another's complement.
        let own = match random.below(3) {
            0 => format!("{} and a = {member}", condition(random, 0)),
            1 => format!("b = {member}"),
            _ => condition(random, 1),
        };
        text += &format!("  m{member} when {own}\n");
    }
    if otherwise {
        text += "  rest otherwise\n";
    }
    text += "}\nscale c : level {\n";
    for member in ["high", "mid"] {
        text += &format!("  {member} when {}\n", condition(random, 1));
    }
    text += "  low otherwise\n}\nplay p for l {\n";
    for line in 0..4 {
        let whom = random.below(members + 1);
        let whom = if whom == members { "_".to_owned() } else { format!("m{whom}") };
        let when = if random.percent(60) { format!(" when {}", condition(random, 1)) } else { String::new() };
        text += &format!("  {whom}{when} -> \"text {line}\"\n");
    }
    text += "}\n";
    text += &format!("assert always ({})\n", condition(random, 2));
    text += &format!(
        "assert never ({} and {})\n",
        random.pick(&["s0", "l = m0", "c = high"]),
        random.pick(&["s1", "l = m1", "c = mid"])
    );
    text
}

type Row = Vec<Value>;

/// The users who are like an example: any value where it says nothing.
fn like<'a>(users: &'a [Row], finding: &Diagnostic) -> Vec<(usize, &'a Row)> {
    let witness = finding.witness.as_ref().unwrap();
    let said = &witness["users"];
    let fits = |user: &Row| {
        said.iter().all(|(name, json)| {
            let at = COLUMNS
                .iter()
                .position(|column| column == name)
                .unwrap_or_else(|| panic!("no column {name}"));
            match (&user[at], json) {
                (Value::Missing, json) => json.is_null(),
                (Value::Bool(a), json) => json.as_bool() == Some(*a),
                (Value::Int(a), json) => json.as_i64() == Some(*a),
                (Value::Label(code), json) => {
                    let labels = if *COLUMNS.get(at).unwrap() == "channel" {
                        ["x", "y", "z"]
                    } else {
                        ["low", "mid", "high"]
                    };
                    json.as_str() == Some(labels[*code as usize])
                }
                // Any text that no rule names is like any other, if no rule looks into it.
                // A text that no rule names is like any other that begins alike.
                (Value::Text(text), json) => json.as_str().is_some_and(|said| {
                    let kind = match said {
                        "p" | "pq" => said,
                        _ if said.starts_with('p') => "px",
                        _ => "r",
                    };
                    kind == text.as_ref()
                }),
                _ => false,
            }
        })
    };
    users.iter().enumerate().filter(|(_, user)| fits(user)).collect()
}

/// What a finding is about: its code and line.
fn line(sources: &Sources, finding: &Diagnostic) -> usize {
    let span = finding.span.unwrap();
    sources.get(span.file).unwrap().line_column(span.start as usize).line
}

fn check_one(seed: u64, users: &[Row]) {
    let mut random = Random::new(seed);
    let text = program(&mut random);
    let (bare, faults, _) = checked(&text, Proofs::None);
    let bare = bare.unwrap_or_else(|| panic!("{seed}: {faults:?}\n{text}"));
    let truth = Truth::new(&bare, users);
    let (_, found, sources) = checked(&text, Proofs::Generous);
    let lines: Vec<&str> = text.lines().collect();
    let line_of =
        |start: &str| lines.iter().position(|line| line.trim_start().starts_with(start)).unwrap() + 1;
    let mut expected: BTreeSet<(&str, usize, String)> = BTreeSet::new();
    let shown = |code: &str| -> BTreeSet<(String, usize, String)> {
        found
            .iter()
            .filter(|finding| finding.code.id() == code)
            .map(|finding| {
                let detail = if code == "E0402" {
                    finding.message.split(" overlap").next().unwrap().to_owned()
                } else {
                    String::new()
                };
                (code.to_owned(), line(&sources, finding), detail)
            })
            .collect()
    };
    let program = &truth.dated.program;
    let whole = |name: &str, holds: &[bool], expected: &mut BTreeSet<(&str, usize, String)>| {
        if holds.iter().all(|holds| !holds) {
            expected.insert(("E0401", line_of(name), String::new()));
        } else if holds.iter().all(|holds| *holds) {
            expected.insert(("W1401", line_of(name), String::new()));
        }
    };
    let mut sets: Vec<Vec<bool>> = Vec::new();
    for declaration in &program.declarations {
        let name = &declaration.heading.name;
        match &declaration.kind {
            DeclarationKind::Segment => {
                let holds = truth.of(declaration.value);
                whole(&format!("segment {name} "), &holds, &mut expected);
                if holds.contains(&true) && sets.contains(&holds) {
                    expected.insert(("W1403", line_of(&format!("segment {name} ")), String::new()));
                }
                sets.push(holds);
            }
            DeclarationKind::Layer(layer) => {
                let conditions: Vec<Option<Vec<bool>>> =
                    layer.lines.iter().map(|line| line.condition.map(|id| truth.of(id))).collect();
                for (at, holds) in conditions.iter().enumerate() {
                    if let Some(holds) = holds {
                        whole(&format!("m{at} when"), holds, &mut expected);
                    }
                }
                let mut left = vec![true; users.len()];
                for (at, holds) in conditions.iter().enumerate() {
                    let own = holds.clone().unwrap_or_else(|| vec![true; users.len()]);
                    let possible = own.contains(&true);
                    let reached = own.iter().zip(&left).any(|(own, left)| *own && *left);
                    let ordered = layer.first_match || holds.is_none();
                    if ordered && possible && !reached {
                        let name =
                            if holds.is_some() { format!("m{at} when") } else { "rest otherwise".to_owned() };
                        expected.insert(("E0404", line_of(&name), String::new()));
                    }
                    if !layer.first_match && holds.is_some() {
                        for (before, other) in conditions.iter().enumerate().take(at) {
                            if other.as_ref().unwrap().iter().zip(&own).any(|(a, b)| *a && *b) {
                                expected.insert((
                                    "E0402",
                                    line_of(&format!("m{at} when")),
                                    format!("`m{before}` and `m{at}`"),
                                ));
                            }
                        }
                    }
                    left.iter_mut().zip(&own).for_each(|(left, own)| *left &= !own);
                }
                if !layer.partial && left.contains(&true) {
                    expected.insert(("E0403", line_of("layer l"), String::new()));
                }
            }
            DeclarationKind::Scale(lines) => {
                let mut left = vec![true; users.len()];
                for (name, line) in ["high when", "mid when", "low otherwise"].iter().zip(lines) {
                    let own = line.condition.map_or_else(|| vec![true; users.len()], |id| truth.of(id));
                    if line.condition.is_some() {
                        whole(name, &own, &mut expected);
                    }
                    if own.contains(&true) && !own.iter().zip(&left).any(|(own, left)| *own && *left) {
                        expected.insert(("E0404", line_of(name), String::new()));
                    }
                    left.iter_mut().zip(&own).for_each(|(left, own)| *left &= !own);
                }
            }
            DeclarationKind::Play(play) => {
                let mut left = vec![true; users.len()];
                for (at, line) in play.lines.iter().enumerate() {
                    let text = format!("-> \"text {at}\"");
                    let place = lines.iter().position(|line| line.contains(&text)).unwrap() + 1;
                    let own = truth.of(line.condition);
                    let when = line.when.map(|when| truth.of(when));
                    let kept = when.as_ref().is_none_or(|when| when.contains(&true));
                    // That nobody is of the pattern is no fault of the line.
                    if when.is_some() && !(kept && own.contains(&true)) {
                        expected.insert(("E0401", place, String::new()));
                    }
                    if when.is_some_and(|when| !when.contains(&false)) {
                        expected.insert(("W1401", place, String::new()));
                    }
                    if own.contains(&true) && !own.iter().zip(&left).any(|(own, left)| *own && *left) {
                        expected.insert(("E0404", place, String::new()));
                    }
                    left.iter_mut().zip(&own).for_each(|(left, own)| *left &= !own);
                }
            }
            _ => {}
        }
    }
    for assertion in &program.assertions {
        let holds = truth.of(assertion.condition);
        let fails = if assertion.always { holds.contains(&false) } else { holds.contains(&true) };
        if fails {
            expected.insert((
                "E0405",
                line_of(if assertion.always { "assert always" } else { "assert never" }),
                String::new(),
            ));
        }
    }
    for code in ["E0401", "E0402", "E0403", "E0404", "E0405", "W1401", "W1403", "W1405"] {
        let expected: BTreeSet<(String, usize, String)> = expected
            .iter()
            .filter(|(own, ..)| *own == code)
            .map(|(code, line, detail)| ((*code).to_owned(), *line, detail.clone()))
            .collect();
        assert_eq!(shown(code), expected, "{seed}: {code}\n{text}");
    }
    for finding in &found {
        example_holds(seed, &text, finding, &truth, users);
    }
    idle_parts(seed, &text, &bare, &found, &truth, users);
}

/// Everybody who is like the example shows the fault.
fn example_holds(seed: u64, text: &str, finding: &Diagnostic, truth: &Truth, users: &[Row]) {
    if finding.witness.is_none() {
        assert!(!["E0402", "E0403", "E0405"].contains(&finding.code.id()), "{seed}: no example\n{text}");
        return;
    }
    let like = like(users, finding);
    assert!(!like.is_empty(), "{seed}: nobody is like {:?}\n{text}", finding.witness);
    let program = &truth.dated.program;
    let layer = program.declaration("l").unwrap();
    let DeclarationKind::Layer(of) = &layer.kind else { panic!() };
    let conditions: Vec<Vec<bool>> =
        of.lines.iter().filter_map(|line| line.condition).map(|id| truth.of(id)).collect();
    let message = &finding.message;
    for (at, user) in like {
        let shows = match finding.code.id() {
            "E0402" => {
                let number = |text: &str| {
                    text.split('m').nth(1).unwrap().split('`').next().unwrap().parse::<usize>().unwrap()
                };
                let (a, b) = message.split_once(" and ").unwrap();
                conditions[number(a)][at] && conditions[number(b)][at]
            }
            "E0403" => conditions.iter().all(|holds| !holds[at]),
            "E0405" => {
                let always = message.starts_with("this");
                let assertion = program.assertions.iter().find(|own| own.always == always).unwrap();
                truth.of(assertion.condition)[at] != always
            }
            _ => true,
        };
        assert!(shows, "{seed}: {user:?} is like {:?} but does not show {message}\n{text}", finding.witness);
    }
}

/// A part that changes nothing is one: without it the whole is the same for everybody.
fn idle_parts(seed: u64, text: &str, bare: &Program, found: &[Diagnostic], truth: &Truth, users: &[Row]) {
    for finding in found.iter().filter(|finding| finding.code.id() == "W1402") {
        let span = finding.span.unwrap();
        let range = span.start as usize..span.end as usize;
        let same = ["true", "false"].iter().any(|constant| {
            let mut without = text.to_owned();
            without.replace_range(range.clone(), &format!("({constant})"));
            let (program, ..) = checked(&without, Proofs::None);
            let other = Truth::new(&program.unwrap(), users);
            let roots = |truth: &Truth| -> Vec<Vec<bool>> {
                truth
                    .dated
                    .program
                    .declarations
                    .iter()
                    .flat_map(|declaration| match &declaration.kind {
                        DeclarationKind::Segment => vec![truth.of(declaration.value)],
                        DeclarationKind::Layer(layer) => layer
                            .lines
                            .iter()
                            .filter_map(|line| line.condition)
                            .map(|id| truth.of(id))
                            .collect(),
                        DeclarationKind::Scale(lines) => {
                            lines.iter().filter_map(|line| line.condition).map(|id| truth.of(id)).collect()
                        }
                        DeclarationKind::Play(play) => {
                            play.lines.iter().filter_map(|line| line.when).map(|id| truth.of(id)).collect()
                        }
                        _ => Vec::new(),
                    })
                    .collect()
            };
            roots(truth) == roots(&other)
        });
        assert!(same, "{seed}: `{}` does change something\n{text}", &text[range]);
    }
    // A flat `and` or `or` with an idle part is found.
    for declaration in bare.declarations.iter().filter(|found| matches!(found.kind, DeclarationKind::Segment))
    {
        let start = text.find(&format!("segment {} when ", declaration.heading.name)).unwrap();
        let line_end = text[start..].find('\n').unwrap() + start;
        let condition_from = start + format!("segment {} when ", declaration.heading.name).len();
        let body = &text[condition_from..line_end];
        if body.contains(['(', '{'])
            || !body.contains(" and ") && !body.contains(" or ")
            || body.contains("between")
        {
            continue;
        }
        let whole = truth.of(truth.dated.program.declaration(&declaration.heading.name).unwrap().value);
        if !whole.contains(&true) || !whole.contains(&false) {
            continue;
        }
        let (word, neutral) = if body.contains(" and ") { (" and ", "true") } else { (" or ", "false") };
        let parts: Vec<&str> = body.split(word).collect();
        let idle = (0..parts.len()).any(|at| {
            if parts[at].ends_with(" is known")
                || parts[at].ends_with(" is missing")
                || parts.iter().filter(|part| *part == &parts[at]).count() > 1
            {
                return false;
            }
            let mut without = parts.clone();
            without[at] = neutral;
            let text = format!("{SCHEMA}segment s when {}\n", without.join(word));
            let program = checked(&text, Proofs::None).0.unwrap();
            let other = Truth::new(&program, users);
            other.of(other.dated.program.declaration("s").unwrap().value) == whole
        });
        let said = found.iter().any(|finding| {
            finding.code.id() == "W1402"
                && (condition_from..line_end).contains(&(finding.span.unwrap().start as usize))
        });
        assert!(!idle || said, "{seed}: an idle part of `{body}` is not found\n{text}");
    }
}

#[test]
fn findings_and_silences_are_the_truth() {
    let users = users();
    for seed in 0..cases() {
        check_one(seed, &users);
    }
}

/// The interface that other verbs use, against the truth.
#[test]
fn answers_are_the_truth() {
    let users = users();
    for seed in 0..cases() {
        let mut random = Random::new(seed ^ 0xABCD);
        let text = format!(
            "{SCHEMA}segment s when {}\nsegment t when {}\n",
            condition(&mut random, 2),
            condition(&mut random, 2)
        );
        let program = checked(&text, Proofs::None).0.unwrap();
        let truth = Truth::new(&program, &users);
        let id = |name: &str| truth.dated.program.declaration(name).unwrap().value;
        let (s, t) = (truth.of(id("s")), truth.of(id("t")));
        let prover = Prover::new(&truth.dated);
        let any = |holds: &dyn Fn(bool, bool) -> bool| s.iter().zip(&t).any(|(s, t)| holds(*s, *t));
        let facts = Facts::default();
        let hold =
            |columns: &[Value], name: &str| evaluate(&truth.dated, &facts, columns).value(id(name)).is_true();
        match prover.overlap(id("s"), id("t")) {
            Possibility::Somebody(user) => {
                assert!(hold(&user.columns, "s") && hold(&user.columns, "t"), "{seed}\n{text}")
            }
            Possibility::Nobody => assert!(!any(&|s, t| s && t), "{seed}\n{text}"),
            Possibility::Undecided(reason) => panic!("{seed}: {reason:?}\n{text}"),
        }
        match prover.implies(id("s"), id("t")) {
            Verdict::Refuted(user) => {
                assert!(hold(&user.columns, "s") && !hold(&user.columns, "t"), "{seed}\n{text}")
            }
            Verdict::Proved => assert!(!any(&|s, t| s && !t), "{seed}\n{text}"),
            Verdict::Undecided(reason) => panic!("{seed}: {reason:?}\n{text}"),
        }
        match prover.equal(id("s"), id("t")) {
            Verdict::Refuted(user) => {
                assert!(hold(&user.columns, "s") != hold(&user.columns, "t"), "{seed}\n{text}")
            }
            Verdict::Proved => assert!(s == t, "{seed}\n{text}"),
            Verdict::Undecided(reason) => panic!("{seed}: {reason:?}\n{text}"),
        }
        assert_eq!(NOW, truth.dated.now);
    }
}
