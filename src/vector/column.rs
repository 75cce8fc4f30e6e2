//! Columns of values in a chunk: typed, with a bitmap of those that are known.

use super::bits::{Bits, Pool};
use super::kernels;
use super::tested::Tested;
use crate::program::{Decimal, Type, Value};
use crate::semantics::columnar::column_type;
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, BooleanBuilder, Date32Array, Decimal128Array, DictionaryArray,
    Float64Array, Int32Array, Int64Array, ListArray, PrimitiveArray, StringArray, StringBuilder,
    Time64MicrosecondArray, TimestampMicrosecondArray, UInt32Array, make_array, new_empty_array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, Field, Float64Type, Int32Type, Int64Type,
    Time64MicrosecondType, TimestampMicrosecondType, UInt16Type, UInt32Type,
};
use std::sync::Arc;

/// The values of a node for the rows of a chunk.
#[derive(Clone, Debug)]
pub(super) struct Column {
    /// The values; what stands where the value is not known means nothing.
    pub data: Data,
    /// Which are known; without it all are.
    pub known: Option<Bits>,
}

/// Values by type.
#[derive(Clone, Debug)]
pub(super) enum Data {
    /// The same for each row (missing included).
    Constant(Value),
    Bool(Bits),
    Int(ScalarBuffer<i64>),
    Float(ScalarBuffer<f64>),
    Decimal(ScalarBuffer<i128>, u8),
    Text(StringArray),
    /// Text by number in a list of texts.
    Dictionary(ScalarBuffer<i32>, ArrayRef),
    /// Values of that type by number in a list of them, of which each is known: of columns that are only
    /// tested.
    Coded(ScalarBuffer<u16>, ArrayRef, Type),
    Date(ScalarBuffer<i32>),
    Timestamp(ScalarBuffer<i64>),
    Time(ScalarBuffer<i64>),
    Label(ScalarBuffer<u32>),
    /// Lists, with the type of their items.
    List(ListArray, Type),
}

impl Column {
    /// The same value for each row.
    pub fn constant(value: Value) -> Self {
        Column { data: Data::Constant(value), known: None }
    }

    /// A condition as a value.
    pub fn from_condition(bits: Bits) -> Self {
        Column { data: Data::Bool(bits), known: None }
    }

    /// A checked array of that type; `None` where the array is of another type.
    pub fn from_array(array: &dyn Array, ty: &Type) -> Option<Self> {
        Column::from_array_in(array, ty, &mut Pool::default())
    }

    /// The same with bitmaps of the pool.
    pub fn from_array_in(array: &dyn Array, ty: &Type, pool: &mut Pool) -> Option<Self> {
        let mut nulls = array.nulls().cloned();
        if let Some(codes) = array.as_dictionary_opt::<UInt16Type>() {
            let values = codes.values();
            // What codes stand for is laid out as the type asks, and is no code itself.
            let plain = values.null_count() == 0 && !matches!(values.data_type(), DataType::Dictionary(..));
            Column::from_array(&values.slice(0, 0), ty).filter(|_| plain)?;
            let known = nulls.filter(|nulls| nulls.null_count() > 0);
            // All rows of a run, and rows of which nothing is read.
            if let (true, None) = (values.len() <= 1, &known) {
                let value = Column::from_array(values, ty)?;
                let value = if values.is_empty() { Value::Missing } else { value.value(0) };
                return Some(Column::constant(value));
            }
            let data = Data::Coded(codes.keys().values().clone(), values.clone(), ty.clone());
            return Some(Column { data, known: known.map(|nulls| pool.of_buffer(nulls.inner())) });
        }
        let data = match ty {
            Type::Bool => Data::Bool(pool.of_buffer(array.as_boolean_opt()?.values())),
            Type::Int => Data::Int(values::<Int64Type>(array)?),
            Type::Float => Data::Float(values::<Float64Type>(array)?),
            Type::Decimal { scale, .. } => match array.data_type() {
                DataType::Decimal128(_, found) if u8::try_from(*found) == Ok(*scale) => {
                    Data::Decimal(values::<Decimal128Type>(array)?, *scale)
                }
                _ => return None,
            },
            Type::Text => match array.as_string_opt::<i32>() {
                Some(texts) => Data::Text(texts.clone()),
                None => {
                    let dictionary: &DictionaryArray<Int32Type> = array.as_dictionary_opt()?;
                    dictionary.values().as_string_opt::<i32>()?;
                    if dictionary.values().null_count() > 0 {
                        nulls = dictionary.logical_nulls();
                    }
                    Data::Dictionary(dictionary.keys().values().clone(), dictionary.values().clone())
                }
            },
            Type::Date => Data::Date(values::<Date32Type>(array)?),
            Type::Timestamp => Data::Timestamp(values::<TimestampMicrosecondType>(array)?),
            Type::Time => Data::Time(values::<Time64MicrosecondType>(array)?),
            Type::Label(_) => Data::Label(values::<UInt32Type>(array)?),
            Type::List(item) => {
                let lists = array.as_list_opt::<i32>()?;
                Column::from_array(lists.values(), item)?;
                Data::List(lists.clone(), (**item).clone())
            }
        };
        let known = nulls.filter(|nulls| nulls.null_count() > 0);
        Some(Column { data, known: known.map(|nulls| pool.of_buffer(nulls.inner())) })
    }

