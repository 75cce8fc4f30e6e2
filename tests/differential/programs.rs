//! Random typed programs.

use crate::event_programs::Behaviour;
use crate::model::{Body, Column, Declaration, Kind, LabelType, Model, Tree, written_label};
use crate::plans::Audience;
use crate::random::Random;
use strata::program::Value;

pub const ZONES: [&str; 7] = [
    "UTC",
    "Asia/Shanghai",
    "America/New_York",
    "Europe/London",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Pacific/Apia",
];

/// A program with the constants that it mentions.
pub struct Generated {
    pub model: Model,
    pub constants: Vec<(Kind, Value)>,
}

pub struct Generator<'r> {
    pub random: &'r mut Random,
    pub types: Vec<LabelType>,
    pub columns: Vec<Column>,
    /// Earlier declarations of a kind.
    pub names: Vec<(String, Kind)>,
    /// Earlier layers and grids with their members.
    pub layers: Vec<(String, Vec<String>)>,
    /// Earlier segments.
    pub segments: Vec<String>,
    /// Earlier stacks.
    pub audiences: Vec<Audience>,
    calendar: bool,
    /// What the program mentions, for the rows.
    pub constants: Vec<(Kind, Value)>,
    /// What a program of events needs; it has none without tables.
    pub behaviour: Behaviour,
}

impl<'r> Generator<'r> {
    /// A program of one row a user.
    pub fn program(random: &'r mut Random) -> Generated {
        let mut generator = Generator::new(random);
        let mut declarations = Vec::new();
        for at in 0..2 + generator.random.below(7) {
            declarations.push(generator.declaration(at));
        }
        generator.generated(declarations)
    }

    /// A generator that knows types and columns.
    pub fn new(random: &'r mut Random) -> Self {
        let mut generator = Generator {
            random,
            types: Vec::new(),
            columns: Vec::new(),
            names: Vec::new(),
            layers: Vec::new(),
            segments: Vec::new(),
            audiences: Vec::new(),
            calendar: false,
            constants: Vec::new(),
            behaviour: Behaviour::default(),
        };
        generator.calendar = generator.random.percent(40);
        generator.types = vec![
            LabelType { name: "level".into(), labels: vec!["low", "mid", "high"], ordered: true },
            LabelType {
                name: "channel".into(),
                labels: vec!["social", "search", "3C", "high", "搜索", "a b"],
                ordered: false,
            },
        ];
        generator.columns();
        generator
    }

    /// The declarations as a program.
    pub fn generated(self, declarations: Vec<Declaration>) -> Generated {
        let zone = ZONES[self.random.below(ZONES.len())];
        let Generator { types, columns, calendar, constants, behaviour, .. } = self;
        let events = behaviour.tables;
        Generated { model: Model { zone, types, columns, events, calendar, declarations }, constants }
    }

    fn columns(&mut self) {
        let plain = |name, kind, declared: &str| Column { name, kind, declared: declared.to_owned() };
        let decimals = ["decimal(18,2)", "decimal(38,2)", "decimal(12,4)", "decimal(38,10)"];
        let decimal = *self.random.pick(&decimals);
        let other = *self.random.pick(&decimals);
        let mut columns = vec![
            plain("b1", Kind::Bool, "bool"),
            plain("b2", Kind::Bool, "bool?"),
            plain("i1", Kind::Int, "int"),
            plain("年龄", Kind::Int, "int? between 0 and 120"),
            plain("`int 3`", Kind::Int, "int?"),
            plain("f1", Kind::Float, "float"),
            plain("f2", Kind::Float, "float?"),
            plain("d1", Kind::Decimal, decimal),
            plain("d2", Kind::Decimal, &format!("{other}?")),
            plain("s1", Kind::Text, "string"),
            plain("城市", Kind::Text, "string?"),
            plain("day1", Kind::Date, "date"),
            plain("day2", Kind::Date, "date?"),
            plain("t1", Kind::Timestamp, "timestamp"),
            plain("t2", Kind::Timestamp, "timestamp?"),
            plain("l1", Kind::Label(0), "level?"),
            plain("l2", Kind::Label(0), "level"),
            plain("c1", Kind::Label(1), "channel?"),
            plain("c2", Kind::Label(1), "channel"),
            plain("tags", Kind::TextList, "list of string?"),
            plain("numbers", Kind::IntList, "list of int"),
            plain("channels", Kind::LabelList(1), "list of channel?"),
        ];
        // A type that is written in place.
        if self.random.percent(50) {
            let name = "risk";
            self.types.push(LabelType {
                name: "risk_level".into(),
                labels: vec!["careful", "balanced", "bold", "wild"],
                ordered: true,
            });
            columns.push(plain(name, Kind::Label(2), "risk_level?"));
        }
        self.columns = columns;
    }

    pub fn declaration(&mut self, at: usize) -> Declaration {
        match self.random.below(14) {
            0..=2 => {
                let kind = self.value_kind();
                let name = format!("trait{at}");
                let body = if kind == Kind::Bool && self.random.percent(50) {
                    self.condition(3)
                } else {
                    self.value(kind, 3)
                };
                self.names.push((name.clone(), kind));
                Declaration { name, body: Body::Trait(body) }
            }
            3 => {
                let ty = self.random.below(self.types.len());
                let name = format!("scale{at}");
                let body = self.scale(ty);
                self.names.push((name.clone(), Kind::Label(ty)));
                Declaration { name, body }
            }
            4..=6 => {
                let name = format!("分层{at}");
                let condition = self.condition(4);
                self.names.push((name.clone(), Kind::Bool));
                self.segments.push(name.clone());
                Declaration { name, body: Body::Segment(condition) }
            }
            7 | 8 => self.layer(at),
            9 => self.grid(at),
            _ => self.plan(at),
        }
    }

