//! The text as a tree: what was written, where. Names are not resolved, nothing is typed.
//!
//! Every node carries its [`Span`]. Parentheses are kept ([`ExprKind::Parenthesised`]) because a
//! lint and the formatter need to see them.

mod behaviour;
mod campaign;

pub use behaviour::*;
pub use campaign::*;

use crate::diagnostic::Span;

/// One parsed rule file.
#[derive(Clone, Debug, PartialEq)]
pub struct File {
    /// `strata 1`, where written.
    pub edition: Option<(u32, Span)>,
    /// In the file's order. What could not be parsed has been reported and left out.
    pub declarations: Vec<Declaration>,
    /// `# strata: allow CODE reason` comments.
    pub allows: Vec<Allow>,
    /// Every comment, documentation comments included, in order.
    pub comments: Vec<Comment>,
}

/// A comment's text with its mark (`#` or `##`).
#[derive(Clone, Debug, PartialEq)]
pub struct Comment {
    /// The text, the marks included, the line break not.
    pub text: String,
    /// Where it stands.
    pub span: Span,
    /// Whether nothing but white space stands before it on its line.
    pub own_line: bool,
}

/// `# strata: allow W1101 reason`: turns a finding off on the next line that holds code.
#[derive(Clone, Debug, PartialEq)]
pub struct Allow {
    /// The code as written.
    pub code: String,
    /// Why; empty where none was given.
    pub reason: String,
    /// The comment.
    pub span: Span,
    /// The stretch that it covers: the next line with code on it.
    pub covers: Span,
}

/// A name: NFC, without its backquotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The name itself.
    pub text: String,
    /// Where it stands, backquotes included.
    pub span: Span,
    /// Whether it was written in backquotes.
    pub quoted: bool,
}

/// A string literal, its escapes resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// What it says.
    pub value: String,
    /// Where it stands, quotes included.
    pub span: Span,
}

/// A declaration with the documentation comment above it.
#[derive(Clone, Debug, PartialEq)]
pub struct Declaration {
    /// All of it, from its word to its end.
    pub span: Span,
    /// The declaring word (`segment`).
    pub word: Span,
    /// The lines of `##` above it, joined by line breaks.
    pub docs: Option<String>,
    /// What it declares.
    pub kind: DeclarationKind,
}

/// What a declaration declares.
#[derive(Clone, Debug, PartialEq)]
pub enum DeclarationKind {
    /// `timezone "Asia/Shanghai"`
    Timezone(Text),
    /// `now 2024-11-15T00:00` (a date or timestamp literal)
    Now(Expr),
    /// `use "shared/scales.seg" with a = b, …`
    Use(Use),
    /// `type level = low < mid < high`
    Type(TypeDeclaration),
    /// `table users key user_id from "users.csv" { … }`
    Table(Table),
    /// `lookup baby key week from "baby.csv" { … }`
    Lookup(Table),
    /// `calendar from "days.csv"`
    Calendar(Text),
    /// `events orders of users by user_id at ordered_at from "orders.csv" { … }`
    Events(Events),
    /// `rfm value from orders { … }`
    Rfm(Rfm),
    /// `trait silent_days : int = …`
    Trait(Trait),
    /// `scale expertise : level { … }`
    Scale(Scale),
    /// `segment pro_strong "…" when …`
    Segment(Segment),
    /// `layer age_band first match { … }`
    Layer(Layer),
    /// `grid fund by expertise, intent { … }`
    Grid(Grid),
    /// `stack plan on lifecycle { … }`
    Stack(Stack),
    /// `play fund_play for fund { … }`
    Play(Play),
    /// `split pro_test of pro_strong seed "2024q4" { … }`
    Split(Split),
    /// `test "…" { … }`
    Test(Test),
    /// `guard share(pro_strong) between 1% and 20%`
    Guard(Guard),
    /// `assert always C`, `assert never C`
    Assert(Assert),
    /// A declaration of the language of a later edition that this version does not evaluate:
    /// its word and, where there is one, its name. Its body was skipped.
    Unavailable {
        /// `stack`
        word: String,
        /// The name that it declares.
        name: Option<Name>,
    },
}

