//! `/insights`: a saved report of our own in Mixpanel's shape (contract 6.4).

use super::Query;
use super::segmentation::{insights, number};
use super::tokens::SegmentNames;
use crate::app::saved_reports;
use crate::app_state::{blocking, now};
use crate::error::{ApiError, ApiResult};
use axum::response::Response;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use model::report::{Insights, InsightsAnswer, Metric, Question, Report};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Key of the segments beyond a report's limit together.
const OTHER: &str = "$other";

pub async fn saved(query: Query) -> Response {
    let answered = answer(&query).await;
    query.respond(answered)
}

async fn answer(query: &Query) -> ApiResult<Value> {
    let report = find(query).await?;
    let Question::Insights(question) = &report.question else {
        return Err(ApiError::invalid("this saved report is no insights report").at("bookmark_id"));
    };
    let answer = insights(query, &report).await?;
    let zone = TimeZone::get(report.timezone.as_deref().unwrap_or(&query.project.timezone)).unwrap_or(TimeZone::UTC);
    let mut headers = vec!["$event".to_owned()];
    headers.extend(question.breakdown.iter().map(|on| match on.value() {
        model::Expression::Property { name, .. } => name.clone(),
        other => other.to_string(),
    }));
    let computed_at = jiff::Timestamp::from_millisecond(now().0).unwrap_or_default();
    Ok(json!({
        "computed_at": computed_at.strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string(),
        "date_range": {
            "from_date": instant(report.range.from.at(0, 0, 0, 0), &zone, ""),
            "to_date": instant(report.range.to.at(23, 59, 59, 0), &zone, ".999000"),
        },
        "headers": headers,
        "series": series(query, question, &answer, &zone).await?,
    }))
}

async fn find(query: &Query) -> ApiResult<Report> {
    let id = query
        .params
        .required("bookmark_id")?
        .parse::<u64>()
        .map_err(|_| ApiError::invalid("give a number").at("bookmark_id"))?;
    let (app, project) = (query.app.clone(), query.project.id);
    let document = blocking(move || Ok(app.store.catalog().document(project, saved_reports::KIND, id)?)).await?;
    let saved = document.as_ref().and_then(saved_reports::from_document);
    match saved {
        Some(saved) => Ok(saved.report),
        None => Err(ApiError::not_found("the saved report").at("bookmark_id")),
    }
}

/// `{metric: {segment: {…: {time: number}}}}`, one level for each header.
async fn series(
    query: &Query,
    question: &Insights,
    answer: &InsightsAnswer,
    zone: &TimeZone,
) -> ApiResult<Map<String, Value>> {
    let mut names = Vec::new();
    for on in &question.breakdown {
        names.push(SegmentNames::of(query, Some(on.value())).await?);
    }
    let mut metrics = metric_names(&question.metrics);
    let formulas = question.formulas.iter();
    metrics.extend(formulas.map(|formula| match formula.name.as_str() {
        "" => formula.formula.text().to_owned(),
        name => name.to_owned(),
    }));
    let mut shaped = Map::new();
    for series in &answer.series {
        let mut level = &mut shaped;
        let segments = series.segment.iter().zip(&names);
        let path: Vec<String> = match series.other {
            true => vec![OTHER.to_owned(); names.len()],
            false => segments.map(|(value, names)| names.key(&vec![value.clone()])).collect(),
        };
        for key in std::iter::once(metrics[series.metric].clone()).chain(path) {
            let below = level.entry(key).or_insert_with(|| Value::Object(Map::new()));
            level = below.as_object_mut().expect("every level is an object");
        }
        for (bucket, value) in answer.buckets.iter().zip(&series.values) {
            level.insert(bucket_time(bucket, zone), number(value.unwrap_or(0.0)));
        }
    }
    Ok(shaped)
}

/// Event names; several metrics of one event are told apart by number.
fn metric_names(metrics: &[Metric]) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let name = |metric: &Metric| {
        let event = metric.event.clone().unwrap_or_else(|| "Any Event".to_owned());
        let mut name = event.clone();
        let mut number = 1;
        while !taken.insert(name.clone()) {
            number += 1;
            name = format!("{event} ({number})");
        }
        name
    };
    metrics.iter().map(name).collect()
}

/// A bucket's label as a local instant with its offset.
fn bucket_time(label: &str, zone: &TimeZone) -> String {
    let start = label
        .parse::<DateTime>()
        .or_else(|_| label.parse::<Date>().map(|date| date.at(0, 0, 0, 0)));
    start.map_or_else(|_| label.to_owned(), |start| instant(start, zone, ""))
}

fn instant(local: DateTime, zone: &TimeZone, fraction: &str) -> String {
    let offset = zone.to_ambiguous_zoned(local).compatible().map(|zoned| zoned.offset());
    let seconds = offset.map_or(0, |offset| offset.seconds());
    let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
    let local = local.strftime("%Y-%m-%dT%H:%M:%S");
    format!("{local}{fraction}{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_local_with_their_offset() {
        let zone = TimeZone::get("America/Los_Angeles").unwrap();
        assert_eq!(bucket_time("2020-08-31", &zone), "2020-08-31T00:00:00-07:00");
        assert_eq!(bucket_time("2020-12-31 13:05:00", &zone), "2020-12-31T13:05:00-08:00");
        let end = "2020-09-12T23:59:59".parse().unwrap();
        assert_eq!(instant(end, &zone, ".999000"), "2020-09-12T23:59:59.999000-07:00");
        let kathmandu = TimeZone::get("Asia/Kathmandu").unwrap();
        assert_eq!(bucket_time("2020-08-31", &kathmandu), "2020-08-31T00:00:00+05:45");
    }

    #[test]
    fn metrics_of_one_event_are_told_apart() {
        let metric = |event: Option<&str>| Metric::new(event.map(str::to_owned), model::report::Measure::Total);
        let names = metric_names(&[metric(Some("A")), metric(None), metric(Some("A"))]);
        assert_eq!(names, ["A", "Any Event", "A (2)"]);
    }
}
