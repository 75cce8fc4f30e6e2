//! A generated program before it is text: declarations whose expressions are trees, so that a
//! failing one can be cut down.

use crate::plans::Plan;
use std::fmt::Write;

/// What an expression gives.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    Condition,
    Bool,
    Int,
    Float,
    Decimal,
    Text,
    Date,
    Timestamp,
    Time,
    /// Of the labelled type of that index in `Model::types`.
    Label(usize),
    Weekday,
    TextList,
    IntList,
    LabelList(usize),
}

impl Kind {
    /// The first column of the kind.
    fn column(self) -> Option<&'static str> {
        Some(match self {
            Kind::Bool => "b1",
            Kind::Int => "i1",
            Kind::Float => "f1",
            Kind::Decimal => "d1",
            Kind::Text => "s1",
            Kind::Date => "day1",
            Kind::Timestamp => "t1",
            Kind::Label(0) => "l1",
            Kind::Label(1) => "c1",
            _ => return None,
        })
    }
}

/// An expression.
#[derive(Clone, Debug)]
pub struct Tree {
    pub kind: Kind,
    pub parts: Vec<Part>,
}

/// A piece of an expression's text.
#[derive(Clone, Debug)]
pub enum Part {
    Word(String),
    Sub(Tree),
}

impl Tree {
    /// A word alone.
    pub fn leaf(kind: Kind, text: impl Into<String>) -> Self {
        Tree { kind, parts: vec![Part::Word(text.into())] }
    }

    pub fn is_leaf(&self) -> bool {
        matches!(self.parts.as_slice(), [Part::Word(_)])
    }

    pub fn write(&self, out: &mut String) {
        for part in &self.parts {
            match part {
                Part::Word(word) => out.push_str(word),
                Part::Sub(tree) if tree.is_leaf() => tree.write(out),
                Part::Sub(tree) => {
                    out.push('(');
                    tree.write(out);
                    out.push(')');
                }
            }
        }
    }

    /// Simpler trees of the same kind, the simplest first.
    pub fn simpler(&self) -> Vec<Tree> {
        let mut simpler = Vec::new();
        if self.kind == Kind::Condition && !self.is_leaf() {
            simpler.push(Tree::leaf(Kind::Condition, "true"));
            simpler.push(Tree::leaf(Kind::Condition, "false"));
        }
        if !self.is_leaf()
            && let Some(column) = self.kind.column()
        {
            simpler.push(Tree::leaf(self.kind, column));
        }
        for part in &self.parts {
            if let Part::Sub(tree) = part
                && tree.kind == self.kind
            {
                simpler.push(tree.clone());
            }
        }
        for (at, part) in self.parts.iter().enumerate() {
            if let Part::Sub(tree) = part {
                for inner in tree.simpler() {
                    let mut whole = self.clone();
                    whole.parts[at] = Part::Sub(inner);
                    simpler.push(whole);
                }
            }
        }
        simpler
    }
}

/// Builds a tree: `tree!(Kind::Condition, "not ", inner)`.
#[macro_export]
macro_rules! tree {
    ($kind:expr; $($part:expr),* $(,)?) => {
        $crate::model::Tree { kind: $kind, parts: vec![$($crate::model::Part::from($part)),*] }
    };
}

impl From<&str> for Part {
    fn from(word: &str) -> Self {
        Part::Word(word.to_owned())
    }
}

impl From<String> for Part {
    fn from(word: String) -> Self {
        Part::Word(word)
    }
}

impl From<Tree> for Part {
    fn from(tree: Tree) -> Self {
        Part::Sub(tree)
    }
}

#[derive(Clone, Debug)]
pub struct LabelType {
    pub name: String,
    pub labels: Vec<&'static str>,
    pub ordered: bool,
}

#[derive(Clone, Debug)]
pub struct Column {
    pub name: &'static str,
    pub kind: Kind,
    /// What stands after the colon.
    pub declared: String,
}

/// A table of events: its key is `who`, its time `at`.
#[derive(Clone, Debug)]
pub struct EventTable {
    pub name: &'static str,
    /// `Kind::Date` or `Kind::Timestamp`.
    pub at: Kind,
    pub columns: Vec<Column>,
}

#[derive(Clone, Debug)]
pub struct Declaration {
    pub name: String,
    pub body: Body,
}

#[derive(Clone, Debug)]
pub enum Body {
    Trait(Tree),
    Segment(Tree),
    /// Type name and lines; a line without a condition is `otherwise`.
    Scale(String, Vec<(String, Option<Tree>)>),
    /// `first match`, `partial` and lines.
    Layer(String, Vec<(String, Option<Tree>)>),
    /// Dimensions, words, lines of patterns and a member.
    Grid(Vec<String>, String, Vec<(String, String)>),
    Plan(Plan),
    /// A declaration of another kind, as its text.
    Whole(String),
}

#[derive(Clone, Debug)]
pub struct Model {
    pub zone: &'static str,
    pub types: Vec<LabelType>,
    pub columns: Vec<Column>,
    pub events: Vec<EventTable>,
    pub calendar: bool,
    pub declarations: Vec<Declaration>,
}

impl Model {
    pub fn text(&self) -> String {
        let mut out = format!("strata 1\ntimezone \"{}\"\n\n", self.zone);
        for ty in &self.types {
            let labels: Vec<String> = ty.labels.iter().map(|label| written_label(label)).collect();
            let between = if ty.ordered { " < " } else { " | " };
            writeln!(out, "type {} = {}", ty.name, labels.join(between)).unwrap();
        }
        if self.calendar {
            out.push_str("\ncalendar from \"days.csv\"\n");
        }
        out.push_str("\nlookup facts key k from \"facts.csv\" { k : int, f : float, t : string }\n");
        out.push_str("lookup names key t from \"names.csv\" { t : string, n : int, d : date }\n");
        out.push_str("\ntable users key id from \"users.csv\" {\n  id : int\n");
        for column in &self.columns {
            writeln!(out, "  {} : {}", column.name, column.declared).unwrap();
        }
        out.push_str("}\n\n");
        for events in &self.events {
            events.write(&mut out);
        }
        for declaration in &self.declarations {
            declaration.write(&mut out);
        }
        out
    }

