//! How values become segments: as they are, or in ranges of numbers.

use crate::Expression;
use crate::value::number_text;
use serde::{Deserialize, Serialize};

pub const EDGES_MAX: usize = 100;

/// A value that splits metrics into segments. As JSON either the expression alone, or
/// `{"value": expression, "edges": …}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "serde_json::Value", into = "serde_json::Value")]
pub enum Breakdown {
    /// One segment per value.
    Values(Expression),
    /// One segment per range of numbers. Everything that is not a number, also a list of numbers, is not set.
    Ranges { value: Expression, edges: Edges },
}

/// Where ranges of numbers begin and end. A range holds its lower edge and not its upper one; below the first edge and
/// from the last one on there is a range each. Segments have the range's name as [`range_name`] gives it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Edges {
    /// Ranges of one width: the smallest of 1, 2 or 5 times a power of ten of which ten reach from the smallest to the
    /// largest number (1 where these are the same). They begin at multiples of the width and go from the one that holds
    /// the smallest number to the one that holds the largest, of those events in the report's own range of days that some
    /// metric looks at. Numbers outside, which only a comparison or days before the range can have, are below or above.
    ///
    /// Edges tell that somebody is in the first of these ranges and in the last. So an answer with automatic edges
    /// discloses the persons of these two, if they are few, like those of a shown number, also where the ranges are beyond
    /// the limit. Who must not see them gives edges.
    Auto,
    /// 1 to 100, ascending.
    At(Vec<f64>),
}

impl Breakdown {
    pub fn value(&self) -> &Expression {
        match self {
            Breakdown::Values(value) | Breakdown::Ranges { value, .. } => value,
        }
    }
}

impl From<Expression> for Breakdown {
    fn from(value: Expression) -> Breakdown {
        Breakdown::Values(value)
    }
}

/// The longer of the JSON forms.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ranges {
    value: Expression,
    edges: Edges,
}

impl TryFrom<serde_json::Value> for Breakdown {
    type Error = serde_json::Error;

    fn try_from(json: serde_json::Value) -> Result<Breakdown, serde_json::Error> {
        // An expression's tree has one member, named by what it is.
        if json.get("value").is_some() || json.get("edges").is_some() {
            let Ranges { value, edges } = serde_json::from_value(json)?;
            return Ok(Breakdown::Ranges { value, edges });
        }
        Ok(Breakdown::Values(serde_json::from_value(json)?))
    }
}

impl From<Breakdown> for serde_json::Value {
    fn from(breakdown: Breakdown) -> serde_json::Value {
        let json = match breakdown {
            Breakdown::Values(value) => serde_json::to_value(value),
            Breakdown::Ranges { value, edges } => serde_json::to_value(Ranges { value, edges }),
        };
        json.expect("names and finite numbers are JSON")
    }
}

/// Name of the `range`-th of the ranges between edges, 0 being that below the first: `< 10`, `10 - 2,000`, `≥ 2,000`.
pub fn range_name(edges: &[f64], range: usize) -> String {
    let lower = range.checked_sub(1).and_then(|edge| edges.get(edge));
    match (lower, edges.get(range)) {
        (Some(lower), Some(upper)) => format!("{} - {}", grouped(*lower), grouped(*upper)),
        (None, Some(upper)) => format!("< {}", grouped(*upper)),
        (Some(lower), None) => format!("≥ {}", grouped(*lower)),
        (None, None) => "any number".into(),
    }
}

/// A number with commas between thousands (contract 6.3).
fn grouped(number: f64) -> String {
    let text = number_text(number);
    if text.contains('e') {
        return text;
    }
    let (sign, digits) = text
        .strip_prefix('-')
        .map_or(("", text.as_str()), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(w, f)| (w, Some(f)));
    let mut grouped = String::from(sign);
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if let Some(fraction) = fraction {
        grouped.push('.');
        grouped.push_str(fraction);
    }
    grouped
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn ranges_have_names() {
        let edges = [-1000.0, 0.0, 0.5, 2_000.0, 1_234_567.0];
        let names: Vec<String> = (0..=edges.len()).map(|range| range_name(&edges, range)).collect();
        assert_eq!(
            names,
            [
                "< -1,000",
                "-1,000 - 0",
                "0 - 0.5",
                "0.5 - 2,000",
                "2,000 - 1,234,567",
                "≥ 1,234,567"
            ]
        );
    }

    #[test]
    fn both_forms_are_read_and_written() {
        for text in [
            r#""properties[\"plan\"]""#,
            r#"{"value":"properties[\"price\"]","edges":"auto"}"#,
            r#"{"value":"properties[\"price\"]","edges":{"at":[1.0,2.5]}}"#,
        ] {
            let breakdown: Breakdown = serde_json::from_str(text).unwrap();
            let json: serde_json::Value = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_value(&breakdown).unwrap(), json);
        }
        let tree: Breakdown = serde_json::from_str(r#"{"property": {"name": "plan"}}"#).unwrap();
        assert_eq!(tree, Breakdown::Values(Expression::property("plan")));
        // The fault of the expression is told, not that no form fits.
        let error = serde_json::from_str::<Breakdown>(r#""a +""#).unwrap_err().to_string();
        assert!(error.contains("at byte"), "{error}");
        assert!(serde_json::from_str::<Breakdown>(r#"{"value": "a", "edges": "auto", "more": 1}"#).is_err());
    }
}
