//! `/funnels` (contract 6.5): saved funnels by id, or steps given with the request.

use super::Query;
use super::params::parse_unit;
use super::tokens::SegmentNames;
use crate::app::{questions, saved_reports};
use crate::app_state::{blocking, now};
use crate::error::{ApiError, ApiResult};
use axum::response::Response;
use model::report::{Answer, Attempt, Funnel, FunnelSegment, Question, Report, StepSelector, Unit, VERSION};
use serde::Deserialize;
use serde_json::{Map, Value, json};

const SEGMENTS_MAX: usize = 10_000;
const SEGMENTS_DEFAULT: usize = 255;
/// Mixpanel's window where the request names none.
const WINDOW_DAYS_DEFAULT: usize = 14;

/// Saved funnels.
pub async fn list(query: Query) -> Response {
    let app = query.app.clone();
    let project = query.project.id;
    let listed = blocking(move || {
        let documents = app.store.catalog().documents(project, saved_reports::KIND)?;
        let funnels = documents.iter().filter_map(saved_reports::from_document);
        let funnels = funnels.filter(|saved| matches!(saved.report.question, Question::Funnel(_)));
        Ok(funnels
            .map(|saved| json!({ "funnel_id": saved.record.id, "name": saved.record.name }))
            .collect::<Vec<_>>()
            .into())
    });
    let listed = listed.await;
    query.respond(listed)
}

pub async fn funnel(query: Query) -> Response {
    let answered = ask(&query).await;
    query.respond(answered)
}

async fn ask(query: &Query) -> ApiResult<Value> {
    let asked = asked(query).await?;
    let on = query.expression("on").await?;
    let names_of_segments = SegmentNames::of(query, on.as_ref()).await?;
    let names: Vec<String> = asked.steps.iter().map(name).collect();
    let funnel = Funnel {
        attempt: Attempt::First,
        unit: Some(bucket(query)?),
        breakdown: on.clone(),
        limit: query.params.number("limit", SEGMENTS_DEFAULT, SEGMENTS_MAX)?.max(1),
        window_ms: window_ms(query, asked.window_ms)?,
        times: None,
        ..asked
    };
    let report = Report {
        version: VERSION,
        range: query.params.range(&query.project.timezone, Unit::Day, now().0)?,
        timezone: None,
        filter: query.expression("where").await?,
        question: Question::Funnel(funnel),
    };
    let explained = questions::answer(&query.app, &query.project, &query.caller, &report).await?;
    let Answer::Funnel(answer) = explained.answer else {
        return Err(ApiError::new(
            model::ErrorCode::Internal,
            "a funnel question has a funnel answer",
        ));
    };
    let mut data = Map::new();
    for (date, segments) in answer.buckets.iter().zip(&answer.trend) {
        let shaped = match on.is_some() {
            true => segments
                .iter()
                .map(|segment| (key(&names_of_segments, segment), steps_json(segment, &names)))
                .collect::<Map<_, _>>()
                .into(),
            false => segments.first().map_or(
                json!({}),
                |everybody| json!({ "steps": steps_json(everybody, &names), "analysis": analysis(everybody) }),
            ),
        };
        data.insert(date.clone(), shaped);
    }
    Ok(json!({ "meta": { "dates": answer.buckets }, "data": data }))
}

#[derive(Deserialize)]
struct StepParam {
    event: String,
    #[serde(rename = "where", alias = "selector", default)]
    filter: Option<model::Expression>,
}

/// What a step is called.
fn name(step: &StepSelector) -> String {
    let events = step
        .selectors()
        .map(|(event, _)| event.map_or("Any Event", String::as_str));
    events.collect::<Vec<_>>().join(" or ")
}

