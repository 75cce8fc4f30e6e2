//! From a file's columns to the declared ones: which is which, whether its type will do, and the
//! change of each value into the canonical column, with those that break their declaration found.

mod cast;
mod clock;
mod domain;
mod list;
mod text;
mod words;

pub(super) use clock::Clock;
pub(super) use words::{arrow_words, type_words};

use super::bad_values::BadRows;
use super::read::{Layout, RawField};
use crate::diagnostic::codes::data as codes;
use crate::diagnostic::{Diagnostic, nearest};
use crate::program::{Column, Program, Table, Type};
use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::datatypes::{DataType, UInt16Type};
use arrow::error::ArrowError;
use hashbrown::HashMap;
use std::sync::Arc;

/// Where the values of a declared column come from.
#[derive(Clone, Debug)]
pub(super) enum Origin {
    /// The wanted field at this position.
    Field(usize),
    /// A `key=value` folder.
    Folder(Option<String>),
}

/// A declared column and its origin.
#[derive(Clone, Debug)]
pub(super) struct BoundColumn {
    /// Index in the table's columns.
    pub column: usize,
    pub origin: Origin,
}

/// How the wanted columns of a table lie in one file.
#[derive(Clone, Debug, Default)]
pub(super) struct Binding {
    /// Wanted fields of the file, ascending.
    pub fields: Vec<usize>,
    /// Their names.
    pub names: Vec<String>,
    /// The wanted columns, in their order.
    pub columns: Vec<BoundColumn>,
}

