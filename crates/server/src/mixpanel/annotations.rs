//! `/annotations`: the project's notes in the form of Mixpanel's old API (contract CH4).

use super::Query;
use crate::app_state::{blocking, now};
use crate::error::ApiResult;
use axum::response::Response;
use model::report::{DateRange, Unit};
use serde::Deserialize;
use serde_json::{Value, json};

/// Kind of these documents in the catalog.
const KIND: &str = "annotation";

/// The part of a stored annotation that this answer shows.
#[derive(Deserialize)]
struct Noted {
    /// `YYYY-MM-DD HH:MM:SS` in the project's time zone.
    date: String,
    description: String,
}

pub async fn list(query: Query) -> Response {
    let listed = annotations(&query).await;
    query.respond(listed)
}

/// Of the days asked for, or all.
async fn annotations(query: &Query) -> ApiResult<Value> {
    let by_date = ["from_date", "to_date"]
        .iter()
        .any(|name| query.params.text(name).is_some());
    let range = match by_date {
        true => Some(query.params.range(&query.project.timezone, Unit::Day, now().0)?),
        false => None,
    };
    let (app, project) = (query.app.clone(), query.project.id);
    let documents = blocking(move || Ok(app.store.catalog().documents(project, KIND)?)).await?;
    let mut notes: Vec<(String, Value)> = documents
        .iter()
        .filter_map(|document| shaped(document.id, &document.json, project.0))
        .filter(|(date, _)| range.is_none_or(|range| lies_in(date, range)))
        .collect();
    notes.sort_by(|left, right| left.0.cmp(&right.0));
    let notes: Vec<Value> = notes.into_iter().map(|(_, note)| note).collect();
    Ok(json!({ "annotations": notes, "error": false }))
}

fn shaped(id: u64, stored: &str, project: u32) -> Option<(String, Value)> {
    let noted: Noted = serde_json::from_str(stored).ok()?;
    let note = json!({
        "id": id,
        "date": noted.date,
        "description": noted.description,
        "project_id": project,
    });
    Some((noted.date, note))
}

/// Dates of this form are ordered like their texts.
fn lies_in(date: &str, range: DateRange) -> bool {
    let day = date.get(..10).unwrap_or(date);
    (range.from.to_string().as_str()..=range.to.to_string().as_str()).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_of_whole_days() {
        let range = DateRange {
            from: "2026-03-01".parse().unwrap(),
            to: "2026-03-02".parse().unwrap(),
        };
        for (date, expected) in [
            ("2026-02-28 23:59:59", false),
            ("2026-03-01 00:00:00", true),
            ("2026-03-02 23:59:59", true),
            ("2026-03-03 00:00:00", false),
        ] {
            assert_eq!(lies_in(date, range), expected, "{date}");
        }
        let stored = r#"{"time_ms":1,"date":"2026-03-01 10:00:00","description":"Release","tags":["a"]}"#;
        let (_, note) = shaped(4, stored, 7).unwrap();
        let expected = json!({ "id": 4, "date": "2026-03-01 10:00:00", "description": "Release", "project_id": 7 });
        assert_eq!(note, expected);
    }
}