/// `use "path" with expected = given, …`
#[derive(Clone, Debug, PartialEq)]
pub struct Use {
    /// As written.
    pub path: Text,
    /// Name that the file expects, and what to take for it.
    pub with: Vec<(Name, Expr)>,
}

/// `type name = …`
#[derive(Clone, Debug, PartialEq)]
pub struct TypeDeclaration {
    /// Its name.
    pub name: Name,
    /// What it stands for.
    pub ty: Type,
}

/// A written type with its `?`.
#[derive(Clone, Debug, PartialEq)]
pub struct Type {
    /// Without the `?`.
    pub kind: TypeKind,
    /// `?` was written.
    pub optional: bool,
    /// All of it.
    pub span: Span,
}

/// A written type.
#[derive(Clone, Debug, PartialEq)]
pub enum TypeKind {
    /// Could not be read; already reported. Whoever meets it says nothing.
    Error,
    /// `int`, `level`, …: built-in or declared
    Named(Name),
    /// `decimal(18, 2)`; the numbers as written
    Decimal {
        /// Digits in all.
        precision: u32,
        /// Digits after the point.
        scale: u32,
    },
    /// `list of string`
    List(Box<Type>),
    /// `a | b | c` or `a < b < c`
    Labels {
        /// In order.
        labels: Vec<Name>,
        /// Whether `<` stands between them.
        ordered: bool,
    },
}

/// A domain after a type.
#[derive(Clone, Debug, PartialEq)]
pub enum Domain {
    /// `between a and b`
    Between(Expr, Expr),
    /// `>= a`, `> a`, `<= a`, `< a`
    Bound(CompareOp, Expr),
    /// `past`
    Past(Span),
}

/// A table or lookup.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Its name.
    pub name: Name,
    /// The key column's name.
    pub key: Name,
    /// `from "…"`
    pub path: Option<Text>,
    /// Its columns.
    pub columns: Vec<Column>,
}

/// A declared column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name in rules.
    pub name: Name,
    /// Its documentation comment.
    pub docs: Option<String>,
    /// Its type.
    pub ty: Type,
    /// Its domain.
    pub domain: Option<Domain>,
    /// Its name in the data, where it differs.
    pub source: Option<Text>,
    /// How dates are written in text files (strftime).
    pub format: Option<Text>,
    /// All of it.
    pub span: Span,
}

/// What may stand between a declaration's name and its body.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Heading {
    /// The label string.
    pub label: Option<Text>,
    /// `with { owner "crm"; … }`: name and value (a literal).
    pub properties: Vec<(Name, Expr)>,
}

/// `trait NAME : TYPE domain = EXPR`
#[derive(Clone, Debug, PartialEq)]
pub struct Trait {
    /// Its name.
    pub name: Name,
    /// Its stated type.
    pub ty: Option<Type>,
    /// Its stated domain.
    pub domain: Option<Domain>,
    /// Its value.
    pub value: Expr,
}

/// `scale NAME : TYPE { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    /// Its name.
    pub name: Name,
    /// Label and properties.
    pub heading: Heading,
    /// Its type.
    pub ty: Type,
    /// Its cases in order.
    pub members: Vec<Member>,
}

/// `segment NAME "label" when EXPR`
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// Its name.
    pub name: Name,
    /// Label and properties.
    pub heading: Heading,
    /// Who is in.
    pub condition: Expr,
}

/// `assert always C`, `assert never C`
#[derive(Clone, Debug, PartialEq)]
pub struct Assert {
    /// `always`, else `never`.
    pub always: bool,
    /// What holds for everybody, or for nobody.
    pub condition: Expr,
}

/// `first match` and `partial`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct LayerMode {
    /// Where `first match` stands.
    pub first_match: Option<Span>,
    /// Where `partial` stands.
    pub partial: Option<Span>,
}

/// `layer NAME … { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Its name.
    pub name: Name,
    /// Label and properties.
    pub heading: Heading,
    /// Its modes.
    pub mode: LayerMode,
    /// Its members in order.
    pub members: Vec<Member>,
}

/// One line of a layer or scale.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Its name, or the label of a scale's type.
    pub name: Name,
    /// Label and properties.
    pub heading: Heading,
    /// Its documentation comment.
    pub docs: Option<String>,
    /// When it holds.
    pub condition: MemberCondition,
    /// All of it.
    pub span: Span,
}

