//! The layouts of an output: a column per declaration, a list of the segments that hold, or a row per
//! thing that holds.

use super::select::{Selection, assigns};
use crate::program::{Declaration, DeclarationKind, Program, Table, Type};
use crate::semantics::columnar::column_type;
use crate::vector::{Assignment, Output, OutputColumn};
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, DictionaryArray, Int32Array, ListArray, RecordBatch, StringArray,
    UInt32Array,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{cast, concat, take};
use arrow::datatypes::{DataType, Field, FieldRef, Int32Type, Schema, SchemaRef, UInt32Type};
use arrow::error::ArrowError;
use std::sync::Arc;

/// How an output lays its rows out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Layout {
    /// A row per user, a column per declaration.
    #[default]
    Wide,
    /// A row per user and thing that holds.
    Long,
    /// A row per user, a list of the segments that hold, a column per other declaration.
    Lists,
}

/// Turns assignments into the rows of an output.
pub struct Writer {
    layout: Layout,
    schema: SchemaRef,
    key: Column,
    columns: Vec<Column>,
    long: Long,
    /// The names of the segments, in their order.
    segments: ArrayRef,
}

/// A column in the making.
struct Column {
    /// Index of the declaration; of no meaning for the key.
    declaration: usize,
    /// The labels of its type, or of its items' type.
    labels: Option<ArrayRef>,
    ty: DataType,
}

/// The dictionaries of the long layout.
#[derive(Default)]
struct Long {
    kinds: Option<ArrayRef>,
    names: Option<ArrayRef>,
    members: Option<ArrayRef>,
    /// By column: its kind's code, and its first member's code.
    codes: Vec<(i32, i32)>,
}

const KINDS: [&str; 6] = ["segment", "layer", "grid", "stack", "play", "split"];

fn dictionary() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

fn texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(texts))
}

impl Column {
    fn new(program: &Program, declaration: usize, ty: &Type) -> Column {
        let labels = |ty: &Type| match ty {
            Type::Label(id) => program.label_type(*id).map(|ty| texts(ty.labels.iter().map(String::as_str))),
            _ => None,
        };
        let (labels, ty) = match ty {
            Type::Label(_) => (labels(ty), dictionary()),
            Type::List(item) if matches!(**item, Type::Label(_)) => {
                (labels(item), column_type(&Type::List(Box::new(Type::Text))))
            }
            other => (None, column_type(other)),
        };
        Column { declaration, labels, ty }
    }

    /// The canonical column as the output has it: names for codes, plain text.
    fn shown(&self, column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
        match (&self.labels, column.data_type()) {
            (Some(labels), DataType::UInt32) => labelled(column.as_primitive::<UInt32Type>(), labels.clone()),
            (Some(labels), DataType::List(_)) => {
                let lists = column.as_list::<i32>();
                let items = labelled(lists.values().as_primitive::<UInt32Type>(), labels.clone())?;
                let items = cast(&items, &DataType::Utf8)?;
                let field = Arc::new(Field::new_list_field(DataType::Utf8, true));
                let lists =
                    ListArray::try_new(field, lists.offsets().clone(), items, lists.nulls().cloned())?;
                Ok(Arc::new(lists))
            }
            (_, ty) if *ty == self.ty => Ok(column.clone()),
            _ => cast(column, &self.ty),
        }
    }
}

fn labelled(codes: &UInt32Array, labels: ArrayRef) -> Result<ArrayRef, ArrowError> {
    let keys: Int32Array = codes.unary(|code| i32::try_from(code).unwrap_or_default());
    Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, labels)?))
}

