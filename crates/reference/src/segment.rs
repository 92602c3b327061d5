//! Which segments a value puts an event into, and their order.

use crate::expression::{Evaluated, time_text};
use jiff::tz::TimeZone;
use model::Value;
use model::report::Segment;
use std::cmp::Ordering;

type One = Option<serde_json::Value>;

/// The segments of one value: several for a list, one otherwise.
pub(crate) fn values_of(value: &Evaluated, zone: &TimeZone) -> Vec<One> {
    let mut values: Vec<One> = Vec::new();
    match value {
        Evaluated::Undefined => values.push(None),
        Evaluated::Bool(flag) => values.push(Some((*flag).into())),
        Evaluated::Number(number) => values.push(Some(Value::Number(*number).to_json())),
        Evaluated::Text(text) => values.push(Some(text.as_str().into())),
        Evaluated::Time(time_ms) => values.push(Some(time_text(*time_ms, zone).into())),
        Evaluated::Object(object) => values.push(Some(object.to_json().to_string().into())),
        Evaluated::List(items) => {
            for item in items {
                let one = match item {
                    Value::Null => None,
                    Value::List(_) | Value::Object(_) => Some(item.to_json().to_string().into()),
                    scalar => Some(scalar.to_json()),
                };
                if !values.contains(&one) {
                    values.push(one);
                }
            }
            if values.is_empty() {
                values.push(None);
            }
        }
    }
    values
}

/// Every combination of one value per breakdown.
pub(crate) fn combine(values: &[Vec<One>]) -> Vec<Segment> {
    let mut segments: Vec<Segment> = vec![Vec::new()];
    for choices in values {
        let mut longer = Vec::new();
        for segment in &segments {
            for choice in choices {
                let mut next = segment.clone();
                next.push(choice.clone());
                longer.push(next);
            }
        }
        segments = longer;
    }
    segments
}

/// Not set, then booleans, numbers and texts.
pub(crate) fn compare(left: &Segment, right: &Segment) -> Ordering {
    for (left, right) in left.iter().zip(right) {
        let order = compare_one(left, right);
        if order != Ordering::Equal {
            return order;
        }
    }
    left.len().cmp(&right.len())
}

fn compare_one(left: &One, right: &One) -> Ordering {
    let rank = |one: &One| match one {
        None => 0,
        Some(serde_json::Value::Bool(_)) => 1,
        Some(serde_json::Value::Number(_)) => 2,
        Some(_) => 3,
    };
    let same_rank = match (left, right) {
        (Some(serde_json::Value::Bool(left)), Some(serde_json::Value::Bool(right))) => left.cmp(right),
        (Some(serde_json::Value::Number(left)), Some(serde_json::Value::Number(right))) => {
            left.as_f64().partial_cmp(&right.as_f64()).unwrap_or(Ordering::Equal)
        }
        (Some(serde_json::Value::String(left)), Some(serde_json::Value::String(right))) => left.cmp(right),
        _ => Ordering::Equal,
    };
    rank(left).cmp(&rank(right)).then(same_rank)
}

/// The distinct segments of `sized`, largest first, then by value.
pub(crate) fn largest_first(mut sized: Vec<(Segment, f64)>) -> Vec<Segment> {
    sized.sort_by(|(left, left_size), (right, right_size)| {
        right_size
            .partial_cmp(left_size)
            .unwrap_or(Ordering::Equal)
            .then_with(|| compare(left, right))
    });
    sized.into_iter().map(|(segment, _)| segment).collect()
}