    /// Gives its bitmaps to the pool.
    pub fn put_into(self, pool: &mut Pool) {
        if let Data::Bool(bits) = self.data {
            pool.put(bits);
        }
        if let Some(known) = self.known {
            pool.put(known);
        }
    }

    /// From a value per row, all of that type or missing.
    pub fn from_values(rows: &[Value], ty: &Type) -> Self {
        let array = array_of(rows, ty);
        Column::from_array(&array, ty).unwrap_or_else(|| Column::constant(Value::Missing))
    }

    /// Whether the row's value is known.
    pub fn is_known(&self, row: usize) -> bool {
        match &self.data {
            Data::Constant(value) => !value.is_missing(),
            _ => self.known.as_ref().is_none_or(|known| known.get(row)),
        }
    }

    /// Which rows' values are known.
    pub fn known_bits(&self, rows: usize) -> Bits {
        match (&self.data, &self.known) {
            (Data::Constant(value), _) => Bits::filled(rows, !value.is_missing()),
            (_, Some(known)) => known.clone(),
            (_, None) => Bits::filled(rows, true),
        }
    }

    /// The row's value.
    pub fn value(&self, row: usize) -> Value {
        if !self.is_known(row) {
            return Value::Missing;
        }
        let value = match &self.data {
            Data::Constant(value) => Some(value.clone()),
            Data::Bool(bits) => Some(Value::Bool(bits.get(row))),
            Data::Int(values) => values.get(row).copied().map(Value::Int),
            Data::Float(values) => values.get(row).copied().map(Value::Float),
            Data::Decimal(values, scale) => {
                values.get(row).map(|digits| Value::Decimal(Decimal { unscaled: *digits, scale: *scale }))
            }
            Data::Date(values) => values.get(row).copied().map(Value::Date),
            Data::Timestamp(values) => values.get(row).copied().map(Value::Timestamp),
            Data::Time(values) => values.get(row).copied().map(Value::Time),
            Data::Label(values) => values.get(row).copied().map(Value::Label),
            Data::Text(_) | Data::Dictionary(..) => self.text(row).map(|text| Value::Text(text.into())),
            Data::Coded(codes, values, ty) => {
                let code = codes.get(row).map(|code| usize::from(*code)).filter(|code| *code < values.len());
                code.and_then(|code| Column::from_array(&values.slice(code, 1), ty))
                    .map(|column| column.value(0))
            }
            Data::List(lists, item) => (row < lists.len()).then(|| {
                let items = lists.value(row);
                let items = Column::from_array(&items, item).map(|column| (column, items.len()));
                Value::List(items.map_or_else(
                    || Arc::from([]),
                    |(column, count)| {
                        (0..count).map(|row| column.value(row)).filter(|item| !item.is_missing()).collect()
                    },
                ))
            }),
        };
        value.unwrap_or(Value::Missing)
    }

    /// The row's text, where it is known and a text.
    pub fn text(&self, row: usize) -> Option<&str> {
        if !self.is_known(row) {
            return None;
        }
        match &self.data {
            Data::Constant(Value::Text(text)) => Some(text),
            Data::Text(texts) => (row < texts.len()).then(|| texts.value(row)),
            Data::Dictionary(codes, texts) => {
                let texts = texts.as_string_opt::<i32>()?;
                let code = usize::try_from(*codes.get(row)?).ok()?;
                (code < texts.len()).then(|| texts.value(code))
            }
            _ => None,
        }
    }

    /// The scale of decimal values.
    pub fn scale(&self) -> Option<u8> {
        match &self.data {
            Data::Decimal(_, scale) => Some(*scale),
            Data::Constant(Value::Decimal(decimal)) => Some(decimal.scale),
            _ => None,
        }
    }

    /// Texts that are numbers in a list of texts as an array of the same kind.
    pub fn to_dictionary(&self) -> Option<ArrayRef> {
        let Data::Dictionary(codes, texts) = &self.data else { return None };
        let nulls = self.known.clone().map(|known| NullBuffer::new(known.into_buffer()));
        let keys = Int32Array::try_new(codes.clone(), nulls).ok()?;
        DictionaryArray::try_new(keys, texts.clone()).ok().map(|array| Arc::new(array) as ArrayRef)
    }

