//! What everything that is saved in a project shares: who may read and change them, versions, searching.
//!
//! Everybody who sees the project may read them but auditors; everybody but viewers and auditors may change them
//! (secrecy contract, 5.2). Each change is made from a version that the caller names with `If-Match`, so that nobody
//! overwrites what they have not seen.

use crate::app_state::{Shared, blocking};
use crate::auth::InProject;
use crate::error::{ApiError, ApiResult};
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use model::saved::InvalidSaved;
use model::{ErrorCode, ProjectId};
use serde::{Deserialize, Serialize};
use store::{Catalog, Document, Draft, Replaced};
use utoipa::{IntoParams, ToSchema};

/// Most documents of one kind in a project, where they are small.
pub const DOCUMENTS_MAX: usize = 5_000;

/// A kind of document.
pub struct Kind {
    /// Its name in the catalog.
    pub name: &'static str,
    /// What messages call it.
    pub what: &'static str,
    /// Most of them in a project.
    pub count_max: usize,
}

/// What is known about every document.
#[derive(Serialize, ToSchema)]
pub struct RecordView {
    /// Number of the document; never given to another one of its kind.
    pub id: u64,
    pub name: String,
    /// One more with each change; a change names the one it was made from.
    pub version: u64,
    pub created_ms: i64,
    /// Who made it: `account:1`, or a machine's credential. Empty where it was not recorded.
    pub created_by: String,
    pub changed_ms: i64,
    pub changed_by: String,
}

impl From<&Document> for RecordView {
    fn from(document: &Document) -> RecordView {
        RecordView {
            id: document.id,
            name: document.name.clone(),
            version: document.version,
            created_ms: document.created.at.0,
            created_by: document.created.by.clone(),
            changed_ms: document.changed.at.0,
            changed_by: document.changed.by.clone(),
        }
    }
}

/// What a list of documents may be narrowed by.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Search {
    /// Words that must all be in the name or the text, in any case.
    search: Option<String>,
}

impl Search {
    pub fn finds(&self, texts: &[&str]) -> bool {
        let text = texts.join("\n").to_lowercase();
        let words = self.search.as_deref().unwrap_or_default().to_lowercase();
        words.split_whitespace().all(|word| text.contains(word))
    }
}

/// The version in `If-Match` that a change was made from; `None` for `*`.
pub struct IfMatch(pub Option<u64>);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> ApiResult<IfMatch> {
        let given = parts
            .headers
            .get(header::IF_MATCH)
            .and_then(|value| value.to_str().ok());
        match given.map(str::trim) {
            Some("*") => Ok(IfMatch(None)),
            Some(tag) => match tag.trim_matches('"').parse() {
                Ok(version) => Ok(IfMatch(Some(version))),
                Err(_) => Err(missing_version("If-Match does not hold a version")),
            },
            None => Err(missing_version("a change must say which version it was made from")),
        }
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for IfMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> ApiResult<Option<IfMatch>> {
        if !parts.headers.contains_key(header::IF_MATCH) {
            return Ok(None);
        }
        <IfMatch as FromRequestParts<S>>::from_request_parts(parts, state)
            .await
            .map(Some)
    }
}

fn missing_version(message: &str) -> ApiError {
    ApiError::invalid(message)
        .at("If-Match")
        .fix("send the version that you read, as If-Match: \"3\"")
}

/// A document's JSON with its version as `ETag`.
pub struct Versioned<T> {
    pub status: StatusCode,
    pub version: u64,
    pub view: T,
}

impl<T: Serialize> IntoResponse for Versioned<T> {
    fn into_response(self) -> Response {
        let mut response = (self.status, axum::Json(self.view)).into_response();
        if let Ok(tag) = HeaderValue::from_str(&format!("\"{}\"", self.version)) {
            response.headers_mut().insert(header::ETAG, tag);
        }
        response
    }
}

impl From<InvalidSaved> for ApiError {
    fn from(error: InvalidSaved) -> ApiError {
        ApiError::invalid(error.message).at(error.at)
    }
}

/// All documents of a kind, by number.
pub async fn list(app: &Shared, place: &InProject, kind: &'static Kind) -> ApiResult<Vec<Document>> {
    place.caller.require_reader()?;
    let (app, project) = (app.clone(), place.project.id);
    blocking(move || Ok(app.store.catalog().documents(project, kind.name)?)).await
}

pub async fn find(app: &Shared, place: &InProject, kind: &'static Kind, id: u64) -> ApiResult<Document> {
    place.caller.require_reader()?;
    let (app, project) = (app.clone(), place.project.id);
    blocking(move || Ok(app.store.catalog().document(project, kind.name, id)?))
        .await?
        .ok_or_else(|| ApiError::not_found(kind.what))
}