/// When a member holds.
#[derive(Clone, Debug, PartialEq)]
pub enum MemberCondition {
    /// `when EXPR`
    When(Expr),
    /// `otherwise` (its place)
    Otherwise(Span),
}

/// `grid NAME by A, B { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// Its name.
    pub name: Name,
    /// Label and properties.
    pub heading: Heading,
    /// Its modes.
    pub mode: LayerMode,
    /// Its dimensions.
    pub dimensions: Vec<Expr>,
    /// Its lines.
    pub lines: Vec<GridLine>,
}

/// `pattern, pattern -> member "label"`
#[derive(Clone, Debug, PartialEq)]
pub struct GridLine {
    /// One a dimension; empty for `otherwise`.
    pub patterns: Vec<Pattern>,
    /// Where `otherwise` stands instead of patterns.
    pub otherwise: Option<Span>,
    /// The member.
    pub member: Name,
    /// Label and properties.
    pub heading: Heading,
    /// Its documentation comment.
    pub docs: Option<String>,
    /// All of it.
    pub span: Span,
}

/// A grid pattern.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    /// What it matches.
    pub kind: PatternKind,
    /// Where it stands.
    pub span: Span,
}

/// What a grid pattern matches.
#[derive(Clone, Debug, PartialEq)]
pub enum PatternKind {
    /// `_`
    Anything,
    /// `missing`
    Missing,
    /// A label, number, `true`, …: equal to this (a name or literal)
    Value(Expr),
    /// `18 to 24`, both in
    Range(Expr, Expr),
    /// `>= mid`, `< 18`
    Bound(CompareOp, Expr),
    /// `a | b`
    AnyOf(Vec<Pattern>),
}

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
}

/// A number, held exactly: `unscaled / 10^scale`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Number {
    /// Digits without the point.
    pub unscaled: i128,
    /// Digits after the point; 0 for `50万`, 2 for `10%` (0.10).
    pub scale: u8,
}

/// `= < <= > >=` and `!=`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CompareOp {
    /// `=`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

/// `+ - * / mod`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ArithmeticOp {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `mod`
    Modulo,
}

/// A unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Elapsed minutes.
    Minutes,
    /// Elapsed hours.
    Hours,
    /// Calendar days.
    Days,
    /// Seven days.
    Weeks,
    /// Calendar months.
    Months,
    /// Calendar years.
    Years,
}

/// String tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TextTest {
    /// `contains`
    Contains,
    /// `starts with`
    StartsWith,
    /// `ends with`
    EndsWith,
}

/// `has`, `has any`, `has all`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HasKind {
    /// `has x`
    One,
    /// `has any (…)`
    Any,
    /// `has all (…)`
    All,
}

/// `at least`, `at most`, `exactly`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quantifier {
    /// `at least`
    AtLeast,
    /// `at most`
    AtMost,
    /// `exactly`
    Exactly,
}

/// `in last …` or `in next …`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WindowDirection {
    /// `last`
    Last,
    /// `next`
    Next,
}

/// `since` or `until`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SinceKind {
    /// `days since x`
    Since,
    /// `days until x`
    Until,
}

