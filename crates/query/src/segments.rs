//! Breakdown values as small numbers, so that rows are grouped by index instead of by text.

use hashbrown::HashMap;
use model::Value;
use model::report::Segment;
use std::cmp::Ordering;

/// A value of one breakdown.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum SegmentValue {
    NotSet,
    Bool(bool),
    /// Bits of the number, zero without a sign.
    Number(u64),
    Text(Box<str>),
}

impl SegmentValue {
    pub fn number(number: f64) -> SegmentValue {
        SegmentValue::Number((number + 0.0).to_bits())
    }

    /// The segments of a list or object: each distinct element, or the object's JSON text.
    pub fn of_json(value: &Value) -> Vec<SegmentValue> {
        let Value::List(items) = value else {
            return vec![SegmentValue::of_item(value)];
        };
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            let value = SegmentValue::of_item(item);
            if !values.contains(&value) {
                values.push(value);
            }
        }
        if values.is_empty() {
            values.push(SegmentValue::NotSet);
        }
        values
    }

    fn of_item(item: &Value) -> SegmentValue {
        match item {
            Value::Null => SegmentValue::NotSet,
            Value::Bool(flag) => SegmentValue::Bool(*flag),
            Value::Number(number) => SegmentValue::number(*number),
            Value::String(text) => SegmentValue::Text(text.as_str().into()),
            Value::List(_) | Value::Object(_) => SegmentValue::Text(item.to_json().to_string().into()),
        }
    }

    fn to_json(&self) -> Option<serde_json::Value> {
        match self {
            SegmentValue::NotSet => None,
            SegmentValue::Bool(flag) => Some((*flag).into()),
            SegmentValue::Number(bits) => Some(Value::Number(f64::from_bits(*bits)).to_json()),
            SegmentValue::Text(text) => Some(text.as_ref().into()),
        }
    }
}

/// Numbers the values of up to three breakdowns, and their combinations.
#[derive(Debug, Default)]
pub(crate) struct SegmentIndex {
    values: HashMap<SegmentValue, u32>,
    /// Values and their texts, by number.
    listed: Vec<SegmentValue>,
    /// Segments of one value, plus one: the common case needs no hashing.
    single: Vec<u32>,
    combinations: HashMap<[u32; 3], u32>,
    combined: Vec<[u32; 3]>,
    text_bytes: usize,
}

impl SegmentIndex {
    pub fn value(&mut self, value: SegmentValue) -> u32 {
        if let Some(number) = self.values.get(&value) {
            return *number;
        }
        if let SegmentValue::Text(text) = &value {
            self.text_bytes += 2 * text.len();
        }
        let number = self.listed.len() as u32;
        self.listed.push(value.clone());
        self.values.insert(value, number);
        number
    }

    /// The number of a combination of value numbers; unused places are 0.
    #[inline]
    pub fn segment(&mut self, values: [u32; 3]) -> u32 {
        match self.single.get(values[0] as usize) {
            Some(segment) if *segment > 0 && values[1..] == [0, 0] => segment - 1,
            _ => self.segment_slowly(values),
        }
    }

    fn segment_slowly(&mut self, values: [u32; 3]) -> u32 {
        let next = self.combined.len() as u32;
        if values[1..] == [0, 0] {
            let value = values[0] as usize;
            if self.single.len() <= value {
                self.single.resize(value + 1, 0);
            }
            self.single[value] = next + 1;
            self.combined.push(values);
            return next;
        }
        *self.combinations.entry(values).or_insert_with(|| {
            self.combined.push(values);
            next
        })
    }

    /// A segment as the answer shows it.
    pub fn shown(&self, segment: u32, breakdowns: usize) -> Segment {
        let values = &self.combined[segment as usize][..breakdowns];
        values
            .iter()
            .map(|value| self.listed[*value as usize].to_json())
            .collect()
    }

    /// Segments that were given a number.
    pub fn len(&self) -> usize {
        self.combined.len()
    }

    /// A value as JSON text.
    pub fn value_text(&self, value: u32) -> Box<str> {
        let json = self.listed[value as usize].to_json();
        json.unwrap_or_default().to_string().into()
    }

    pub fn size_bytes(&self) -> usize {
        self.text_bytes + self.listed.capacity() * 72 + self.combined.capacity() * 40
    }
}

/// The order of segments of equal size: not set, booleans, numbers, texts.
pub(crate) fn compare(left: &Segment, right: &Segment) -> Ordering {
    let pairs = left.iter().zip(right);
    pairs
        .map(|(left, right)| compare_value(left.as_ref(), right.as_ref()))
        .find(|order| order.is_ne())
        .unwrap_or_else(|| left.len().cmp(&right.len()))
}

fn compare_value(left: Option<&serde_json::Value>, right: Option<&serde_json::Value>) -> Ordering {
    use serde_json::Value as Json;
    match (left, right) {
        (Some(Json::Bool(left)), Some(Json::Bool(right))) => left.cmp(right),
        (Some(Json::Number(left)), Some(Json::Number(right))) => {
            let number = |json: &serde_json::Number| json.as_f64().unwrap_or_default();
            number(left).total_cmp(&number(right))
        }
        (Some(Json::String(left)), Some(Json::String(right))) => left.cmp(right),
        (left, right) => rank(left).cmp(&rank(right)),
    }
}

fn rank(value: Option<&serde_json::Value>) -> u8 {
    match value {
        None => 0,
        Some(serde_json::Value::Bool(_)) => 1,
        Some(serde_json::Value::Number(_)) => 2,
        Some(_) => 3,
    }
}

/// Edges of automatic ranges, as [`model::report::Edges::Auto`] defines them.
pub(crate) fn round_edges(smallest: f64, largest: f64) -> Vec<f64> {
    let span = largest - smallest;
    let mut widths = (-320..=308).flat_map(|power| [1_i32, 2, 5].map(|digit| (digit, power)));
    let (digit, power) = match span > 0.0 {
        false => (1, 0),
        true => widths
            .find(|(digit, power)| 10.0 * times_ten_to(f64::from(*digit), *power) >= span)
            .unwrap_or((5, 307)),
    };
    let edge = |place: f64| times_ten_to(f64::from(digit) * place, power);
    let width = edge(1.0);
    let first = (smallest / width).floor();
    let last = (largest / width).floor() + 1.0;
    let count = (last - first).clamp(1.0, 12.0) as usize;
    let mut edges: Vec<f64> = (0..=count).map(|index| edge(first + index as f64)).collect();
    edges.dedup();
    edges
}

/// Divides by a power of ten instead of multiplying by a fraction, which no double holds exactly.
fn times_ten_to(number: f64, power: i32) -> f64 {
    if power < 0 {
        number / 10_f64.powi(-power)
    } else {
        number * 10_f64.powi(power)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn automatic_edges_are_about_ten_and_round() {
        let cases: [(f64, f64, &[f64]); 5] = [
            (3.0, 3.0, &[3.0, 4.0]),
            (0.25, 0.25, &[0.0, 1.0]),
            (1.0, 4.0, &[1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5]),
            (-7.0, 61.0, &[-10.0, 0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0]),
            (
                0.1,
                0.3,
                &[0.1, 0.12, 0.14, 0.16, 0.18, 0.2, 0.22, 0.24, 0.26, 0.28, 0.3, 0.32],
            ),
        ];
        for (smallest, largest, expected) in cases {
            assert_eq!(round_edges(smallest, largest), expected, "{smallest} to {largest}");
        }
    }
}
