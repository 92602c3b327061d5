//! `/cohorts/list` (contract CH1), and the cohort that `/engage` is asked about (EN1).

use super::Query;
use crate::app::cohorts::{cohort_of, names_of, size_of};
use crate::error::{ApiError, ApiResult};
use axum::response::Response;
use jiff::Timestamp;
use model::cohort::Cohort;
use query::COHORT_KIND;
use serde_json::{Value, json};

pub async fn list(query: Query) -> Response {
    let listed = listed(&query).await;
    query.respond(listed)
}

async fn listed(query: &Query) -> ApiResult<Value> {
    let documents = {
        let (app, project) = (query.app.clone(), query.project.id);
        crate::app_state::blocking(move || Ok(app.store.catalog().documents(project, COHORT_KIND)?)).await?
    };
    let names = names_of(&documents);
    let mut listed = Vec::new();
    for document in &documents {
        let Some(cohort) = cohort_of(document) else {
            continue;
        };
        let count = size_of(&query.app, &query.project, &query.caller, &cohort).await?;
        let description = match cohort.description.is_empty() {
            true => query.app.engine.cohort_words(&cohort, &names),
            false => cohort.description.clone(),
        };
        let created = Timestamp::from_millisecond(document.created.at.0).unwrap_or_default();
        listed.push(json!({
            "count": count,
            "is_visible": 1,
            "description": description,
            "created": created.strftime("%Y-%m-%d %H:%M:%S").to_string(),
            "project_id": query.project.id.0,
            "id": document.id,
            "name": document.name,
        }));
    }
    Ok(Value::Array(listed))
}

/// The cohort of `filter_by_cohort={"id":N}`, if there is one.
pub async fn filtered_by(query: &Query) -> ApiResult<Option<Cohort>> {
    const NAME: &str = "filter_by_cohort";
    let Some(filter) = query.params.json(NAME)? else {
        return Ok(None);
    };
    let id = match &filter["id"] {
        Value::String(id) => id.parse().ok(),
        id => id.as_u64(),
    };
    let id = id.ok_or_else(|| ApiError::invalid("give {\"id\": the number of a cohort}").at(NAME))?;
    let (app, project) = (query.app.clone(), query.project.id);
    crate::app_state::blocking(move || {
        let document = app.store.catalog().document(project, COHORT_KIND, id)?;
        let found = document.as_ref().and_then(cohort_of);
        let cohort = found.ok_or_else(|| ApiError::not_found("the cohort").at(NAME))?;
        Ok(Some(cohort))
    })
    .await
}
