//! Saved cohorts: who belongs together, by what they did and what they are.

use super::JsonBody;
use super::documents::{self, DOCUMENTS_MAX, IfMatch, Kind, RecordView, Search, Versioned};
use super::people::{PAGE_MAX, PeopleView, PurposeBody, page_default, person_view};
use super::questions::release;
use crate::app_state::{App, Shared, blocking, now};
use crate::auth::{InProject, SCOPE_LOOKUP};
use crate::error::{ApiError, ApiResult};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use ledger::{Class, Disclosure, Undisclosed, digest_of};
use model::cohort::{Cohort, Frozen};
use model::saved::checked_name;
use query::{COHORT_KIND, PeopleQuery};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use store::Document;
use utoipa::ToSchema;
use vault_client::{LookupRequest, Personal};

pub const COHORTS: Kind = Kind {
    name: COHORT_KIND,
    what: "the cohort",
    count_max: DOCUMENTS_MAX,
};
/// Most identifiers in one list.
const IDENTIFIERS_MAX: usize = 500;

#[derive(Serialize, ToSchema)]
pub struct CohortView {
    #[serde(flatten)]
    pub record: RecordView,
    /// A frozen one comes without its members: ask for these by `{"kind": "cohort"}`.
    pub cohort: Cohort,
    /// The definition in words.
    pub words: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Regular listeners", "cohort": {"rule": {"kind": "did",
    "events": {"event": "Song played"}, "count": {"at_least": 3}, "when": {"last_days": 30}}}}))]
pub struct CohortBody {
    name: String,
    cohort: Cohort,
}

/// A stored definition; one that this build cannot read is skipped, not an error for all others.
pub fn cohort_of(document: &Document) -> Option<Cohort> {
    serde_json::from_str(&document.json).ok()
}

/// Names of cohorts by number, for definitions in words.
pub type Names = BTreeMap<u64, String>;

pub fn names_of(documents: &[Document]) -> Names {
    let names = documents.iter();
    names.map(|document| (document.id, document.name.clone())).collect()
}

fn view(app: &App, names: &Names, document: &Document) -> Option<CohortView> {
    let mut cohort = cohort_of(document)?;
    let words = app.engine.cohort_words(&cohort, names);
    // Who was found is a list of persons: it leaves by way of the members, through the gate, and never here.
    cohort.frozen = cohort
        .frozen
        .map(|frozen| Frozen::new(frozen.at_ms, std::iter::empty()));
    Some(CohortView {
        record: document.into(),
        words,
        cohort,
    })
}

async fn versioned(
    app: &Shared,
    place: &InProject,
    status: StatusCode,
    document: &Document,
) -> ApiResult<Versioned<CohortView>> {
    let names = names_of(&documents::list(app, place, &COHORTS).await?);
    let view = view(app, &names, document).ok_or_else(unreadable)?;
    Ok(Versioned {
        status,
        version: document.version,
        view,
    })
}

fn unreadable() -> ApiError {
    ApiError::not_found("a cohort that this build can read")
        .fix("it was saved by a later version; delete it or use that version")
}

/// Saved cohorts of the project, by number.
#[utoipa::path(get, operation_id = "cohorts", path = "/api/v1/projects/{project}/cohorts", tag = "cohorts",
    params(("project" = u32, Path), Search), responses((status = 200, body = Vec<CohortView>)))]
pub async fn list(
    State(app): State<Shared>,
    place: InProject,
    Query(search): Query<Search>,
) -> ApiResult<Json<Vec<CohortView>>> {
    let documents = documents::list(&app, &place, &COHORTS).await?;
    let names = names_of(&documents);
    let views = documents.iter().filter_map(|document| view(&app, &names, document));
    let found = views.filter(|view| search.finds(&[&view.record.name, &view.cohort.description, &view.words]));
    Ok(Json(found.collect()))
}

