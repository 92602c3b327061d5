//! What a project has seen: events, properties, and their frequent values.

use super::questions;
use crate::app_state::{Shared, blocking, now};
use crate::auth::InProject;
use crate::error::ApiResult;
use axum::Json;
use axum::extract::{Query, State};
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use model::Expression;
use model::report::{Answer, DateRange, Insights, Measure, Metric, Question, Report, Unit, VERSION};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use store::ColumnKind;
use utoipa::{IntoParams, ToSchema};

#[derive(Serialize, ToSchema)]
pub struct SchemaView {
    /// Most frequent first.
    pub events: Vec<EventView>,
    pub properties: Vec<PropertyView>,
    /// Group and reference keys.
    pub groups: Vec<String>,
}

#[derive(Serialize, ToSchema)]
pub struct EventView {
    pub name: String,
    pub rows: u64,
    pub first_ms: i64,
    pub last_ms: i64,
}

#[derive(Serialize, ToSchema)]
pub struct PropertyView {
    pub name: String,
    /// `event` or `user`.
    pub scope: &'static str,
    /// Value types seen: `string`, `number`, `bool`, `json`.
    pub kinds: BTreeSet<&'static str>,
}

/// Events and properties that the project has, for pickers.
#[utoipa::path(get, operation_id = "schema", path = "/api/v1/projects/{project}/schema", tag = "questions", params(("project" = u32, Path)),
    responses((status = 200, body = SchemaView)))]
pub async fn show(State(app): State<Shared>, place: InProject) -> ApiResult<Json<SchemaView>> {
    let view = blocking(move || {
        let snapshot = app.store.snapshot(place.project.id);
        let mut events: Vec<EventView> = snapshot
            .events()
            .into_iter()
            .map(|event| EventView {
                name: event.name,
                rows: event.rows,
                first_ms: event.first_ms,
                last_ms: event.last_ms,
            })
            .collect();
        events.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.name.cmp(&b.name)));
        let mut properties: BTreeMap<(&'static str, String), BTreeSet<&'static str>> = BTreeMap::new();
        let mut groups = BTreeSet::new();
        for column in snapshot.columns() {
            match kind_name(column.kind) {
                Some(kind) => drop(
                    properties
                        .entry(("event", column.name.clone()))
                        .or_default()
                        .insert(kind),
                ),
                None => drop(groups.insert(column.name.clone())),
            }
        }
        for (_, profile) in snapshot.profiles().iter() {
            for (name, value) in &profile.properties {
                properties
                    .entry(("user", name.clone()))
                    .or_default()
                    .insert(value_kind(value));
            }
        }
        let properties = properties
            .into_iter()
            .map(|((scope, name), kinds)| PropertyView { name, scope, kinds });
        Ok(SchemaView {
            events,
            properties: properties.collect(),
            groups: groups.into_iter().collect(),
        })
    });
    view.await.map(Json)
}

fn kind_name(kind: ColumnKind) -> Option<&'static str> {
    match kind {
        ColumnKind::String => Some("string"),
        ColumnKind::Number => Some("number"),
        ColumnKind::Bool => Some("bool"),
        ColumnKind::Json => Some("json"),
        ColumnKind::Group => None,
    }
}

fn value_kind(value: &model::Value) -> &'static str {
    match value {
        model::Value::Null | model::Value::List(_) | model::Value::Object(_) => "json",
        model::Value::Bool(_) => "bool",
        model::Value::Number(_) => "number",
        model::Value::String(_) => "string",
    }
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ValuesParams {
    property: String,
    event: Option<String>,
    /// `event` (default) or `user`.
    scope: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct ValuesView {
    pub values: Vec<ValueView>,
}

#[derive(Serialize, ToSchema)]
pub struct ValueView {
    #[schema(value_type = Object)]
    pub value: serde_json::Value,
    /// Events with this value in the last 31 days.
    pub rows: u64,
}

/// The most frequent values of a property in the last 31 days.
#[utoipa::path(get, operation_id = "values", path = "/api/v1/projects/{project}/values", tag = "questions", params(("project" = u32, Path), ValuesParams),
    responses((status = 200, body = ValuesView)))]
pub async fn values(
    State(app): State<Shared>,
    place: InProject,
    Query(params): Query<ValuesParams>,
) -> ApiResult<Json<ValuesView>> {
    place.caller.require_analyst()?;
    let scope = match params.scope.as_deref() {
        Some("user") => model::expression::Scope::User,
        _ => model::expression::Scope::Properties,
    };
    let property = Expression::Property {
        scope,
        name: params.property,
    };
    let report = top_values(
        last_days(&place.project.timezone, 31),
        params.event,
        property,
        Measure::Total,
        100,
    );
    let explained = questions::answer(&app, &place.project, &place.caller, &report).await?;
    let Answer::Insights(insights) = explained.answer else {
        return Ok(Json(ValuesView { values: Vec::new() }));
    };
    let values = insights.series.into_iter().filter_map(|series| {
        let value = series.segment.into_iter().next().flatten()?;
        Some(ValueView {
            value,
            rows: series.total.unwrap_or(0.0) as u64,
        })
    });
    Ok(Json(ValuesView {
        values: values.collect(),
    }))
}

/// The question "which values of this property are most frequent".
pub fn top_values(
    range: DateRange,
    event: Option<String>,
    property: Expression,
    measure: Measure,
    limit: usize,
) -> Report {
    Report {
        version: VERSION,
        range,
        timezone: None,
        filter: None,
        question: Question::Insights(Insights {
            breakdown: vec![property.into()],
            limit,
            ..Insights::new(vec![Metric::new(event, measure)], Unit::Quarter)
        }),
    }
}

/// The last `days` calendar days of a time zone, today included.
pub fn last_days(timezone: &str, days: i64) -> DateRange {
    let zone = TimeZone::get(timezone).unwrap_or(TimeZone::UTC);
    let to = Timestamp::from_millisecond(now().0)
        .unwrap_or_default()
        .to_zoned(zone)
        .date();
    DateRange {
        from: to.saturating_sub((days - 1).days()),
        to,
    }
}
