//! From the syntax tree to the [`Program`]: names, types, lowering, lints. Every fault is found in
//! one run: a name or expression that is at fault is *poisoned* (`None`), and whoever uses it says
//! nothing more.

pub mod allow;
mod assertions;
mod attributes;
mod campaign;
mod events;
mod expr;
mod layers;
mod lints;
mod load;
mod names;
mod proofs;
mod rfm;
mod standard;
mod tables;
mod types;
mod walk;

pub use load::{FileSystem, Loader, SingleText};
pub use proofs::Proofs;
pub use standard::{StandardFile, standard_files};

use crate::diagnostic::codes::names as codes;
use crate::diagnostic::{Diagnostic, Sources, Span, in_order, nearest};
use crate::program::written::Written;
use crate::program::{
    Builder, Declaration, EventTable, Expr, LabelType, Node, NodeId, Program, Source, Table, Type, TypeId,
    Value,
};
use crate::syntax::ast::{self, DeclarationKind};
use hashbrown::HashMap;
use std::path::{Path, PathBuf};

/// How a check is done.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Folders outside the root file's whose files may be used.
    pub allow_paths: Vec<PathBuf>,
    /// Codes of logic findings (E04xx, W…) that are not reported.
    pub allow: Vec<String>,
    /// The date that `expires` is held against where the file fixes no `now`; else the clock's.
    pub today: Option<jiff::civil::Date>,
    /// How much is proved.
    pub proofs: Proofs,
}

/// What a check gives.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The texts.
    pub sources: Sources,
    /// The program; none where there is an error.
    pub program: Option<Program>,
    /// All findings, in order of place.
    pub diagnostics: Vec<Diagnostic>,
    /// The root file could not be read.
    pub unreadable: bool,
}

/// Checks a rule file and all that it uses.
pub fn check(root: &Path, options: &Options) -> Checked {
    check_with(root, &FileSystem, options)
}

/// Checks one text that uses no other file.
pub fn check_text(name: &str, text: &str) -> Checked {
    let single = SingleText { path: PathBuf::from(name), text: text.to_owned() };
    check_with(Path::new(name), &single, &Options::default())
}

/// Likewise, and nothing is proved: for rules of which only the types matter.
pub fn check_text_without_proofs(name: &str, text: &str) -> Checked {
    let single = SingleText { path: PathBuf::from(name), text: text.to_owned() };
    check_with(Path::new(name), &single, &Options { proofs: Proofs::None, ..Options::default() })
}

/// Stack for rules nested as deep as the parser allows, with room to spare in an unoptimised build.
const STACK_BYTES: usize = 512 << 20;

/// The most distinct expressions that a program may have.
const MOST_NODES: usize = 5_000_000;

/// Checks a rule file whose texts come from `loader`.
pub fn check_with(root: &Path, loader: &(dyn Loader + Sync), options: &Options) -> Checked {
    let failed = || Checked {
        sources: Sources::new(),
        program: None,
        diagnostics: vec![Diagnostic::placeless(
            codes::TOO_LARGE,
            "there is no memory to check this program",
        )],
        unreadable: false,
    };
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, || check_here(root, loader, options))
            .ok()
            .and_then(|checking| checking.join().ok())
            .unwrap_or_else(failed)
    })
}

fn check_here(root: &Path, loader: &dyn Loader, options: &Options) -> Checked {
    let loaded = load::load(root, loader, options);
    let unreadable = loaded.unreadable;
    let mut checker = Checker {
        builder: Builder::new(),
        types: vec![weekday()],
        users: None,
        events: Vec::new(),
        scope: None,
        rfms: Vec::new(),
        lookups: Vec::new(),
        has_calendar: false,
        zone: jiff::tz::TimeZone::UTC,
        diagnostics: loaded.diagnostics,
        names: names::Names::default(),
        users_place: None,
        written_types: HashMap::new(),
        named_types: HashMap::new(),
        attributes: Vec::new(),
        checked: Vec::new(),
        folders: loaded.folders,
        today: 0,
        written: Written::default(),
        poisoned: false,
    };
    let mut program = checker.program(&loaded.declarations, &loaded.uses, &loaded.sources, options);
    if let Some(program) = program.as_mut().filter(|_| !unreadable)
        && !checker.diagnostics.iter().any(Diagnostic::is_error)
    {
        let found = proofs::prove(program, &checker.written, &loaded.sources, options);
        checker.diagnostics.extend(found);
    }
    let mut diagnostics = in_order(checker.diagnostics);
    allow::apply(&mut diagnostics, &loaded.allows, options);
    let program = program.filter(|_| !unreadable && !diagnostics.iter().any(Diagnostic::is_error));
    Checked { sources: loaded.sources, program, diagnostics: in_order(diagnostics), unreadable }
}