/// One saved cohort.
#[utoipa::path(get, operation_id = "cohort", path = "/api/v1/projects/{project}/cohorts/{cohort}", tag = "cohorts",
    params(("project" = u32, Path), ("cohort" = u64, Path)), responses((status = 200, body = CohortView)))]
pub async fn show(
    State(app): State<Shared>,
    place: InProject,
    Path((_, id)): Path<(u32, u64)>,
) -> ApiResult<Versioned<CohortView>> {
    let document = documents::find(&app, &place, &COHORTS, id).await?;
    versioned(&app, &place, StatusCode::OK, &document).await
}

/// Saves a cohort under a name. Its definition is tried out first.
#[utoipa::path(post, operation_id = "save_cohort", path = "/api/v1/projects/{project}/cohorts", tag = "cohorts",
    request_body = CohortBody, params(("project" = u32, Path)), responses((status = 201, body = CohortView)))]
pub async fn save(
    State(app): State<Shared>,
    place: InProject,
    JsonBody(body): JsonBody<CohortBody>,
) -> ApiResult<Versioned<CohortView>> {
    let (name, cohort) = checked(&app, &place, None, body).await?;
    let document = documents::add(&app, &place, &COHORTS, name, &cohort).await?;
    versioned(&app, &place, StatusCode::CREATED, &document).await
}

/// Changes a saved cohort: all of it, from the version named in `If-Match`. A frozen one keeps its members as long as its
/// rule stays.
#[utoipa::path(put, operation_id = "change_cohort", path = "/api/v1/projects/{project}/cohorts/{cohort}", tag = "cohorts", request_body = CohortBody,
    params(("project" = u32, Path), ("cohort" = u64, Path), ("If-Match" = String, Header, description = "the version that was changed, as `\"3\"`")),
    responses((status = 200, body = CohortView), (status = 409, description = "`conflict`: somebody else was faster")))]
pub async fn replace(
    State(app): State<Shared>,
    place: InProject,
    Path((_, id)): Path<(u32, u64)>,
    version: IfMatch,
    JsonBody(body): JsonBody<CohortBody>,
) -> ApiResult<Versioned<CohortView>> {
    place.caller.require_editor()?;
    let before = documents::find(&app, &place, &COHORTS, id).await?;
    let (name, mut cohort) = checked(&app, &place, Some(id), body).await?;
    let before = cohort_of(&before).filter(|before| before.rule == cohort.rule);
    cohort.frozen = before.and_then(|before| before.frozen);
    let document = documents::replace(&app, &place, &COHORTS, (id, version), name, &cohort).await?;
    versioned(&app, &place, StatusCode::OK, &document).await
}

/// A live definition that works, in the place of cohort `id` if one is given.
async fn checked(app: &Shared, place: &InProject, id: Option<u64>, body: CohortBody) -> ApiResult<(String, Cohort)> {
    place.caller.require_editor()?;
    let name = checked_name(&body.name)?;
    let cohort = Cohort {
        frozen: None,
        ..body.cohort
    };
    cohort.check().map_err(in_cohort)?;
    let _permit = app.permits.question(place.project.id).await?;
    app.engine.try_cohort(&place.project, id, &cohort, now()).await?;
    Ok((name, cohort))
}

/// A pointer into the cohort as one into the body.
fn in_cohort(fault: model::report::InvalidReport) -> ApiError {
    let at = format!("/cohort{}", fault.at);
    ApiError::from(fault).at(at)
}

/// Forgets a saved cohort. Its number is not given out again; reports that use it are refused from now on.
#[utoipa::path(delete, operation_id = "delete_cohort", path = "/api/v1/projects/{project}/cohorts/{cohort}", tag = "cohorts",
    params(("project" = u32, Path), ("cohort" = u64, Path)), responses((status = 204)))]
pub async fn delete(
    State(app): State<Shared>,
    place: InProject,
    Path((_, id)): Path<(u32, u64)>,
) -> ApiResult<StatusCode> {
    documents::delete(&app, &place, &COHORTS, id).await
}

