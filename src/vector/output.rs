//! What an evaluation gives: a column per wanted declaration.

use super::bits::Bits;
use super::column::{Column, Data};
use super::kernels;
use super::plan::Declared;
use super::wording::Interner;
use crate::program::{Type, Value};
use crate::semantics::columnar::column_type;
use arrow::array::{Array, ArrayRef, BooleanArray, DictionaryArray, UInt32Array, new_empty_array};
use arrow::buffer::NullBuffer;
use arrow::datatypes::Int32Type;

/// The outcome of a batch.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// How many rows the batch had.
    pub rows: usize,
    /// One per wanted declaration, in declaration order.
    pub outputs: Vec<Output>,
    /// One per wanted condition: for whom it holds; without nulls.
    pub conditions: Vec<BooleanArray>,
}

impl Assignment {
    /// The outcome of a declaration, by its index in `Program::declarations`, where it was wanted.
    pub fn output(&self, declaration: usize) -> Option<&Output> {
        let at = self.outputs.binary_search_by_key(&declaration, |output| output.declaration).ok()?;
        self.outputs.get(at)
    }
}

/// The outcome of one declaration.
#[derive(Clone, Debug)]
pub struct Output {
    /// Index in `Program::declarations`.
    pub declaration: usize,
    /// A value per row.
    pub column: OutputColumn,
    /// For a layer or grid that is not `first match`: whether more than one of its members claims
    /// the row (two lines of one member do not count). Such a row goes to the first line.
    pub claimed_by_many: Option<BooleanArray>,
    /// For a play: the number of the line that speaks, from 0.
    pub lines: Option<UInt32Array>,
}

/// How many of the values are true, none being missing.
pub fn true_count(array: &BooleanArray) -> u64 {
    let bits = array.values();
    let (start, count) = (bits.offset() / 8, bits.len());
    match bits.values().get(start..start + count / 8) {
        Some(bytes) if bits.offset().is_multiple_of(8) => {
            kernels::count_bytes(bytes) + bits.slice(count / 8 * 8, count % 8).count_set_bits() as u64
        }
        _ => bits.count_set_bits() as u64,
    }
}

/// Values of a declaration.
#[derive(Clone, Debug)]
pub enum OutputColumn {
    /// In the segment or not; without nulls.
    Segment(BooleanArray),
    /// Label codes of a scale, layer, grid or labelled trait; null for no label.
    Labels(UInt32Array),
    /// Values of a trait, laid out as [`crate::semantics::columnar`] says; text is not a dictionary.
    Value(ArrayRef),
    /// Paths of a stack or texts of a play; null where there is none. Each batch has its own dictionary.
    Texts(DictionaryArray<Int32Type>),
}

impl OutputColumn {
    /// As an Arrow array.
    pub fn to_array(&self) -> ArrayRef {
        match self {
            OutputColumn::Segment(array) => std::sync::Arc::new(array.clone()),
            OutputColumn::Labels(array) => std::sync::Arc::new(array.clone()),
            OutputColumn::Value(array) => array.clone(),
            OutputColumn::Texts(array) => std::sync::Arc::new(array.clone()),
        }
    }
}

/// How many rows each wanted declaration takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rows.
    pub rows: u64,
    /// One per wanted declaration, in declaration order.
    pub declared: Vec<DeclaredCount>,
    /// One per wanted condition: for how many rows it holds.
    pub conditions: Vec<u64>,
}

/// How many rows one declaration takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeclaredCount {
    /// Index in `Program::declarations`.
    pub declaration: usize,
    /// Of a segment its rows; of labels the rows of each code, as far as there were any; else nothing.
    pub members: Vec<u64>,
    /// Rows without a label.
    pub none: u64,
    /// Rows that more than one member claims.
    pub claimed_by_many: u64,
}