    /// As a checked array of that type: plain text, not dictionaries.
    pub fn to_array(&self, ty: &Type, rows: usize) -> ArrayRef {
        let nulls = || self.known.clone().map(|known| NullBuffer::new(known.into_buffer()));
        match &self.data {
            Data::Bool(bits) => Arc::new(BooleanArray::new(bits.clone().into_buffer(), nulls())),
            Data::Int(values) => Arc::new(Int64Array::new(values.clone(), nulls())),
            Data::Float(values) => Arc::new(Float64Array::new(values.clone(), nulls())),
            Data::Decimal(values, _) => {
                let array = Decimal128Array::new(values.clone(), nulls());
                Arc::new(array.with_data_type(column_type(ty)))
            }
            Data::Date(values) => Arc::new(Date32Array::new(values.clone(), nulls())),
            Data::Timestamp(values) => {
                let array = TimestampMicrosecondArray::new(values.clone(), nulls());
                Arc::new(array.with_data_type(column_type(ty)))
            }
            Data::Time(values) => Arc::new(Time64MicrosecondArray::new(values.clone(), nulls())),
            Data::Label(values) => Arc::new(UInt32Array::new(values.clone(), nulls())),
            Data::Text(texts) => {
                Arc::new(StringArray::new(texts.offsets().clone(), texts.values().clone(), nulls()))
            }
            Data::Dictionary(..) => Arc::new((0..rows).map(|row| self.text(row)).collect::<StringArray>()),
            Data::Constant(_) | Data::List(..) | Data::Coded(..) => {
                let values: Vec<Value> = (0..rows).map(|row| self.value(row)).collect();
                array_of(&values, ty)
            }
        }
    }
}

/// The values of a primitive array.
fn values<T: ArrowPrimitiveType>(array: &dyn Array) -> Option<ScalarBuffer<T::Native>> {
    Some(array.as_primitive_opt::<T>()?.values().clone())
}

/// An array of that type from a value per row; a value of another type is missing.
pub fn array_of(rows: &[Value], ty: &Type) -> ArrayRef {
    macro_rules! primitive {
        ($arrow:ty, $kind:path) => {{
            let values = rows.iter().map(|value| match value {
                $kind(value) => Some(*value),
                _ => None,
            });
            let array: PrimitiveArray<$arrow> = values.collect();
            Arc::new(array.with_data_type(column_type(ty)))
        }};
    }
    match ty {
        Type::Bool => {
            let mut builder = BooleanBuilder::with_capacity(rows.len());
            for value in rows {
                builder.append_option(match value {
                    Value::Bool(value) => Some(*value),
                    _ => None,
                });
            }
            Arc::new(builder.finish())
        }
        Type::Int => primitive!(Int64Type, Value::Int),
        Type::Float => primitive!(Float64Type, Value::Float),
        Type::Decimal { .. } => {
            let digits = rows.iter().map(|value| match value {
                Value::Decimal(decimal) => Some(decimal.unscaled),
                _ => None,
            });
            Arc::new(digits.collect::<Decimal128Array>().with_data_type(column_type(ty)))
        }
        Type::Text => {
            let mut builder = StringBuilder::with_capacity(rows.len(), rows.len() * 8);
            for value in rows {
                builder.append_option(match value {
                    Value::Text(text) => Some(text),
                    _ => None,
                });
            }
            Arc::new(builder.finish())
        }
        Type::Date => primitive!(Date32Type, Value::Date),
        Type::Timestamp => primitive!(TimestampMicrosecondType, Value::Timestamp),
        Type::Time => primitive!(Time64MicrosecondType, Value::Time),
        Type::Label(_) => primitive!(UInt32Type, Value::Label),
        Type::List(item) => list_array(rows, item),
    }
}

/// Lists of items of that type.
fn list_array(rows: &[Value], item: &Type) -> ArrayRef {
    let mut items = Vec::new();
    let mut lengths = Vec::with_capacity(rows.len());
    for value in rows {
        if let Value::List(list) = value {
            items.extend(list.iter().cloned());
            lengths.push(list.len());
        } else {
            lengths.push(0);
        }
    }
    let nulls = NullBuffer::from_iter(rows.iter().map(|value| matches!(value, Value::List(_))));
    let field = Arc::new(Field::new_list_field(column_type(item), true));
    let lists = ListArray::try_new(
        field.clone(),
        OffsetBuffer::from_lengths(lengths),
        array_of(&items, item),
        Some(nulls),
    );
    lists.map_or_else(|_| new_empty_array(&DataType::List(field)), |lists| make_array(lists.into()))
}

