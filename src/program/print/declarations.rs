//! The file as text: tables, types and declarations.

use super::{Printer, label, name, path, string};
use crate::program::{
    Declaration, DeclarationKind, Domain, Expr, Heading, Layer, Line, Table, Type, TypeId, Value,
};
use std::fmt::Write as _;

impl Printer<'_> {
    pub(super) fn file(&mut self) {
        let program = self.program;
        let _ = writeln!(self.out, "strata {}", program.edition);
        let _ = writeln!(self.out, "timezone {}", string(&program.timezone));
        let now = self.calendar.timestamp(self.calendar.now());
        let _ = writeln!(self.out, "now {now}\n");
        let layers: Vec<TypeId> = program
            .declarations
            .iter()
            .filter_map(|declaration| match &declaration.kind {
                DeclarationKind::Layer(layer) => Some(layer.ty),
                DeclarationKind::Split(split) => Some(split.ty),
                _ => None,
            })
            .collect();
        for (number, ty) in (0_u32..).zip(&program.types).skip(1) {
            if !layers.contains(&TypeId(number)) {
                let labels: Vec<String> = ty.labels.iter().map(|text| label(text)).collect();
                let between = if ty.ordered { " < " } else { " | " };
                let declared = self.types.get(&TypeId(number)).map_or(String::new(), |text| name(text));
                let _ = writeln!(self.out, "type {declared} = {}", labels.join(between));
            }
        }
        for (word, table) in program
            .users
            .iter()
            .map(|table| ("table", table))
            .chain(program.lookups.iter().map(|table| ("lookup", table)))
        {
            let key = table.columns.get(table.key).map_or(String::new(), |column| name(&column.name));
            self.table(&format!("{word} {} key {key}", name(&table.name)), table);
        }
        let users = program.users.as_ref().map_or(String::new(), |users| name(&users.name));
        for events in &program.events {
            let column =
                |at: usize| events.table.columns.get(at).map_or(String::new(), |column| name(&column.name));
            let declared = name(&events.table.name);
            let (by, at) = (column(events.table.key), column(events.at));
            self.table(&format!("events {declared} of {users} by {by} at {at}"), &events.table);
        }
        if let Some(source) = &program.calendar {
            let _ = writeln!(self.out, "\ncalendar from {}", string(&path(source)));
        }
        for id in self.unstated.clone() {
            self.own = Some(id);
            self.unstated(id);
        }
        for declaration in &program.declarations {
            self.own = Some(declaration.value);
            self.declaration(declaration);
        }
        self.own = None;
        self.tests();
        self.guards();
        self.assertions();
    }

    pub(super) fn table(&mut self, head: &str, table: &Table) {
        let _ = write!(self.out, "\n{head}");
        if let Some(source) = &table.source {
            let _ = write!(self.out, " from {}", string(&path(source)));
        }
        self.out.push_str(" {\n");
        for column in &table.columns {
            let _ = write!(self.out, "  {} : {}", name(&column.name), self.ty(&column.ty));
            if column.optional {
                self.out.push('?');
            }
            if let Some(domain) = &column.domain {
                let text = self.domain(domain, &column.ty);
                self.out.push_str(&text);
            }
            if column.source_name != column.name {
                let _ = write!(self.out, " from {}", string(&column.source_name));
            }
            if let Some(format) = &column.format {
                let _ = write!(self.out, " format {}", string(format));
            }
            self.out.push('\n');
        }
        self.out.push_str("}\n");
    }

    pub(super) fn domain(&self, domain: &Domain, ty: &Type) -> String {
        if domain.past {
            return " past".to_owned();
        }
        let value = |value: &Value| self.value(value, ty);
        match (&domain.low, &domain.high) {
            (Some(low), Some(high)) => format!(" between {} and {}", value(&low.value), value(&high.value)),
            (Some(low), None) => format!(" {} {}", if low.inclusive { ">=" } else { ">" }, value(&low.value)),
            (None, Some(high)) => {
                format!(" {} {}", if high.inclusive { "<=" } else { "<" }, value(&high.value))
            }
            (None, None) => String::new(),
        }
    }

    pub(super) fn ty(&self, ty: &Type) -> String {
        ty.words("timestamp", &|id| self.types.get(&id).map_or(String::new(), |text| name(text)))
    }

    pub(super) fn heading(heading: &Heading) -> String {
        let mut text = name(&heading.name);
        if let Some(label) = &heading.label {
            let _ = write!(text, " {}", string(label));
        }
        if !heading.properties.is_empty() {
            let properties: Vec<String> = heading
                .properties
                .iter()
                .map(|(key, value)| {
                    let value = if key == "expires" { value.clone() } else { string(value) };
                    format!("{} {value}", name(key))
                })
                .collect();
            let _ = write!(text, " with {{ {} }}", properties.join("; "));
        }
        text
    }

    pub(super) fn declaration(&mut self, declaration: &Declaration) {
        for line in declaration.heading.docs.iter().flat_map(|docs| docs.lines()) {
            let _ = write!(self.out, "\n## {line}");
        }
        self.out.push('\n');
        let heading = Self::heading(&declaration.heading);
        match &declaration.kind {
            DeclarationKind::Trait => {
                let node = self.program.node(declaration.value);
                let stated = match &node.ty {
                    // A conversion is not written, so the type that asks for it is.
                    ty @ (Type::Float | Type::Decimal { .. } | Type::Timestamp) => {
                        format!(" : {}?", self.ty(ty))
                    }
                    Type::Label(_) => {
                        self.labels(&heading, declaration.value);
                        return;
                    }
                    _ => String::new(),
                };
                // As a value, a segment whose bool is missing is false.
                let value = match &node.expr {
                    Expr::IsTrue(x) if self.program.node(*x).optional => {
                        format!("{} or_else false", self.part(*x))
                    }
                    _ => self.expression(declaration.value),
                };
                let _ = writeln!(self.out, "trait {heading}{stated} = {value}");
            }
            DeclarationKind::Segment => {
                let value = self.expression(declaration.value);
                let _ = writeln!(self.out, "segment {heading} when {value}");
            }
            DeclarationKind::Scale(lines) => {
                let ty = &self.program.node(declaration.value).ty;
                let _ = writeln!(self.out, "scale {heading} : {} {{", self.ty(ty));
                for line in lines {
                    let member = match ty {
                        Type::Label(ty) => name(self.program.label(*ty, line.member)),
                        _ => String::new(),
                    };
                    self.line(&member, line.condition.map(|id| self.expression(id)));
                }
                self.out.push_str("}\n");
            }
            DeclarationKind::Layer(layer) => self.layer(&heading, layer),
            DeclarationKind::Stack(stack) => self.stack(&heading, stack),
            DeclarationKind::Play(play) => self.play(&heading, play),
            DeclarationKind::Split(split) => self.split(&heading, split),
        }
    }

    pub(super) fn line(&mut self, member: &str, condition: Option<String>) {
        let _ = match condition {
            Some(condition) => writeln!(self.out, "  {member} when {condition}"),
            None => writeln!(self.out, "  {member} otherwise"),
        };
    }

    /// A layer, or a grid as a layer: several lines of one member become one.
    pub(super) fn layer(&mut self, heading: &str, layer: &Layer) {
        let _ = write!(self.out, "layer {heading}");
        if layer.first_match {
            self.out.push_str(" first match");
        }
        if layer.partial {
            self.out.push_str(" partial");
        }
        self.out.push_str(" {\n");
        let mut rest: Option<String> = None;
        for (code, member) in (0_u32..).zip(&layer.members) {
            let shown = Self::heading(member);
            let lines: Vec<(usize, &Line)> =
                layer.lines.iter().enumerate().filter(|(_, line)| line.member == code).collect();
            let repeated = lines.len() > 1;
            let mut conditions = Vec::new();
            let mut otherwise = false;
            for (at, line) in lines {
                let Some(condition) = line.condition else {
                    otherwise = true;
                    continue;
                };
                let text = self.expression(condition);
                // Where a member has several lines, each has to leave out what other members took before
                // it: all of them where earlier lines win, else those that are printed after it, for
                // where an overlap was allowed the first line wins as well.
                let earlier: Vec<String> = layer
                    .lines
                    .iter()
                    .take(at)
                    .filter(|line| repeated && line.member != code)
                    .filter(|line| layer.first_match || line.member > code)
                    .filter_map(|line| line.condition)
                    .map(|id| format!("not ({})", self.expression(id)))
                    .collect();
                conditions.push(if earlier.is_empty() {
                    text
                } else {
                    format!("({text}) and {}", earlier.join(" and "))
                });
            }
            match (otherwise, conditions.as_slice()) {
                (true, []) => rest = Some(shown),
                (true, _) => rest = Some(shown),
                (false, [one]) => {
                    let one = one.clone();
                    self.line(&shown, Some(one));
                }
                (false, _) => {
                    let any: Vec<String> = conditions.iter().map(|text| format!("({text})")).collect();
                    self.line(&shown, Some(any.join(" or ")));
                }
            }
        }
        if let Some(shown) = rest {
            self.line(&shown, None);
        }
        self.out.push_str("}\n");
    }
}
