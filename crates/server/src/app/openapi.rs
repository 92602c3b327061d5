//! The OpenAPI document, generated from the handlers.

use axum::Json;
use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Frostpane",
        description = "Product and web analytics that names nobody. All times are milliseconds since 1970 unless a field says otherwise."
    ),
    paths(
        super::session::sign_in,
        super::session::show,
        super::session::sign_out,
        super::questions::ask,
        super::members::list,
        super::sql::ask,
        super::sql::views,
        super::schema::show,
        super::schema::values,
        super::live::show,
        super::people::list,
        super::people::show,
        super::people::reveal,
        super::people::lookup,
        super::cohorts::list,
        super::cohorts::show,
        super::cohorts::save,
        super::cohorts::replace,
        super::cohorts::delete,
        super::cohorts::freeze,
        super::cohorts::thaw,
        super::cohorts::size,
        super::cohorts::members,
        super::cohorts::persons,
        super::definitions::list_computed,
        super::definitions::save_computed,
        super::definitions::delete_computed,
        super::definitions::list_tables,
        super::definitions::save_table,
        super::definitions::delete_table,
        super::disclosures::list,
        super::setup::show,
        super::retention::show,
        super::retention::replace,
        super::saved_reports::list,
        super::saved_reports::save,
        super::saved_reports::show,
        super::saved_reports::replace,
        super::saved_reports::delete,
        super::boards::list,
        super::boards::save,
        super::boards::show,
        super::boards::replace,
        super::boards::delete,
        super::boards::ask_card,
        super::annotations::list,
        super::annotations::save,
        super::annotations::show,
        super::annotations::replace,
        super::annotations::delete,
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

#[cfg(test)]
mod tests {
    /// The app's types are generated from the committed copy, so the two must be one. `UPDATE_GOLDEN=1` rewrites it.
    #[test]
    fn the_committed_document_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../web/openapi.json");
        let generated = super::document().to_pretty_json().unwrap() + "\n";
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(path, &generated).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap();
        assert!(
            committed == generated,
            "web/openapi.json is out of date; run with UPDATE_GOLDEN=1 and build the app again"
        );
    }
}
