//! The app's own API under `/api/v1`: one file per thing a page works with.

pub mod annotations;
pub mod boards;
pub mod cohorts;
pub mod definitions;
pub mod disclosures;
mod documents;
mod format;
pub mod live;
pub mod members;
pub mod openapi;
pub mod people;
pub mod questions;
pub mod retention;
pub mod saved_reports;
pub mod schema;
pub mod session;
pub mod setup;
pub mod sql;
pub mod status;

use crate::error::{ApiError, ApiResult};
use axum::extract::{FromRequest, Request};
use axum::http::header;
use serde::de::DeserializeOwned;

/// Largest JSON body of the app's own API.
const JSON_BYTES_MAX: usize = 1 << 20;

/// A JSON body. Unlike axum's it answers in our error form, and takes nothing but JSON: a form post from another site
/// cannot pass for one (secrecy contract, LG-9).
pub struct JsonBody<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> ApiResult<JsonBody<T>> {
        let is_json = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| {
                value
                    .split(';')
                    .next()
                    .is_some_and(|kind| kind.trim() == "application/json")
            });
        if !is_json {
            return Err(ApiError::invalid("the body is not JSON").fix("send Content-Type: application/json"));
        }
        let bytes = axum::body::to_bytes(request.into_body(), JSON_BYTES_MAX)
            .await
            .map_err(|_| {
                ApiError::new(
                    model::ErrorCode::TooLarge,
                    format!("the body is larger than {JSON_BYTES_MAX} bytes"),
                )
            })?;
        // serde's message names fields and positions of the question, which hold no personal value but what the
        // caller just typed; it goes back to the caller alone.
        serde_json::from_slice(&bytes)
            .map(JsonBody)
            .map_err(|error| ApiError::invalid(error.to_string()).at("body"))
    }
}