impl Writer {
    /// The writer of a selection. The key column is that of `users`.
    pub fn new(program: &Program, users: &Table, selection: &Selection, layout: Layout) -> Writer {
        let (name, ty) =
            users.columns.get(users.key).map_or(("key", Type::Text), |key| (&key.name, key.ty.clone()));
        let key = Column::new(program, usize::MAX, &ty);
        let key_field = Field::new(name, key.ty.clone(), false);
        let chosen =
            || selection.shown.iter().filter_map(|index| Some((*index, program.declarations.get(*index)?)));
        let is_segment = |declaration: &Declaration| matches!(declaration.kind, DeclarationKind::Segment);
        let segments = chosen().filter(|(_, declaration)| is_segment(declaration));
        let segments = texts(segments.map(|(_, declaration)| declaration.heading.name.as_str()));
        let mut columns = Vec::new();
        let mut fields = vec![key_field.clone()];
        if layout == Layout::Lists {
            let taken = |found: &str| {
                let mut others = chosen().filter(|(_, declaration)| !is_segment(declaration));
                found == name || others.any(|(_, declaration)| declaration.heading.name == found)
            };
            let name = if taken(SEGMENTS) { format!("{SEGMENTS}_") } else { SEGMENTS.to_owned() };
            fields.push(Field::new(name, DataType::List(segment_item()), false));
        }
        for (index, declaration) in chosen() {
            let mut column = Column::new(program, index, &program.node(declaration.value).ty);
            if matches!(declaration.kind, DeclarationKind::Stack(_) | DeclarationKind::Play(_)) {
                column.ty = dictionary();
            }
            let segment = is_segment(declaration);
            if layout != Layout::Lists || !segment {
                fields.push(Field::new(&declaration.heading.name, column.ty.clone(), !segment));
            }
            columns.push(column);
        }
        let mut long = Long::default();
        if layout == Layout::Long {
            fields = vec![key_field];
            for fixed in ["kind", "name", "member"] {
                // A key may bear such a name itself; two columns of one name no reader likes.
                let fixed = if fixed == name { format!("{fixed}_") } else { fixed.to_owned() };
                fields.push(Field::new(&fixed, dictionary(), fixed.starts_with("member")));
            }
            columns.retain(|column| {
                program.declarations.get(column.declaration).is_some_and(|found| assigns(&found.kind))
            });
            long = Long::new(program, &columns);
        }
        Writer { layout, schema: Arc::new(Schema::new(fields)), key, columns, long, segments }
    }

    /// The columns of the output.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The rows for a batch of users.
    pub fn rows(&self, key: &ArrayRef, assignment: &Assignment) -> Result<RecordBatch, ArrowError> {
        let key = self.key.shown(key)?;
        let outputs: Vec<&Output> = self
            .columns
            .iter()
            .map(|column| {
                assignment
                    .output(column.declaration)
                    .ok_or_else(|| ArrowError::SchemaError("a declaration was not evaluated".to_owned()))
            })
            .collect::<Result<_, _>>()?;
        let columns = match self.layout {
            Layout::Wide => self.wide(key, &outputs)?,
            Layout::Lists => self.lists(key, &outputs, assignment.rows)?,
            Layout::Long => self.long.rows(&key, &outputs, assignment.rows)?,
        };
        RecordBatch::try_new(self.schema.clone(), columns)
    }

    fn wide(&self, key: ArrayRef, outputs: &[&Output]) -> Result<Vec<ArrayRef>, ArrowError> {
        let mut columns = vec![key];
        for (column, output) in self.columns.iter().zip(outputs) {
            columns.push(column.shown(&output.column.to_array())?);
        }
        Ok(columns)
    }
}

impl Writer {
    fn lists(&self, key: ArrayRef, outputs: &[&Output], rows: usize) -> Result<Vec<ArrayRef>, ArrowError> {
        let segments = outputs.iter().filter_map(|output| match &output.column {
            OutputColumn::Segment(column) => Some(column),
            _ => None,
        });
        let segments: Vec<&BooleanArray> = segments.collect();
        let mut columns = vec![key, lists_of(&segments, &self.segments, rows)?];
        for (column, output) in self.columns.iter().zip(outputs) {
            if !matches!(output.column, OutputColumn::Segment(_)) {
                columns.push(column.shown(&output.column.to_array())?);
            }
        }
        Ok(columns)
    }
}

/// What the list of a user's segments is called.
const SEGMENTS: &str = "segments";

/// An item of that list.
fn segment_item() -> FieldRef {
    Arc::new(Field::new_list_field(dictionary(), false))
}

