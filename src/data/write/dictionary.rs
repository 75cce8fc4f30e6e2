//! Dictionaries that grow: a batch may bring texts that no batch had before, and a file takes only
//! additions to a dictionary.

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::Int32Type;
use arrow::error::ArrowError;
use hashbrown::HashMap;
use std::sync::Arc;

/// The dictionary of one column so far.
#[derive(Default)]
pub struct Grown {
    numbers: HashMap<String, i32>,
    texts: Vec<String>,
    /// Bytes of all texts.
    bytes: usize,
    /// The values of the last batch as they came, and as they went.
    last: Option<(ArrayRef, ArrayRef)>,
}

/// The dictionaries of all columns.
#[derive(Default)]
pub struct Dictionaries {
    columns: HashMap<usize, Grown>,
}

impl Dictionaries {
    /// A batch whose dictionaries begin with those of the batches before.
    pub fn grown(&mut self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let mut columns = Vec::with_capacity(batch.num_columns());
        for (at, column) in batch.columns().iter().enumerate() {
            columns.push(match column.as_dictionary_opt::<Int32Type>() {
                Some(dictionary) => Arc::new(self.columns.entry(at).or_default().column(dictionary)?),
                None => column.clone(),
            });
        }
        RecordBatch::try_new(batch.schema(), columns)
    }
}

impl Grown {
    /// The texts so far, by their numbers.
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    /// Bytes of all texts so far.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The column with numbers of this dictionary, to which its own texts are added.
    pub fn column(
        &mut self,
        column: &DictionaryArray<Int32Type>,
    ) -> Result<DictionaryArray<Int32Type>, ArrowError> {
        let values = column.values();
        // Members of a layer are the same in each batch.
        if let Some((came, went)) = &self.last
            && Arc::ptr_eq(came, values)
            && self.texts.len() == values.len()
        {
            return DictionaryArray::try_new(column.keys().clone(), went.clone());
        }
        let texts = values.as_string_opt::<i32>().ok_or_else(|| {
            ArrowError::SchemaError("a dictionary of something other than texts".to_owned())
        })?;
        let known = self.texts.len();
        // Values that no row has are no reason to grow, but they keep the order of members.
        let numbers: Vec<i32> = texts.iter().map(|text| self.number(text.unwrap_or_default())).collect();
        let keys: Int32Array = column
            .keys()
            .iter()
            .map(|code| code.and_then(|code| numbers.get(usize::try_from(code).ok()?)).copied())
            .collect();
        let went: ArrayRef = match &self.last {
            Some((_, went)) if self.texts.len() == known && went.len() == known => went.clone(),
            _ => Arc::new(StringArray::from_iter_values(&self.texts)),
        };
        self.last = Some((values.clone(), went.clone()));
        DictionaryArray::try_new(keys, went)
    }

    fn number(&mut self, text: &str) -> i32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = i32::try_from(self.texts.len()).unwrap_or(i32::MAX);
        self.numbers.insert(text.to_owned(), number);
        self.texts.push(text.to_owned());
        self.bytes += text.len();
        number
    }
}
