//! People by number, and who they are, for those who may know and say why.

use super::JsonBody;
use super::live::{EventRowView, row_view};
use super::questions::release;
use crate::app_state::{Shared, blocking, now};
use crate::auth::{InProject, SCOPE_LOOKUP};
use crate::error::{ApiError, ApiResult};
use axum::Json;
use axum::extract::{Path, State};
use ledger::{Class, Disclosure, PurposeCode, Undisclosed, digest_of};
use model::{ErrorCode, Expression, PersonNumber};
use query::{EventsQuery, PeopleQuery, PersonRow};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use utoipa::ToSchema;
use vault_client::{LookupRequest, Personal, RevealRequest};

/// Most people in one page.
pub const PAGE_MAX: usize = 1000;
/// Newest events that a profile shows.
const ACTIVITY_MAX: usize = 100;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PeopleBody {
    /// Over profile properties: `properties["plan"] == "pro"`, or the tree form.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    filter: Option<Expression>,
    #[serde(default)]
    sort: Option<SortBody>,
    #[serde(default = "page_default")]
    limit: usize,
    #[serde(default)]
    offset: usize,
}

#[derive(Deserialize, ToSchema)]
pub struct SortBody {
    property: String,
    #[serde(default)]
    descending: bool,
}

pub fn page_default() -> usize {
    50
}

#[derive(Serialize, ToSchema)]
pub struct PeopleView {
    pub total: u64,
    pub people: Vec<PersonView>,
}

#[derive(Serialize, ToSchema)]
pub struct PersonView {
    pub person: u64,
    #[schema(value_type = Object)]
    pub properties: Map<String, Value>,
    pub last_seen_ms: Option<i64>,
}

pub fn person_view(row: PersonRow) -> PersonView {
    PersonView {
        person: row.person.0,
        properties: row
            .properties
            .into_iter()
            .map(|(name, value)| (name, value.to_json()))
            .collect(),
        last_seen_ms: row.last_seen.map(|time| time.0),
    }
}

/// People with their ordinary properties. Recorded as a disclosure of everyone in the page.
#[utoipa::path(post, operation_id = "people", path = "/api/v1/projects/{project}/people", tag = "people", request_body = PeopleBody,
    params(("project" = u32, Path)), responses((status = 200, body = PeopleView)))]
pub async fn list(
    State(app): State<Shared>,
    place: InProject,
    JsonBody(body): JsonBody<PeopleBody>,
) -> ApiResult<Json<PeopleView>> {
    if body.limit == 0 || body.limit > PAGE_MAX {
        return Err(ApiError::invalid(format!("give a limit of 1 to {PAGE_MAX}")).at("/limit"));
    }
    let _permit = app.permits.question(place.project.id).await?;
    let question = PeopleQuery {
        filter: body.filter,
        persons: None,
        sort: body.sort.map(|sort| (sort.property, sort.descending)),
        limit: body.limit,
        offset: body.offset,
    };
    let page = app.engine.people(&place.project, &question, now()).await?;
    let (page, _) = release(&app, page, place.caller.asker(place.project.id, "people")).await?;
    Ok(Json(PeopleView {
        total: page.total,
        people: page.people.into_iter().map(person_view).collect(),
    }))
}

#[derive(Serialize, ToSchema)]
pub struct ProfileView {
    pub person: u64,
    /// Numbers that were merged into this person.
    pub merged_from: Vec<u64>,
    #[schema(value_type = Object)]
    pub properties: Map<String, Value>,
    pub last_seen_ms: Option<i64>,
    pub first_event_ms: Option<i64>,
    pub events_total: u64,
    /// Newest first, at most a hundred.
    pub events: Vec<EventRowView>,
}

/// One person by number: ordinary properties and what they did.
#[utoipa::path(get, operation_id = "person", path = "/api/v1/projects/{project}/people/{person}", tag = "people",
    params(("project" = u32, Path), ("person" = u64, Path)), responses((status = 200, body = ProfileView)))]
pub async fn show(
    State(app): State<Shared>,
    place: InProject,
    Path((_, number)): Path<(u32, u64)>,
) -> ApiResult<Json<ProfileView>> {
    let snapshot = app.store.snapshot(place.project.id);
    let person = snapshot.canonical(PersonNumber(number));
    let _permit = app.permits.question(place.project.id).await?;
    let everything = EventsQuery {
        from_ms: i64::MIN,
        to_ms: i64::MAX,
        events: None,
        filter: None,
        persons: Some(vec![person]),
        after_seq: None,
        behind: None,
        limit: usize::MAX,
        newest_first: true,
    };
    let events = app.engine.events(&place.project, &everything, now()).await?;
    let (events, _) = release(&app, events, place.caller.asker(place.project.id, "profile")).await?;
    let one = PeopleQuery {
        filter: None,
        persons: Some(vec![person]),
        sort: None,
        limit: 1,
        offset: 0,
    };
    let page = app.engine.people(&place.project, &one, now()).await?;
    let (page, _) = release(&app, page, place.caller.asker(place.project.id, "profile")).await?;
    let row = page.people.into_iter().next();
    let has_profile = row
        .as_ref()
        .is_some_and(|row| !row.properties.is_empty() || row.last_seen.is_some());
    if !has_profile && events.is_empty() {
        return Err(ApiError::not_found("the person"));
    }
    let (properties, last_seen_ms) = row
        .map(person_view)
        .map_or_else(Default::default, |row| (row.properties, row.last_seen_ms));
    Ok(Json(ProfileView {
        person: person.0,
        merged_from: snapshot
            .cluster(person)
            .into_iter()
            .filter(|member| *member != person)
            .map(|member| member.0)
            .collect(),
        properties,
        last_seen_ms: last_seen_ms.or(events.first().map(|event| event.time.0)),
        first_event_ms: events.last().map(|event| event.time.0),
        events_total: events.len() as u64,
        events: events.into_iter().take(ACTIVITY_MAX).map(row_view).collect(),
    }))
}

