//! `/retention` and `/retention/addiction` (contract 6.6).

use super::Query;
use super::tokens::SegmentNames;
use crate::app::questions;
use crate::app_state::now;
use crate::error::{ApiError, ApiResult};
use axum::response::Response;
use model::report::{
    Answer, Cohorts, EventSelector, Frequency, Intervals, Question, Report, Retention, Segment, Unit, VERSION,
};
use serde_json::{Map, Value, json};

const SEGMENTS_DEFAULT: usize = 255;
const SEGMENTS_MAX: usize = 10_000;
/// Days that one interval may have (contract RT1).
const INTERVAL_DAYS_MAX: u32 = 90;

pub async fn retention(query: Query) -> Response {
    let answered = retained(&query).await;
    query.respond(answered)
}

pub async fn addiction(query: Query) -> Response {
    let answered = addicted(&query).await;
    query.respond(answered)
}

async fn retained(query: &Query) -> ApiResult<Value> {
    let question = retention_of(query).await?;
    let names = SegmentNames::of(query, question.breakdown.as_ref()).await?;
    let is_split = question.breakdown.is_some();
    let Answer::Retention(answer) = ask(query, question.unit, Question::Retention(question)).await? else {
        return Err(other_answer());
    };
    let dates = answer.buckets.iter().enumerate().map(|(index, date)| {
        let cohorts = answer.segments.iter().map(|segment| {
            let cohort = &segment.cohorts[index];
            (
                key(&names, &segment.segment),
                json!({ "first": cohort.born, "counts": cohort.returned }),
            )
        });
        (date.clone(), of_date(cohorts, is_split))
    });
    Ok(Value::Object(dates.collect()))
}

async fn retention_of(query: &Query) -> ApiResult<Retention> {
    let params = &query.params;
    let unit = long_unit(query, "unit", Some(Unit::Day))?;
    let returning = EventSelector {
        event: params.text("event").map(str::to_owned),
        filter: query.expression("where").await?,
    };
    let recurring = match params.text("retention_type") {
        None | Some("birth") => false,
        Some("compounded") => true,
        Some(_) => return Err(ApiError::invalid("give birth or compounded").at("retention_type")),
    };
    let born = match recurring {
        true => returning.clone(),
        false => EventSelector {
            event: Some(params.required("born_event")?.to_owned()),
            filter: query.expression("born_where").await?,
        },
    };
    let intervals = params.number("interval_count", 1, 90)? as u32;
    let length = interval_length(query, unit)?;
    Ok(Retention {
        born,
        returning,
        unit,
        intervals,
        // One interval more than asked for: the one that holds the birth.
        brackets: match length {
            1 => Vec::new(),
            length => vec![length; intervals as usize + 1],
        },
        rule: Intervals::Rolling,
        cohorts: if recurring { Cohorts::Recurring } else { Cohorts::Birth },
        on_or_after: params.flag("unbounded_retention"),
        breakdown: query.expression("on").await?,
        limit: limit(query)?,
    })
}

/// `interval`: how many units an interval has.
fn interval_length(query: &Query, unit: Unit) -> ApiResult<u32> {
    let unit_days = match unit {
        Unit::Week => 7,
        Unit::Month => 30,
        _ => 1,
    };
    let max = INTERVAL_DAYS_MAX / unit_days;
    match query.params.number("interval", 1, max as usize)? {
        0 => Err(ApiError::invalid("give 1 or more").at("interval")),
        length => Ok(length as u32),
    }
}

async fn addicted(query: &Query) -> ApiResult<Value> {
    let params = &query.params;
    let unit = long_unit(query, "unit", None)?;
    let part = match params.required("addiction_unit")? {
        "hour" => Unit::Hour,
        "day" => Unit::Day,
        _ => return Err(ApiError::invalid("give hour or day").at("addiction_unit")),
    };
    if (unit, part) == (Unit::Day, Unit::Day) {
        return Err(ApiError::invalid("a day has hours only").at("addiction_unit"));
    }
    let question = Frequency {
        active: EventSelector {
            event: params.text("event").map(str::to_owned),
            filter: query.expression("where").await?,
        },
        unit,
        part,
        breakdown: query.expression("on").await?,
        limit: limit(query)?,
    };
    let names = SegmentNames::of(query, question.breakdown.as_ref()).await?;
    let is_split = question.breakdown.is_some();
    let Answer::Frequency(answer) = ask(query, unit, Question::Frequency(question)).await? else {
        return Err(other_answer());
    };
    let dates = answer.buckets.iter().enumerate().map(|(index, date)| {
        let segments = answer.segments.iter();
        let lists = segments.map(|segment| (key(&names, &segment.segment), json!(segment.at_least[index])));
        (date.clone(), of_date(lists, is_split))
    });
    Ok(json!({ "data": dates.collect::<Map<_, _>>() }))
}

/// One date's value: everybody's alone, or by segment with everybody's among them.
fn of_date(mut segments: impl Iterator<Item = (String, Value)>, is_split: bool) -> Value {
    match is_split {
        true => Value::Object(segments.collect()),
        false => segments.next().map_or(json!({}), |(_, everybody)| everybody),
    }
}

/// Day, week or month; required where there is no default.
fn long_unit(query: &Query, name: &str, default: Option<Unit>) -> ApiResult<Unit> {
    match (query.params.text(name), default) {
        (Some("day"), _) => Ok(Unit::Day),
        (Some("week"), _) => Ok(Unit::Week),
        (Some("month"), _) => Ok(Unit::Month),
        (None, Some(default)) => Ok(default),
        _ => Err(ApiError::invalid("give day, week or month").at(name)),
    }
}

fn limit(query: &Query) -> ApiResult<usize> {
    Ok(query.params.number("limit", SEGMENTS_DEFAULT, SEGMENTS_MAX)?.max(1))
}

async fn ask(query: &Query, unit: Unit, question: Question) -> ApiResult<Answer> {
    // `interval` means something else here than a range, so both dates must be given.
    query.params.required("from_date")?;
    query.params.required("to_date")?;
    let report = Report {
        version: VERSION,
        range: query.params.range(&query.project.timezone, unit, now().0)?,
        timezone: None,
        filter: None,
        question,
    };
    let explained = questions::answer(&query.app, &query.project, &query.caller, &report).await?;
    Ok(explained.answer)
}

fn key(names: &SegmentNames, segment: &Segment) -> String {
    if segment.is_empty() {
        "$overall".to_owned()
    } else {
        names.key(segment)
    }
}

fn other_answer() -> ApiError {
    ApiError::new(model::ErrorCode::Internal, "a question has the answer of its own kind")
}
