//! The declarations of a file, one after the other.

use super::ast::{
    Assert, Declaration, DeclarationKind, Expr, ExprKind, File, Heading, Name, Segment, Trait, Type,
    TypeDeclaration, TypeKind, Use,
};
use super::grammar::Rule;
use super::prepare::DECLARATION;
use super::recover::{Failure, Reader};
use super::words::nearest_word;
use crate::diagnostic::codes::syntax as codes;
use crate::diagnostic::{Diagnostic, Span};

/// The words that declare something.
pub(super) const WORDS: [&str; 22] = [
    "strata", "timezone", "now", "use", "type", "table", "lookup", "calendar", "trait", "scale", "segment",
    "layer", "grid", "events", "rfm", "stack", "play", "split", "test", "assert", "guard", "edition",
];

impl<'p> Reader<'p> {
    /// The whole file.
    pub fn file(&mut self, file: &mut File) {
        // Where the declaration before began: junk after it is read as a part of it.
        let mut last = None;
        loop {
            self.skip_blanks();
            if self.from(self.at).starts_with(DECLARATION) {
                self.at += DECLARATION.len();
            }
            let rest = self.from(self.at);
            let Some(next) = rest.chars().next() else { return };
            let start = self.at;
            if matches!(next, '}' | ')' | ']' | ';' | ',') {
                self.stray(next);
                continue;
            }
            let word_length = rest.find(|c: char| !super::letters::continues_word(c)).unwrap_or(rest.len());
            let word = rest.get(..word_length).unwrap_or("");
            let known = WORDS.contains(&word) && word != "edition";
            if !self.begins_line(start) {
                self.not_at_line_start(last.unwrap_or(start), start, word, known);
                if !known {
                    poison(file.declarations.last_mut());
                    self.skip_declaration(start, start);
                    continue;
                }
            }
            if !known {
                self.unknown(file, start, word);
                continue;
            }
            last = Some(start);
            let word_span = self.span(start, start + word_length);
            let docs = self.builder.docs(word_span);
            if word == "strata" {
                self.edition(file);
                continue;
            }
            let kind = self.declaration(word);
            if self.at <= start {
                self.at = start + word_length;
            }
            if let Some(kind) = kind {
                let end = start + self.clean.get(start..self.at).unwrap_or("").trim_end().len();
                let span = self.span(start, end);
                file.declarations.push(Declaration { span, word: word_span, docs, kind });
            }
        }
    }

    /// A closing bracket or separator between declarations.
    fn stray(&mut self, sign: char) {
        if sign == '}' && self.owed > 0 {
            self.owed -= 1;
            self.at += 1;
            return;
        }
        let place = self.span(self.at, self.at + 1);
        let finding = if sign == '}' || sign == ')' || sign == ']' {
            let open = match sign {
                '}' => '{',
                ')' => '(',
                _ => '[',
            };
            Diagnostic::new(codes::BRACKET, place, format!("this `{sign}` closes nothing"))
                .help(format!("delete it, or write the `{open}` that it should close"))
        } else {
            Diagnostic::new(codes::UNEXPECTED, place, format!("a declaration does not end with `{sign}`"))
                .help("delete it; the next declaration begins on a new line")
        };
        self.builder.report(finding.fix(place, ""));
        self.at += 1;
    }

    fn not_at_line_start(&mut self, last: usize, start: usize, word: &str, known: bool) {
        if known {
            let place = self.span(start, start + word.len());
            self.builder.report(
                Diagnostic::new(
                    codes::OTHER_LINE,
                    place,
                    format!("`{word}` begins a declaration, but not on a new line"),
                )
                .help("begin each declaration on a line of its own")
                .fix(Span { end: place.start, ..place }, "\n"),
            );
            return;
        }
        let failure = Failure { rule: None, start: last, at: start, expected: Vec::new() };
        self.answer(&failure);
    }