/// A plain funnel of steps from `events=[{"event", "where"}]`, or the saved funnel.
async fn asked(query: &Query) -> ApiResult<Funnel> {
    if let Some(given) = query.params.json("events")? {
        let steps: Vec<StepParam> =
            serde_json::from_value(given).map_err(|error| ApiError::invalid(error.to_string()).at("events"))?;
        let mut selectors = Vec::with_capacity(steps.len());
        for step in steps {
            let filter = match step.filter {
                Some(filter) => Some(query.read("events", filter).await?),
                None => None,
            };
            selectors.push(StepSelector {
                event: Some(step.event),
                filter,
                ..StepSelector::default()
            });
        }
        let window_ms = WINDOW_DAYS_DEFAULT as i64 * 86_400_000;
        return Ok(Funnel::of(selectors, window_ms));
    }
    let id = query
        .params
        .required("funnel_id")?
        .parse::<u64>()
        .map_err(|_| ApiError::invalid("give a number").at("funnel_id"))?;
    let app = query.app.clone();
    let project = query.project.id;
    let document = blocking(move || Ok(app.store.catalog().document(project, saved_reports::KIND, id)?)).await?;
    match document
        .as_ref()
        .and_then(saved_reports::from_document)
        .map(|saved| saved.report.question)
    {
        Some(Question::Funnel(funnel)) => Ok(funnel),
        _ => Err(ApiError::not_found("the funnel").at("funnel_id")),
    }
}

fn window_ms(query: &Query, asked_ms: i64) -> ApiResult<i64> {
    if query.params.text("length").is_none() {
        return Ok(asked_ms);
    }
    let length = query.params.number("length", WINDOW_DAYS_DEFAULT, 90 * 86_400)? as i64;
    let unit_ms = match query.params.text("length_unit") {
        None | Some("day") => 86_400_000,
        Some("hour") => 3_600_000,
        Some("minute") => 60_000,
        Some("second") => 1_000,
        Some(_) => return Err(ApiError::invalid("give second, minute, hour or day").at("length_unit")),
    };
    match length * unit_ms {
        window @ 1..=7_776_000_000 => Ok(window),
        _ => Err(ApiError::invalid("the window is 1 second to 90 days").at("length")),
    }
}

/// `unit`, or `interval` in days where it is a unit of ours.
fn bucket(query: &Query) -> ApiResult<Unit> {
    if query.params.text("unit").is_some() {
        return parse_unit(query.params.text("unit"), Unit::Day);
    }
    match query.params.number("interval", 1, 3_660)? {
        1 => Ok(Unit::Day),
        7 => Ok(Unit::Week),
        28..=31 => Ok(Unit::Month),
        _ => Err(ApiError::invalid("give an interval of 1, 7 or 30 days, or a unit").at("interval")),
    }
}

fn key(names: &SegmentNames, segment: &FunnelSegment) -> String {
    if segment.segment.is_empty() {
        "$overall".to_owned()
    } else {
        names.key(&segment.segment)
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn steps_json(segment: &FunnelSegment, names: &[String]) -> Value {
    let first = segment.steps.first().map_or(0, |step| step.count);
    let mut previous = first;
    let mut shaped = Vec::new();
    for (step, name) in segment.steps.iter().zip(names) {
        let seconds = |ms: Option<f64>| ms.map(|ms| (ms / 1000.0).round() as i64);
        shaped.push(json!({
            "count": step.count,
            "avg_time": seconds(step.mean_ms_from_previous),
            "avg_time_from_start": seconds(step.mean_ms_from_start),
            "step_conv_ratio": ratio(step.count, previous),
            "overall_conv_ratio": ratio(step.count, first),
            "goal": name,
            "event": name,
        }));
        previous = step.count;
    }
    shaped.into()
}

fn analysis(segment: &FunnelSegment) -> Value {
    let counts: Vec<u64> = segment.steps.iter().map(|step| step.count).collect();
    let conversion = |index: &usize| ratio(counts[*index], counts[*index - 1]);
    let worst = (1..counts.len())
        .min_by(|a, b| conversion(a).total_cmp(&conversion(b)))
        .unwrap_or(0);
    json!({ "completion": counts.last(), "starting_amount": counts.first(), "steps": counts.len(), "worst": worst })
}