/// The built-in labelled type of `weekday(x)`.
fn weekday() -> LabelType {
    let labels = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    LabelType { name: "weekday".to_owned(), labels: labels.map(str::to_owned).to_vec(), ordered: true }
}

/// What a name in an expression stands for.
pub(crate) enum Resolved {
    /// A column, trait, scale, segment, layer or grid: its value.
    Node(NodeId),
    /// Declared, but at fault or unavailable: already reported.
    Poisoned,
    /// Declared nowhere. Not yet reported.
    Unknown,
}

/// The state of one check.
pub(crate) struct Checker {
    /// The expression graph so far.
    pub builder: Builder,
    /// All labelled types; number 0 is `weekday`.
    pub types: Vec<LabelType>,
    /// The user table.
    pub users: Option<Table>,
    /// The tables of events.
    pub events: Vec<EventTable>,
    /// The event table whose columns go by their bare names here; none where names are the user's.
    pub scope: Option<usize>,
    /// Each `rfm` with its values, once they are checked.
    rfms: Vec<(ast::Rfm, Option<Option<rfm::Values>>)>,
    /// The lookups.
    pub lookups: Vec<Table>,
    /// Whether a calendar is declared.
    pub has_calendar: bool,
    /// The zone of timestamps without an offset.
    pub zone: jiff::tz::TimeZone,
    /// What has been found.
    pub diagnostics: Vec<Diagnostic>,
    names: names::Names,
    /// Where the user table is declared.
    users_place: Option<Span>,
    written_types: HashMap<String, ast::Type>,
    named_types: HashMap<String, Option<types::Resolved>>,
    attributes: Vec<attributes::Attribute>,
    /// By attribute: its declaration once checked.
    checked: Vec<Option<Declaration>>,
    /// By file: its folder.
    folders: Vec<String>,
    /// Days since 1970-01-01 at the file's `now`, or today.
    today: i32,
    /// Where conditions were written.
    written: Written,
    /// Something stands in for what is at fault, so no program may be made.
    poisoned: bool,
}

