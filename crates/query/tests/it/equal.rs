//! Answers compared: floats within rounding, everything else exactly.

use model::report::Answer;
use serde_json::Value;

/// `None` when equal, else where they differ.
pub fn difference(left: &Answer, right: &Answer) -> Option<String> {
    let json = |answer: &Answer| serde_json::to_value(answer).unwrap();
    of_values("", &json(left), &json(right))
}

fn of_values(path: &str, left: &Value, right: &Value) -> Option<String> {
    match (left, right) {
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            let pairs = left.iter().zip(right).enumerate();
            pairs
                .filter_map(|(index, (left, right))| of_values(&format!("{path}/{index}"), left, right))
                .next()
        }
        (Value::Object(left), Value::Object(right)) if left.len() == right.len() => {
            let members = left.iter().map(|(name, left)| (name, left, right.get(name)));
            members
                .filter_map(|(name, left, right)| match right {
                    Some(right) => of_values(&format!("{path}/{name}"), left, right),
                    None => Some(format!("{path}/{name}: only in the first")),
                })
                .next()
        }
        (Value::Number(left), Value::Number(right)) => {
            let (left, right) = (left.as_f64()?, right.as_f64()?);
            let near = (left - right).abs() <= 1e-9 * left.abs().max(right.abs());
            (!near).then(|| format!("{path}: {left} and {right}"))
        }
        _ => (left != right).then(|| format!("{path}: {left} and {right}")),
    }
}