/// One typed value in memory, as kernels see it.
pub(super) trait Element: Tested + Default + 'static {
    /// The values where they are of this kind.
    fn many(data: &Data) -> Option<&[Self]>;
    /// A constant of this kind.
    fn one(value: &Value) -> Option<Self>;
    /// Values of this kind as those of a node of that type.
    fn wrap(values: Vec<Self>, ty: &Type) -> Option<Data>;
    /// The least value above, where there is one: `x > c` is `x >= next(c)`.
    fn next(self) -> Option<Self>;
    /// The value before this one, or this one where there is none, if distances of such values are
    /// counted.
    fn before(self) -> Option<Self> {
        None
    }
    /// How far this value lies above `base`, where that is counted.
    fn distance(self, _base: Self) -> Option<usize> {
        None
    }
    /// The distances of values from `base`, from 0 to 255; what lies outside is at the nearer end.
    fn distances(_out: &mut [u8], _values: &[Self], _base: Self) {}
}

macro_rules! integer_element {
    ($native:ty, [$($kind:ident),*], $one:pat => $result:expr, $wrap:expr $(, $distances:path)?) => {
        impl Element for $native {
            fn many(data: &Data) -> Option<&[Self]> {
                match data {
                    $(Data::$kind(values, ..) => Some(values),)*
                    _ => None,
                }
            }
            fn one(value: &Value) -> Option<Self> {
                match value {
                    $one => Some($result),
                    _ => None,
                }
            }
            fn wrap(values: Vec<Self>, ty: &Type) -> Option<Data> {
                let wrap: fn(ScalarBuffer<Self>, &Type) -> Option<Data> = $wrap;
                wrap(values.into(), ty)
            }
            fn next(self) -> Option<Self> {
                self.checked_add(1)
            }
            $(
                fn before(self) -> Option<Self> {
                    Some(self.saturating_sub(1))
                }
                fn distance(self, base: Self) -> Option<usize> {
                    usize::try_from(self.checked_sub(base)?).ok()
                }
                fn distances(out: &mut [u8], values: &[Self], base: Self) {
                    $distances(out, values, base);
                }
            )?
        }
    };
}

integer_element!(i64, [Int, Timestamp, Time],
Value::Int(x) | Value::Timestamp(x) | Value::Time(x) => *x,
|values, ty| match ty {
    Type::Int => Some(Data::Int(values)),
    Type::Timestamp => Some(Data::Timestamp(values)),
    Type::Time => Some(Data::Time(values)),
    _ => None,
},
kernels::distances_i64);
integer_element!(i128, [Decimal], Value::Decimal(x) => x.unscaled, |values, ty| match ty {
    Type::Decimal { scale, .. } => Some(Data::Decimal(values, *scale)),
    _ => None,
});
integer_element!(i32, [Date], Value::Date(x) => *x,
    |values, ty| matches!(ty, Type::Date).then_some(Data::Date(values)),
    kernels::distances_i32);
integer_element!(u32, [Label], Value::Label(x) => *x,
    |values, ty| matches!(ty, Type::Label(_)).then_some(Data::Label(values)),
    kernels::distances_u32);

impl Element for f64 {
    fn many(data: &Data) -> Option<&[Self]> {
        match data {
            Data::Float(values) => Some(values),
            _ => None,
        }
    }
    fn one(value: &Value) -> Option<Self> {
        match value {
            Value::Float(value) => Some(*value),
            _ => None,
        }
    }
    fn wrap(values: Vec<Self>, ty: &Type) -> Option<Data> {
        matches!(ty, Type::Float).then(|| Data::Float(values.into()))
    }
    fn next(self) -> Option<Self> {
        (self != f64::INFINITY).then(|| self.next_up())
    }
}

/// The values of a column as a kernel reads them.
#[derive(Clone, Copy)]
pub(super) enum View<'a, T> {
    /// One for all rows.
    One(T),
    /// One per row.
    Many(&'a [T]),
}

impl<'a, T: Element> View<'a, T> {
    /// Of a column of this kind whose values are not all missing.
    pub fn of(column: &'a Column) -> Option<Self> {
        match &column.data {
            Data::Constant(value) => T::one(value).map(View::One),
            data => T::many(data).map(View::Many),
        }
    }

    /// The row's value.
    #[inline(always)]
    pub fn get(&self, row: usize) -> T {
        match self {
            View::One(value) => *value,
            View::Many(values) => values.get(row).copied().unwrap_or_default(),
        }
    }
}

/// The rows for which all of the columns have a known value; `None` where that is each row.
pub(super) fn all_known(columns: &[&Column], rows: usize) -> Option<Bits> {
    let mut known: Option<Bits> = None;
    for column in columns {
        let bits = match &column.data {
            Data::Constant(value) if value.is_missing() => Some(Bits::filled(rows, false)),
            Data::Constant(_) => None,
            _ => column.known.clone(),
        };
        known = match (known, bits) {
            (Some(mut known), Some(bits)) => {
                known.and(&bits);
                Some(known)
            }
            (known, bits) => known.or(bits),
        };
    }
    known
}
