//! Mixpanel's query API, translated onto our own report definitions (contract 6, 7).
//!
//! Thin on purpose: parameters become a [`model::report::Report`], the same engine answers it, and the answer is put into
//! Mixpanel's shape. Wherever Mixpanel shows a `distinct_id`, here stands a pseudonym of the caller's own stream.

pub mod account;
pub mod annotations;
pub mod cohorts;
pub mod engage;
pub mod events;
pub mod export;
pub mod funnels;
pub mod insights;
mod params;
pub mod retention;
pub mod segmentation;
mod table;
mod tokens;

pub use engage::EngageSessions;

use crate::app_state::Shared;
use crate::auth::{Caller, mixpanel_machine, unauthenticated};
use crate::error::{ApiError, ApiResult};
use crate::{credentials, pseudonym};
use axum::Json;
use axum::extract::{FromRequest, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use model::{ErrorCode, Expression, ProjectId};
use params::Params;
use serde_json::{Value, json};
use std::sync::Arc;
use store::Project;
use tokens::Tokens;

/// An authenticated request to the query API: whose project, who asks, and what.
#[derive(Clone)]
pub struct Query {
    pub app: Shared,
    pub project: Project,
    pub caller: Caller,
    pub params: Params,
    path: String,
}

impl FromRequest<Shared> for Query {
    type Rejection = MixpanelError;

    async fn from_request(request: Request, app: &Shared) -> Result<Query, MixpanelError> {
        let path = request.uri().path().to_owned();
        let in_path = |error: ApiError| MixpanelError {
            error,
            path: path.clone(),
        };
        let authorization = request
            .headers()
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let credential = authorization
            .and_then(|text| mixpanel_machine(app, text))
            .ok_or_else(unauthenticated)
            .map_err(in_path)?;
        let is_bearer = authorization.is_some_and(|text| credentials::bearer(text).is_some());
        let params = Params::read(request).await.map_err(in_path)?;
        let named = params.text("project_id").and_then(|id| id.parse().ok()).map(ProjectId);
        // A service account must say which project it means (contract G7); a secret alone is one project's.
        let is_account = credential.username.is_some() && !is_bearer;
        if is_account && named.is_none() {
            return Err(in_path(
                ApiError::invalid("project_id is required with a service account").at("project_id"),
            ));
        }
        let project = match named {
            Some(id) if id != credential.project => None,
            _ => app.store.catalog().project(credential.project),
        };
        let project = project.ok_or_else(|| {
            in_path(ApiError::new(
                ErrorCode::Forbidden,
                "this credential is not of that project",
            ))
        })?;
        Ok(Query {
            app: app.clone(),
            project,
            caller: Caller::Machine(credential),
            params,
            path,
        })
    }
}

impl Query {
    /// What persons and groups are called in this caller's stream.
    pub async fn tokens(&self) -> ApiResult<Arc<Tokens>> {
        let pseudonyms = self.app.pseudonyms(self.project.id, &self.caller.stream()).await?;
        Ok(Arc::new(Tokens::new(self, pseudonyms)))
    }

    /// An expression of the request, as [`Query::read`] reads it.
    pub async fn expression(&self, name: &str) -> ApiResult<Option<Expression>> {
        match self.params.expression(name)? {
            Some(expression) => self.read(name, expression).await.map(Some),
            None => Ok(None),
        }
    }

    /// An expression with the numbers that the tokens in it stand for.
    pub async fn read(&self, name: &str, expression: Expression) -> ApiResult<Expression> {
        query::named_persons([&expression]).map_err(|error| ApiError::from(error).at(name))?;
        // Only an expression with a token, or a person who may be given as one, needs the stream's key.
        let text = expression.to_string();
        match text.contains(pseudonym::PREFIX) || text.contains(query::DISTINCT_ID) {
            true => Ok(self.tokens().await?.read(expression)),
            false => Ok(expression),
        }
    }

    /// Turns what a handler found into an answer, errors in the form that Mixpanel's clients read (contract Q10).
    pub fn respond(&self, result: Result<Value, ApiError>) -> Response {
        match result {
            Ok(body) => Json(body).into_response(),
            Err(error) => self.refuse(error),
        }
    }

    pub fn refuse(&self, error: ApiError) -> Response {
        MixpanelError {
            error,
            path: self.path.clone(),
        }
        .into_response()
    }
}

/// `{"error", "request", "status"}`: the union of the forms that Mixpanel's endpoints use. The request is shown without
/// its query string, which can hold what somebody looked for.
pub struct MixpanelError {
    error: ApiError,
    path: String,
}

impl IntoResponse for MixpanelError {
    fn into_response(self) -> Response {
        let status = self.error.status();
        let text = match &self.error.at {
            Some(at) => format!("{at}: {}", self.error.message),
            None => self.error.message.clone(),
        };
        let body = json!({ "error": text, "request": self.path, "status": "error" });
        let mut response = (status, Json(body)).into_response();
        if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, axum::http::HeaderValue::from_static("2"));
        }
        response
    }
}

/// What Mixpanel has and is not offered here: `/segmentation/multiseg`, `/engage/stats` and whatever else is asked for
/// below the API's prefixes (contract SG6, EN10).
pub async fn unknown(uri: axum::http::Uri) -> MixpanelError {
    MixpanelError {
        error: ApiError::not_found("this endpoint"),
        path: uri.path().to_owned(),
    }
}

/// JQL is JavaScript over raw rows; it is out of scope for good (contract CH3).
pub async fn jql(State(_): State<Shared>, query: Query) -> Response {
    query.refuse(ApiError::new(ErrorCode::NotImplemented, "JQL is not supported"))
}
