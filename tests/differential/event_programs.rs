//! Random programs of behaviour: two tables of events, aggregates, windows, sequences, scores, values
//! of the population, `as of`, `rfm`.

use crate::model::{Body, Declaration, EventTable, Kind, Part, Tree};
use crate::programs::{Generated, Generator};
use crate::random::Random;
use crate::tree;

/// What a program of events needs beside the rest.
#[derive(Default)]
pub struct Behaviour {
    /// The tables; none in a program of one row a user.
    pub tables: Vec<EventTable>,
    /// The table whose events an expression speaks of, else it speaks of a user.
    scope: Option<usize>,
    /// How deep aggregates stand in each other.
    depth: usize,
    /// Whether an expression is of a value of the population, in which no other may stand.
    among_all: bool,
    /// Declarations that need a value of the population.
    of_population: Vec<String>,
    /// Declarations that change with time, with their kinds.
    timely: Vec<(String, Kind)>,
    /// The same of layers, with their members.
    timely_layers: Vec<(String, Vec<String>)>,
}

const NAMES: [&str; 2] = ["orders", "visits"];

/// A grid's lines have to exclude each other, which random ones do not. Where a member has several lines,
/// `expand` makes one of them, so that such a grid means the same only if it says which line wins.
fn lines_win(mut declaration: Declaration) -> Declaration {
    if let Body::Grid(_, words, _) = &mut declaration.body
        && !words.contains("first match")
    {
        words.insert_str(0, " first match");
    }
    declaration
}

impl<'r> Generator<'r> {
    /// A program of events.
    pub fn program_of_events(random: &'r mut Random) -> Generated {
        let mut generator = Generator::new(random);
        generator.tables();
        let mut declarations = Vec::new();
        let count = 2 + generator.random.below(6);
        for at in 0..count {
            let declaration = match generator.random.below(12) {
                0 => generator.rfm(at),
                1 | 2 => generator.plain_trait(at),
                _ => generator.declaration(at),
            };
            let declaration = lines_win(declaration);
            generator.note(&declaration);
            declarations.push(declaration);
        }
        if generator.random.percent(15) {
            declarations.extend(generator.standard());
        }
        generator.generated(declarations)
    }

    /// One table with a timestamp, one with a date. Their columns are called as the users' are.
    fn tables(&mut self) {
        for (name, at) in NAMES.into_iter().zip([Kind::Timestamp, Kind::Date]) {
            let columns = self.columns.clone();
            let columns = columns.into_iter().filter(|column| {
                // What a leaf may fall back on stays.
                matches!(column.name, "b1" | "i1" | "f1" | "d1" | "s1" | "day1" | "t1" | "l1" | "c2" | "tags")
                    || column.name == "numbers"
                    || column.name == "channels"
                    || self.random.percent(40)
            });
            let columns = columns.collect();
            self.behaviour.tables.push(EventTable { name, at, columns });
        }
    }

    /// A trait that is an aggregate and nothing else, so that many aggregates are seen whole.
    fn plain_trait(&mut self, at: usize) -> Declaration {
        let kind = self.value_kind();
        let name = format!("trait{at}");
        let body = self.aggregate_of(kind, 2).unwrap_or_else(|| self.value(kind, 2));
        self.names.push((name.clone(), kind));
        Declaration { name, body: Body::Trait(body) }
    }

    /// Remembers what a declaration depends on.
    fn note(&mut self, declaration: &Declaration) {
        let mut text = String::new();
        declaration.write(&mut text);
        let name = &declaration.name;
        let behaviour = &mut self.behaviour;
        let needs = |names: &[String]| names.iter().any(|known| text.contains(known.as_str()));
        let rfm = text.starts_with("rfm ");
        if rfm || text.contains("score(") || text.contains("population ") || needs(&behaviour.of_population) {
            behaviour.of_population.push(name.clone());
        }
        let moving = ["now", "today", "since ", "until ", " last ", " next ", NAMES[0], NAMES[1]];
        let known: Vec<String> = behaviour.timely.iter().map(|(name, _)| name.clone()).collect();
        let layers: Vec<String> = behaviour.timely_layers.iter().map(|(name, _)| name.clone()).collect();
        if moving.iter().any(|word| text.contains(word)) || needs(&known) || needs(&layers) {
            let own =
                self.names.iter().filter(|(own, _)| own.trim_start_matches('`').starts_with(name.as_str()));
            behaviour.timely.extend(own.cloned());
            behaviour.timely_layers.extend(self.layers.iter().filter(|(own, _)| own == name).cloned());
        }
    }