impl Checker {
    /// Checks everything, in the order in which it is needed.
    fn program(
        &mut self,
        declarations: &[ast::Declaration],
        uses: &[load::Followed],
        sources: &Sources,
        options: &Options,
    ) -> Option<Program> {
        let (timezone, now) = self.settings(declarations, options);
        let mut written_types = Vec::new();
        for declaration in declarations {
            if let DeclarationKind::Type(ty) = &declaration.kind {
                written_types.push(ty);
            }
        }
        self.declare_types(&written_types);
        let mut calendar: Option<Source> = None;
        for declaration in declarations {
            match &declaration.kind {
                DeclarationKind::Table(table) => self.declare_users(table),
                DeclarationKind::Lookup(table) => self.declare_lookup(table),
                DeclarationKind::Calendar(path) if calendar.is_some() => self.twice(path.span, "a calendar"),
                DeclarationKind::Calendar(path) => {
                    self.has_calendar = true;
                    calendar = Some(self.source(path));
                }
                _ => {}
            }
        }
        // After the users, whose key they hold.
        for declaration in declarations {
            if let DeclarationKind::Events(events) = &declaration.kind {
                self.declare_events(events);
            }
        }
        for declaration in declarations {
            match &declaration.kind {
                DeclarationKind::Rfm(rfm) => self.declare_rfm(rfm, declaration.docs.as_ref()),
                _ => self.declare_attribute(declaration),
            }
        }
        self.declare_substitutes(uses);
        for at in self.check_order() {
            self.check_attribute(at);
        }
        let guards = self.check_guards(declarations, sources);
        let assertions = self.assertions(declarations, sources);
        // Tests come last: what they alone need stands behind all else.
        let tests = self.check_tests(declarations, sources, now);
        self.unused_substitutes();
        for declaration in declarations {
            for e in attributes::of(&declaration.kind).iter().flat_map(attributes::Attribute::expressions) {
                self.mixed_and_or(e, sources);
            }
        }
        if self.builder.len() > MOST_NODES {
            self.report(
                Diagnostic::placeless(
                    codes::TOO_LARGE,
                    format!(
                        "this program has {} distinct expressions, and {MOST_NODES} are the most",
                        self.builder.len()
                    ),
                )
                .help("divide it into several programs"),
            );
        }
        if self.poisoned {
            return None;
        }
        Some(Program {
            edition: 1,
            timezone,
            now,
            types: self.types.clone(),
            users: self.users.clone(),
            events: self.events.clone(),
            lookups: self.lookups.clone(),
            calendar,
            nodes: std::mem::take(&mut self.builder).finish(),
            declarations: self.checked.iter().flatten().cloned().collect(),
            guards,
            tests,
            assertions,
            undecided: crate::program::Undecided::default(),
        })
    }

    /// `timezone` and `now`: once, in the root file.
    fn settings(&mut self, declarations: &[ast::Declaration], options: &Options) -> (String, Option<i64>) {
        let mut timezone: Option<String> = None;
        let mut now = None;
        let mut seen = [false, false];
        for declaration in declarations {
            let (which, what) = match &declaration.kind {
                DeclarationKind::Timezone(_) => (0, "a time zone"),
                DeclarationKind::Now(_) => (1, "`now`"),
                _ => continue,
            };
            if declaration.span.file.0 != 0 {
                self.report(
                    Diagnostic::new(
                        codes::ROOT_ONLY,
                        declaration.span,
                        format!("{what} is set in the root file only"),
                    )
                    .help("leave it out here; the file that is run decides"),
                );
                continue;
            }
            if seen.get(which) == Some(&true) {
                self.twice(declaration.span, what);
                continue;
            }
            if let Some(place) = seen.get_mut(which) {
                *place = true;
            }
            if let DeclarationKind::Timezone(name) = &declaration.kind {
                timezone = self.time_zone(name);
            }
        }
        // A moment without an offset is read in the zone, wherever that is declared.
        let mut seen = false;
        for declaration in declarations {
            if let DeclarationKind::Now(e) = &declaration.kind
                && declaration.span.file.0 == 0
                && !std::mem::replace(&mut seen, true)
            {
                now = self.now_literal(e);
            }
        }
        let moment = now
            .and_then(|micros| jiff::Timestamp::from_microsecond(micros).ok())
            .map(|moment| self.zone.to_datetime(moment).date());
        let today =
            moment.or(options.today).unwrap_or_else(|| self.zone.to_datetime(jiff::Timestamp::now()).date());
        self.today = expr::literals::days(today);
        (timezone.unwrap_or_else(|| "UTC".to_owned()), now)
    }

    fn twice(&mut self, span: Span, what: &str) {
        self.report(
            Diagnostic::new(codes::ROOT_ONLY, span, format!("{what} is set twice"))
                .help("keep one of the two"),
        );
    }

    fn time_zone(&mut self, name: &ast::Text) -> Option<String> {
        match jiff::tz::TimeZone::get(&name.value) {
            Ok(zone) => {
                self.zone = zone;
                Some(name.value.clone())
            }
            Err(_) => {
                let known: Vec<String> =
                    jiff::tz::db().available().map(|known| known.as_str().to_owned()).collect();
                let finding = Diagnostic::new(
                    codes::UNKNOWN_ZONE,
                    name.span,
                    format!("there is no time zone `{}`", name.value),
                );
                self.report(match nearest(&name.value, known.iter().map(String::as_str)) {
                    Some(near) => finding
                        .help(format!("did you mean `{near}`?"))
                        .fix(name.span, format!("\"{near}\"")),
                    None => finding.help("zones are named by region and city, such as `Asia/Shanghai` or `Europe/Berlin`, or `UTC`"),
                });
                None
            }
        }
    }

