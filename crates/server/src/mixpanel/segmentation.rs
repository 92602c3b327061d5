//! `/segmentation` and its sums, averages and numeric ranges (contract 6.3).

mod numeric;

pub use numeric::numeric;

use super::Query;
use super::params::BucketsShown;
use super::table::{self, Counts};
use super::tokens::SegmentNames;
use crate::app::questions;
use crate::app_state::now;
use crate::error::{ApiError, ApiResult};
use axum::response::Response;
use model::Expression;
use model::report::{
    Answer, Breakdown, Insights, InsightsAnswer, Measure, Metric, Question, Report, Series, Unit, VERSION,
};
use serde_json::{Map, Value, json};

const SEGMENTS_MAX: usize = 10_000;
const SEGMENTS_DEFAULT: usize = 60;

pub async fn segmentation(query: Query) -> Response {
    let answered = segment(&query).await;
    table::respond(&query, answered)
}

async fn segment(query: &Query) -> ApiResult<Counts> {
    let event = single_event(query)?;
    let measure = measure(query.params.text("type"))?;
    let on = query.expression("on").await?;
    let limit = query.params.number("limit", SEGMENTS_DEFAULT, SEGMENTS_MAX)?.max(1);
    let metric = Metric::new(Some(event.clone()), measure);
    let names = SegmentNames::of(query, on.as_ref()).await?;
    let split = on.is_some();
    let answer = ask(query, vec![metric], on, limit, Unit::Day).await?;
    Ok(match split {
        true => Counts::by_segment(answer, &names),
        false => Counts::named(answer, |_| event.clone()),
    })
}

pub async fn sum(query: Query) -> Response {
    let answered = by_date(&query, |property| Measure::Sum { property }).await;
    query.respond(answered)
}

pub async fn average(query: Query) -> Response {
    let answered = by_date(&query, |property| Measure::Mean { property }).await;
    query.respond(answered)
}

async fn by_date(query: &Query, measure: fn(Expression) -> Measure) -> ApiResult<Value> {
    let on = query
        .expression("on")
        .await?
        .ok_or_else(|| ApiError::invalid("this parameter is required").at("on"))?;
    let metric = Metric::new(Some(single_event(query)?), measure(on));
    let answer = ask(query, vec![metric], None, 1, Unit::Day).await?;
    let results = answer
        .series
        .first()
        .map_or(json!({}), |series| by_bucket(&answer.buckets, series));
    let computed_at = jiff::Timestamp::from_millisecond(now().0).unwrap_or_default();
    Ok(
        json!({ "status": "ok", "computed_at": computed_at.strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string(), "results": results }),
    )
}

/// Asks the engine for metrics over the request's range, unit and filter.
pub async fn ask(
    query: &Query,
    metrics: Vec<Metric>,
    on: Option<Expression>,
    limit: usize,
    unit_default: Unit,
) -> ApiResult<InsightsAnswer> {
    let unit = query.params.unit(unit_default)?;
    let report = Report {
        version: VERSION,
        range: query.params.range(&query.project.timezone, unit, now().0)?,
        timezone: None,
        filter: query.expression("where").await?,
        question: Question::Insights(Insights {
            breakdown: on.into_iter().map(Breakdown::from).collect(),
            limit,
            ..Insights::new(metrics, unit)
        }),
    };
    let mut answer = insights(query, &report).await?;
    if let Some(shown) = query.params.buckets_shown(&query.project.timezone, unit, now().0)? {
        keep_last(&mut answer, &shown);
    }
    Ok(answer)
}

/// The answer of an insights question.
pub async fn insights(query: &Query, report: &Report) -> ApiResult<InsightsAnswer> {
    let answered = questions::answer(&query.app, &query.project, &query.caller, report).await?;
    match answered.answer {
        Answer::Insights(answer) => Ok(answer),
        _ => Err(ApiError::new(
            model::ErrorCode::Internal,
            "an insights question has an insights answer",
        )),
    }
}

/// Cuts the answer to the last buckets before now: an interval in hours or minutes begins and ends within a day.
fn keep_last(answer: &mut InsightsAnswer, shown: &BucketsShown) {
    let end = answer.buckets.partition_point(|bucket| *bucket <= shown.last);
    let kept = end.saturating_sub(shown.count)..end;
    for series in &mut answer.series {
        series.values = series.values.drain(kept.clone()).collect();
    }
    answer.partial = answer.partial.drain(kept.clone()).collect();
    answer.buckets = answer.buckets.drain(kept).collect();
}

/// `general`, `unique`, `average` (contract Q13).
pub fn measure(text: Option<&str>) -> ApiResult<Measure> {
    match text {
        None | Some("general") => Ok(Measure::Total),
        Some("unique") => Ok(Measure::Unique),
        Some("average") => Ok(Measure::PerPerson),
        Some(_) => Err(ApiError::invalid("give general, unique or average").at("type")),
    }
}

pub fn single_event(query: &Query) -> ApiResult<String> {
    let events = query.params.list("event")?.unwrap_or_default();
    match <[String; 1]>::try_from(events) {
        Ok([event]) => Ok(event),
        Err(_) => Err(ApiError::invalid("give one event").at("event")),
    }
}

/// A series as `{date: number}`.
pub fn by_bucket(buckets: &[String], series: &Series) -> Value {
    buckets
        .iter()
        .cloned()
        .zip(series.values.iter().map(|value| number(value.unwrap_or(0.0))))
        .collect::<Map<_, _>>()
        .into()
}

/// Whole numbers without a fraction, as Mixpanel writes counts.
pub fn number(value: f64) -> Value {
    model::Value::Number(value).to_json()
}