    fn rfm(&mut self, at: usize) -> Declaration {
        let name = format!("value{at}");
        let table = self.random.below(2);
        let (kind, money) =
            *self.random.pick(&[(Kind::Decimal, "d1"), (Kind::Int, "i1"), (Kind::Float, "f1")]);
        let mut text = format!("rfm {name} from {} {{\n  recency at\n  monetary {money}\n", NAMES[table]);
        if self.random.percent(50) {
            let condition = self.in_events(table, |generator| generator.condition(1));
            text.push_str("  where ");
            condition.write(&mut text);
            text.push('\n');
        }
        if self.random.percent(50) {
            text.push_str(&format!("  window last {} days\n", self.random.between(1, 400)));
        }
        if self.random.percent(50) {
            text.push_str(&format!("  bins {}\n", self.random.between(2, 9)));
        }
        text.push_str("}\n");
        let parts = [
            ("recency_days", Kind::Int),
            ("frequency", Kind::Int),
            ("monetary", kind),
            ("r", Kind::Int),
            ("f", Kind::Int),
            ("m", Kind::Int),
            ("code", Kind::Text),
        ];
        for (part, kind) in parts {
            self.names.push((format!("{name}.{part}"), kind));
        }
        Declaration { name, body: Body::Whole(text) }
    }

    /// A standard file, over whatever is at hand.
    fn standard(&mut self) -> Vec<Declaration> {
        let own = |generator: &mut Self, name: &str| {
            let value = generator.value(Kind::Int, 2);
            Declaration { name: name.into(), body: Body::Trait(value) }
        };
        let use_of = |file: &str, text: &str| Declaration {
            name: file.into(),
            body: Body::Whole(format!("use \"std:{file}.seg\" with {text}\n")),
        };
        match self.random.below(3) {
            0 => vec![
                own(self, "own_r"),
                own(self, "own_f"),
                use_of("rfm_segments", "r = min(max(own_r, 1), 5), f = min(max(own_f, 1), 5)"),
            ],
            1 => {
                self.behaviour.among_all = true;
                let values = ["own_r", "own_f", "own_m"].map(|name| own(self, name));
                self.behaviour.among_all = false;
                let with = "recency_days = own_r, frequency = own_f, monetary = own_m";
                let mut all = values.to_vec();
                all.push(use_of("rfm_value8", with));
                all
            }
            _ => vec![
                own(self, "own_d"),
                own(self, "own_o"),
                own(self, "own_s"),
                use_of("lifecycle", "days_since_signup = own_d, orders_90d = own_o, silent_days = own_s"),
            ],
        }
    }