    /// The root file's `now`: a date is its first moment.
    fn now_literal(&mut self, e: &ast::Expr) -> Option<i64> {
        match &e.kind {
            ast::ExprKind::Error => None,
            ast::ExprKind::Date(date) => self.moment(date.at(0, 0, 0, 0), None),
            ast::ExprKind::Timestamp(local, offset) => self.moment(*local, *offset),
            _ => {
                self.report(
                    Diagnostic::new(
                        crate::diagnostic::codes::types::NOT_A_LITERAL,
                        e.span,
                        "`now` is a fixed date or moment",
                    )
                    .help("write `now 2024-11-15` or `now 2024-11-15T08:00`"),
                );
                None
            }
        }
    }

    /// Declares the name of an attribute; its check comes when it is needed.
    fn declare_attribute(&mut self, declaration: &ast::Declaration) {
        if let DeclarationKind::Unavailable { word, name } = &declaration.kind {
            self.report(
                Diagnostic::new(
                    codes::NOT_EVALUATED,
                    declaration.word,
                    format!(
                        "`{word}` belongs to the language, but this version of strata does not evaluate it"
                    ),
                )
                .help("leave the declaration out for now; the rest of the file works without it"),
            );
            if let Some(name) = name
                && !self.names.values.contains_key(&name.text)
            {
                self.declare(name, names::State::Done(None));
            }
            return;
        }
        let Some(mut attribute) = attributes::of(&declaration.kind) else { return };
        attribute.docs.clone_from(&declaration.docs);
        let name = attribute.name().clone();
        let at = self.attributes.len();
        if self.declare(&name, names::State::Waiting(at)) {
            self.attributes.push(attribute);
            self.checked.push(None);
        }
    }

    /// The names that `use … with A = B` gives to a file.
    fn declare_substitutes(&mut self, uses: &[load::Followed]) {
        for used in uses {
            for (name, expr) in &used.with {
                let key = (used.file, name.text.clone());
                if let Some(first) = self.names.substitutes.get(&key).map(|substitute| substitute.name) {
                    self.declared_twice(name, first);
                    continue;
                }
                let substitute = names::Substitute {
                    expr: expr.clone(),
                    name: name.span,
                    used: false,
                    state: names::State::Waiting(0),
                };
                self.names.substitutes.insert(key, substitute);
            }
        }
    }

    /// A `with` name that the file never asks for is a slip.
    fn unused_substitutes(&mut self) {
        let mut unused: Vec<(Span, String)> = self
            .names
            .substitutes
            .iter()
            .filter(|(_, substitute)| !substitute.used)
            .map(|((_, name), substitute)| (substitute.name, name.clone()))
            .collect();
        unused.sort();
        for (span, name) in unused {
            self.report(
                Diagnostic::new(codes::BAD_WITH, span, format!("the used file does not ask for `{name}`"))
                    .help("leave it out, or look up in that file how the name is spelt"),
            );
        }
    }

    /// Reports a finding.
    pub(crate) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// The node of that number.
    pub(crate) fn node(&self, id: NodeId) -> &Node {
        static NONE: Node = Node {
            expr: Expr::Constant(Value::Missing),
            ty: Type::Bool,
            optional: true,
            place: Span { file: crate::diagnostic::FileId(0), start: 0, end: 0 },
        };
        self.builder.get(id).unwrap_or(&NONE)
    }

    /// Code of a label in a labelled type.
    pub(crate) fn label_code(&self, ty: TypeId, label: &str) -> Option<u32> {
        let labels = &self.types.get(ty.0 as usize)?.labels;
        labels.iter().position(|known| known == label).and_then(|at| u32::try_from(at).ok())
    }
}