/// What an expression is.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// Could not be read; already reported. Whoever meets it says nothing.
    Error,
    /// `true`, `false`
    Bool(bool),
    /// `42`, `5万`, `10%`
    Number(Number),
    /// `"…"`
    Text(String),
    /// `2024-11-15`
    Date(jiff::civil::Date),
    /// `2024-11-15T08:00+08:00`: local date and time; the offset in seconds where one is written
    Timestamp(jiff::civil::DateTime, Option<i32>),
    /// `22:30`
    Time(jiff::civil::Time),
    /// `30 days`, `(cycle) days`
    Duration(Box<Expr>, Unit),
    /// A name or a bare label. `now` and `today` are names too.
    Name(Name),
    /// `users.age`, `value.r`: qualifier and name
    Qualified(Name, Name),
    /// `baby[week].length_cm`
    Lookup {
        /// The lookup.
        table: Name,
        /// The key.
        key: Box<Expr>,
        /// The column.
        column: Name,
    },
    /// `( … )`
    Parenthesised(Box<Expr>),
    /// `-x`
    Negate(Box<Expr>),
    /// `not x` (its word's place)
    Not(Box<Expr>, Span),
    /// `a and b and c`: two or more
    And(Vec<Expr>),
    /// `a or b or c`: two or more
    Or(Vec<Expr>),
    /// `a implies b`
    Implies(Box<Expr>, Box<Expr>),
    /// `a < b <= c`: one or more operators, each with its place
    Compare(Box<Expr>, Vec<(CompareOp, Span, Expr)>),
    /// `x [not] between a and b`
    Between {
        /// The value.
        value: Box<Expr>,
        /// Lower end, in.
        low: Box<Expr>,
        /// Upper end, in.
        high: Box<Expr>,
        /// `not` was written.
        negated: bool,
    },
    /// `x [not] in (a, b)`
    In {
        /// The value.
        value: Box<Expr>,
        /// The items.
        items: Vec<Expr>,
        /// `not` was written.
        negated: bool,
    },
    /// `x [not] in last 30 days`
    InWindow {
        /// The date or timestamp.
        value: Box<Expr>,
        /// `anniversary of x in …`
        anniversary: bool,
        /// Back or ahead.
        direction: WindowDirection,
        /// How many.
        amount: Box<Expr>,
        /// Of what.
        unit: Unit,
        /// `not` was written.
        negated: bool,
    },
    /// `x before y`, `x after y`
    Order {
        /// Left side.
        left: Box<Expr>,
        /// `before`, else `after`.
        before: bool,
        /// Right side.
        right: Box<Expr>,
    },
    /// `x [not] contains "a"`, `x starts with ("a", "b")`
    TextTest {
        /// The text.
        value: Box<Expr>,
        /// Which test.
        test: TextTest,
        /// Any of these.
        patterns: Vec<Expr>,
        /// `not` was written.
        negated: bool,
    },
    /// `x [not] matches "regex"`
    Matches {
        /// The text.
        value: Box<Expr>,
        /// The regular expression.
        pattern: Text,
        /// `not` was written.
        negated: bool,
    },
    /// `tags [not] has any ("a", "b")`
    Has {
        /// The list.
        value: Box<Expr>,
        /// One, any or all.
        kind: HasKind,
        /// The items.
        items: Vec<Expr>,
        /// `not` was written.
        negated: bool,
    },
    /// `x is [not] missing`, `x is [not] known`; `known` after resolving `not`
    Is {
        /// The value.
        value: Box<Expr>,
        /// Whether it asks for a known value.
        known: bool,
    },
    /// `x or_else y`
    OrElse(Box<Expr>, Box<Expr>),
    /// `a + b`, with the operator's place
    Arithmetic(Box<Expr>, ArithmeticOp, Span, Box<Expr>),
    /// `round(x, 2)`
    Call(Name, Vec<Expr>),
    /// `days since x`
    Since {
        /// Counted in.
        unit: Unit,
        /// `since` or `until`.
        kind: SinceKind,
        /// The date or timestamp.
        value: Box<Expr>,
    },
    /// `days from x to y`
    FromTo {
        /// Counted in.
        unit: Unit,
        /// Start.
        from: Box<Expr>,
        /// End.
        to: Box<Expr>,
    },
    /// `at least 2 of (A, B, C)`
    CountOf {
        /// Which way.
        quantifier: Quantifier,
        /// How many, with its place.
        count: (Number, Span),
        /// The conditions.
        conditions: Vec<Expr>,
    },
    /// `points { when A then 30 … }`
    Points(Vec<(Expr, Expr)>),
    /// `case { when c then A … otherwise C }`
    Case {
        /// Conditions and values.
        arms: Vec<(Expr, Expr)>,
        /// The rest.
        otherwise: Option<Box<Expr>>,
    },
    /// `sum(amount of orders where …, last 90 days)`
    Aggregate(Box<AggregateCall>),
    /// `sequence(…)`
    Sequence(Box<SequenceCall>),
    /// `score(… into 5)`
    Score(Box<ScoreCall>),
    /// `population median(…)`
    Population(Box<PopulationCall>),
    /// `lifecycle as of 30 days ago`
    AsOf(Box<AsOf>),
}