    fn in_scope<T>(&mut self, scope: Option<usize>, make: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.behaviour.scope, scope);
        self.behaviour.depth += 1;
        let made = make(self);
        self.behaviour.depth -= 1;
        self.behaviour.scope = before;
        made
    }

    fn in_events<T>(&mut self, table: usize, make: impl FnOnce(&mut Self) -> T) -> T {
        self.in_scope(Some(table), make)
    }

    /// A name of that kind: the event's column, or in an event's scope now and then the user's.
    pub fn name_in_scope(&mut self, kind: Kind) -> String {
        let of_kind = |name: &str, other: Kind| (other == kind).then(|| name.to_owned());
        let mut users: Vec<String> =
            self.columns.iter().filter_map(|column| of_kind(column.name, column.kind)).collect();
        users.extend(
            self.names.iter().filter(|(name, _)| self.may_use(name)).filter_map(|(n, k)| of_kind(n, *k)),
        );
        let Some(table) = self.behaviour.scope else {
            return if users.is_empty() { "t1".into() } else { self.random.pick(&users).clone() };
        };
        // A part of an `rfm` has a point of its own.
        users.retain(|name| !name.contains('.'));
        let columns = &self.behaviour.tables[table].columns;
        let mut own: Vec<String> =
            columns.iter().filter_map(|column| of_kind(column.name, column.kind)).collect();
        if kind == self.behaviour.tables[table].at {
            own.push("at".into());
        }
        if !users.is_empty() && (own.is_empty() || self.random.percent(20)) {
            return format!("users.{}", self.random.pick(&users));
        }
        if own.is_empty() { "t1".into() } else { self.random.pick(&own).clone() }
    }

    fn may_use(&self, name: &str) -> bool {
        let part_of = |known: &String| name.starts_with(known.as_str());
        !self.behaviour.among_all || !self.behaviour.of_population.iter().any(part_of)
    }

    /// A layer that may be named here, with its members.
    pub fn some_layer(&mut self) -> Option<(String, Vec<String>)> {
        let may: Vec<_> = self.layers.iter().filter(|(name, _)| self.may_use(name)).cloned().collect();
        if may.is_empty() {
            return None;
        }
        let (name, members) = self.random.pick(&may).clone();
        let prefix = if self.behaviour.scope.is_some() { "users." } else { "" };
        Some((format!("{prefix}{name}"), members))
    }

    /// A condition over events or over what was, where there are events.
    pub fn behaviour_condition(&mut self, below: usize) -> Option<Tree> {
        const C: Kind = Kind::Condition;
        if self.behaviour.tables.is_empty() || self.behaviour.depth > 2 || !self.random.percent(35) {
            return None;
        }
        Some(match self.random.below(8) {
            0 | 1 => {
                let word = *self.random.pick(&["any", "none"]);
                let mut tree = tree!(C; word, "(");
                let table = self.random.below(2);
                self.selection(&mut tree, table, below);
                tree
            }
            2..=4 => self.sequence(below),
            5 => {
                let bound = format!(" > 0.{}", self.random.below(10));
                tree!(C; self.share(below), bound)
            }
            6 => {
                let names: Vec<_> = self
                    .behaviour
                    .timely
                    .iter()
                    .filter(|(name, kind)| *kind == Kind::Bool && self.may_use(name))
                    .cloned()
                    .collect();
                if names.is_empty() {
                    return None;
                }
                let name = self.random.pick(&names).0.clone();
                self.as_of(&name, C)
            }
            _ => {
                let layers: Vec<_> = self
                    .behaviour
                    .timely_layers
                    .iter()
                    .filter(|(name, _)| self.may_use(name))
                    .cloned()
                    .collect();
                if layers.is_empty() {
                    return None;
                }
                let (name, members) = self.random.pick(&layers).clone();
                let member = self.random.pick(&members).clone();
                tree!(C; self.as_of(&name, Kind::Weekday), format!(" = {member}"))
            }
        })
    }

    /// A value of events or of the population, where there are events.
    pub fn behaviour_value(&mut self, kind: Kind, below: usize) -> Option<Tree> {
        if self.behaviour.tables.is_empty() || self.behaviour.depth > 2 || !self.random.percent(40) {
            return None;
        }
        match self.random.below(10) {
            0..=6 => self.aggregate_of(kind, below),
            7 | 8 => self.of_population(kind, below),
            _ => {
                let names: Vec<_> = self
                    .behaviour
                    .timely
                    .iter()
                    .filter(|(name, other)| *other == kind && self.may_use(name) && !name.contains('.'))
                    .cloned()
                    .collect();
                if names.is_empty() {
                    return None;
                }
                let name = self.random.pick(&names).0.clone();
                Some(self.as_of(&name, kind))
            }
        }
    }

    fn as_of(&mut self, name: &str, kind: Kind) -> Tree {
        let prefix = if self.behaviour.scope.is_some() { "users." } else { "" };
        let (unit, most) = *self.random.pick(&[("days", 200), ("weeks", 20), ("months", 6), ("hours", 500)]);
        let amount = self.random.between(1, most);
        // More than a word, so that it stands in brackets.
        tree!(kind; format!("{prefix}{name}"), format!(" as of {amount} {unit} ago"))
    }

    /// An aggregate that gives a value of the kind.
    fn aggregate_of(&mut self, kind: Kind, below: usize) -> Option<Tree> {
        let table = self.random.below(2);
        let (word, of) = match kind {
            Kind::Int => match self.random.below(10) {
                0 | 1 => ("count", None),
                2 => ("count", Some(self.value_kind())),
                3 | 4 => ("distinct", Some(self.value_kind())),
                5 | 6 => ("sum", Some(kind)),
                _ => (*self.random.pick(&["min", "max", "first", "last", "mode"]), Some(kind)),
            },
            Kind::Float => match self.random.below(7) {
                0 => return Some(self.share(below)),
                1 | 2 => ("avg", Some(*self.random.pick(&[Kind::Int, Kind::Float, Kind::Decimal]))),
                3 => ("sum", Some(kind)),
                _ => (*self.random.pick(&["min", "max", "first", "last", "mode"]), Some(kind)),
            },
            Kind::Decimal => (*self.random.pick(&["sum", "min", "max", "first", "last", "mode"]), Some(kind)),
            Kind::Date | Kind::Timestamp | Kind::Time | Kind::Label(0 | 2) | Kind::Weekday => {
                (*self.random.pick(&["min", "max", "first", "last", "mode"]), Some(kind))
            }
            Kind::Bool | Kind::Text | Kind::Label(_) => {
                (*self.random.pick(&["first", "last", "mode"]), Some(kind))
            }
            _ => return None,
        };
        let mut tree = tree!(kind; word, "(");
        if let Some(of) = of {
            let value = self.in_events(table, |generator| generator.value(of, below.min(2)));
            tree.parts.extend([Part::Sub(value), Part::Word(" of ".into())]);
        }
        self.selection(&mut tree, table, below);
        Some(tree)
    }

    fn share(&mut self, below: usize) -> Tree {
        let table = self.random.below(2);
        let condition = self.in_events(table, |generator| generator.condition(below.min(2)));
        let mut tree = tree!(Kind::Float; format!("share({} where ", NAMES[table]), condition);
        self.event_window(&mut tree, table, below);
        tree.parts.push(Part::Word(")".into()));
        tree
    }

    /// `orders where C, last 90 days)`.
    fn selection(&mut self, tree: &mut Tree, table: usize, below: usize) {
        self.pattern_of(tree, table, below);
        self.event_window(tree, table, below);
        tree.parts.push(Part::Word(")".into()));
    }

    fn pattern_of(&mut self, tree: &mut Tree, table: usize, below: usize) {
        tree.parts.push(Part::Word(NAMES[table].into()));
        if self.random.percent(50) {
            let condition = self.in_events(table, |generator| generator.condition(below.min(2)));
            tree.parts.extend([Part::Word(" where ".into()), Part::Sub(condition)]);
        }
    }

    /// Every form of window; its parts are the user's.
    fn event_window(&mut self, tree: &mut Tree, table: usize, below: usize) {
        let at = self.behaviour.tables[table].at;
        let (unit, most) = match at {
            Kind::Date => *self.random.pick(&[("days", 400), ("weeks", 30), ("months", 8), ("years", 2)]),
            _ => *self.random.pick(&[("days", 400), ("hours", 4_000), ("minutes", 100_000), ("months", 8)]),
        };
        let amount = self.random.between(2, most);
        let moment = *self.random.pick(&[Kind::Date, Kind::Timestamp]);
        let word = |text: String| Part::Word(text);
        let parts = match self.random.below(12) {
            0..=3 => vec![word(format!(", last {amount} {unit}"))],
            4 => {
                let length = self.in_scope(None, |generator| generator.value(Kind::Int, below.min(1)));
                vec![word(", last (".into()), Part::Sub(length), word(format!(") {unit}"))]
            }
            5 | 6 => {
                let end = self.in_scope(None, |generator| generator.value(moment, below.min(1)));
                vec![word(format!(", last {amount} {unit} before ")), Part::Sub(end)]
            }
            7 => {
                let later = self.random.between(1, amount - 1);
                vec![word(format!(", {amount} {unit} ago to {later} {unit} ago"))]
            }
            8 | 9 => {
                let start = if self.random.percent(40) {
                    let literal = self.literal(moment);
                    Tree::leaf(moment, literal)
                } else {
                    self.in_scope(None, |generator| generator.value(moment, below.min(1)))
                };
                vec![word(", since ".into()), Part::Sub(start)]
            }
            _ => Vec::new(),
        };
        tree.parts.extend(parts);
    }

    fn sequence(&mut self, below: usize) -> Tree {
        let mut tree = tree!(Kind::Condition; "sequence(");
        let mut tables = Vec::new();
        let one_table = self.random.percent(50).then(|| self.random.below(2));
        let mut pattern = |generator: &mut Self, tree: &mut Tree, before: &str| {
            tree.parts.push(Part::Word(before.into()));
            let table = one_table.unwrap_or_else(|| generator.random.below(2));
            tables.push(table);
            generator.pattern_of(tree, table, below.min(1));
        };
        let steps = 1 + self.random.below(3);
        pattern(self, &mut tree, "");
        for _ in 1..steps {
            for _ in 0..self.random.below(5).saturating_sub(2) {
                pattern(self, &mut tree, " without ");
            }
            pattern(self, &mut tree, " then ");
        }
        if steps == 1 || self.random.percent(30) {
            pattern(self, &mut tree, " then no ");
        }
        let dates_only = tables.iter().all(|table| *table == 1);
        if self.random.percent(70) {
            let (unit, most) = match dates_only {
                true => *self.random.pick(&[("days", 60), ("weeks", 8)]),
                false => {
                    *self.random.pick(&[("days", 60), ("weeks", 8), ("hours", 500), ("minutes", 30_000)])
                }
            };
            let amount = self.random.between(1, most);
            tree.parts.push(Part::Word(format!(", within {amount} {unit}")));
        }
        tree.parts.push(Part::Word(")".into()));
        tree
    }

    /// A score or a value of all users.
    fn of_population(&mut self, kind: Kind, below: usize) -> Option<Tree> {
        if self.behaviour.among_all || self.behaviour.scope.is_some() {
            return None;
        }
        self.behaviour.among_all = true;
        let made = self.among_all(kind, below);
        self.behaviour.among_all = false;
        made
    }

    fn among_all(&mut self, kind: Kind, below: usize) -> Option<Tree> {
        let number = *self.random.pick(&[Kind::Int, Kind::Float, Kind::Decimal]);
        Some(match kind {
            Kind::Int if self.random.percent(70) => {
                let mut tree = tree!(kind; "score(", self.value(number, below));
                if self.random.percent(30) {
                    let cuts = match number {
                        Kind::Float => "(-1.5, 0.25, 7.0)",
                        Kind::Decimal => "(-1.5, 0.25, 70)",
                        _ => "(0, 3, 40)",
                    };
                    tree.parts.push(Part::Word(format!(" into {cuts}")));
                } else {
                    if self.random.percent(40) {
                        let condition = self.condition(below.min(1));
                        tree.parts.extend([Part::Word(" where ".into()), Part::Sub(condition)]);
                    }
                    let bins = *self.random.pick(&[2, 3, 5, 5, 10, 100]);
                    tree.parts.push(Part::Word(format!(" into {bins}")));
                }
                let turned = if self.random.percent(40) { ", lowest is best" } else { "" };
                tree.parts.push(Part::Word(format!("{turned})")));
                tree
            }
            Kind::Float if self.random.percent(70) => match self.random.below(3) {
                0 => tree!(kind; "population avg(", self.value(number, below), ")"),
                1 => tree!(kind; "population median(", self.value(number, below), ")"),
                _ => {
                    let share = *self.random.pick(&["0", "0.05", "0.333", "0.8", "1"]);
                    tree!(kind; "population quantile(", self.value(number, below), format!(", {share})"))
                }
            },
            Kind::Int | Kind::Float | Kind::Decimal => {
                let word = *self.random.pick(&["min", "max", "sum"]);
                tree!(kind; format!("population {word}("), self.value(kind, below), ")")
            }
            _ => return None,
        })
    }
}