    pub fn value_kind(&mut self) -> Kind {
        let label = Kind::Label(self.random.below(self.types.len()));
        *self.random.pick(&[
            Kind::Bool,
            Kind::Int,
            Kind::Int,
            Kind::Float,
            Kind::Decimal,
            Kind::Text,
            Kind::Date,
            Kind::Timestamp,
            Kind::Time,
            Kind::Weekday,
            label,
        ])
    }

    fn scale(&mut self, ty: usize) -> Body {
        let mut labels = self.types[ty].labels.clone();
        if self.random.percent(50) {
            labels.reverse();
        }
        let mut lines: Vec<(String, Option<Tree>)> = Vec::new();
        for label in labels {
            lines.push((written_label(label), Some(self.condition(2))));
        }
        match self.random.below(3) {
            0 => {}
            1 => lines.last_mut().unwrap().1 = None,
            _ => {
                lines.truncate(2);
                lines[1].1 = None;
            }
        }
        Body::Scale(self.types[ty].name.clone(), lines)
    }

    pub fn layer(&mut self, at: usize) -> Declaration {
        let name = format!("layer{at}");
        let partial = self.random.percent(40);
        let first = self.random.percent(50);
        let count = 2 + self.random.below(4);
        let members: Vec<String> = (0..count).map(|member| format!("m{at}_{member}")).collect();
        let mut lines = Vec::new();
        for member in &members {
            lines.push((member.clone(), Some(self.condition(2))));
        }
        if !partial {
            lines.last_mut().unwrap().1 = None;
        }
        self.layers.push((name.clone(), members));
        Declaration { name, body: Body::Layer(words(first, partial), lines) }
    }

    fn grid(&mut self, at: usize) -> Declaration {
        let name = format!("grid{at}");
        let (first, partial) = (self.random.percent(50), self.random.percent(40));
        let mut dimensions = Vec::new();
        for _ in 0..2 + self.random.below(2) {
            let dimension = self.dimension();
            if !dimensions.contains(&dimension) {
                dimensions.push(dimension);
            }
        }
        while dimensions.len() < 2 {
            let spare = [("b1".to_owned(), Kind::Bool), ("c2".to_owned(), Kind::Label(1))];
            let spare = spare.into_iter().find(|spare| *spare != dimensions[0]);
            dimensions.extend(spare);
        }
        let members = ["g_a", "g_b", "g_c"].map(|member| format!("{member}{at}"));
        let mut rows = Vec::new();
        for _ in 0..2 + self.random.below(5) {
            let patterns: Vec<String> = dimensions
                .iter()
                .map(|(name, kind)| {
                    let layer = self.layers.iter().find(|(layer, _)| layer == name).cloned();
                    self.pattern(*kind, layer)
                })
                .collect();
            rows.push((patterns.join(", "), self.random.pick(&members).clone()));
        }
        if !partial {
            rows.push((vec!["_"; dimensions.len()].join(", "), format!("g_rest{at}")));
        }
        let mut found: Vec<String> = Vec::new();
        for (_, member) in &rows {
            if !found.contains(member) {
                found.push(member.clone());
            }
        }
        self.layers.push((name.clone(), found));
        let dimensions = dimensions.into_iter().map(|(name, _)| name).collect();
        Declaration { name, body: Body::Grid(dimensions, words(first, partial), rows) }
    }

    /// Something that a grid can go by.
    fn dimension(&mut self) -> (String, Kind) {
        if !self.layers.is_empty() && self.random.percent(25) {
            // The kind does not matter: patterns go by the members.
            return (self.random.pick(&self.layers).0.clone(), Kind::Weekday);
        }
        let kinds = [Kind::Bool, Kind::Int, Kind::Decimal, Kind::Label(0), Kind::Label(1), Kind::Text];
        let kind = *self.random.pick(&kinds);
        (self.name(kind), kind)
    }

    fn pattern(&mut self, kind: Kind, layer: Option<(String, Vec<String>)>) -> String {
        match self.random.below(8) {
            0 | 1 => return "_".into(),
            2 => return "missing".into(),
            _ => {}
        }
        if let Some((_, members)) = layer {
            return self.random.pick(&members).clone();
        }
        let literal = self.literal(kind);
        match kind {
            Kind::Bool => if self.random.percent(50) { "true" } else { "false" }.into(),
            Kind::Int | Kind::Decimal => match self.random.below(4) {
                0 => format!(">= {literal}"),
                1 => format!("< {literal}"),
                2 => {
                    let low = self.random.between(-20, 60);
                    format!("{low} to {}", low + self.random.between(0, 50))
                }
                _ => literal,
            },
            Kind::Label(0) => match self.random.below(4) {
                0 => format!(">= {literal}"),
                1 => format!("<= {literal}"),
                2 => "low | high".into(),
                _ => literal,
            },
            Kind::Label(_) => {
                let other = self.literal(kind);
                if other == literal { literal } else { format!("{literal} | {other}") }
            }
            _ => literal,
        }
    }
}

fn words(first: bool, partial: bool) -> String {
    format!("{}{}", if first { " first match" } else { "" }, if partial { " partial" } else { "" })
}

/// The date of a number of days since 1970.
pub fn date_of(days: i64) -> jiff::civil::Date {
    jiff::civil::date(1970, 1, 1).saturating_add(jiff::Span::new().days(days))
}
