//! `/events` and what hangs under it (contract 6.2).

use super::Query;
use super::segmentation::{ask, insights, measure, number, single_event};
use super::table::{self, Counts};
use super::tokens::SegmentNames;
use crate::app::schema::{last_days, top_values};
use crate::error::{ApiError, ApiResult};
use axum::response::Response;
use model::Expression;
use model::report::{Measure, Metric, Report, Series, Unit};
use serde_json::{Map, Value, json};

/// Days back that lists of names and values look at.
const RECENT_DAYS: i64 = 31;

pub async fn events(query: Query) -> Response {
    let answered = counts(&query).await;
    table::respond(&query, answered)
}

async fn counts(query: &Query) -> ApiResult<Counts> {
    let events = query
        .params
        .list("event")?
        .ok_or_else(|| ApiError::invalid("this parameter is required").at("event"))?;
    let measure = measure(query.params.text("type"))?;
    let metric = |event: &String| Metric::new(Some(event.clone()), measure.clone());
    let answer = ask(query, events.iter().map(metric).collect(), None, 1, Unit::Day).await?;
    Ok(Counts::named(answer, |series| events[series.metric].clone()))
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
    let names = SegmentNames::of(query, None).await?;
    let change = |before: f64, today: f64| if before > 0.0 { (today - before) / before } else { 0.0 };
    let events: Vec<Value> = series
        .iter()
        .filter_map(|series| match series.values.as_slice() {
            [before, today] => Some(json!({
                "event": names.key(&series.segment),
                "amount": number(today.unwrap_or(0.0)),
                "percent_change": change(before.unwrap_or(0.0), today.unwrap_or(0.0)),
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
        let names = SegmentNames::of(&query, None).await?;
        let series = series(&query, &report).await?;
        Ok(series
            .iter()
            .map(|series| names.key(&series.segment))
            .collect::<Vec<_>>()
            .into())
    };
    let answered = answered.await;
    query.respond(answered)
}

pub async fn properties(query: Query) -> Response {
    let answered = property_counts(&query).await;
    table::respond(&query, answered)
}

async fn property_counts(query: &Query) -> ApiResult<Counts> {
    let metric = Metric::new(Some(single_event(query)?), measure(query.params.text("type"))?);
    let property = Expression::property(query.params.required("name")?);
    let wanted = query.params.list("values")?;
    let limit = query.params.number("limit", 255, 10_000)?.max(1);
    let names = SegmentNames::of(query, Some(&property)).await?;
    // Values that are asked for by name are among all segments, not among the largest.
    let asked = if wanted.is_some() { 10_000 } else { limit };
    let answer = ask(query, vec![metric], Some(property), asked, Unit::Day).await?;
    let mut counts = Counts::by_segment(answer, &names);
    if let Some(wanted) = wanted {
        counts.keep(|name| wanted.iter().any(|wanted| wanted == name));
    }
    Ok(counts)
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
        let event = single_event(&query)?;
        let property = Expression::property(query.params.required("name")?);
        let limit = query.params.number("limit", 255, 10_000)?.max(1);
        let names = SegmentNames::of(&query, Some(&property)).await?;
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
        Ok(set.map(|series| names.key(&series.segment)).collect::<Vec<_>>().into())
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
    insights(query, report).await.map(|answer| answer.series)
}