/// By row, the names of the segments that hold, in the order of the segments.
fn lists_of(segments: &[&BooleanArray], names: &ArrayRef, rows: usize) -> Result<ArrayRef, ArrowError> {
    let mut lengths = vec![0_usize; rows];
    for row in segments.iter().flat_map(|segment| segment.values().set_indices()) {
        if let Some(length) = lengths.get_mut(row) {
            *length += 1;
        }
    }
    let mut next = vec![0_i32];
    for length in lengths {
        let end =
            i32::try_from(length).ok().zip(next.last()).and_then(|(length, end)| end.checked_add(length));
        next.push(end.ok_or_else(|| ArrowError::ComputeError("a batch has too long lists".to_owned()))?);
    }
    let offsets = OffsetBuffer::new(next.clone().into());
    let total = next.last().copied().unwrap_or_default();
    let mut codes = vec![0_i32; usize::try_from(total).unwrap_or_default()];
    for (segment, code) in segments.iter().zip(0_i32..) {
        for row in segment.values().set_indices() {
            let place = next.get_mut(row);
            let at = place
                .map(|place| std::mem::replace(place, *place + 1))
                .and_then(|at| usize::try_from(at).ok());
            if let Some(found) = at.and_then(|at| codes.get_mut(at)) {
                *found = code;
            }
        }
    }
    let items = DictionaryArray::<Int32Type>::try_new(codes.into(), names.clone())?;
    Ok(Arc::new(ListArray::try_new(segment_item(), offsets, Arc::new(items), None)?))
}

impl Long {
    fn new(program: &Program, columns: &[Column]) -> Long {
        let mut codes = Vec::new();
        let mut names = Vec::new();
        let mut members: Vec<&str> = Vec::new();
        for column in columns {
            let Some(declaration) = program.declarations.get(column.declaration) else { continue };
            names.push(declaration.heading.name.as_str());
            let first = i32::try_from(members.len()).unwrap_or_default();
            match &declaration.kind {
                DeclarationKind::Layer(layer) => {
                    codes.push((if layer.grid { 2 } else { 1 }, first));
                    members.extend(layer.members.iter().map(|member| member.name.as_str()));
                }
                DeclarationKind::Split(split) => {
                    codes.push((5, first));
                    members.extend(split.arms.iter().map(|arm| arm.heading.name.as_str()));
                }
                // Their members are not known before the users are.
                DeclarationKind::Stack(_) => codes.push((3, 0)),
                DeclarationKind::Play(_) => codes.push((4, 0)),
                _ => codes.push((0, first)),
            }
        }
        Long { kinds: Some(texts(KINDS)), names: Some(texts(names)), members: Some(texts(members)), codes }
    }

    /// The members that are known beforehand, and behind them the texts of a batch; by output where
    /// its texts begin.
    fn with_texts(&self, outputs: &[&Output]) -> Result<(Option<ArrayRef>, Vec<i32>), ArrowError> {
        let known = self.members.clone().unwrap_or_else(|| texts([]));
        let mut parts = vec![known.clone()];
        let mut first = known.len();
        let mut firsts = Vec::with_capacity(outputs.len());
        for output in outputs {
            firsts.push(i32::try_from(first).unwrap_or_default());
            if let OutputColumn::Texts(column) = &output.column {
                first += column.values().len();
                parts.push(column.values().clone());
            }
        }
        if parts.len() == 1 {
            return Ok((Some(known), firsts));
        }
        let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
        Ok((Some(concat(&parts)?), firsts))
    }

    fn rows(&self, key: &ArrayRef, outputs: &[&Output], rows: usize) -> Result<Vec<ArrayRef>, ArrowError> {
        let (mut users, mut kinds, mut names, mut members) = (vec![], vec![], vec![], vec![]);
        let (texts, firsts) = self.with_texts(outputs)?;
        for (row, user) in (0..rows).zip(0u32..) {
            for (((output, (kind, first)), text), name) in
                outputs.iter().zip(&self.codes).zip(&firsts).zip(0i32..)
            {
                let member = match &output.column {
                    OutputColumn::Segment(column) if column.value(row) => None,
                    OutputColumn::Labels(column) if column.is_valid(row) => {
                        Some(first.saturating_add(i32::try_from(column.value(row)).unwrap_or_default()))
                    }
                    OutputColumn::Texts(column) if column.is_valid(row) => {
                        Some(text.saturating_add(column.keys().value(row)))
                    }
                    _ => continue,
                };
                users.push(user);
                kinds.push(*kind);
                names.push(name);
                members.push(member);
            }
        }
        let column = |codes: Int32Array, texts: &Option<ArrayRef>| -> Result<ArrayRef, ArrowError> {
            let texts = texts.clone().unwrap_or_else(|| self::texts([]));
            Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(codes, texts)?))
        };
        Ok(vec![
            take(key, &UInt32Array::from(users), None)?,
            column(Int32Array::from(kinds), &self.kinds)?,
            column(Int32Array::from(names), &self.names)?,
            column(Int32Array::from(members), &texts)?,
        ])
    }
}