/// Fixes who is in a cohort to those who are now.
#[utoipa::path(post, operation_id = "freeze_cohort", path = "/api/v1/projects/{project}/cohorts/{cohort}/freeze", tag = "cohorts",
    params(("project" = u32, Path), ("cohort" = u64, Path)),
    responses((status = 200, body = CohortView), (status = 409, description = "`conflict`: it was changed meanwhile")))]
pub async fn freeze(
    State(app): State<Shared>,
    place: InProject,
    Path((_, id)): Path<(u32, u64)>,
) -> ApiResult<Versioned<CohortView>> {
    place.caller.require_editor()?;
    let document = documents::find(&app, &place, &COHORTS, id).await?;
    let mut cohort = cohort_of(&document).ok_or_else(unreadable)?;
    cohort.frozen = None;
    let at = now();
    let members = {
        let _permit = app.permits.question(place.project.id).await?;
        app.engine.cohort(&place.project, &cohort, at).await?
    };
    let members = members.slice(0, members.len());
    cohort.frozen = Some(Frozen::new(at, members.into_iter()));
    write_back(&app, &place, document, &cohort).await
}

/// Lets a frozen cohort follow its definition again.
#[utoipa::path(delete, operation_id = "thaw_cohort", path = "/api/v1/projects/{project}/cohorts/{cohort}/freeze", tag = "cohorts",
    params(("project" = u32, Path), ("cohort" = u64, Path)), responses((status = 200, body = CohortView)))]
pub async fn thaw(
    State(app): State<Shared>,
    place: InProject,
    Path((_, id)): Path<(u32, u64)>,
) -> ApiResult<Versioned<CohortView>> {
    let document = documents::find(&app, &place, &COHORTS, id).await?;
    let mut cohort = cohort_of(&document).ok_or_else(unreadable)?;
    cohort.frozen = None;
    write_back(&app, &place, document, &cohort).await
}

async fn write_back(
    app: &Shared,
    place: &InProject,
    document: Document,
    cohort: &Cohort,
) -> ApiResult<Versioned<CohortView>> {
    let version = IfMatch(Some(document.version));
    let document = documents::replace(app, place, &COHORTS, (document.id, version), document.name, cohort).await?;
    versioned(app, place, StatusCode::OK, &document).await
}

#[derive(Serialize, ToSchema)]
pub struct CohortSize {
    /// Persons, exactly.
    pub size: u64,
    /// The definition in words.
    pub words: String,
}

/// How many are in a cohort now, saved or not.
#[utoipa::path(post, operation_id = "cohort_size", path = "/api/v1/projects/{project}/cohorts/size", tag = "cohorts",
    request_body = Cohort, params(("project" = u32, Path)), responses((status = 200, body = CohortSize)))]
pub async fn size(
    State(app): State<Shared>,
    place: InProject,
    JsonBody(cohort): JsonBody<Cohort>,
) -> ApiResult<Json<CohortSize>> {
    place.caller.require_analyst()?;
    let size = size_of(&app, &place.project, &place.caller, &cohort).await?;
    let names = names_of(&documents::list(&app, &place, &COHORTS).await?);
    let words = app.engine.cohort_words(&cohort, &names);
    Ok(Json(CohortSize { size, words }))
}

/// The size of a cohort, through the gate.
pub async fn size_of(
    app: &App,
    project: &store::Project,
    caller: &crate::auth::Caller,
    cohort: &Cohort,
) -> ApiResult<u64> {
    let _permit = app.permits.question(project.id).await?;
    let size = app.engine.cohort_size(project, cohort, now()).await?;
    let (size, _) = release(app, size, caller.asker(project.id, "cohort_size")).await?;
    Ok(size)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CohortMembersBody {
    cohort: Cohort,
    #[serde(default = "page_default")]
    limit: usize,
    #[serde(default)]
    offset: usize,
}

/// The members of a cohort now, saved or not, by number. Recorded as a disclosure of everyone in the page.
#[utoipa::path(post, operation_id = "cohort_members", path = "/api/v1/projects/{project}/cohorts/members", tag = "cohorts",
    request_body = CohortMembersBody, params(("project" = u32, Path)), responses((status = 200, body = PeopleView)))]
