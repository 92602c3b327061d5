//! A column of texts, however it is encoded.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StringArray};
use datafusion::arrow::buffer::BooleanBuffer;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int32Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::ColumnarValue;
use std::marker::PhantomData;

pub(super) struct Texts<'a> {
    form: Form,
    rows: usize,
    of: PhantomData<&'a ()>,
}

enum Form {
    Constant(Option<String>),
    Plain(ArrayRef),
    Dictionary(ArrayRef),
}

impl Texts<'_> {
    pub fn of(value: &ColumnarValue, rows: usize) -> Result<Texts<'_>> {
        let form = match value {
            ColumnarValue::Scalar(ScalarValue::Dictionary(_, inner)) => constant(inner),
            ColumnarValue::Scalar(scalar) => constant(scalar),
            ColumnarValue::Array(array) => match array.data_type() {
                DataType::Dictionary(key, value) if **key == DataType::Int32 && **value == DataType::Utf8 => {
                    Form::Dictionary(array.clone())
                }
                DataType::Utf8 => Form::Plain(array.clone()),
                _ => Form::Plain(cast(array, &DataType::Utf8)?),
            },
        };
        Ok(Texts {
            form,
            rows,
            of: PhantomData,
        })
    }

    /// The text of every row, when it is the same one.
    pub fn constant(&self) -> Option<&str> {
        match &self.form {
            Form::Constant(text) => text.as_deref(),
            _ => None,
        }
    }

    pub fn get(&self, row: usize) -> Option<&str> {
        match &self.form {
            Form::Constant(text) => text.as_deref(),
            Form::Plain(array) => value(array.as_string(), row),
            Form::Dictionary(array) => {
                let dictionary = array.as_dictionary::<Int32Type>();
                let key = dictionary.key(row)?;
                value(dictionary.values().as_string(), key)
            }
        }
    }

    /// Whether each row's text passes a test, which is done once per distinct text where those are known.
    pub fn test(&self, passes: impl Fn(&str) -> bool) -> BooleanArray {
        let Form::Dictionary(array) = &self.form else {
            return (0..self.rows).map(|row| self.get(row).map(&passes)).collect();
        };
        let dictionary = array.as_dictionary::<Int32Type>();
        let values: &StringArray = dictionary.values().as_string();
        if values.null_count() > 0 {
            return self.map(|text| Some(passes(text))).into();
        }
        // Only the texts that rows point to: after a filter a dictionary may hold many that none does.
        let mut known: Vec<u8> = vec![UNKNOWN; values.len()];
        let (keys, nulls) = (dictionary.keys().values(), dictionary.nulls());
        let passed = BooleanBuffer::collect_bool(self.rows, |row| {
            // What a null row points to is anything.
            let Some(of_text) = known.get_mut(keys[row] as usize) else {
                return false;
            };
            if *of_text == UNKNOWN {
                *of_text = u8::from(passes(values.value(keys[row] as usize)));
            }
            *of_text == 1
        });
        BooleanArray::new(passed, nulls.cloned())
    }

    /// Applies a function to each row's text, once per distinct text where those are known.
    pub fn map<T: Copy>(&self, map: impl Fn(&str) -> Option<T>) -> Vec<Option<T>> {
        let Form::Dictionary(array) = &self.form else {
            return (0..self.rows).map(|row| self.get(row).and_then(&map)).collect();
        };
        let dictionary = array.as_dictionary::<Int32Type>();
        let values: &StringArray = dictionary.values().as_string();
        // Only the texts that rows point to: after a filter a dictionary may hold many that none does.
        let mut mapped: Vec<Option<Option<T>>> = vec![None; values.len()];
        dictionary
            .keys()
            .iter()
            .map(|key| {
                let key = key? as usize;
                *mapped[key].get_or_insert_with(|| value(values, key).and_then(&map))
            })
            .collect()
    }
}

/// Neither 0, failed, nor 1, passed.
const UNKNOWN: u8 = 2;

fn constant(scalar: &ScalarValue) -> Form {
    Form::Constant(scalar.try_as_str().flatten().map(str::to_owned))
}

fn value(array: &StringArray, row: usize) -> Option<&str> {
    array.is_valid(row).then(|| array.value(row))
}