impl Counts {
    /// The count of a declaration, by its index in `Program::declarations`, where it was wanted.
    pub fn of(&self, declaration: usize) -> Option<&DeclaredCount> {
        let at = self.declared.binary_search_by_key(&declaration, |count| count.declaration).ok()?;
        self.declared.get(at)
    }

    /// Adds the counts of other rows by the same plan.
    pub fn merge(&mut self, other: &Counts) {
        self.rows += other.rows;
        for (count, more) in self.declared.iter_mut().zip(&other.declared) {
            for (code, rows) in more.members.iter().enumerate() {
                count.add(code, *rows);
            }
            count.none += more.none;
            count.claimed_by_many += more.claimed_by_many;
        }
        for (rows, more) in self.conditions.iter_mut().zip(&other.conditions) {
            *rows += more;
        }
    }
}

impl DeclaredCount {
    fn add(&mut self, code: usize, rows: u64) {
        if self.members.len() <= code {
            self.members.resize(code + 1, 0);
        }
        if let Some(count) = self.members.get_mut(code) {
            *count += rows;
        }
    }

    /// Counts each label of a chunk.
    fn add_labels(&mut self, column: &Column, rows: usize) {
        match (&column.data, &column.known) {
            (Data::Label(codes), None) => codes.iter().for_each(|code| self.add(*code as usize, 1)),
            (Data::Label(codes), Some(known)) => {
                self.none += rows as u64 - known.count();
                for row in known.rows() {
                    if let Some(code) = codes.get(row) {
                        self.add(*code as usize, 1);
                    }
                }
            }
            (Data::Constant(Value::Label(code)), _) => self.add(*code as usize, rows as u64),
            _ => self.none += rows as u64,
        }
    }
}

/// Collects the chunks of one declaration.
#[derive(Debug)]
pub(super) struct Collector {
    kept: Kept,
    many: Option<Bits>,
    dictionaries: bool,
    lines: Option<Vec<Option<u32>>>,
}

#[derive(Debug)]
enum Kept {
    Segment(Bits),
    Labels(Vec<u32>, Bits),
    Values(Vec<ArrayRef>),
    Texts(Interner, Vec<i32>),
    Counts(DeclaredCount),
}

impl Collector {
    /// Collects numbers only, on top of these.
    pub fn counting(count: DeclaredCount) -> Self {
        Collector { kept: Kept::Counts(count), many: None, dictionaries: false, lines: None }
    }

    /// Counts the rows of a condition on top of these.
    pub fn counting_condition(rows: u64) -> Self {
        Collector::counting(DeclaredCount { members: vec![rows], ..DeclaredCount::default() })
    }

    /// The numbers, where they were collected.
    pub fn counted(self) -> Option<DeclaredCount> {
        if let Kept::Counts(count) = self.kept { Some(count) } else { None }
    }

    pub fn new(declared: &Declared) -> Self {
        let none = || Bits::filled(0, false);
        let kept = match declared.ty {
            _ if declared.segment => Kept::Segment(none()),
            Type::Label(_) => Kept::Labels(Vec::new(), none()),
            _ if declared.texts => Kept::Texts(Interner::default(), Vec::new()),
            _ => Kept::Values(Vec::new()),
        };
        Collector {
            kept,
            many: declared.claims.as_ref().map(|_| none()),
            lines: declared.line.map(|_| Vec::new()),
            dictionaries: declared.dictionaries,
        }
    }

    /// The count of a segment, where nothing else is kept of it.
    pub fn segment_count(&mut self) -> Option<&mut u64> {
        let Kept::Counts(count) = &mut self.kept else { return None };
        if count.members.is_empty() {
            count.members.push(0);
        }
        count.members.first_mut()
    }

    /// Adds a segment's chunk.
    pub fn add_condition(&mut self, bits: &Bits) {
        match &mut self.kept {
            Kept::Segment(kept) => kept.append(bits),
            Kept::Counts(count) => count.add(0, bits.count()),
            Kept::Labels(..) | Kept::Values(_) | Kept::Texts(..) => {}
        }
    }

