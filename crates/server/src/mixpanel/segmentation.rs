//! `/segmentation` and its sums and averages (contract 6.3).

use super::Query;
use crate::app::questions;
use crate::app_state::now;
use crate::error::{ApiError, ApiResult};
use axum::response::Response;
use model::Expression;
use model::report::{
    Answer, Insights, InsightsAnswer, Measure, Metric, Question, Report, Segment, Series, Unit, VERSION,
};
use model::value::number_text;
use serde_json::{Map, Value, json};

const SEGMENTS_MAX: usize = 10_000;
const SEGMENTS_DEFAULT: usize = 60;

pub async fn segmentation(query: Query) -> Response {
    let answered = segment(&query).await;
    query.respond(answered)
}

async fn segment(query: &Query) -> ApiResult<Value> {
    let event = single_event(query)?;
    let measure = measure(query.params.text("type"))?;
    let on = query.params.expression("on")?;
    let limit = query.params.number("limit", SEGMENTS_DEFAULT, SEGMENTS_MAX)?.max(1);
    let metric = Metric {
        event: Some(event.clone()),
        filter: None,
        measure,
    };
    let answer = ask(query, vec![metric], on, limit, Unit::Day).await?;
    let mut values = Map::new();
    for series in &answer.series {
        let key = match series.segment.is_empty() {
            true => event.clone(),
            false => segment_text(&series.segment),
        };
        values.insert(key, by_bucket(&answer.buckets, series));
    }
    Ok(json!({ "legend_size": values.len(), "data": { "series": answer.buckets, "values": values } }))
}

pub async fn sum(query: Query) -> Response {
    let answered = numeric(&query, |property| Measure::Sum { property }).await;
    query.respond(answered)
}

pub async fn average(query: Query) -> Response {
    let answered = numeric(&query, |property| Measure::Mean { property }).await;
    query.respond(answered)
}

async fn numeric(query: &Query, measure: fn(Expression) -> Measure) -> ApiResult<Value> {
    let on = query
        .params
        .expression("on")?
        .ok_or_else(|| ApiError::invalid("this parameter is required").at("on"))?;
    let metric = Metric {
        event: Some(single_event(query)?),
        filter: None,
        measure: measure(on),
    };
    let answer = ask(query, vec![metric], None, 1, Unit::Day).await?;
    let results = answer
        .series
        .first()
        .map_or(json!({}), |series| by_bucket(&answer.buckets, series));
    let computed_at = jiff::Timestamp::from_millisecond(now().0).unwrap_or_default();
    Ok(
        json!({ "status": "ok", "computed_at": computed_at.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string(), "results": results }),
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
        filter: query.params.expression("where")?,
        question: Question::Insights(Insights {
            metrics,
            unit,
            breakdown: on.into_iter().collect(),
            limit,
            compare_previous: false,
        }),
    };
    match questions::answer(&query.app, &query.project, &query.caller, &report)
        .await?
        .answer
    {
        Answer::Insights(answer) => Ok(answer),
        _ => Err(ApiError::new(
            model::ErrorCode::Internal,
            "an insights question has an insights answer",
        )),
    }
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

fn single_event(query: &Query) -> ApiResult<String> {
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
        .zip(series.values.iter().map(|value| number(*value)))
        .collect::<Map<_, _>>()
        .into()
}

/// Whole numbers without a fraction, as Mixpanel writes counts.
pub fn number(value: f64) -> Value {
    model::Value::Number(value).to_json()
}

/// A segment's key (contract SG1).
pub fn segment_text(segment: &Segment) -> String {
    let text = |value: &Option<Value>| match value {
        None => "undefined".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.as_f64().map_or_else(|| number.to_string(), number_text),
        Some(other) => other.to_string(),
    };
    segment.iter().map(text).collect::<Vec<_>>().join(" - ")
}
