//! What operators add to the language of expressions: computed properties and lookup tables.

use super::JsonBody;
use super::documents::{self, IfMatch, Kind, RecordView, Versioned};
use crate::app_state::{Shared, blocking};
use crate::auth::InProject;
use crate::error::{ApiError, ApiResult};
use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use collect::TableFirewall;
use model::definitions::LookupTable;
use model::saved::checked_name;
use model::{ErrorCode, Expression};
use query::{COMPUTED_KIND, LOOKUP_TABLE_KIND};
use serde::{Deserialize, Serialize};
use store::Document;
use utoipa::ToSchema;

/// Largest CSV.
const TABLE_BYTES_MAX: usize = 2 << 20;

const COMPUTED: Kind = Kind {
    name: COMPUTED_KIND,
    what: "the computed property",
    count_max: 200,
};
const TABLES: Kind = Kind {
    name: LOOKUP_TABLE_KIND,
    what: "the lookup table",
    count_max: 20,
};

#[derive(Serialize, ToSchema)]
pub struct ComputedView {
    #[serde(flatten)]
    pub record: RecordView,
    /// The formula as text.
    #[schema(value_type = String)]
    pub formula: Expression,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"formula": "properties[\"price\"] - lookup(\"products\", \"cost\", properties[\"sku\"])"}))]
pub struct ComputedBody {
    /// An expression, which may use other computed properties.
    #[schema(value_type = Object)]
    formula: Expression,
}

fn computed_view(document: &Document) -> Option<ComputedView> {
    let formula = serde_json::from_str(&document.json).ok()?;
    Some(ComputedView {
        record: document.into(),
        formula,
    })
}

/// All computed properties of the project.
#[utoipa::path(get, operation_id = "computed_properties", path = "/api/v1/projects/{project}/computed", tag = "properties",
    params(("project" = u32, Path)), responses((status = 200, body = Vec<ComputedView>)))]
pub async fn list_computed(State(app): State<Shared>, place: InProject) -> ApiResult<Json<Vec<ComputedView>>> {
    let documents = documents::list(&app, &place, &COMPUTED).await?;
    Ok(Json(documents.iter().filter_map(computed_view).collect()))
}

/// Saves a computed property under the name, replacing one that has it.
#[utoipa::path(put, operation_id = "save_computed_property", path = "/api/v1/projects/{project}/computed/{name}", tag = "properties",
    request_body = ComputedBody,
    params(("project" = u32, Path), ("name" = String, Path), ("If-Match" = Option<String>, Header, description = "the version to replace, as `\"3\"`; any without it")),
    responses((status = 200, body = ComputedView), (status = 409, description = "`conflict`: somebody else was faster")))]
pub async fn save_computed(
    State(app): State<Shared>,
    place: InProject,
    Path((_, name)): Path<(u32, String)>,
    version: Option<IfMatch>,
    JsonBody(body): JsonBody<ComputedBody>,
) -> ApiResult<Versioned<ComputedView>> {
    place.caller.require_editor()?;
    let name = checked_name(&name)?;
    app.engine
        .check_computed(&place.project, &name, &body.formula)
        .await
        .map_err(|error| ApiError::from(error).at("/formula"))?;
    let document = documents::put(&app, &place, &COMPUTED, version, name, &body.formula).await?;
    Ok(Versioned {
        status: StatusCode::OK,
        version: document.version,
        view: ComputedView {
            record: (&document).into(),
            formula: body.formula,
        },
    })
}

/// Forgets a computed property. What uses it is refused from now on.
#[utoipa::path(delete, operation_id = "delete_computed_property", path = "/api/v1/projects/{project}/computed/{name}", tag = "properties",
    params(("project" = u32, Path), ("name" = String, Path)), responses((status = 204)))]
pub async fn delete_computed(
    State(app): State<Shared>,
    place: InProject,
    Path((_, name)): Path<(u32, String)>,
) -> ApiResult<StatusCode> {
    let document = documents::named(&app, &place, &COMPUTED, name).await?;
    documents::delete(&app, &place, &COMPUTED, document.id).await
}

#[derive(Serialize, ToSchema)]
pub struct LookupTableView {
    #[serde(flatten)]
    pub record: RecordView,
    /// The column whose values are looked for.
    pub key: String,
    /// The columns that can be asked for.
    pub columns: Vec<String>,
    pub rows: usize,
}

fn table_view(document: &Document, table: LookupTable) -> LookupTableView {
    LookupTableView {
        record: document.into(),
        rows: table.rows.len(),
        key: table.key,
        columns: table.columns,
    }
}