    /// Programs with one thing less, or one expression simpler.
    pub fn simpler(&self) -> Vec<Model> {
        let mut simpler = Vec::new();
        for at in (0..self.declarations.len()).rev() {
            let mut less = self.clone();
            less.declarations.remove(at);
            simpler.push(less);
        }
        for (at, declaration) in self.declarations.iter().enumerate() {
            for body in declaration.body.simpler() {
                let mut less = self.clone();
                less.declarations[at].body = body;
                simpler.push(less);
            }
        }
        for at in 0..self.columns.len() {
            let mut less = self.clone();
            less.columns.remove(at);
            simpler.push(less);
        }
        for at in 0..self.events.len() {
            let mut less = self.clone();
            less.events.remove(at);
            simpler.push(less);
            for column in 0..self.events[at].columns.len() {
                let mut less = self.clone();
                less.events[at].columns.remove(column);
                simpler.push(less);
            }
        }
        for at in (0..self.types.len()).rev() {
            let mut less = self.clone();
            less.types.remove(at);
            simpler.push(less);
        }
        if self.zone != "UTC" {
            simpler.push(Model { zone: "UTC", ..self.clone() });
        }
        if self.calendar {
            simpler.push(Model { calendar: false, ..self.clone() });
        }
        simpler
    }
}

/// A label as rules write it.
pub fn written_label(label: &str) -> String {
    let bare = label.chars().all(|c| c.is_alphanumeric() || c == '_')
        && label.chars().next().is_some_and(|c| c.is_alphabetic());
    if bare { label.to_owned() } else { format!("\"{label}\"") }
}

impl EventTable {
    fn write(&self, out: &mut String) {
        let at = if self.at == Kind::Date { "date?" } else { "timestamp?" };
        writeln!(
            out,
            "events {0} of users by who at at from \"{0}.csv\" {{\n  who : int?\n  at : {at}",
            self.name
        )
        .unwrap();
        for column in &self.columns {
            writeln!(out, "  {} : {}", column.name, column.declared).unwrap();
        }
        out.push_str("}\n\n");
    }
}

impl Declaration {
    pub fn write(&self, out: &mut String) {
        let lines = |out: &mut String, lines: &[(String, Option<Tree>)]| {
            for (member, condition) in lines {
                match condition {
                    Some(condition) => {
                        write!(out, "  {member} when ").unwrap();
                        condition.write(out);
                        out.push('\n');
                    }
                    None => writeln!(out, "  {member} otherwise").unwrap(),
                }
            }
            out.push_str("}\n");
        };
        match &self.body {
            Body::Trait(tree) => {
                write!(out, "trait {} = ", self.name).unwrap();
                tree.write(out);
                out.push('\n');
            }
            Body::Segment(tree) => {
                write!(out, "segment {} when ", self.name).unwrap();
                tree.write(out);
                out.push('\n');
            }
            Body::Scale(ty, cases) => {
                writeln!(out, "scale {} : {ty} {{", self.name).unwrap();
                lines(out, cases);
            }
            Body::Layer(words, members) => {
                writeln!(out, "layer {}{words} {{", self.name).unwrap();
                lines(out, members);
            }
            Body::Grid(dimensions, words, rows) => {
                writeln!(out, "grid {} by {}{words} {{", self.name, dimensions.join(", ")).unwrap();
                for (patterns, member) in rows {
                    writeln!(out, "  {patterns} -> {member}").unwrap();
                }
                out.push_str("}\n");
            }
            Body::Plan(plan) => plan.write(&self.name, out),
            Body::Whole(text) => {
                out.push_str(text);
                out.push('\n');
            }
        }
    }
}

impl Body {
    fn simpler(&self) -> Vec<Body> {
        match self {
            Body::Trait(tree) => tree.simpler().into_iter().map(Body::Trait).collect(),
            Body::Segment(tree) => tree.simpler().into_iter().map(Body::Segment).collect(),
            Body::Scale(ty, lines) => {
                simpler_lines(lines).into_iter().map(|lines| Body::Scale(ty.clone(), lines)).collect()
            }
            Body::Layer(words, lines) => {
                simpler_lines(lines).into_iter().map(|lines| Body::Layer(words.clone(), lines)).collect()
            }
            Body::Grid(dimensions, words, rows) => (0..rows.len())
                .map(|at| {
                    let mut less = rows.clone();
                    less.remove(at);
                    Body::Grid(dimensions.clone(), words.clone(), less)
                })
                .collect(),
            Body::Plan(plan) => plan.simpler().into_iter().map(Body::Plan).collect(),
            Body::Whole(_) => Vec::new(),
        }
    }
}

type Lines = Vec<(String, Option<Tree>)>;

fn simpler_lines(lines: &Lines) -> Vec<Lines> {
    let mut simpler = Vec::new();
    for at in 0..lines.len() {
        let mut less = lines.clone();
        less.remove(at);
        simpler.push(less);
    }
    for (at, (_, condition)) in lines.iter().enumerate() {
        for condition in condition.iter().flat_map(Tree::simpler) {
            let mut less = lines.clone();
            less[at].1 = Some(condition);
            simpler.push(less);
        }
    }
    simpler
}
