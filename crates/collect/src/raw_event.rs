//! An item of `/track` or `/import`, read as an event (contract 1.4) and held to the rules of 1.3.

use crate::identity::{self, Identity, IdentityFault};
use crate::json::{Json, Members, member, take_member, take_members};
use crate::reply::FailedRecord;
use crate::time::{ClientTime, FUTURE_MS_MAX, client_time, stored_time};
use model::EventTime;

/// Most properties of one event (contract T3).
pub const PROPERTIES_MAX: usize = 255;
/// Largest event as JSON text (T3, I3).
pub const EVENT_BYTES_MAX: usize = 1024 * 1024;
/// Longest `$insert_id` (N7).
const INSERT_ID_BYTES_MAX: usize = 36;

/// An event as it came: identities and address apart, everything else untouched and unchecked. No `Debug`.
pub struct RawEvent {
    pub token: Option<String>,
    pub name: String,
    pub time: EventTime,
    /// The client's own id; it alone takes part in deduplication.
    pub insert_id: Option<String>,
    pub identity: Identity,
    pub faults: Vec<IdentityFault>,
    pub address: AddressHint,
    pub properties: Members,
    /// `$ignore` (N10): accept and forget.
    pub ignored: bool,
}

/// What the item says about the address to locate it by (N13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressHint {
    /// Nothing: the request's address, where the request asks for it.
    Absent,
    /// `0`: do not locate.
    Off,
    Given(std::net::IpAddr),
}

impl AddressHint {
    pub fn read(value: Option<Json>) -> AddressHint {
        match value.and_then(|value| value.scalar_text()) {
            None => AddressHint::Absent,
            // An address that cannot be read is as good as a refusal: not the request's in its place.
            Some(text) => text.trim().parse().map_or(AddressHint::Off, AddressHint::Given),
        }
    }
}

/// How an item is to be judged.
pub struct Rules {
    pub received: EventTime,
    /// Per-record validation of `/import?strict=1`.
    pub strict: bool,
    pub is_import: bool,
    /// Some bytes of the body were not UTF-8.
    pub invalid_utf8: bool,
}

/// Reads one item; `index` and `bytes` are its place and size in the request.
pub fn read(item: Json, index: usize, bytes: usize, rules: &Rules) -> Result<RawEvent, FailedRecord> {
    let Json::Object(mut item) = item else {
        return Err(failed(index, "", "event", "data, not an object"));
    };
    let mut properties = match take_member(&mut item, "properties") {
        Some(Json::Object(properties)) => properties,
        _ => Members::new(),
    };
    let [insert_id, time] = take_members(&mut properties, ["$insert_id", "time"]);
    let insert_id = insert_id.and_then(Json::into_scalar_text);
    let name = take_member(&mut item, "event")
        .and_then(Json::into_scalar_text)
        .unwrap_or_default();
    let time = client_time(time.as_ref());
    let broken = Judged {
        name: &name,
        time,
        insert_id: insert_id.as_deref(),
        properties: &properties,
        bytes,
    };
    if let Some((field, message)) = broken.fault(rules) {
        return Err(failed(index, insert_id.as_deref().unwrap_or(""), field, message));
    }
    let mut faults = Vec::new();
    let identity = Identity::of_event(&mut properties, &mut faults);
    let insert_id = insert_id
        .or_else(|| mobile_event_id(&item))
        .filter(|id| !identity::is_listed(id));
    let [token, ignored, address] = take_members(&mut properties, ["token", "$ignore", "ip"]);
    let token = token.and_then(Json::into_scalar_text);
    let ignored = match ignored {
        Some(Json::Bool(flag)) => flag,
        Some(Json::String(text)) => !text.is_empty(),
        _ => false,
    };
    Ok(RawEvent {
        token: token.filter(|token| !token.is_empty()),
        name,
        time: stored_time(time, rules.received),
        insert_id,
        identity,
        faults,
        address: AddressHint::read(address),
        properties,
        ignored,
    })
}

/// Swift, ObjC and Android retry at least once and send no `$insert_id`, but this beside the event (N8).
fn mobile_event_id(item: &Members) -> Option<String> {
    match member(item, "$mp_metadata") {
        Some(Json::Object(metadata)) => member(metadata, "$mp_event_id")?.scalar_text(),
        _ => None,
    }
}

fn failed(index: usize, insert_id: &str, field: &'static str, message: impl Into<String>) -> FailedRecord {
    FailedRecord {
        index,
        insert_id: insert_id.chars().take(64).collect(),
        field,
        message: message.into(),
    }
}

struct Judged<'a> {
    name: &'a str,
    time: ClientTime,
    insert_id: Option<&'a str>,
    properties: &'a Members,
    bytes: usize,
}

impl Judged<'_> {
    fn fault(&self, rules: &Rules) -> Option<(&'static str, String)> {
        if self.name.trim().is_empty() {
            let message = if rules.is_import {
                "'event' must not be missing or blank"
            } else {
                "event, missing"
            };
            return Some(("event", message.into()));
        }
        if self.bytes > EVENT_BYTES_MAX {
            return Some((
                "",
                format!("event is {} bytes; the limit is {EVENT_BYTES_MAX}", self.bytes),
            ));
        }
        if !rules.strict {
            return None;
        }
        self.time_fault(rules)
            .or_else(|| self.insert_id_fault())
            .or_else(|| self.property_fault(rules))
    }

    fn time_fault(&self, rules: &Rules) -> Option<(&'static str, String)> {
        let what = match self.time {
            ClientTime::Missing => "must not be missing",
            ClientTime::Invalid => "must be specified as seconds since epoch",
            ClientTime::At(time) if time.0 > rules.received.0 + FUTURE_MS_MAX => "must not be in the future",
            ClientTime::At(_) => return None,
        };
        Some(("properties.time", format!("'properties.time' is invalid: {what}")))
    }

    fn insert_id_fault(&self) -> Option<(&'static str, String)> {
        let what = match self.insert_id {
            None => "must not be missing",
            Some(id) if identity::is_listed(id) => "value is not allowed",
            Some(id) if id.len() > INSERT_ID_BYTES_MAX => "must be at most 36 bytes",
            Some(id) if !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') => {
                "must only contain alphanumeric or hyphen '-' characters"
            }
            Some(_) => return None,
        };
        Some(("$insert_id", format!("'$insert_id' is invalid: {what}")))
    }

    fn property_fault(&self, rules: &Rules) -> Option<(&'static str, String)> {
        // A simplified-identity project takes events without `distinct_id` (I11), but not with one that means nothing.
        let distinct = member(self.properties, "distinct_id").and_then(Json::scalar_text);
        if distinct.is_some_and(|text| identity::is_listed(&text)) {
            return Some((
                "properties.distinct_id",
                "'properties.distinct_id' is invalid: value is not allowed".into(),
            ));
        }
        if self.properties.len() > PROPERTIES_MAX {
            return Some((
                "properties",
                format!("'properties' is invalid: more than {PROPERTIES_MAX} properties"),
            ));
        }
        // The name of the property is not repeated: it may be what should not be seen.
        let broken = rules.invalid_utf8
            && self
                .properties
                .iter()
                .any(|(_, value)| value.as_str().is_some_and(|text| text.contains('\u{fffd}')));
        broken.then(|| {
            (
                "properties",
                "properties is invalid: string should be valid utf8".into(),
            )
        })
    }
}
