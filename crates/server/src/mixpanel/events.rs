//! `/events` and what hangs under it (contract 6.2).

use super::Query;
use super::segmentation::{ask, by_bucket, measure, number, segment_text};
use crate::app::questions;
use crate::app::schema::{last_days, top_values};
use crate::error::{ApiError, ApiResult};
use axum::response::Response;
use model::Expression;
use model::report::{Answer, Measure, Metric, Report, Series, Unit};
use serde_json::{Map, Value, json};

/// Days back that lists of names and values look at.
const RECENT_DAYS: i64 = 31;

pub async fn events(query: Query) -> Response {
    let answered = counts(&query).await;
    query.respond(answered)
}

async fn counts(query: &Query) -> ApiResult<Value> {
    let events = query
        .params
        .list("event")?
        .ok_or_else(|| ApiError::invalid("this parameter is required").at("event"))?;
    let measure = measure(query.params.text("type"))?;
    let metric = |event: &String| Metric {
        event: Some(event.clone()),
        filter: None,
        measure: measure.clone(),
    };
    let answer = ask(query, events.iter().map(metric).collect(), None, 1, Unit::Day).await?;
    let named = answer
        .series
        .iter()
        .map(|series| (events[series.metric].clone(), by_bucket(&answer.buckets, series)));
    let values: Map<String, Value> = named.collect();
    Ok(json!({ "legend_size": values.len(), "data": { "series": answer.buckets, "values": values } }))
}

/// Today's events against yesterday's.
pub async fn top(query: Query) -> Response {
    let answered = today_and_yesterday(&query).await;
    query.respond(answered)
}

async fn today_and_yesterday(query: &Query) -> ApiResult<Value> {
    let limit = query.params.number("limit", 100, 10_000)?;
    let kind = query.params.text("type").unwrap_or("general");
    let measure = measure(Some(kind))?;
    let mut by_name = top_values(
        last_days(&query.project.timezone, 2),
        None,
        event_name(),
        measure,
        limit.max(1),
    );
    if let model::report::Question::Insights(insights) = &mut by_name.question {
        insights.unit = Unit::Day;
    }
    let series = series(query, &by_name).await?;
    let change = |before: f64, today: f64| if before > 0.0 { (today - before) / before } else { 0.0 };
    let events: Vec<Value> = series
        .iter()
        .filter_map(|series| match series.values.as_slice() {
            [before, today] => Some(json!({
                "event": segment_text(&series.segment),
                "amount": number(*today),
                "percent_change": change(*before, *today),
            })),
            _ => None,
        })
        .collect();
    Ok(json!({ "events": events, "type": kind }))
}

/// Names of the last 31 days' events, most frequent first.
pub async fn names(query: Query) -> Response {
    let answered = async {
        let limit = query.params.number("limit", 255, 10_000)?.max(1);
        let report = top_values(
            last_days(&query.project.timezone, RECENT_DAYS),
            None,
            event_name(),
            Measure::Total,
            limit,
        );
        let series = series(&query, &report).await?;
        Ok(series
            .iter()
            .map(|series| segment_text(&series.segment))
            .collect::<Vec<_>>()
            .into())
    };
    let answered = answered.await;
    query.respond(answered)
}

pub async fn properties(query: Query) -> Response {
    let answered = property_counts(&query).await;
    query.respond(answered)
}

async fn property_counts(query: &Query) -> ApiResult<Value> {
    let metric = Metric {
        event: Some(query.params.required("event")?.to_owned()),
        filter: None,
        measure: measure(query.params.text("type"))?,
    };
    let property = Expression::property(query.params.required("name")?);
    let wanted = query.params.list("values")?;
    let limit = query.params.number("limit", 255, 10_000)?.max(1);
    let answer = ask(query, vec![metric], Some(property), limit, Unit::Day).await?;
    let named = answer
        .series
        .iter()
        .map(|series| (segment_text(&series.segment), by_bucket(&answer.buckets, series)));
    let values: Map<String, Value> = named
        .filter(|(name, _)| wanted.as_ref().is_none_or(|wanted| wanted.contains(name)))
        .collect();
    Ok(json!({ "legend_size": values.len(), "data": { "series": answer.buckets, "values": values } }))
}

/// Properties by how many events have them.
pub async fn top_properties(query: Query) -> Response {
    let answered = async {
        let limit = query.params.number("limit", 10, 10_000)?;
        let snapshot = query.app.store.snapshot(query.project.id);
        let mut counts: Map<String, Value> = Map::new();
        let mut columns: Vec<_> = snapshot
            .columns()
            .iter()
            .map(|column| (column.rows, column.name.clone()))
            .collect();
        columns.sort_by(|a, b| b.cmp(a));
        for (rows, name) in columns {
            if counts.len() < limit && !counts.contains_key(&name) {
                counts.insert(name, json!({ "count": rows }));
            }
        }
        Ok(Value::Object(counts))
    };
    let answered = answered.await;
    query.respond(answered)
}

/// The most frequent values of a property of an event.
pub async fn property_values(query: Query) -> Response {
    let answered = async {
        let event = query.params.required("event")?.to_owned();
        let property = Expression::property(query.params.required("name")?);
        let limit = query.params.number("limit", 255, 10_000)?.max(1);
        let report = top_values(
            last_days(&query.project.timezone, RECENT_DAYS),
            Some(event),
            property,
            Measure::Total,
            limit,
        );
        let series = series(&query, &report).await?;
        let set = series
            .iter()
            .filter(|series| series.segment.first().is_some_and(Option::is_some));
        Ok(set
            .map(|series| segment_text(&series.segment))
            .collect::<Vec<_>>()
            .into())
    };
    let answered = answered.await;
    query.respond(answered)
}

fn event_name() -> Expression {
    Expression::Property {
        scope: model::expression::Scope::Event,
        name: "$event_name".to_owned(),
    }
}

async fn series(query: &Query, report: &Report) -> ApiResult<Vec<Series>> {
    match questions::answer(&query.app, &query.project, &query.caller, report)
        .await?
        .answer
    {
        Answer::Insights(answer) => Ok(answer.series),
        _ => Ok(Vec::new()),
    }
}