    /// A line that begins with no word of the language.
    fn unknown(&mut self, file: &mut File, start: usize, word: &str) {
        let rest = self.from(start);
        let length = if word.is_empty() { rest.chars().next().map_or(1, char::len_utf8) } else { word.len() };
        let place = self.span(start, start + length);
        let shown = rest.get(..length).unwrap_or("");
        let mut finding = Diagnostic::new(
            codes::UNKNOWN_DECLARATION,
            place,
            format!("a line does not begin with `{shown}`: that is no word for a declaration"),
        );
        let near = nearest_word(word, &WORDS);
        let habit = habit_declaration(word);
        finding = match (near, habit) {
            (Some(near), _) => finding.help(format!("did you mean `{near}`?")).fix(place, near),
            (None, Some((_, help))) => finding.help(help),
            (None, None) => {
                finding.help("a declaration begins with a word such as `segment`, `layer` or `trait`")
            }
        };
        if shown != "\u{1}" {
            self.builder.report(finding);
        }
        // The name that it declares would be missed elsewhere: read on as if the word were right.
        let reported = self.builder.diagnostics.borrow().len();
        let Some(meant) = near.or(habit.map(|(meant, _)| meant)) else {
            return self.skip_declaration(start, start + length);
        };
        let docs = self.builder.docs(place);
        let kind = self.declaration(meant);
        if near.is_none() {
            self.builder.diagnostics.borrow_mut().truncate(reported);
        }
        if self.at <= start {
            self.skip_declaration(start, start + length);
        } else if near.is_none() && !self.at_boundary() {
            self.skip_declaration(start, self.at);
        }
        if let Some(kind) = kind {
            let span =
                self.span(start, start + self.clean.get(start..self.at).unwrap_or("").trim_end().len());
            file.declarations.push(Declaration { span, word: place, docs, kind });
        }
    }

    /// Whether the next text stands on a line of its own.
    fn at_boundary(&self) -> bool {
        let rest = self.from(self.at);
        let next = self.at + (rest.len() - rest.trim_start().len());
        next >= self.clean.len() || self.begins_line(next)
    }

    fn edition(&mut self, file: &mut File) {
        match self.rule(Rule::edition) {
            Ok(node) => {
                let span = self.builder.span(&node);
                let number = node.into_inner().find(|part| part.as_rule() == Rule::number);
                let edition = number.and_then(|number| number.as_str().trim().parse().ok());
                match (edition, file.edition) {
                    (_, Some((_, before))) => self.builder.report(
                        Diagnostic::new(codes::UNEXPECTED, span, "the edition is given twice")
                            .label(before, "the first time")
                            .help("keep one of them"),
                    ),
                    (Some(edition), None) => file.edition = Some((edition, span)),
                    (None, None) => self.builder.report(
                        Diagnostic::new(codes::UNEXPECTED, span, "an edition is a plain number")
                            .help("write `strata 1`"),
                    ),
                }
            }
            Err(failure) => self.fail(&failure),
        }
    }

    /// Answers a failed declaration and moves past it.
    fn fail(&mut self, failure: &Failure) {
        let resume = self.answer(failure);
        self.skip_declaration(failure.start, resume);
    }

    fn declaration(&mut self, word: &str) -> Option<DeclarationKind> {
        match word {
            "timezone" => self.with_string(Rule::timezone).map(DeclarationKind::Timezone),
            "calendar" => self.with_string(Rule::calendar).map(DeclarationKind::Calendar),
            "now" => match self.rule(Rule::now) {
                Ok(node) => {
                    node.into_inner().nth(1).map(|value| DeclarationKind::Now(self.builder.primary(value)))
                }
                Err(failure) => {
                    self.fail(&failure);
                    None
                }
            },
            "use" => self.use_file(),
            "type" => self.type_declaration(),
            "table" => self.table(word).map(DeclarationKind::Table),
            "lookup" => self.table(word).map(DeclarationKind::Lookup),
            "trait" => self.trait_declaration(),
            "scale" => self.scale(),
            "segment" => self.segment(),
            "assert" => self.assertion(),
            "layer" => self.layer(),
            "grid" => self.grid(),
            "events" => self.events(),
            "rfm" => self.rfm(),
            "stack" => self.stack(),
            "play" => self.play(),
            "split" => self.split(),
            "test" => self.test(),
            "guard" => self.guard(),
            _ => self.unavailable(word),
        }
    }