/// All lookup tables of the project.
#[utoipa::path(get, operation_id = "lookup_tables", path = "/api/v1/projects/{project}/lookup-tables", tag = "properties",
    params(("project" = u32, Path)), responses((status = 200, body = Vec<LookupTableView>)))]
pub async fn list_tables(State(app): State<Shared>, place: InProject) -> ApiResult<Json<Vec<LookupTableView>>> {
    let documents = documents::list(&app, &place, &TABLES).await?;
    let view = |document: &Document| Some(table_view(document, serde_json::from_str(&document.json).ok()?));
    Ok(Json(documents.iter().filter_map(view).collect()))
}

/// Uploads a lookup table as CSV under the name, replacing one that has it. The first line names the columns, the first
/// column is the key. A column that holds identities or secrets refuses the table.
#[utoipa::path(put, operation_id = "save_lookup_table", path = "/api/v1/projects/{project}/lookup-tables/{name}", tag = "properties",
    request_body(content = String, content_type = "text/csv", example = json!("plan,price\npro,20\nfree,0\n")),
    params(("project" = u32, Path), ("name" = String, Path), ("If-Match" = Option<String>, Header, description = "the version to replace, as `\"3\"`; any without it")),
    responses((status = 200, body = LookupTableView), (status = 409, description = "`conflict`: somebody else was faster")))]
pub async fn save_table(
    State(app): State<Shared>,
    place: InProject,
    Path((_, name)): Path<(u32, String)>,
    version: Option<IfMatch>,
    request: Request,
) -> ApiResult<Versioned<LookupTableView>> {
    place.caller.require_editor()?;
    let name = checked_name(&name)?;
    let text = csv(request).await?;
    let table = blocking(move || {
        let table = LookupTable::from_csv(&text).map_err(|fault| ApiError::invalid(fault.to_string()).at("body"))?;
        refuse_identities(&table)?;
        Ok(table)
    })
    .await?;
    let document = documents::put(&app, &place, &TABLES, version, name, &table).await?;
    Ok(Versioned {
        status: StatusCode::OK,
        version: document.version,
        view: table_view(&document, table),
    })
}

/// Forgets a lookup table. What uses it is refused from now on.
#[utoipa::path(delete, operation_id = "delete_lookup_table", path = "/api/v1/projects/{project}/lookup-tables/{name}", tag = "properties",
    params(("project" = u32, Path), ("name" = String, Path)), responses((status = 204)))]
pub async fn delete_table(
    State(app): State<Shared>,
    place: InProject,
    Path((_, name)): Path<(u32, String)>,
) -> ApiResult<StatusCode> {
    let document = documents::named(&app, &place, &TABLES, name).await?;
    documents::delete(&app, &place, &TABLES, document.id).await
}

/// The body as text. Only `text/csv` is taken: another site cannot send that unasked (secrecy contract, LG-9).
async fn csv(request: Request) -> ApiResult<String> {
    let content_type = request.headers().get(axum::http::header::CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
    if content_type.split(';').next().map(str::trim) != Some("text/csv") {
        return Err(ApiError::invalid("the body is not CSV").fix("send Content-Type: text/csv"));
    }
    let bytes = axum::body::to_bytes(request.into_body(), TABLE_BYTES_MAX)
        .await
        .map_err(|_| {
            ApiError::new(
                ErrorCode::TooLarge,
                format!("the table is larger than {TABLE_BYTES_MAX} bytes"),
            )
        })?;
    String::from_utf8(bytes.into()).map_err(|_| ApiError::invalid("the table is not UTF-8").fix("save it as UTF-8"))
}

/// The table lies in the clear beside the events, so what may not be in those may not be in it.
fn refuse_identities(table: &LookupTable) -> ApiResult<()> {
    let firewall = TableFirewall::default();
    let refused = |column: &str, why: &str| {
        Err(
            ApiError::invalid(format!("the column \"{column}\" cannot be kept: {why}"))
                .at("body")
                .fix("leave the column out; who somebody is belongs into profiles, which the vault seals"),
        )
    };
    for column in std::iter::once(&table.key).chain(&table.columns) {
        if let Some(why) = firewall.refuses_column(column) {
            return refused(column, why);
        }
    }
    for (key, cells) in &table.rows {
        if let Some(found) = firewall.refuses_cell(&table.key, key) {
            return refused(&table.key, &format!("it holds what looks like {found}"));
        }
        for (column, cell) in table.columns.iter().zip(cells) {
            if let Some(found) = cell.as_str().and_then(|cell| firewall.refuses_cell(column, cell)) {
                return refused(column, &format!("it holds what looks like {found}"));
            }
        }
    }
    Ok(())
}
