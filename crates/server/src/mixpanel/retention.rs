//! `/retention` (contract 6.6).

use super::Query;
use super::segmentation::segment_text;
use crate::app::questions;
use crate::app_state::now;
use crate::error::{ApiError, ApiResult};
use axum::response::Response;
use model::report::{
    Answer, Cohorts, EventSelector, Intervals, Question, Report, Retention, RetentionSegment, Unit, VERSION,
};
use serde_json::{Map, Value, json};

pub async fn retention(query: Query) -> Response {
    let answered = ask(&query).await;
    query.respond(answered)
}

async fn ask(query: &Query) -> ApiResult<Value> {
    let params = &query.params;
    if params.number("interval", 1, 90)? != 1 {
        return Err(ApiError::invalid("give an interval of 1, and the unit you mean").at("interval"));
    }
    let unit = params.unit(Unit::Day)?;
    let returning = EventSelector {
        event: params.text("event").map(str::to_owned),
        filter: params.expression("where")?,
    };
    let recurring = params.text("retention_type") == Some("compounded");
    let born = match recurring {
        true => returning.clone(),
        false => EventSelector {
            event: Some(params.required("born_event")?.to_owned()),
            filter: params.expression("born_where")?,
        },
    };
    let on = params.expression("on")?;
    let report = Report {
        version: VERSION,
        range: params.range(&query.project.timezone, unit, now().0)?,
        timezone: None,
        filter: None,
        question: Question::Retention(Retention {
            born,
            returning,
            unit,
            intervals: params.number("interval_count", 1, 90)? as u32,
            rule: Intervals::Rolling,
            cohorts: if recurring { Cohorts::Recurring } else { Cohorts::Birth },
            on_or_after: params.flag("unbounded_retention"),
            breakdown: on.clone(),
            limit: params.number("limit", 255, 10_000)?.max(1),
        }),
    };
    let explained = questions::answer(&query.app, &query.project, &query.caller, &report).await?;
    let Answer::Retention(answer) = explained.answer else {
        return Err(ApiError::new(
            model::ErrorCode::Internal,
            "a retention question has a retention answer",
        ));
    };
    let mut dates = Map::new();
    for (index, date) in answer.buckets.iter().enumerate() {
        let cohort = |segment: &RetentionSegment| {
            let cohort = &segment.cohorts[index];
            json!({ "first": cohort.born, "counts": cohort.returned })
        };
        let shaped = match on.is_some() {
            true => answer
                .segments
                .iter()
                .map(|segment| (key(segment), cohort(segment)))
                .collect::<Map<_, _>>()
                .into(),
            false => answer.segments.first().map_or(json!({}), cohort),
        };
        dates.insert(date.clone(), shaped);
    }
    Ok(Value::Object(dates))
}

fn key(segment: &RetentionSegment) -> String {
    if segment.segment.is_empty() {
        "$overall".to_owned()
    } else {
        segment_text(&segment.segment)
    }
}