    /// Adds another declaration's chunk.
    pub fn add_values(&mut self, column: &Column, ty: &Type, rows: usize) {
        match &mut self.kept {
            Kept::Segment(kept) => kept.append(&Bits::from_fn(rows, |row| column.value(row).is_true())),
            Kept::Labels(codes, known) => {
                match &column.data {
                    Data::Label(values) => codes.extend_from_slice(values),
                    Data::Constant(Value::Label(code)) => codes.extend(std::iter::repeat_n(*code, rows)),
                    _ => codes.extend(std::iter::repeat_n(0, rows)),
                }
                known.append(&column.known_bits(rows));
            }
            Kept::Values(parts) => {
                let dictionary = self.dictionaries.then(|| column.to_dictionary()).flatten();
                parts.push(dictionary.unwrap_or_else(|| column.to_array(ty, rows)));
            }
            Kept::Texts(interner, codes) => interner.add(column, rows, codes),
            Kept::Counts(count) => {
                if matches!(ty, Type::Label(_)) {
                    count.add_labels(column, rows);
                }
            }
        }
    }

    /// Adds a chunk's numbers of lines.
    pub fn add_lines(&mut self, column: &Column, rows: usize) {
        let Some(lines) = &mut self.lines else { return };
        lines.extend((0..rows).map(|row| match column.value(row) {
            Value::Int(line) => u32::try_from(line).ok(),
            _ => None,
        }));
    }

    /// Adds a chunk's rows that more than one member claims: members' rows come one after another.
    pub fn add_claims(&mut self, members: impl Iterator<Item = Bits>, rows: usize) {
        if self.many.is_none() && !matches!(self.kept, Kept::Counts(_)) {
            return;
        }
        let (mut claimed, mut many) = (Bits::filled(rows, false), Bits::filled(rows, false));
        for member in members {
            let mut again = member.clone();
            again.and(&claimed);
            many.or(&again);
            claimed.or(&member);
        }
        match (&mut self.many, &mut self.kept) {
            (Some(kept), _) => kept.append(&many),
            (None, Kept::Counts(count)) => count.claimed_by_many += many.count(),
            (None, _) => {}
        }
    }

    pub fn finish(self, declared: &Declared) -> Output {
        let column = match self.kept {
            Kept::Segment(bits) => OutputColumn::Segment(BooleanArray::new(bits.into_buffer(), None)),
            Kept::Labels(codes, known) => {
                let nulls = NullBuffer::new(known.into_buffer());
                let nulls = (nulls.null_count() > 0).then_some(nulls);
                OutputColumn::Labels(UInt32Array::new(codes.into(), nulls))
            }
            Kept::Values(parts) => OutputColumn::Value(joined(&parts, &declared.ty)),
            Kept::Texts(interner, codes) => OutputColumn::Texts(interner.finish(codes)),
            Kept::Counts(_) => OutputColumn::Value(new_empty_array(&column_type(&declared.ty))),
        };
        Output {
            declaration: declared.declaration,
            column,
            claimed_by_many: self.many.map(|bits| BooleanArray::new(bits.into_buffer(), None)),
            lines: self.lines.map(UInt32Array::from),
        }
    }
}

/// The parts as one array.
fn joined(parts: &[ArrayRef], ty: &Type) -> ArrayRef {
    let all: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
    match parts {
        [one] => one.clone(),
        _ => arrow::compute::concat(&all).unwrap_or_else(|_| new_empty_array(&column_type(ty))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn true_values_are_counted_wherever_they_begin() {
        let array = BooleanArray::from_iter((0..1000).map(|row| Some(row % 7 < 3)));
        for (start, count) in [(0, 1000), (8, 0), (16, 77), (64, 640), (3, 500), (997, 3)] {
            let part = array.slice(start, count);
            assert_eq!(true_count(&part), part.iter().flatten().filter(|holds| *holds).count() as u64);
        }
    }
}
