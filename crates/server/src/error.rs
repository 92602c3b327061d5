//! The one error of the HTTP edge: status, stable code, message, where, how to mend it; and, for the log only, the cause.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ledger::GateError;
use model::ErrorCode;
use query::QueryError;
use serde_json::json;
use store::StoreError;
use vault_client::VaultError;

/// A refusal on its way to a client.
#[derive(Debug)]
pub struct ApiError {
    pub code: ErrorCode,
    pub message: String,
    /// Where in the input: a JSON pointer or a parameter name.
    pub at: Option<String>,
    /// How to mend it.
    pub fix: Option<String>,
}

pub type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> ApiError {
        ApiError {
            code,
            message: message.into(),
            at: None,
            fix: None,
        }
    }

    pub fn invalid(message: impl Into<String>) -> ApiError {
        ApiError::new(ErrorCode::InvalidRequest, message)
    }

    pub fn not_found(what: &str) -> ApiError {
        ApiError::new(ErrorCode::NotFound, format!("{what} does not exist"))
    }

    pub fn at(mut self, at: impl Into<String>) -> ApiError {
        self.at = Some(at.into());
        self
    }

    pub fn fix(mut self, fix: impl Into<String>) -> ApiError {
        self.fix = Some(fix.into());
        self
    }

    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Logs the cause of what is our fault or the machine's, and keeps it from the client.
    fn from_cause(code: ErrorCode, message: &str, cause: &dyn std::error::Error) -> ApiError {
        tracing::error!(code = code.as_str(), cause = error_chain(cause), "A request failed");
        ApiError::new(code, message)
    }
}

/// An error and its sources in one line.
fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut error = json!({ "code": self.code.as_str(), "message": self.message });
        if let Some(at) = &self.at {
            error["at"] = at.as_str().into();
        }
        if let Some(fix) = &self.fix {
            error["fix"] = fix.as_str().into();
        }
        let mut response = (self.status(), Json(json!({ "error": error }))).into_response();
        if matches!(
            self.status(),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
        ) {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
        }
        response
    }
}

impl From<VaultError> for ApiError {
    fn from(error: VaultError) -> ApiError {
        match error {
            VaultError::Refused { code, message } => ApiError::new(code, message),
            VaultError::Overloaded => ApiError::new(ErrorCode::RateLimited, "the vault is busy; try again"),
            other => ApiError::from_cause(
                ErrorCode::VaultUnavailable,
                "the vault does not answer; try again",
                &other,
            ),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> ApiError {
        if error.is_transient() {
            let message = "the disk does not take writes; nothing was stored";
            return ApiError::from_cause(ErrorCode::StorageUnavailable, message, &error);
        }
        let message = "the event store failed; the server's log has the cause";
        ApiError::from_cause(ErrorCode::Internal, message, &error)
    }
}

impl From<QueryError> for ApiError {
    fn from(error: QueryError) -> ApiError {
        if let QueryError::Sql(fault) = error {
            let refused = ApiError::new(ErrorCode::InvalidSql, fault.message);
            return match fault.position {
                Some(place) => refused.at(format!("/sql line {} column {}", place.line, place.column)),
                None => refused.at("/sql"),
            };
        }
        if let Some(invalid) = error.invalid() {
            return invalid.clone().into();
        }
        if let Some((error, at)) = error.definition() {
            let refusal = ApiError::new(ErrorCode::InvalidExpression, error.to_string()).fix(error.mend());
            return match at {
                Some(at) => refusal.at(at),
                None => refusal,
            };
        }
        match error.code() {
            ErrorCode::Internal => ApiError::from_cause(
                ErrorCode::Internal,
                "the question failed; the server's log has the cause",
                &error,
            ),
            ErrorCode::QueryTimeout => ApiError::new(ErrorCode::QueryTimeout, error.to_string())
                .fix("ask for a shorter range, fewer breakdowns or fewer metrics"),
            ErrorCode::MemoryShort => ApiError::new(ErrorCode::MemoryShort, error.to_string())
                .fix("ask again in a moment; an operator can give the server more with --memory"),
            code => ApiError::new(code, error.to_string()),
        }
    }
}

impl From<GateError> for ApiError {
    fn from(error: GateError) -> ApiError {
        match error {
            GateError::Forbidden { .. } => ApiError::new(ErrorCode::Forbidden, error.to_string())
                .fix("ask an owner for person-level access, or ask for an aggregate over more persons"),
            GateError::PurposeRequired => ApiError::new(ErrorCode::PurposeRequired, error.to_string()).at("/purpose"),
            GateError::Ledger(cause) => ApiError::from_cause(
                ErrorCode::Unavailable,
                "the disclosure could not be recorded, so nothing was shown",
                &cause,
            ),
        }
    }
}

impl From<model::report::InvalidReport> for ApiError {
    fn from(error: model::report::InvalidReport) -> ApiError {
        ApiError::new(ErrorCode::InvalidReport, error.message).at(error.at)
    }
}