#[derive(Deserialize, ToSchema)]
pub struct RevealBody {
    purpose: PurposeBody,
}

#[derive(Deserialize, ToSchema)]
pub struct PurposeBody {
    code: PurposeCode,
    /// 10 to 500 characters. Sealed in the vault; the ledger holds a salted digest of it.
    text: String,
}

impl PurposeBody {
    pub(super) fn code(&self) -> PurposeCode {
        self.code
    }

    pub(super) fn for_vault(&self) -> ApiResult<vault_client::Purpose> {
        let purpose = ledger::Purpose {
            code: self.code,
            text: self.text.clone(),
        };
        purpose
            .check()
            .map_err(|error| ApiError::new(ErrorCode::PurposeRequired, error.to_string()).at("/purpose/text"))?;
        Ok(vault_client::Purpose {
            code: purpose.code,
            text: Personal::new(purpose.text),
        })
    }
}

#[derive(Serialize, ToSchema)]
pub struct RevealView {
    #[schema(value_type = Object)]
    pub fields: Map<String, Value>,
    pub identifiers: Vec<IdentifierView>,
    /// The entry that records this.
    pub ledger_seq: u64,
}

#[derive(Serialize, ToSchema)]
pub struct IdentifierView {
    /// `user` or `device`.
    pub kind: &'static str,
    pub value: String,
}

/// Who a person is. Needs a purpose, and is recorded in the vault's ledger and in the owner's.
#[utoipa::path(post, operation_id = "reveal", path = "/api/v1/projects/{project}/people/{person}/reveal", tag = "people", request_body = RevealBody,
    params(("project" = u32, Path), ("person" = u64, Path)), responses((status = 200, body = RevealView)))]
pub async fn reveal(
    State(app): State<Shared>,
    place: InProject,
    Path((_, number)): Path<(u32, u64)>,
    JsonBody(body): JsonBody<RevealBody>,
) -> ApiResult<Json<RevealView>> {
    let person = app.store.snapshot(place.project.id).canonical(PersonNumber(number));
    let code = body.purpose.code;
    let mut asker = place.caller.asker(place.project.id, "reveal");
    if asker.clearance < Class::D3 {
        return Err(ApiError::new(
            ErrorCode::Forbidden,
            "this sign-in may not learn who a person is",
        ));
    }
    asker.purpose = Some(code);
    let request = RevealRequest {
        project: place.project.id,
        person,
        fields: None,
        asker: place.caller.vault_asker()?,
        purpose: body.purpose.for_vault()?,
    };
    let vault = app.vault.clone();
    let revealed = blocking(move || Ok(vault.reveal(&request)?)).await?;
    let mut fields: BTreeSet<String> = revealed.fields.iter().map(|(name, _)| name.clone()).collect();
    fields.extend(revealed.identifiers.iter().map(|(kind, _)| kind.as_str().to_owned()));
    let question_digest = digest_of(&json!({ "reveal": person.0, "project": place.project.id.0 }));
    let disclosure = Disclosure {
        class: Class::D3,
        persons: [person.0].into_iter().collect(),
        fields,
        question_digest,
    };
    let (revealed, ledger_seq) = release(&app, Undisclosed::new(revealed, disclosure), asker).await?;
    let field = |(name, json): (String, Personal)| (name, serde_json::from_str(json.expose()).unwrap_or(Value::Null));
    Ok(Json(RevealView {
        fields: revealed.fields.into_iter().map(field).collect(),
        identifiers: revealed
            .identifiers
            .into_iter()
            .map(|(kind, value)| IdentifierView {
                kind: kind.as_str(),
                value: value.expose().to_owned(),
            })
            .collect(),
        ledger_seq,
    }))
}

#[derive(Deserialize, ToSchema)]
pub struct LookupBody {
    /// A user id, a device id or an e-mail address.
    identifier: String,
    purpose: PurposeBody,
}

#[derive(Serialize, ToSchema)]
pub struct LookupView {
    pub person: Option<u64>,
}

/// Which person an identifier belongs to. A miss is an answer too, and recorded.
#[utoipa::path(post, operation_id = "lookup", path = "/api/v1/projects/{project}/lookup", tag = "people", request_body = LookupBody,
    params(("project" = u32, Path)), responses((status = 200, body = LookupView)))]
pub async fn lookup(
    State(app): State<Shared>,
    place: InProject,
    JsonBody(body): JsonBody<LookupBody>,
) -> ApiResult<Json<LookupView>> {
    place.caller.require_scope(SCOPE_LOOKUP)?;
    let mut asker = place.caller.asker(place.project.id, "lookup");
    asker.purpose = Some(body.purpose.code);
    let request = LookupRequest {
        project: place.project.id,
        identifier: Personal::new(body.identifier),
        asker: place.caller.vault_asker()?,
        purpose: body.purpose.for_vault()?,
    };
    let vault = app.vault.clone();
    let found = blocking(move || Ok(vault.lookup(&request)?)).await?;
    let disclosure = Disclosure {
        class: Class::D3,
        persons: found.iter().map(|person| person.0).collect(),
        fields: BTreeSet::from(["identifier".to_owned()]),
        // The identifier stays out of the digest: a digest of a guessable value is the value.
        question_digest: digest_of(&json!({ "lookup": place.project.id.0, "asked_ms": now().0 })),
    };
    let (found, _) = release(&app, Undisclosed::new(found, disclosure), asker).await?;
    Ok(Json(LookupView {
        person: found.map(|person| person.0),
    }))
}
