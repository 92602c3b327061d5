//! The OpenAPI document, generated from the handlers.

use axum::Json;
use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(
    info(title = "Frostpane", description = "Product and web analytics that names nobody. All times are milliseconds since 1970 unless a field says otherwise."),
    paths(
        super::session::sign_in,
        super::session::show,
        super::session::sign_out,
        super::questions::ask,
        super::schema::show,
        super::schema::values,
        super::live::show,
        super::people::list,
        super::people::show,
        super::people::reveal,
        super::people::lookup,
        super::disclosures::list,
        super::setup::show,
        super::saved_reports::list,
        super::saved_reports::save,
        super::saved_reports::show,
        super::saved_reports::delete,
        super::status::show,
    )
)]
struct Document;

/// The document as JSON; what `web/` generates its types from.
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

pub async fn show() -> Json<utoipa::openapi::OpenApi> {
    Json(document())
}
