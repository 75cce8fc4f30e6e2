//! Cells of CSV files that a spreadsheet would run as a formula.

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, StringArray};
use arrow::datatypes::{DataType, Int32Type};
use std::borrow::Cow;
use std::sync::Arc;

/// What stands before a text that is to be shown and not run.
const SHOWN: char = '\'';

/// Whether a spreadsheet may run a text.
fn runs(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r'])
}

/// A text that no spreadsheet runs.
pub fn harmless(text: &str) -> Cow<'_, str> {
    if runs(text) { Cow::Owned(format!("{SHOWN}{text}")) } else { Cow::Borrowed(text) }
}

/// A column with its texts harmless; what is no text is as it was.
pub fn harmless_column(column: &ArrayRef) -> ArrayRef {
    match column.data_type() {
        DataType::Utf8 => column.as_string_opt::<i32>().and_then(texts).unwrap_or_else(|| column.clone()),
        DataType::Dictionary(..) => column
            .as_dictionary_opt::<Int32Type>()
            .and_then(|column| {
                let values = texts(column.values().as_string_opt::<i32>()?)?;
                let column = DictionaryArray::try_new(column.keys().clone(), values).ok()?;
                Some(Arc::new(column) as ArrayRef)
            })
            .unwrap_or_else(|| column.clone()),
        _ => column.clone(),
    }
}

/// The texts where one of them has to be changed.
fn texts(texts: &StringArray) -> Option<ArrayRef> {
    if !texts.iter().flatten().any(runs) {
        return None;
    }
    let harmless = texts.iter().map(|text| text.map(harmless));
    Some(Arc::new(harmless.collect::<StringArray>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_would_run_is_changed() {
        for text in ["=1+1", "+86", "-1", "@x", "\tx", "\rx"] {
            assert_eq!(harmless(text), format!("'{text}"));
        }
        for text in ["", "a=1", "1", "'x", "你好", " =1"] {
            assert_eq!(harmless(text), text);
        }
    }

    #[test]
    fn dictionaries_keep_their_codes() {
        let column: DictionaryArray<Int32Type> =
            [Some("a"), None, Some("=b"), Some("a")].into_iter().collect();
        let column: ArrayRef = Arc::new(column);
        let column = harmless_column(&column);
        let column = column.as_dictionary::<Int32Type>().downcast_dict::<StringArray>().unwrap();
        let texts: Vec<Option<&str>> = column.into_iter().collect();
        assert_eq!(texts, [Some("a"), None, Some("'=b"), Some("a")]);
    }
}