    fn with_string(&mut self, rule: Rule) -> Option<super::ast::Text> {
        match self.rule(rule) {
            Ok(node) => node
                .into_inner()
                .find(|part| part.as_rule() == Rule::string)
                .map(|part| self.builder.text(&part)),
            Err(failure) => {
                self.fail(&failure);
                None
            }
        }
    }

    fn use_file(&mut self) -> Option<DeclarationKind> {
        let node = match self.rule(Rule::use_file) {
            Ok(node) => node,
            Err(failure) => {
                self.fail(&failure);
                return None;
            }
        };
        let mut path = None;
        let mut with = Vec::new();
        for part in node.into_inner() {
            match part.as_rule() {
                Rule::string => path = Some(self.builder.text(&part)),
                Rule::binding => {
                    let mut name = None;
                    for inner in part.into_inner() {
                        match inner.as_rule() {
                            Rule::name => name = Some(self.builder.name(&inner)),
                            Rule::expr => {
                                let value = self.builder.expression(inner);
                                with.extend(name.take().map(|name| (name, value)));
                            }
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        path.map(|path| DeclarationKind::Use(Use { path, with }))
    }

    /// The name after a declaration's word, where a broken declaration at least has that.
    pub(super) fn salvage(&mut self, start: usize) -> Option<(Name, Heading)> {
        let after = self.at;
        self.at = start;
        let found = self.rule(Rule::named_head).ok().and_then(|node| {
            let quiet = self.builder.diagnostics.borrow().len();
            let named = node.into_inner().find(|part| part.as_rule() == Rule::named)?;
            let named = self.builder.named(named);
            self.builder.diagnostics.borrow_mut().truncate(quiet);
            Some(named)
        });
        self.at = after;
        found
    }

    fn type_declaration(&mut self) -> Option<DeclarationKind> {
        let start = self.at;
        match self.rule(Rule::type_decl) {
            Ok(node) => {
                let mut name = None;
                let mut ty = None;
                for part in node.into_inner() {
                    let place = self.builder.span(&part);
                    match part.as_rule() {
                        Rule::declared => name = Some(self.builder.declared(&part)),
                        Rule::habit_colon => {
                            self.builder.habit(
                                place,
                                "a type and what it stands for are joined by `=`".to_owned(),
                                " = ",
                            );
                        }
                        Rule::ty => ty = Some(self.builder.ty(part)),
                        _ => {}
                    }
                }
                Some(DeclarationKind::Type(TypeDeclaration { name: name?, ty: ty? }))
            }
            Err(failure) => {
                self.fail(&failure);
                let (name, _) = self.salvage(start)?;
                let ty = Type { kind: TypeKind::Error, optional: false, span: name.span };
                Some(DeclarationKind::Type(TypeDeclaration { name, ty }))
            }
        }
    }

    fn trait_declaration(&mut self) -> Option<DeclarationKind> {
        let start = self.at;
        match self.rule(Rule::trait_decl) {
            Ok(node) => {
                let mut declared = None;
                let mut ty = None;
                let mut domain = None;
                let mut value = None;
                for part in node.into_inner() {
                    match part.as_rule() {
                        Rule::declared => declared = Some(self.builder.declared(&part)),
                        Rule::ty => ty = Some(self.builder.ty(part)),
                        Rule::domain => domain = self.builder.domain(part),
                        Rule::expr => value = Some(self.builder.expression(part)),
                        _ => {}
                    }
                }
                Some(DeclarationKind::Trait(Trait { name: declared?, ty, domain, value: value? }))
            }
            Err(failure) => {
                self.fail(&failure);
                let (name, _) = self.salvage(start)?;
                let value = error_at(name.span);
                Some(DeclarationKind::Trait(Trait { name, ty: None, domain: None, value }))
            }
        }
    }

    fn segment(&mut self) -> Option<DeclarationKind> {
        let start = self.at;
        match self.rule(Rule::segment_decl) {
            Ok(node) => {
                let mut named = None;
                let mut properties = Vec::new();
                let mut condition = None;
                for part in node.into_inner() {
                    match part.as_rule() {
                        Rule::named => named = Some(self.builder.named(part)),
                        Rule::properties => properties = self.builder.properties(part),
                        Rule::when => {
                            if let Some((name, _)) = &named {
                                self.builder.when(part, name);
                            }
                        }
                        Rule::expr => condition = Some(self.builder.expression(part)),
                        _ => {}
                    }
                }
                let (name, heading) = named?;
                let heading = Heading { properties, ..heading };
                Some(DeclarationKind::Segment(Segment { name, heading, condition: condition? }))
            }
            Err(failure) => {
                self.fail(&failure);
                let (name, heading) = self.salvage(start)?;
                let condition = error_at(name.span);
                Some(DeclarationKind::Segment(Segment { name, heading, condition }))
            }
        }
    }

    fn assertion(&mut self) -> Option<DeclarationKind> {
        match self.rule(Rule::assert_decl) {
            Ok(node) => {
                let mut always = false;
                let mut condition = None;
                for part in node.into_inner() {
                    match part.as_rule() {
                        Rule::kw_always => always = true,
                        Rule::expr => condition = Some(self.builder.expression(part)),
                        _ => {}
                    }
                }
                Some(DeclarationKind::Assert(Assert { always, condition: condition? }))
            }
            Err(failure) => {
                self.fail(&failure);
                None
            }
        }
    }

    /// A declaration that a later version evaluates: its word and name.
    fn unavailable(&mut self, word: &str) -> Option<DeclarationKind> {
        let start = self.at;
        let name = self.rule(Rule::unavailable_head).ok().and_then(|node| {
            let name = node.into_inner().find(|part| part.as_rule() == Rule::name)?;
            (!matches!(word, "assert" | "guard")).then(|| self.builder.name(&name))
        });
        self.skip_declaration(start, self.at);
        Some(DeclarationKind::Unavailable { word: word.to_owned(), name })
    }
}

/// What a declaration says is not known after all: text follows it that does not belong there.
fn poison(declaration: Option<&mut Declaration>) {
    match declaration.map(|declaration| &mut declaration.kind) {
        Some(DeclarationKind::Segment(segment)) => segment.condition.kind = ExprKind::Error,
        Some(DeclarationKind::Trait(declared)) => declared.value.kind = ExprKind::Error,
        Some(DeclarationKind::Type(declared)) => declared.ty.kind = TypeKind::Error,
        _ => {}
    }
}

/// An expression that could not be read.
pub(super) fn error_at(span: Span) -> Expr {
    Expr { kind: ExprKind::Error, span }
}

/// Words that other languages begin a rule with.
fn habit_declaration(word: &str) -> Option<(&'static str, &'static str)> {
    Some(match word.to_lowercase().as_str() {
        "let" | "def" | "define" | "var" | "const" | "set" | "feature" | "attribute" | "metric" => {
            ("trait", "a named value is declared with `trait name = …`")
        }
        "if" | "rule" | "group" | "audience" | "when" | "cohort" => {
            ("segment", "a group of users is declared with `segment name when …`")
        }
        "select" | "from" | "where" => {
            ("segment", "rules are no SQL; a group of users is declared with `segment name when …`")
        }
        "enum" => ("type", "a list of labels is declared with `type name = a | b | c`"),
        "import" | "include" | "require" => ("use", "another file is taken in with `use \"path.seg\"`"),
        "tier" | "partition" | "levels" => {
            ("layer", "a division of all users is declared with `layer name { … }`")
        }
        _ => return None,
    })
}