pub async fn add(
    app: &Shared,
    place: &InProject,
    kind: &'static Kind,
    name: String,
    content: &impl Serialize,
) -> ApiResult<Document> {
    let by = place.caller.require_editor()?.to_string();
    let json = written(content)?;
    let (app, project) = (app.clone(), place.project.id);
    blocking(move || {
        let catalog = app.store.catalog();
        refuse_more(catalog, project, kind)?;
        let draft = Draft {
            name: &name,
            json: &json,
            by: &by,
        };
        let made = catalog.add_document(project, kind.name, draft)?;
        tracing::info!(
            project.id = project.0,
            kind = kind.name,
            document.id = made.id,
            by,
            "Saved a document"
        );
        Ok(made)
    })
    .await
}

pub async fn replace(
    app: &Shared,
    place: &InProject,
    kind: &'static Kind,
    (id, IfMatch(version)): (u64, IfMatch),
    name: String,
    content: &impl Serialize,
) -> ApiResult<Document> {
    let by = place.caller.require_editor()?.to_string();
    let json = written(content)?;
    let (app, project) = (app.clone(), place.project.id);
    blocking(move || {
        let draft = Draft {
            name: &name,
            json: &json,
            by: &by,
        };
        let replaced = app
            .store
            .catalog()
            .replace_document(project, kind.name, id, version, draft)?;
        changed(kind, project, replaced, &by)
    })
    .await
}

/// Saves the document that has a name, or a new one under it. `If-Match` may be left out: these have one writer at a time,
/// and are written whole.
pub async fn put(
    app: &Shared,
    place: &InProject,
    kind: &'static Kind,
    version: Option<IfMatch>,
    name: String,
    content: &impl Serialize,
) -> ApiResult<Document> {
    let by = place.caller.require_editor()?.to_string();
    let json = written(content)?;
    let (app, project) = (app.clone(), place.project.id);
    blocking(move || {
        let catalog = app.store.catalog();
        if catalog.document_named(project, kind.name, &name)?.is_none() {
            refuse_more(catalog, project, kind)?;
        }
        let draft = Draft {
            name: &name,
            json: &json,
            by: &by,
        };
        let version = version.and_then(|IfMatch(version)| version);
        let put = catalog.put_document(project, kind.name, version, draft)?;
        changed(kind, project, put, &by)
    })
    .await
}

fn refuse_more(catalog: &Catalog, project: ProjectId, kind: &Kind) -> ApiResult<()> {
    if catalog.documents(project, kind.name)?.len() >= kind.count_max {
        return Err(
            ApiError::invalid(format!("the project has {} of these", kind.count_max))
                .fix("delete some that nobody needs"),
        );
    }
    Ok(())
}

fn changed(kind: &Kind, project: ProjectId, replaced: Replaced, by: &str) -> ApiResult<Document> {
    match replaced {
        Replaced::Done(document) => {
            tracing::info!(
                project.id = project.0,
                kind = kind.name,
                document.id = document.id,
                by,
                "Changed a document"
            );
            Ok(document)
        }
        Replaced::Missing => Err(ApiError::not_found(kind.what)),
        Replaced::Outdated { version } => {
            let message = format!("{} was changed meanwhile: it is at version {version} now", kind.what);
            Err(ApiError::new(ErrorCode::Conflict, message)
                .at("If-Match")
                .fix("load it again, look at what changed, and make your change from there"))
        }
    }
}

/// The document that has a name.
pub async fn named(app: &Shared, place: &InProject, kind: &'static Kind, name: String) -> ApiResult<Document> {
    place.caller.require_reader()?;
    let (app, project) = (app.clone(), place.project.id);
    blocking(move || Ok(app.store.catalog().document_named(project, kind.name, &name)?))
        .await?
        .ok_or_else(|| ApiError::not_found(kind.what))
}

pub async fn delete(app: &Shared, place: &InProject, kind: &'static Kind, id: u64) -> ApiResult<StatusCode> {
    let by = place.caller.require_editor()?.to_string();
    let (app, project) = (app.clone(), place.project.id);
    blocking(
        move || match app.store.catalog().delete_document(project, kind.name, id)? {
            true => {
                tracing::info!(
                    project.id = project.0,
                    kind = kind.name,
                    document.id = id,
                    by,
                    "Deleted a document"
                );
                Ok(StatusCode::NO_CONTENT)
            }
            false => Err(ApiError::not_found(kind.what)),
        },
    )
    .await
}

fn written(content: &impl Serialize) -> ApiResult<String> {
    serde_json::to_string(content).map_err(|_| ApiError::invalid("this cannot be written as JSON"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_words_must_be_found() {
        let finds = |words: &str, texts: &[&str]| {
            let search = Search {
                search: Some(words.into()),
            };
            search.finds(texts)
        };
        assert!(finds("", &["x"]));
        assert!(finds("SIGN week", &["Weekly numbers", "all sign-ups"]));
        assert!(!finds("sign month", &["Weekly numbers", "all sign-ups"]));
    }
}
