//! Random stacks, plays and splits.

use crate::model::{Body, Declaration, Kind, Tree, written_label};
use crate::programs::Generator;
use std::fmt::Write;

/// A declaration that says what becomes of segments.
#[derive(Clone, Debug)]
pub enum Plan {
    /// The base layer, and lines: whom, and by which dimensions.
    Stack(String, Vec<(String, Vec<String>)>),
    /// For whom, and lines.
    Play(String, Vec<Line>),
    /// Of whom, the seed, and arms with their shares in tenths of a per cent.
    Split(String, String, Vec<(String, usize)>),
}

/// A line of a play.
#[derive(Clone, Debug)]
pub struct Line {
    pattern: String,
    when: Option<Tree>,
    text: Vec<Piece>,
}

/// A piece of a play's text.
#[derive(Clone, Debug)]
enum Piece {
    Literal(&'static str),
    /// With its format.
    Value(Tree, &'static str),
}

/// A step below a member of a stack: what it may be, and whether `-` is among that.
#[derive(Clone, Debug)]
pub struct Step {
    members: Vec<String>,
    or_none: bool,
}

/// Whom a play can speak to.
#[derive(Clone, Debug)]
pub struct Audience {
    name: String,
    /// The first steps of its patterns, each with those below it.
    members: Vec<(String, Vec<Step>)>,
}

impl Plan {
    pub fn write(&self, name: &str, out: &mut String) {
        match self {
            Plan::Stack(base, lines) => {
                writeln!(out, "stack {name} on {base} {{").unwrap();
                for (whom, by) in lines {
                    writeln!(out, "  {whom} by {}", by.join(", ")).unwrap();
                }
            }
            Plan::Play(of, lines) => {
                writeln!(out, "play {name} for {of} {{").unwrap();
                for line in lines {
                    line.write(out);
                }
            }
            Plan::Split(of, seed, arms) => {
                writeln!(out, "split {name} of {of} seed \"{seed}\" {{").unwrap();
                for (arm, share) in arms {
                    writeln!(out, "  {arm} {}.{}%", share / 10, share % 10).unwrap();
                }
            }
        }
        out.push_str("}\n");
    }

    pub fn simpler(&self) -> Vec<Plan> {
        match self {
            Plan::Stack(base, lines) => {
                let fewer = without_each(lines).into_iter();
                let shorter = lines.iter().enumerate().flat_map(|(at, (whom, by))| {
                    without_each(by).into_iter().filter(|by| !by.is_empty()).map(move |by| {
                        let mut lines = lines.clone();
                        lines[at] = (whom.clone(), by);
                        lines
                    })
                });
                fewer.chain(shorter).map(|lines| Plan::Stack(base.clone(), lines)).collect()
            }
            Plan::Play(of, lines) => {
                let fewer = without_each(lines).into_iter();
                let simpler = lines.iter().enumerate().flat_map(|(at, line)| {
                    line.simpler().into_iter().map(move |line| {
                        let mut lines = lines.clone();
                        lines[at] = line;
                        lines
                    })
                });
                fewer.chain(simpler).map(|lines| Plan::Play(of.clone(), lines)).collect()
            }
            Plan::Split(of, seed, arms) => without_each(arms)
                .into_iter()
                .map(|arms| Plan::Split(of.clone(), seed.clone(), arms))
                .collect(),
        }
    }
}

impl Line {
    fn write(&self, out: &mut String) {
        write!(out, "  {}", self.pattern).unwrap();
        if let Some(when) = &self.when {
            out.push_str(" when ");
            when.write(out);
        }
        out.push_str(" -> \"");
        for piece in &self.text {
            match piece {
                Piece::Literal(text) => out.push_str(text),
                Piece::Value(value, format) => {
                    out.push('{');
                    value.write(out);
                    out.push_str(format);
                    out.push('}');
                }
            }
        }
        out.push_str("\"\n");
    }

    fn simpler(&self) -> Vec<Line> {
        let mut simpler: Vec<Line> =
            without_each(&self.text).into_iter().map(|text| Line { text, ..self.clone() }).collect();
        if let Some(when) = &self.when {
            simpler.push(Line { when: None, ..self.clone() });
            simpler.extend(when.simpler().into_iter().map(|when| Line { when: Some(when), ..self.clone() }));
        }
        for (at, piece) in self.text.iter().enumerate() {
            let Piece::Value(value, format) = piece else { continue };
            for value in value.simpler() {
                let mut text = self.text.clone();
                text[at] = Piece::Value(value, format);
                simpler.push(Line { text, ..self.clone() });
            }
        }
        simpler
    }
}

fn without_each<T: Clone>(all: &[T]) -> Vec<Vec<T>> {
    (0..all.len())
        .map(|at| {
            let mut less = all.to_vec();
            less.remove(at);
            less
        })
        .collect()
}

impl Generator<'_> {
    /// A stack, a play or a split; a layer where there is nothing yet that they could be of.
    pub fn plan(&mut self, at: usize) -> Declaration {
        match self.random.below(4) {
            0 => self.split(at),
            _ if self.layers.is_empty() => self.layer(at),
            1 => self.stack(at),
            _ => self.play(at),
        }
    }

    fn stack(&mut self, at: usize) -> Declaration {
        let name = format!("stack{at}");
        let (base, members) = self.random.pick(&self.layers).clone();
        let mut spare = self.dimensions(&base);
        let mut steps: Vec<Vec<Step>> = vec![Vec::new(); members.len()];
        let mut lines = Vec::new();
        let mut unnamed: Vec<usize> = (0..members.len()).collect();
        // No dimension stands twice in one path: each is used once.
        let mut some = |random: &mut crate::random::Random| -> Vec<(String, Step)> {
            (0..1 + random.below(2))
                .map_while(|_| match spare.len() {
                    0 => None,
                    left => Some(spare.remove(random.below(left))),
                })
                .collect()
        };
        for _ in 0..self.random.below(3) {
            let by = some(self.random);
            if unnamed.is_empty() || by.is_empty() {
                break;
            }
            let mut whom = Vec::new();
            for _ in 0..1 + self.random.below(2) {
                if !unnamed.is_empty() {
                    whom.push(unnamed.remove(self.random.below(unnamed.len())));
                }
            }
            for member in &whom {
                steps[*member].extend(by.iter().map(|(_, step)| step.clone()));
            }
            let whom: Vec<String> = whom.iter().map(|member| members[*member].clone()).collect();
            lines.push((whom.join(", "), by.into_iter().map(|(name, _)| name).collect()));
        }
        for word in ["others", "all"] {
            let by = if self.random.percent(60) { some(self.random) } else { Vec::new() };
            if by.is_empty() || word == "others" && (unnamed.is_empty() || lines.is_empty()) {
                continue;
            }
            for (member, own) in steps.iter_mut().enumerate() {
                if word == "all" || unnamed.contains(&member) {
                    own.extend(by.iter().map(|(_, step)| step.clone()));
                }
            }
            lines.push((word.to_owned(), by.into_iter().map(|(name, _)| name).collect()));
        }
        if lines.is_empty() {
            steps.iter_mut().for_each(|steps| {
                steps
                    .push(Step { members: ["low", "mid", "high"].map(str::to_owned).into(), or_none: false });
            });
            lines.push(("all".to_owned(), vec!["l2".to_owned()]));
        }
        let members = members.into_iter().zip(steps).collect();
        self.audiences.push(Audience { name: name.clone(), members });
        Declaration { name, body: Body::Plan(Plan::Stack(base, lines)) }
    }

    /// What a stack can go by, but for its base: layers, labelled values, segments.
    fn dimensions(&self, base: &str) -> Vec<(String, Step)> {
        let layers = self.layers.iter().filter(|(name, _)| name != base);
        let mut all: Vec<(String, Step)> = layers
            .map(|(name, members)| (name.clone(), Step { members: members.clone(), or_none: false }))
            .collect();
        let columns = self.columns.iter().map(|column| (column.name, column.kind));
        let named = self.names.iter().map(|(name, kind)| (name.as_str(), *kind));
        for (name, kind) in columns.chain(named) {
            if let Kind::Label(ty) = kind {
                let members = self.types[ty].labels.iter().map(|label| written_label(label)).collect();
                all.push((name.to_owned(), Step { members, or_none: false }));
            }
        }
        let segments = self.segments.iter();
        all.extend(segments.map(|name| (name.clone(), Step { members: vec![name.clone()], or_none: true })));
        all
    }

    fn play(&mut self, at: usize) -> Declaration {
        let name = format!("play{at}");
        let audience = self.audience();
        let lines = (0..1 + self.random.below(5))
            .map(|_| {
                let pattern = self.path_pattern(&audience.members);
                let when = self.random.percent(50).then(|| self.condition(2));
                let text = (0..self.random.below(4)).map(|_| self.piece()).collect();
                Line { pattern, when, text }
            })
            .collect();
        Declaration { name, body: Body::Plan(Plan::Play(audience.name, lines)) }
    }

    fn audience(&mut self) -> Audience {
        if !self.audiences.is_empty() && self.random.percent(60) {
            return self.random.pick(&self.audiences).clone();
        }
        if !self.segments.is_empty() && self.random.percent(30) {
            let name = self.random.pick(&self.segments).clone();
            return Audience { members: vec![(name.clone(), Vec::new())], name };
        }
        let (name, members) = self.random.pick(&self.layers).clone();
        Audience { name, members: members.into_iter().map(|member| (member, Vec::new())).collect() }
    }

    fn path_pattern(&mut self, members: &[(String, Vec<Step>)]) -> String {
        let (first, steps) = self.random.pick(members).clone();
        let mut pattern = vec![if self.random.percent(25) { "_".to_owned() } else { first }];
        for step in steps.iter().take(self.random.below(steps.len() + 1)) {
            pattern.push(match self.random.below(6) {
                0 | 1 => "_".to_owned(),
                2 if step.or_none => "-".to_owned(),
                _ => self.random.pick(&step.members).clone(),
            });
        }
        pattern.join("/")
    }

    fn piece(&mut self) -> Piece {
        const LITERALS: [&str; 8] =
            ["=1+1 ", "{{你好}}", "\\\"hi\\\"", " a/b-c\\\\ ", "100% ", "\\n", "->", "\\u{4e00}x"];
        if self.random.percent(40) {
            return Piece::Literal(self.random.pick::<&str>(&LITERALS));
        }
        let kind = self.value_kind();
        let formats: &[&str] = match kind {
            Kind::Float | Kind::Decimal => &["", ":.2", ":.0"],
            Kind::Date => &["", ":%m月%d日", ":%Y"],
            Kind::Timestamp => &["", ":%Y-%m-%d %H:%M"],
            _ => &[""],
        };
        let format = *self.random.pick(formats);
        Piece::Value(self.value(kind, 2), format)
    }

    fn split(&mut self, at: usize) -> Declaration {
        let of = if self.segments.is_empty() || self.random.percent(40) {
            "all".to_owned()
        } else {
            self.random.pick(&self.segments).clone()
        };
        let seed = *self.random.pick(&["2024q4", "", "种子", "a b"]);
        let mut left = 1_000;
        let mut arms = Vec::new();
        for arm in 0..1 + self.random.below(4) {
            let share = if self.random.percent(10) { left } else { 1 + self.random.below(400) };
            if share <= left && share > 0 {
                left -= share;
                arms.push((format!("arm{at}_{arm}"), share));
            }
        }
        Declaration { name: format!("split{at}"), body: Body::Plan(Plan::Split(of, seed.to_owned(), arms)) }
    }
}
