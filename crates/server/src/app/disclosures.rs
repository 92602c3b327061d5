//! The ledger as its owner reads it: who was shown whom, when, and why.

use crate::app_state::{Shared, blocking};
use crate::auth::{Caller, InProject};
use crate::error::{ApiError, ApiResult};
use axum::Json;
use axum::extract::{Query, State};
use ledger::{Class, EntryFilter};
use model::{ErrorCode, PersonNumber};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use vault_client::Role;

/// Person numbers shown inline; the entry's count is always whole.
const PERSONS_INLINE: usize = 20;
const ENTRIES_MAX: usize = 1000;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LedgerParams {
    limit: Option<usize>,
    /// Only entries before this number, for older pages.
    before: Option<u64>,
    /// Only entries that showed this person.
    person: Option<u64>,
    /// Only entries of at least this class: `D1`, `D2`, `D3`.
    class: Option<Class>,
}

#[derive(Serialize, ToSchema)]
pub struct LedgerView {
    /// Newest first.
    pub entries: Vec<LedgerEntryView>,
}

#[derive(Serialize, ToSchema)]
pub struct LedgerEntryView {
    pub seq: u64,
    pub time_ms: i64,
    pub actor: String,
    pub action: String,
    /// `released` or `refused`.
    pub decision: ledger::Decision,
    pub class: Class,
    pub persons_count: u64,
    /// The first of them, by number.
    pub persons: Vec<u64>,
    pub fields: Vec<String>,
    pub purpose_code: Option<ledger::PurposeCode>,
    pub question_digest: String,
}

/// Entries of the disclosure ledger. Reading it discloses nothing new about persons: numbers and field names.
#[utoipa::path(get, operation_id = "ledger", path = "/api/v1/projects/{project}/ledger", tag = "ledger", params(("project" = u32, Path), LedgerParams),
    responses((status = 200, body = LedgerView)))]
pub async fn list(
    State(app): State<Shared>,
    place: InProject,
    Query(params): Query<LedgerParams>,
) -> ApiResult<Json<LedgerView>> {
    let allowed = match &place.caller {
        Caller::Staff(staff) => matches!(staff.session.role, Role::Owner | Role::PrivacyOfficer | Role::Auditor),
        Caller::Machine(_) => false,
    };
    if !allowed {
        return Err(ApiError::new(
            ErrorCode::Forbidden,
            "owners, privacy officers and auditors read the ledger",
        ));
    }
    let filter = EntryFilter {
        project: Some(place.project.id),
        person: params.person.map(PersonNumber),
        before: params.before,
        class_min: params.class,
    };
    let limit = params.limit.unwrap_or(100).clamp(1, ENTRIES_MAX);
    let entries = blocking(move || {
        app.gate
            .ledger()
            .entries(filter, limit)
            .map_err(|error| ledger::GateError::from(error).into())
    })
    .await?;
    let entries = entries.into_iter().map(|(entry, persons)| LedgerEntryView {
        seq: entry.seq,
        time_ms: entry.t,
        actor: entry.actor.to_string(),
        action: entry.action,
        decision: entry.decision,
        class: entry.class,
        persons_count: persons.len(),
        persons: persons.iter().take(PERSONS_INLINE).collect(),
        fields: entry.fields,
        purpose_code: entry.purpose_code,
        question_digest: entry.question_digest,
    });
    Ok(Json(LedgerView {
        entries: entries.collect(),
    }))
}
