//! Property values as they are kept and compared.

use serde::{Deserialize, Serialize};

/// A property value (contract N14). Date strings are strings; they compare as dates only where an expression asks.
///
/// Numbers are IEEE doubles. An integer that a double cannot hold exactly arrives here as a string, so that no
/// order number or Snowflake id is silently rounded (contract G16).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// An explicit JSON null. Never stored on events, where it means the same as absent.
    #[default]
    Null,
    Bool(bool),
    Number(f64),
    String(String),
    List(Vec<Value>),
    /// Members in order of appearance; names are unique.
    Object(Vec<(String, Value)>),
}

impl Value {
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The JSON form. Numbers without a fraction print as integers.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Value::Null => serde_json::Value::Null,
            Value::Bool(flag) => (*flag).into(),
            Value::Number(number) => number_to_json(*number),
            Value::String(text) => text.as_str().into(),
            Value::List(items) => items.iter().map(Value::to_json).collect(),
            Value::Object(members) => serde_json::Value::Object(
                members
                    .iter()
                    .map(|(name, value)| (name.clone(), value.to_json()))
                    .collect(),
            ),
        }
    }

    /// Reads a JSON value. Integers beyond 2^53 become strings, as in [`Value`]'s promise.
    pub fn from_json(json: &serde_json::Value) -> Value {
        match json {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(flag) => Value::Bool(*flag),
            serde_json::Value::Number(number) => number_from_text(&number.to_string()),
            serde_json::Value::String(text) => Value::String(text.clone()),
            serde_json::Value::Array(items) => Value::List(items.iter().map(Value::from_json).collect()),
            serde_json::Value::Object(members) => Value::Object(
                members
                    .iter()
                    .map(|(name, value)| (name.clone(), Value::from_json(value)))
                    .collect(),
            ),
        }
    }
}

/// Largest integer below which every integer is a double of its own.
const EXACT_INTEGER_MAX: i128 = 1 << 53;

/// A JSON number's text as a [`Value`]: a number where a double holds it exactly enough, else its text.
pub fn number_from_text(text: &str) -> Value {
    if let Ok(integer) = text.parse::<i128>()
        && integer.abs() > EXACT_INTEGER_MAX
    {
        return Value::String(text.to_owned());
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Value::Number(number),
        _ => Value::String(text.to_owned()),
    }
}

fn number_to_json(number: f64) -> serde_json::Value {
    if number.fract() == 0.0 && number.abs() <= EXACT_INTEGER_MAX as f64 {
        return (number as i64).into();
    }
    serde_json::Number::from_f64(number).map_or(serde_json::Value::Null, serde_json::Value::Number)
}

/// Shortest decimal text of a number, as report segments and `string(n)` print it: `3`, `3.5`, `-0.25`.
pub fn number_text(number: f64) -> String {
    match number_to_json(number) {
        serde_json::Value::Number(json) => json.to_string(),
        _ => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_what_they_were() {
        assert_eq!(number_from_text("9007199254740992"), Value::Number(9007199254740992.0));
        assert_eq!(
            number_from_text("9007199254740993"),
            Value::String("9007199254740993".into())
        );
        assert_eq!(number_from_text("1e400"), Value::String("1e400".into()));
        assert_eq!(number_text(3.0), "3");
        assert_eq!(number_text(-0.25), "-0.25");
    }
}
