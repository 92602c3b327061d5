//! The form in which an answer is wanted: JSON with how it came about, or its table as CSV.

use crate::error::{ApiError, ApiResult};
use axum::extract::{FromRequestParts, Query};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use model::{csv, report::Report, table};
use query::Explained;
use serde::Deserialize;
use utoipa::IntoParams;

/// `?format=csv` or `Accept: text/csv`; the parameter wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Json,
    Csv,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FormatParam {
    /// `json` (the default) or `csv`. Without it, `Accept: text/csv` asks for CSV too.
    format: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Format {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> ApiResult<Format> {
        let Query(FormatParam { format }) = Query::from_request_parts(parts, state)
            .await
            .map_err(|_| ApiError::invalid("the parameters cannot be read").at("format"))?;
        match format.as_deref() {
            Some("json") => Ok(Format::Json),
            Some("csv") => Ok(Format::Csv),
            Some(_) => Err(ApiError::invalid("give format=json or format=csv").at("format")),
            None => {
                let accept = parts.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
                Ok(accepted(accept.unwrap_or_default()))
            }
        }
    }
}

/// The first of our two forms that is listed. Weights (`q=`) are not read: who wants CSV lists it first or alone.
fn accepted(accept: &str) -> Format {
    let kinds = accept
        .split(',')
        .map(|kind| kind.split(';').next().unwrap_or_default().trim());
    let known = kinds.filter_map(|kind| match kind {
        "text/csv" => Some(Format::Csv),
        "application/json" | "application/*" | "*/*" => Some(Format::Json),
        _ => None,
    });
    known.into_iter().next().unwrap_or(Format::Json)
}

impl Format {
    pub fn response(self, report: &Report, explained: Explained) -> Response {
        if self == Format::Json {
            return axum::Json(explained).into_response();
        }
        let name = format!("report_{}_{}.csv", report.range.from, report.range.to);
        let headers = [
            (
                header::CONTENT_TYPE,
                "text/csv; charset=utf-8; header=present".to_owned(),
            ),
            (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        ];
        (headers, csv::text(&table::rows(&explained.answer))).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_known_form_is_taken() {
        for (accept, format) in [
            ("", Format::Json),
            ("*/*", Format::Json),
            ("text/csv", Format::Csv),
            ("text/csv; header=present, application/json", Format::Csv),
            ("application/json, text/csv", Format::Json),
            ("text/html, text/csv;q=0.9, */*;q=0.1", Format::Csv),
        ] {
            assert_eq!(accepted(accept), format, "{accept}");
        }
    }
}