pub async fn members(
    State(app): State<Shared>,
    place: InProject,
    JsonBody(body): JsonBody<CohortMembersBody>,
) -> ApiResult<Json<PeopleView>> {
    place.caller.require_analyst()?;
    if body.limit == 0 || body.limit > PAGE_MAX {
        return Err(ApiError::invalid(format!("give a limit of 1 to {PAGE_MAX}")).at("/limit"));
    }
    let _permit = app.permits.question(place.project.id).await?;
    let members = app.engine.cohort(&place.project, &body.cohort, now()).await?;
    let question = PeopleQuery {
        filter: None,
        persons: Some(members.slice(body.offset, body.limit)),
        sort: None,
        limit: body.limit,
        offset: 0,
    };
    let page = app.engine.people(&place.project, &question, now()).await?;
    let (page, _) = release(&app, page, place.caller.asker(place.project.id, "cohort_members")).await?;
    Ok(Json(PeopleView {
        total: members.len() as u64,
        people: page.people.into_iter().map(person_view).collect(),
    }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentifiersBody {
    /// User ids, device ids or e-mail addresses. They go to the vault and are kept nowhere.
    identifiers: Vec<String>,
    purpose: PurposeBody,
}

#[derive(Serialize, ToSchema)]
pub struct PersonsView {
    /// Persons found, each once, in ascending order: for a list in a cohort.
    pub persons: Vec<u64>,
    /// How many identifiers belong to nobody.
    pub unknown: usize,
}

/// Which persons a list of identifiers belongs to. Every look-up is recorded with its purpose, a miss too.
#[utoipa::path(post, operation_id = "cohort_persons", path = "/api/v1/projects/{project}/cohorts/persons", tag = "cohorts",
    request_body = IdentifiersBody, params(("project" = u32, Path)), responses((status = 200, body = PersonsView)))]
pub async fn persons(
    State(app): State<Shared>,
    place: InProject,
    JsonBody(body): JsonBody<IdentifiersBody>,
) -> ApiResult<Json<PersonsView>> {
    place.caller.require_scope(SCOPE_LOOKUP)?;
    if body.identifiers.is_empty() || body.identifiers.len() > IDENTIFIERS_MAX {
        return Err(ApiError::invalid(format!("give 1 to {IDENTIFIERS_MAX} identifiers")).at("/identifiers"));
    }
    let mut asker = place.caller.asker(place.project.id, "lookup");
    asker.purpose = Some(body.purpose.code());
    let mut requests = Vec::new();
    for identifier in body.identifiers {
        requests.push(LookupRequest {
            project: place.project.id,
            identifier: Personal::new(identifier),
            asker: place.caller.vault_asker()?,
            purpose: body.purpose.for_vault()?,
        });
    }
    let vault = app.vault.clone();
    let (found, unknown) = blocking(move || {
        let mut found = BTreeSet::new();
        let mut unknown = 0;
        for request in &requests {
            match vault.lookup(request)? {
                Some(person) => {
                    found.insert(person.0);
                }
                None => unknown += 1,
            }
        }
        Ok((found, unknown))
    })
    .await?;
    let disclosure = Disclosure {
        class: Class::D3,
        persons: found.iter().copied().collect(),
        fields: BTreeSet::from(["identifier".to_owned()]),
        // The identifiers stay out of the digest: a digest of a guessable value is the value.
        question_digest: digest_of(&json!({ "lookup": place.project.id.0, "asked_ms": now().0 })),
    };
    let view = PersonsView {
        persons: found.into_iter().collect(),
        unknown,
    };
    let (view, _) = release(&app, Undisclosed::new(view, disclosure), asker).await?;
    Ok(Json(view))
}
