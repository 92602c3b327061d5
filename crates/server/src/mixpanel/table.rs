//! Numbers by segment and date, in the two forms in which `/events`, `/events/properties` and `/segmentation` give them:
//! `{"data": {"series", "values"}, "legend_size"}`, and CSV with a row per date (contract Q16–Q18).

use super::Query;
use super::segmentation::{by_bucket, number};
use super::tokens::SegmentNames;
use crate::error::{ApiError, ApiResult};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use model::report::{InsightsAnswer, Series};
use serde_json::{Map, Value, json};

/// The series of an answer under the names that the caller sees.
pub struct Counts {
    buckets: Vec<String>,
    series: Vec<(String, Series)>,
}

impl Counts {
    /// One series per name.
    pub fn named(answer: InsightsAnswer, name: impl Fn(&Series) -> String) -> Counts {
        let series = answer.series.into_iter().map(|series| (name(&series), series));
        Counts {
            series: series.collect(),
            buckets: answer.buckets,
        }
    }

    pub fn by_segment(answer: InsightsAnswer, names: &SegmentNames) -> Counts {
        let segments: Vec<_> = answer
            .series
            .iter()
            .map(|series| (&series.segment, series.clone()))
            .collect();
        Counts {
            series: names.keyed(segments.into_iter()),
            buckets: answer.buckets,
        }
    }

    /// Names that are there already.
    pub fn of(buckets: Vec<String>, series: Vec<(String, Series)>) -> Counts {
        Counts { buckets, series }
    }

    pub fn keep(&mut self, wanted: impl Fn(&str) -> bool) {
        self.series.retain(|(name, _)| wanted(name));
    }

    fn json(&self) -> Value {
        let series = self.series.iter();
        let values: Map<String, Value> = series
            .map(|(name, series)| (name.clone(), by_bucket(&self.buckets, series)))
            .collect();
        json!({ "legend_size": values.len(), "data": { "series": self.buckets, "values": values } })
    }

    /// A header `date,<segment>…`, then a row per date.
    fn csv(&self) -> String {
        let mut text = String::from("date");
        for (name, _) in &self.series {
            text.push(',');
            text.push_str(&csv_field(name));
        }
        text.push('\n');
        for (index, bucket) in self.buckets.iter().enumerate() {
            text.push_str(bucket);
            for (_, series) in &self.series {
                text.push(',');
                text.push_str(&number(series.values[index].unwrap_or(0.0)).to_string());
            }
            text.push('\n');
        }
        text
    }
}

/// A field that a spreadsheet takes for a text: segment names come from whoever sends events, and one that begins like
/// a formula would be run as one.
fn csv_field(text: &str) -> String {
    let guarded = match text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err() {
        true => format!("'{text}"),
        false => text.to_owned(),
    };
    match guarded.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", guarded.replace('"', "\"\"")),
        false => guarded,
    }
}

/// Answers in the format that the request asks for.
pub fn respond(query: &Query, counts: ApiResult<Counts>) -> Response {
    match (counts, query.params.text("format")) {
        (Ok(counts), None | Some("json")) => query.respond(Ok(counts.json())),
        (Ok(counts), Some("csv")) => {
            let content_type = HeaderValue::from_static("text/csv; charset=utf-8");
            ([(header::CONTENT_TYPE, content_type)], counts.csv()).into_response()
        }
        (Ok(_), Some(_)) => query.refuse(ApiError::invalid("give json or csv").at("format")),
        (Err(error), _) => query.refuse(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_has_a_row_per_date_and_no_formulas() {
        let series = |values: [f64; 2]| Series {
            metric: 0,
            segment: Vec::new(),
            other: false,
            values: values.map(Some).to_vec(),
            total: None,
        };
        let counts = Counts::of(
            vec!["2026-03-01".into(), "2026-03-02".into()],
            vec![
                ("plain".into(), series([1.0, 2.0])),
                ("a,\"b\"".into(), series([0.0, 1.5])),
                ("=cmd()".into(), series([0.0, 0.0])),
                ("-2.5".into(), series([3.0, 0.0])),
            ],
        );
        assert_eq!(
            counts.csv(),
            "date,plain,\"a,\"\"b\"\"\",'=cmd(),-2.5\n2026-03-01,1,0,0,3\n2026-03-02,2,1.5,0,0\n"
        );
        assert_eq!(counts.json()["legend_size"], 4);
        assert_eq!(
            counts.json()["data"]["values"]["plain"],
            json!({ "2026-03-01": 1, "2026-03-02": 2 })
        );
    }
}
