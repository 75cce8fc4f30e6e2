//! Random typed expressions.

use crate::model::{Kind, Part, Tree, written_label};
use crate::programs::{Generator, date_of};
use crate::tree;
use strata::program::{Decimal, Value};

const TEXTS: [&str; 12] =
    ["", "vip", "VIP", "gold", "杭州", "北京 ", " x ", "a1", "ÀÉ", "straße", "İ", "vip-7"];
const PATTERNS: [&str; 7] = ["^v", "[0-9]+", "(?i)gold|vip", "杭|北", "^$", "\\\\s", "."];

impl Generator<'_> {
    /// A column or earlier declaration of that kind.
    pub fn name(&mut self, kind: Kind) -> String {
        if !self.behaviour.tables.is_empty() {
            return self.name_in_scope(kind);
        }
        let columns = self.columns.iter().filter(|column| column.kind == kind);
        let mut names: Vec<String> = columns.map(|column| column.name.to_owned()).collect();
        names.extend(self.names.iter().filter(|(_, other)| *other == kind).map(|(name, _)| name.clone()));
        if names.is_empty() { "t1".into() } else { self.random.pick(&names).clone() }
    }

    pub fn leaf(&mut self, kind: Kind) -> Tree {
        match kind {
            Kind::Condition => {
                let name = self.name(Kind::Bool);
                Tree::leaf(Kind::Condition, name)
            }
            Kind::Time => {
                let moment = self.leaf(Kind::Timestamp);
                tree!(kind; "time", "(", moment, ")")
            }
            Kind::Weekday => {
                let kind = if self.random.percent(50) { Kind::Date } else { Kind::Timestamp };
                let moment = self.leaf(kind);
                tree!(Kind::Weekday; "weekday", "(", moment, ")")
            }
            _ => {
                let name = self.name(kind);
                Tree::leaf(kind, name)
            }
        }
    }

    /// A literal that any value of the kind can be compared with; it is noted for the rows.
    pub fn literal(&mut self, kind: Kind) -> String {
        let (text, value) = self.literal_value(kind);
        if !self.constants.iter().any(|known| *known == (kind, value.clone())) {
            self.constants.push((kind, value));
        }
        text
    }

    fn literal_value(&mut self, kind: Kind) -> (String, Value) {
        let random = &mut *self.random;
        match kind {
            Kind::Int => {
                let n = match random.below(12) {
                    0 => i64::MAX,
                    1 => random.between(-1_000_000, 1_000_000),
                    _ => random.between(-5, 40),
                };
                (n.to_string(), Value::Int(n))
            }
            Kind::Float => {
                let hundredths = random.between(-300, 4_000);
                let text = format!(
                    "{}{}.{:02}",
                    if hundredths < 0 { "-" } else { "" },
                    hundredths.abs() / 100,
                    hundredths.abs() % 100
                );
                let value = text.parse::<f64>().unwrap() + 0.0;
                (text, Value::Float(value))
            }
            Kind::Decimal => {
                let cents = random.between(-2_000, 9_000);
                let text = format!(
                    "{}{}.{:02}",
                    if cents < 0 { "-" } else { "" },
                    cents.abs() / 100,
                    cents.abs() % 100
                );
                (text, Value::Decimal(Decimal { unscaled: i128::from(cents), scale: 2 }))
            }
            Kind::Text => {
                let text = *random.pick(&TEXTS);
                (format!("\"{text}\""), Value::Text(text.into()))
            }
            Kind::Date => {
                let days = random.between(15_000, 22_000);
                let date = date_of(days);
                (date.to_string(), Value::Date(days as i32))
            }
            Kind::Timestamp => {
                let minutes = random.between(15_000, 22_000) * 1440 + random.between(0, 1439);
                let at = jiff::Timestamp::from_second(minutes * 60).unwrap();
                let text = at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
                (text, Value::Timestamp(minutes * 60_000_000))
            }
            Kind::Time => {
                let minutes = random.between(0, 1439);
                (format!("{:02}:{:02}", minutes / 60, minutes % 60), Value::Time(minutes * 60_000_000))
            }
            Kind::Label(ty) | Kind::LabelList(ty) => {
                let labels = &self.types[ty].labels;
                let code = random.below(labels.len());
                (written_label(labels[code]), Value::Label(code as u32))
            }
            Kind::Weekday => {
                let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
                let code = random.below(7);
                (days[code].into(), Value::Label(code as u32))
            }
            Kind::TextList => self.literal_value(Kind::Text),
            Kind::IntList => self.literal_value(Kind::Int),
            Kind::Bool | Kind::Condition => {
                let value = random.percent(50);
                (value.to_string(), Value::Bool(value))
            }
        }
    }

    fn literals(&mut self, kind: Kind) -> String {
        let count = 1 + self.random.below(4);
        let literals: Vec<String> = (0..count).map(|_| self.literal(kind)).collect();
        literals.join(", ")
    }

    /// The other side of a comparison: mostly a literal.
    fn other(&mut self, kind: Kind, depth: usize) -> Tree {
        if self.random.percent(65) {
            let literal = self.literal(kind);
            Tree::leaf(kind, literal)
        } else {
            self.value(kind, depth)
        }
    }

    fn ordered(&mut self) -> Kind {
        *self.random.pick(&[
            Kind::Int,
            Kind::Int,
            Kind::Float,
            Kind::Decimal,
            Kind::Date,
            Kind::Timestamp,
            Kind::Time,
            Kind::Label(0),
            Kind::Weekday,
        ])
    }

    fn any_kind(&mut self) -> Kind {
        match self.random.below(4) {
            0 => Kind::Text,
            1 => Kind::Label(self.random.below(self.types.len())),
            _ => self.ordered(),
        }
    }

    pub fn condition(&mut self, depth: usize) -> Tree {
        const C: Kind = Kind::Condition;
        if depth == 0 {
            return if self.random.percent(50) { self.leaf(C) } else { self.comparison(0) };
        }
        let below = depth - 1;
        if let Some(condition) = self.behaviour_condition(below) {
            return condition;
        }
        match self.random.below(24) {
            0..=4 => self.comparison(below),
            5 | 6 => {
                let word = *self.random.pick(&[" and ", " or ", " implies "]);
                tree!(C; self.condition(below), word, self.condition(below))
            }
            7 => {
                let word = *self.random.pick(&[" and ", " or "]);
                tree!(C; self.condition(below), word, self.condition(below), word, self.condition(below))
            }
            8 => tree!(C; "not ", self.condition(below)),
            9 => self.counted(below),
            10 => {
                let kind = self.ordered();
                let (first, op) = (*self.random.pick(&[" < ", " <= "]), *self.random.pick(&[" < ", " <= "]));
                let low = self.literal(kind);
                tree!(C; low, first, self.value(kind, below), op, self.other(kind, below))
            }
            11 => {
                let kind = self.ordered();
                let word = *self.random.pick(&[" between ", " not between "]);
                tree!(C; self.value(kind, below), word, self.other(kind, 0), " and ", self.other(kind, 0))
            }
            12 | 13 => {
                let kind = self.any_kind();
                let word = *self.random.pick(&[" in (", " not in ("]);
                let literals = self.literals(kind);
                let more = if self.random.percent(15) {
                    vec![Part::Word(", ".into()), Part::Sub(self.leaf(kind))]
                } else {
                    Vec::new()
                };
                let mut tree = tree!(C; self.value(kind, below), word, literals);
                tree.parts.extend(more);
                tree.parts.push(Part::Word(")".into()));
                tree
            }
            14 | 15 => self.text_test(below),
            16 => self.list_test(),
            17 => {
                let kind = self.value_kind();
                let word =
                    *self.random.pick(&[" is missing", " is known", " is not missing", " is not known"]);
                tree!(C; self.value(kind, below), word)
            }
            18 | 19 => self.window(below),
            20 => {
                let kind = *self.random.pick(&[Kind::Date, Kind::Timestamp]);
                let word = *self.random.pick(&[" before ", " after "]);
                tree!(C; self.value(kind, below), word, self.other(kind, below))
            }
            21 => {
                let kind = *self.random.pick(&[Kind::Date, Kind::Timestamp]);
                let word = *self.random.pick(&["weekend", "workday"]);
                tree!(C; word, "(", self.value(kind, below), ")")
            }
            22 => self.layer_test(),
            _ => {
                let unit = *self.random.pick(&["days", "weeks", "months", "years", "hours", "minutes"]);
                let kind = match unit {
                    "hours" | "minutes" => Kind::Timestamp,
                    _ => *self.random.pick(&[Kind::Date, Kind::Timestamp]),
                };
                let since = *self.random.pick(&["since", "until"]);
                let op = *self.random.pick(&[" <= ", " < ", " > ", " >= ", " = ", " != "]);
                let n = self.random.between(-40, 400);
                tree!(C; format!("{unit} {since} "), self.leaf(kind), op, n.to_string())
            }
        }
    }

    fn comparison(&mut self, depth: usize) -> Tree {
        let kind = self.any_kind();
        let ordered = !matches!(kind, Kind::Text | Kind::Label(1));
        let op = if ordered {
            *self.random.pick(&[" = ", " != ", " < ", " <= ", " > ", " >= "])
        } else {
            *self.random.pick(&[" = ", " != "])
        };
        let left = self.value(kind, depth);
        // A moment may be compared with a date, a number with one of another kind.
        let right = match kind {
            Kind::Timestamp if self.random.percent(30) => self.other(Kind::Date, depth),
            Kind::Int if self.random.percent(10) => self.value(Kind::Decimal, depth),
            Kind::Decimal if self.random.percent(10) => self.value(Kind::Float, depth),
            Kind::Float if self.random.percent(10) => self.value(Kind::Int, depth),
            _ => self.other(kind, depth),
        };
        tree!(Kind::Condition; left, op, right)
    }

    fn counted(&mut self, depth: usize) -> Tree {
        let word = *self.random.pick(&["at least", "at most", "exactly"]);
        let count = 2 + self.random.below(3);
        let wanted = self.random.below(count + 1);
        let mut tree = tree!(Kind::Condition; format!("{word} {wanted} of ("));
        for at in 0..count {
            if at > 0 {
                tree.parts.push(Part::Word(", ".into()));
            }
            tree.parts.push(Part::Sub(self.condition(depth.min(1))));
        }
        tree.parts.push(Part::Word(")".into()));
        tree
    }

    fn text_test(&mut self, depth: usize) -> Tree {
        let text = self.value(Kind::Text, depth);
        let not = if self.random.percent(25) { "not " } else { "" };
        if self.random.percent(25) {
            let pattern = *self.random.pick(&PATTERNS);
            return tree!(Kind::Condition; text, format!(" {not}matches \"{pattern}\""));
        }
        let word = *self.random.pick(&["contains", "starts with", "ends with"]);
        let pattern = match self.random.below(4) {
            0 => format!("({})", self.literals(Kind::Text)),
            1 => return tree!(Kind::Condition; text, format!(" {not}{word} "), self.leaf(Kind::Text)),
            _ => self.literal(Kind::Text),
        };
        tree!(Kind::Condition; text, format!(" {not}{word} {pattern}"))
    }

    fn list_test(&mut self) -> Tree {
        let kind = *self.random.pick(&[Kind::TextList, Kind::TextList, Kind::IntList, Kind::LabelList(1)]);
        let list = self.leaf(kind);
        let not = if self.random.percent(25) { "not " } else { "" };
        let items = match self.random.below(4) {
            0 => format!("any ({})", self.literals(kind)),
            1 => format!("all ({})", self.literals(kind)),
            _ => self.literal(kind),
        };
        tree!(Kind::Condition; list, format!(" {not}has {items}"))
    }

    fn window(&mut self, depth: usize) -> Tree {
        let unit = *self.random.pick(&["days", "weeks", "months", "years", "hours", "minutes"]);
        let kind = match unit {
            "hours" | "minutes" => Kind::Timestamp,
            _ => *self.random.pick(&[Kind::Date, Kind::Timestamp]),
        };
        let direction = *self.random.pick(&["last", "next"]);
        let length = match unit {
            "hours" => self.random.between(1, 5_000),
            "minutes" => self.random.between(1, 100_000),
            "days" => self.random.between(1, 900),
            _ => self.random.between(1, 60),
        };
        if self.random.percent(25) {
            let (value, length) = (self.leaf(Kind::Date), self.random.between(1, 400));
            return tree!(Kind::Condition; "anniversary of ", value, format!(" in {direction} {length} days"));
        }
        let not = if self.random.percent(20) { "not " } else { "" };
        if self.random.percent(15) {
            let value = self.value(kind, depth);
            let amount = self.leaf(Kind::Int);
            return tree!(Kind::Condition; value, format!(" {not}in {direction} ("), amount, format!(") {unit}"));
        }
        tree!(Kind::Condition; self.value(kind, depth), format!(" {not}in {direction} {length} {unit}"))
    }

    fn layer_test(&mut self) -> Tree {
        let Some((name, members)) = self.some_layer() else { return self.leaf(Kind::Condition) };
        let member = self.random.pick(&members).clone();
        let text = match self.random.below(4) {
            0 => format!("{name} != {member}"),
            1 => format!("{name} in ({})", members.join(", ")),
            2 => format!("{name} is missing"),
            _ => format!("{name} = {member}"),
        };
        tree!(Kind::Condition; text, "")
    }

    /// A value that is not a bare literal.
    pub fn value(&mut self, kind: Kind, depth: usize) -> Tree {
        if depth == 0 || self.random.percent(35) {
            return self.leaf(kind);
        }
        let below = depth - 1;
        if let Some(value) = self.behaviour_value(kind, below) {
            return value;
        }
        match self.random.below(10) {
            0 | 1 => {
                let otherwise = self.other(kind, below);
                return tree!(kind; "case { when ", self.condition(below), " then ", self.value(kind, below),
                    " when ", self.condition(0), " then ", self.other(kind, 0), " otherwise ", otherwise, " }");
            }
            2 => {
                return tree!(kind; "case { when ", self.condition(below), " then ", self.value(kind, below), " }");
            }
            3 | 4 => return tree!(kind; self.value(kind, below), " or_else ", self.other(kind, 0)),
            _ => {}
        }
        match kind {
            Kind::Int => self.int(below),
            Kind::Float => self.float(below),
            Kind::Decimal => self.decimal(below),
            Kind::Text => match self.random.below(5) {
                0 => {
                    let key = self.value(Kind::Int, below);
                    tree!(kind; "facts[", key, "].t")
                }
                _ => {
                    let word = *self.random.pick(&["lower", "upper", "trim"]);
                    tree!(kind; word, "(", self.value(kind, below), ")")
                }
            },
            Kind::Date => match self.random.below(4) {
                0 | 1 => tree!(kind; "date(", self.value(Kind::Timestamp, below), ")"),
                2 if self.random.percent(50) => tree!(kind; "names[", self.value(Kind::Text, below), "].d"),
                2 => Tree::leaf(kind, "today"),
                _ => self.shifted(kind, below, &["days", "weeks", "months", "years"]),
            },
            Kind::Timestamp => match self.random.below(4) {
                0 => Tree::leaf(kind, "now"),
                _ => self.shifted(kind, below, &["days", "weeks", "months", "years", "hours", "minutes"]),
            },
            _ => self.leaf(kind),
        }
    }

    fn shifted(&mut self, kind: Kind, depth: usize, units: &[&str]) -> Tree {
        let unit = *self.random.pick(units);
        let sign = *self.random.pick(&[" + ", " - "]);
        if self.random.percent(30) {
            return tree!(kind; self.value(kind, depth), sign, "(", self.value(Kind::Int, depth), format!(") {unit}"));
        }
        let amount = self.random.between(0, 500);
        tree!(kind; self.value(kind, depth), sign, format!("{amount} {unit}"))
    }

    fn int(&mut self, depth: usize) -> Tree {
        const K: Kind = Kind::Int;
        match self.random.below(18) {
            0..=3 => {
                let op = *self.random.pick(&[" + ", " - ", " * ", " mod "]);
                tree!(K; self.value(K, depth), op, self.other(K, depth))
            }
            4 => tree!(K; "-", self.value(K, depth)),
            5 => {
                let word = *self.random.pick(&["abs", "floor", "ceil"]);
                tree!(K; word, "(", self.value(K, depth), ")")
            }
            6 => {
                let word = *self.random.pick(&["min", "max"]);
                tree!(K; word, "(", self.value(K, depth), ", ", self.other(K, depth), ", ", self.leaf(K), ")")
            }
            7 => tree!(K; "round(", self.value(K, depth), format!(", {})", self.random.between(-3, 2))),
            8 => tree!(K; "length(", self.value(Kind::Text, depth), ")"),
            9 => {
                let kind = *self.random.pick(&[Kind::TextList, Kind::IntList, Kind::LabelList(1)]);
                tree!(K; "size(", self.leaf(kind), ")")
            }
            10 => {
                let points = self.random.between(-50, 50);
                tree!(K; "points { when ", self.condition(depth.min(1)), " then 30 when ", self.condition(0), format!(" then {points} }}"))
            }
            11 | 14 | 15 => {
                let unit = *self.random.pick(&["days", "weeks", "months", "years", "hours", "minutes"]);
                let kind = match unit {
                    "hours" | "minutes" => Kind::Timestamp,
                    _ => *self.random.pick(&[Kind::Date, Kind::Timestamp]),
                };
                match self.random.below(3) {
                    0 => tree!(K; format!("{unit} since "), self.value(kind, depth)),
                    1 => tree!(K; format!("{unit} until "), self.value(kind, depth)),
                    _ => tree!(K; format!("{unit} from "), self.leaf(kind), " to ", self.leaf(kind)),
                }
            }
            12 => {
                let word = *self.random.pick(&["year", "quarter", "month", "day"]);
                let kind = *self.random.pick(&[Kind::Date, Kind::Timestamp]);
                tree!(K; word, "(", self.value(kind, depth), ")")
            }
            16 | 17 => tree!(K; "names[", self.value(Kind::Text, depth), "].n"),
            _ => tree!(K; "hour(", self.value(Kind::Timestamp, depth), ")"),
        }
    }

    fn float(&mut self, depth: usize) -> Tree {
        const K: Kind = Kind::Float;
        match self.random.below(9) {
            0 | 1 => {
                let op = *self.random.pick(&[" + ", " - ", " * ", " / ", " mod "]);
                tree!(K; self.value(K, depth), op, self.other(K, depth))
            }
            2 => {
                let kind = *self.random.pick(&[Kind::Int, Kind::Decimal]);
                tree!(K; self.value(kind, depth), " / ", self.other(kind, depth))
            }
            3 => {
                let word = *self.random.pick(&["abs", "floor", "ceil", "log", "sqrt"]);
                tree!(K; word, "(", self.value(K, depth), ")")
            }
            4 => tree!(K; "round(", self.value(K, depth), format!(", {})", self.random.between(-2, 4))),
            5 => {
                let word = *self.random.pick(&["min", "max"]);
                tree!(K; word, "(", self.value(K, depth), ", ", self.other(K, depth), ")")
            }
            6 => tree!(K; "-", self.value(K, depth)),
            7 => tree!(K; "facts[", self.value(Kind::Int, depth), "].f"),
            _ => tree!(K; self.leaf(K), " * ", self.value(Kind::Int, depth)),
        }
    }

    fn decimal(&mut self, depth: usize) -> Tree {
        const K: Kind = Kind::Decimal;
        match self.random.below(8) {
            0 | 1 => {
                let op = *self.random.pick(&[" + ", " - ", " mod "]);
                tree!(K; self.value(K, depth), op, self.other(K, depth))
            }
            2 => tree!(K; self.leaf(K), " * ", self.leaf(K)),
            3 => tree!(K; self.value(K, depth), " * ", self.value(Kind::Int, depth)),
            4 => {
                let word = *self.random.pick(&["abs", "floor", "ceil", "-"]);
                tree!(K; word, "(", self.value(K, depth), ")")
            }
            // Rounding away the digits leaves a type that literals with cents do not fit; the other
            // value brings them back.
            5 => {
                let digits = self.random.between(-3, 3);
                tree!(K; "max(round(", self.value(K, depth), format!(", {digits}), "), self.leaf(K), ")")
            }
            6 => {
                let word = *self.random.pick(&["min", "max"]);
                tree!(K; word, "(", self.value(K, depth), ", ", self.other(K, depth), ")")
            }
            _ => tree!(K; self.value(K, depth), " + ", self.value(Kind::Int, depth)),
        }
    }
}