/// Finds every declared column in a file's layout, or says all that is wrong. `wanted` are those
/// that will be read.
pub(super) fn bind(
    program: &Program,
    table: &Table,
    shown: &str,
    layout: &Layout,
    folders: &[(String, Option<String>)],
    wanted: &[usize],
) -> Result<Binding, Vec<Diagnostic>> {
    let mut found: Vec<(usize, Find)> = Vec::new();
    let mut faults = Vec::new();
    for at in 0..table.columns.len() {
        match find(program, table, at, shown, layout, folders) {
            Ok(find) => found.push((at, find)),
            Err(fault) => faults.push(fault.here("declared here")),
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    found.retain(|(at, _)| wanted.contains(at));
    let mut fields: Vec<(usize, String)> = found
        .iter()
        .filter_map(|(at, find)| match find {
            Find::Field(field) => {
                let name = table.columns.get(*at).map(|column| column.source_name.clone())?;
                Some((*field, name))
            }
            Find::Folder(_) => None,
        })
        .collect();
    fields.sort();
    fields.dedup();
    let columns = wanted
        .iter()
        .filter_map(|wanted| found.iter().find(|(at, _)| at == wanted))
        .map(|(at, find)| {
            let origin = match find {
                Find::Field(field) => {
                    let name = table.columns.get(*at).map_or("", |column| column.source_name.as_str());
                    Origin::Field(fields.iter().position(|(f, n)| f == field && n == name).unwrap_or(0))
                }
                Find::Folder(value) => Origin::Folder(value.clone()),
            };
            BoundColumn { column: *at, origin }
        })
        .collect();
    let (fields, names) = fields.into_iter().unzip();
    Ok(Binding { fields, names, columns })
}

enum Find {
    Field(usize),
    Folder(Option<String>),
}

fn find(
    program: &Program,
    table: &Table,
    at: usize,
    shown: &str,
    layout: &Layout,
    folders: &[(String, Option<String>)],
) -> Result<Find, Diagnostic> {
    let Some(column) = table.columns.get(at) else { return Ok(Find::Folder(None)) };
    let name = &column.source_name;
    let mut same = layout.fields.iter().enumerate().filter(|(_, field)| field.name == *name);
    if let Some((position, field)) = same.next() {
        if same.next().is_some() {
            let message = format!("`{shown}` has more than one column `{name}`");
            return Err(Diagnostic::new(codes::AMBIGUOUS_COLUMN, column.place, message));
        }
        return suits(program, column, field, shown).map(|()| Find::Field(position));
    }
    if let Some((_, value)) = folders.iter().find(|(key, _)| key == name) {
        return Ok(Find::Folder(value.clone()));
    }
    // In JSON lines a value that is left out is missing.
    if layout.sampled && (column.optional || layout.fields.is_empty()) {
        return Ok(Find::Field(layout.fields.len() + at));
    }
    Err(missing(column, name, shown, layout, folders))
}

fn missing(
    column: &Column,
    name: &str,
    shown: &str,
    layout: &Layout,
    folders: &[(String, Option<String>)],
) -> Diagnostic {
    let names: Vec<&str> = layout
        .fields
        .iter()
        .map(|field| field.name.as_str())
        .chain(folders.iter().map(|(key, _)| key.as_str()))
        .collect();
    let message = format!("`{shown}` has no column `{name}`");
    let finding = Diagnostic::new(codes::MISSING_COLUMN, column.place, message);
    if let Some(near) = nearest(name, names.iter().copied()) {
        return finding
            .help(format!("the file has `{near}`; if that is it, write `from \"{near}\"` after the type"));
    }
    const MOST: usize = 12;
    let listed: Vec<String> = names.iter().take(MOST).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(MOST);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    finding.help(format!(
        "the file has {}{more}; name the right one with `from \"…\"` after the type",
        listed.join(", ")
    ))
}

fn suits(program: &Program, column: &Column, field: &RawField, shown: &str) -> Result<(), Diagnostic> {
    let Some(from) = &field.ty else { return Ok(()) };
    if allowed(&column.ty, from, column.format.is_some()) {
        return Ok(());
    }
    let message = format!(
        "column `{}` of `{shown}` holds {}, but is declared `{}`",
        field.name,
        arrow_words(from),
        type_words(program, &column.ty)
    );
    let finding = Diagnostic::new(codes::WRONG_COLUMN_TYPE, column.place, message);
    Err(match &column.ty {
        Type::Date | Type::Timestamp if is_text(from) => {
            finding.help("say how the text is written, for instance `format \"%Y-%m-%d\"` after the type")
        }
        _ => match words::declare_as(from) {
            Some(declared) => finding.help(format!("declare it `{declared}`, or mend the file")),
            None => finding,
        },
    })
}

fn is_text(from: &DataType) -> bool {
    match from {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, value) => is_text(value),
        _ => false,
    }
}

/// Whether a column of that Arrow type may be declared so (language.md, section 3).
fn allowed(ty: &Type, from: &DataType, format: bool) -> bool {
    if let DataType::Dictionary(_, value) = from {
        return allowed(ty, value, format);
    }
    if *from == DataType::Null {
        return true;
    }
    match ty {
        Type::Bool => *from == DataType::Boolean,
        Type::Int => from.is_integer(),
        Type::Float => from.is_floating() || from.is_integer(),
        Type::Decimal { .. } => from.is_decimal() || from.is_integer(),
        Type::Text | Type::Label(_) => is_text(from),
        Type::Date => matches!(from, DataType::Date32 | DataType::Date64) || (format && is_text(from)),
        Type::Timestamp => matches!(from, DataType::Timestamp(..)) || (format && is_text(from)),
        Type::Time => matches!(from, DataType::Time32(_) | DataType::Time64(_)),
        Type::List(item) => match from {
            DataType::List(field)
            | DataType::LargeList(field)
            | DataType::ListView(field)
            | DataType::LargeListView(field)
            | DataType::FixedSizeList(field, _) => allowed(item, field.data_type(), format),
            _ => false,
        },
    }
}

/// A converted column: values that could not be kept are null.
pub(super) struct Converted {
    pub array: ArrayRef,
    pub bad: BadRows,
}

/// Brings one column of a batch into its canonical layout and checks its domain. `from_text` says
/// that the file knows no types.
///
/// # Errors
/// What Arrow cannot represent (a column of texts past 2 GiB in one batch).
pub(super) fn convert(
    program: &Program,
    column: &Column,
    raw: &ArrayRef,
    clock: &mut Clock,
) -> Result<Converted, ArrowError> {
    let cast::Cast { array, present, mut bad } =
        cast::cast(program, &column.ty, column.format.as_deref(), raw, clock)?;
    let array = match &column.domain {
        Some(domain) => domain::keep(domain, &array, clock),
        None => array,
    };
    if let Some(after) = array.logical_nulls().filter(|nulls| nulls.null_count() > 0) {
        // Lost is what is null now, and what was not null before or may not be null at all.
        let absent = !after.inner();
        let lost = match &present {
            Some(before) if column.optional => &absent & before.inner(),
            _ => absent,
        };
        bad.add(lost.count_set_bits(), lost.set_indices());
    }
    Ok(Converted { array, bad })
}

/// Dictionaries that were converted, by column, each with what it was made of: the batches of a row group
/// have the same.
#[derive(Default)]
pub(super) struct Dictionaries(HashMap<usize, (ArrayRef, Option<ArrayRef>)>);

/// The same as [`convert`] for a column of codes, whose codes stay as they are. None where that cannot be:
/// there are no codes, or not all that they may stand for is a value that the column may have.
///
/// # Errors
/// As [`convert`].
pub(super) fn convert_codes(
    program: &Program,
    (at, column): (usize, &Column),
    raw: &ArrayRef,
    clock: &mut Clock,
    known: &mut Dictionaries,
) -> Result<Option<Converted>, ArrowError> {
    let Some(codes) = raw.as_dictionary_opt::<UInt16Type>() else { return Ok(None) };
    let from = codes.values();
    let values = match known.0.get(&at).filter(|(source, _)| Arc::ptr_eq(source, from)) {
        Some((_, values)) => values.clone(),
        None => {
            let Converted { array, bad } = convert(program, column, from, clock)?;
            let all = bad.count == 0 && array.logical_null_count() == 0;
            let values = all.then_some(array);
            // One value stands for the rows of a run; the dictionary comes back after it.
            if from.len() > 1 {
                known.0.insert(at, (from.clone(), values.clone()));
            }
            values
        }
    };
    let Some(values) = values else { return Ok(None) };
    let mut bad = BadRows::default();
    if let Some(nulls) = codes.nulls().filter(|nulls| !column.optional && nulls.null_count() > 0) {
        let absent = !nulls.inner();
        bad.add(nulls.null_count(), absent.set_indices());
    }
    Ok(Some(Converted { array: Arc::new(codes.with_values(values)), bad }))
}

/// A folder's value as a column of so many rows.
pub(super) fn folder_column(value: Option<&str>, rows: usize) -> ArrayRef {
    Arc::new(StringArray::from_iter(std::iter::repeat_n(value, rows)))
}

/// Whether no value of a column can be missing or bad, as far as the file itself says so: none is missing
/// there, and each is one that the column may have.
pub(super) fn all_known(table: &Table, column: usize, layout: &Layout, binding: &Binding) -> bool {
    let Some(declared) = table.columns.get(column).filter(|declared| declared.domain.is_none()) else {
        return false;
    };
    let field =
        binding.columns.iter().find(|bound| bound.column == column).and_then(|bound| match bound.origin {
            Origin::Field(at) => binding.fields.get(at),
            Origin::Folder(_) => None,
        });
    let Some(field) = field.filter(|field| layout.known.contains(field)) else { return false };
    let stored = layout.fields.get(*field).and_then(|field| field.ty.as_ref());
    match (&declared.ty, stored) {
        (Type::Int, Some(stored)) => stored.is_integer() && *stored != DataType::UInt64,
        (Type::Text, Some(DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)) => true,
        _ => false,
    }
}

impl Binding {
    /// The field that a column is read from, if no other column is.
    pub fn field_of(&self, column: usize) -> Option<usize> {
        let origin = |bound: &&BoundColumn| match bound.origin {
            Origin::Field(at) => Some(at),
            Origin::Folder(_) => None,
        };
        let at = self.columns.iter().find(|bound| bound.column == column).as_ref().and_then(origin)?;
        let shared = self.columns.iter().filter(|bound| origin(bound) == Some(at)).count();
        self.fields.get(at).copied().filter(|_| shared == 1)
    }

    /// The fields that may come as codes, where these columns may: no other column has them too.
    pub fn coded(&self, columns: &[usize]) -> Vec<usize> {
        let welcome = |at: usize| {
            let mut bound = self
                .columns
                .iter()
                .filter(|bound| matches!(bound.origin, Origin::Field(field) if field == at));
            bound.all(|bound| columns.contains(&bound.column))
        };
        let fields = self.fields.iter().enumerate();
        fields.filter(|(at, _)| welcome(*at)).map(|(_, field)| *field).collect()
    }

    /// The same file, without that column.
    pub fn without(&self, column: usize) -> Binding {
        let left = self.columns.iter().filter(|bound| bound.column != column);
        let needs =
            |at: usize| left.clone().any(|bound| matches!(bound.origin, Origin::Field(field) if field == at));
        let kept: Vec<usize> = (0..self.fields.len()).filter(|at| needs(*at)).collect();
        let columns = left.clone().map(|bound| {
            let origin = match &bound.origin {
                Origin::Field(at) => Origin::Field(kept.iter().position(|kept| kept == at).unwrap_or(0)),
                Origin::Folder(value) => Origin::Folder(value.clone()),
            };
            BoundColumn { column: bound.column, origin }
        });
        Binding {
            fields: kept.iter().filter_map(|at| self.fields.get(*at).copied()).collect(),
            names: kept.iter().filter_map(|at| self.names.get(*at).cloned()).collect(),
            columns: columns.collect(),
        }
    }

    /// The same file, with that column alone.
    pub fn only(&self, column: usize) -> Binding {
        let Some(bound) = self.columns.iter().find(|bound| bound.column == column) else {
            return Binding::default();
        };
        match &bound.origin {
            Origin::Folder(_) => Binding { columns: vec![bound.clone()], ..Binding::default() },
            Origin::Field(at) => Binding {
                fields: self.fields.get(*at).copied().into_iter().collect(),
                names: self.names.get(*at).cloned().into_iter().collect(),
                columns: vec![BoundColumn { column, origin: Origin::Field(0) }],
            },
        }
    }
}
