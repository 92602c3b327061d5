//! Answers as rows of text: the form of every answer that a table, a terminal or a spreadsheet shows.
//!
//! The first row is the head. Values are bare: numbers without separators, for [`crate::csv`] as for a person.

mod flow;

use crate::report::{
    Answer, FrequencyAnswer, FunnelAnswer, InsightsAnswer, LifecycleAnswer, RetentionAnswer, Segment, StickinessAnswer,
};
use crate::value::number_text;

pub type Rows = Vec<Vec<String>>;

pub fn rows(answer: &Answer) -> Rows {
    match answer {
        Answer::Insights(answer) => insights(answer),
        Answer::Funnel(answer) => funnel(answer),
        Answer::Retention(answer) => retention(answer),
        Answer::Frequency(answer) => frequency(answer),
        Answer::Stickiness(answer) => stickiness(answer),
        Answer::Lifecycle(answer) => lifecycle(answer),
        Answer::Flow(answer) => flow::rows(answer),
    }
}

/// A bucket that is cut or not over has a `*` behind its name; a formula without a result is an empty cell.
fn insights(answer: &InsightsAnswer) -> Rows {
    let mut rows = vec![["metric", "segment"].map(str::to_owned).to_vec()];
    rows[0].extend(answer.buckets.iter().zip(&answer.partial).map(|(name, partial)| {
        let mark = if *partial { "*" } else { "" };
        format!("{name}{mark}")
    }));
    rows[0].push("total".into());
    let text = |value: &Option<f64>| value.map_or(String::new(), number_text);
    for series in &answer.series {
        let segment = match series.other {
            true => "(all others)".to_owned(),
            false => segment_text(&series.segment),
        };
        let mut row = vec![metric_letter(series.metric), segment];
        row.extend(series.values.iter().map(text));
        row.push(text(&series.total));
        rows.push(row);
    }
    rows
}

/// A, B, C … for metrics, and on for formulas, as far as there are letters.
fn metric_letter(metric: usize) -> String {
    match u8::try_from(metric) {
        Ok(place @ 0..26) => char::from(b'A' + place).to_string(),
        _ => (metric + 1).to_string(),
    }
}

fn funnel(answer: &FunnelAnswer) -> Rows {
    let mut rows = vec![
        [
            "segment",
            "step",
            "counted",
            "of the first",
            "mean seconds from the step before",
        ]
        .map(str::to_owned)
        .to_vec(),
    ];
    let mut steps = answer.overall.iter().flat_map(|segment| &segment.steps);
    let has_times = steps.any(|step| step.times_from_previous.is_some());
    if has_times {
        rows[0].push("median seconds from the step before".into());
    }
    for segment in &answer.overall {
        let first = segment.steps.first().map_or(0, |step| step.count);
        for (index, step) in segment.steps.iter().enumerate() {
            let share = if first == 0 {
                0.0
            } else {
                step.count as f64 / first as f64
            };
            let mut row = vec![
                segment_text(&segment.segment),
                (index + 1).to_string(),
                step.count.to_string(),
                format!("{:.1} %", share * 100.0),
                seconds(step.mean_ms_from_previous),
            ];
            if has_times {
                let times = step.times_from_previous.as_ref();
                row.push(seconds(times.map(|times| times.median_ms)));
            }
            rows.push(row);
        }
    }
    rows
}

fn seconds(ms: Option<f64>) -> String {
    ms.map_or(String::new(), |ms| format!("{:.1}", ms / 1000.0))
}

fn retention(answer: &RetentionAnswer) -> Rows {
    let longest = answer
        .segments
        .iter()
        .flat_map(|s| &s.cohorts)
        .map(|cohort| cohort.returned.len())
        .max()
        .unwrap_or(0);
    let mut rows = vec![["segment", "cohort", "born"].map(str::to_owned).to_vec()];
    rows[0].extend((0..longest).map(|interval| interval.to_string()));
    for segment in &answer.segments {
        for (bucket, cohort) in answer.buckets.iter().zip(&segment.cohorts) {
            let mut row = vec![segment_text(&segment.segment), bucket.clone(), cohort.born.to_string()];
            row.extend(cohort.returned.iter().map(u64::to_string));
            row.resize(longest + 3, String::new());
            rows.push(row);
        }
    }
    rows
}

fn frequency(answer: &FrequencyAnswer) -> Rows {
    let longest = answer
        .segments
        .iter()
        .flat_map(|s| &s.at_least)
        .map(Vec::len)
        .max()
        .unwrap_or(0);
    let mut rows = vec![["segment", "bucket"].map(str::to_owned).to_vec()];
    rows[0].extend((1..=longest).map(|parts| format!("at least {parts}")));
    for segment in &answer.segments {
        for (bucket, at_least) in answer.buckets.iter().zip(&segment.at_least) {
            let mut row = vec![segment_text(&segment.segment), bucket.clone()];
            row.extend(at_least.iter().map(u64::to_string));
            rows.push(row);
        }
    }
    rows
}

fn stickiness(answer: &StickinessAnswer) -> Rows {
    let buckets = answer.segments.iter().flat_map(|s| &s.buckets);
    let longest = buckets.map(|bucket| bucket.exactly.len()).max().unwrap_or(0);
    let mut rows = vec![["segment", "bucket", "active", "mean day"].map(str::to_owned).to_vec()];
    rows[0].extend((1..=longest).map(|days| format!("exactly {days}")));
    for segment in &answer.segments {
        for (name, bucket) in answer.buckets.iter().zip(&segment.buckets) {
            let active = bucket.at_least.first().copied().unwrap_or(0);
            let ratio = bucket
                .ratio
                .map_or(String::new(), |ratio| format!("{:.1} %", ratio * 100.0));
            let mut row = vec![segment_text(&segment.segment), name.clone(), active.to_string(), ratio];
            row.extend(bucket.exactly.iter().map(u64::to_string));
            rows.push(row);
        }
    }
    rows
}

fn lifecycle(answer: &LifecycleAnswer) -> Rows {
    let header = ["segment", "bucket", "new", "returning", "resurrected", "dormant"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for segment in &answer.segments {
        for (name, bucket) in answer.buckets.iter().zip(&segment.buckets) {
            let stages = [bucket.new, bucket.returning, bucket.resurrected, bucket.dormant];
            let mut row = vec![segment_text(&segment.segment), name.clone()];
            row.extend(stages.map(|persons| persons.to_string()));
            rows.push(row);
        }
    }
    rows
}

fn segment_text(segment: &Segment) -> String {
    let text = |value: &Option<serde_json::Value>| match value {
        None => "(not set)".to_owned(),
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    segment.iter().map(text).collect::<Vec<_>>().join(", ")
}

/// Columns padded to their widest cell; numbers to the right.
pub fn aligned(rows: &Rows) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        for (cell, width) in row.iter().zip(&widths) {
            let padding = " ".repeat(width.saturating_sub(cell.chars().count()));
            let is_number = cell.starts_with(|first: char| first.is_ascii_digit()) || cell.is_empty();
            match is_number {
                true => text.extend([padding.as_str(), cell, "  "]),
                false => text.extend([cell, padding.as_str(), "  "]),
            }
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_to_the_right() {
        let rows = vec![
            vec!["name".into(), "n".into()],
            vec!["a".into(), "10".into()],
            vec!["b".into(), "7".into()],
        ];
        assert_eq!(aligned(&rows), "name  n\na     10\nb      7\n");
    }
}
