//! An item of `/engage` or `/groups`, read as profile operations (contract 2.1, 2.2).

use crate::identity::{self, Identity, IdentityFault};
use crate::json::{Json, Members, member, take_member};
use crate::raw_event::AddressHint;
use crate::reply::FailedRecord;
use crate::request::Endpoint;
use crate::time::{client_time, stored_time};
use model::EventTime;
use vault_client::{FieldOp, Personal};

/// Whose profile.
pub enum RawSubject {
    Person { identity: Identity, ignore_alias: bool },
    Group { key: String, id: Personal },
}

/// An element as it came, its operations in the order they apply. No `Debug`.
pub struct RawUpdate {
    pub token: String,
    pub subject: RawSubject,
    pub operations: Vec<(FieldOp, Json)>,
    pub time: EventTime,
    pub touches_last_seen: bool,
    pub address: AddressHint,
    /// `$mp_event_id`: mobile SDKs send an update again after a lost reply, with the same id.
    pub event_id: Option<String>,
    pub faults: Vec<IdentityFault>,
}

/// Wire names in the order in which they apply inside one element (contract P1). `$delete` is looked at before them.
const OPERATIONS: [(&str, FieldOp); 8] = [
    ("$set_once", FieldOp::SetOnce),
    ("$set", FieldOp::Set),
    ("$add", FieldOp::Add),
    ("$append", FieldOp::Append),
    ("$union", FieldOp::Union),
    ("$remove", FieldOp::Remove),
    ("$unset", FieldOp::Unset),
    ("$merge", FieldOp::Merge),
];

pub fn read(item: Json, index: usize, endpoint: Endpoint, received: EventTime) -> Result<RawUpdate, FailedRecord> {
    let failed = |field, message: &str| FailedRecord {
        index,
        insert_id: String::new(),
        field,
        message: message.into(),
    };
    let Json::Object(mut item) = item else {
        return Err(failed("", "data, not an object"));
    };
    let token = take_member(&mut item, "$token")
        .and_then(|token| token.scalar_text())
        .filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| failed("$token", "$token, missing or empty"))?;
    let mut faults = Vec::new();
    let subject = match endpoint {
        Endpoint::Groups => group(&mut item).map_err(|(field, message)| failed(field, message))?,
        _ => person(&mut item, &mut faults).map_err(|(field, message)| failed(field, message))?,
    };
    let operations = operations(&mut item);
    if operations.is_empty() {
        return Err(failed(
            "",
            "no operation, one of $set, $set_once, $add, $append, $union, $remove, $unset, $delete is needed",
        ));
    }
    let time = client_time(take_member(&mut item, "$time").as_ref());
    let event_id = match member(&item, "$mp_metadata") {
        Some(Json::Object(metadata)) => member(metadata, "$mp_event_id").and_then(Json::scalar_text),
        _ => None,
    };
    Ok(RawUpdate {
        token,
        subject,
        operations,
        time: stored_time(time, received),
        touches_last_seen: !is_true(member(&item, "$ignore_time")),
        address: AddressHint::read(take_member(&mut item, "$ip")),
        event_id,
        faults,
    })
}

fn person(item: &mut Members, faults: &mut Vec<IdentityFault>) -> Result<RawSubject, (&'static str, &'static str)> {
    let distinct = take_member(item, "$distinct_id");
    if distinct
        .as_ref()
        .and_then(Json::scalar_text)
        .is_none_or(|text| text.is_empty())
    {
        return Err(("$distinct_id", "Engage API error: $distinct_id, missing or empty"));
    }
    let ignore_alias = is_true(member(item, "$ignore_alias"));
    Ok(RawSubject::Person {
        identity: Identity::of_distinct_id(distinct, faults),
        ignore_alias,
    })
}

fn group(item: &mut Members) -> Result<RawSubject, (&'static str, &'static str)> {
    let mut text = |name| {
        take_member(item, name)
            .and_then(|value| value.scalar_text())
            .filter(|text| !text.is_empty())
    };
    let key = text("$group_key").ok_or(("$group_key", "Groups API error: $group_key, missing or empty"))?;
    let id = text("$group_id").ok_or(("$group_id", "Groups API error: $group_id, missing or empty"))?;
    if identity::is_listed(&id) {
        return Err(("$group_id", "Groups API error: $group_id, value is not allowed"));
    }
    Ok(RawSubject::Group {
        key,
        id: Personal::new(id),
    })
}

fn operations(item: &mut Members) -> Vec<(FieldOp, Json)> {
    // Presence decides, whatever the value: null, "", {}, the id and "null" are all in use (contract P4).
    if member(item, "$delete").is_some() {
        return vec![(FieldOp::Delete, Json::Null)];
    }
    OPERATIONS
        .iter()
        .filter_map(|(name, op)| take_member(item, name).map(|argument| (*op, argument)))
        .collect()
}

/// `true`, `"true"` and 1, but not the string `"false"` that Go sends (tricky point 19).
fn is_true(value: Option<&Json>) -> bool {
    match value {
        Some(Json::Bool(flag)) => *flag,
        Some(Json::String(text)) => text.eq_ignore_ascii_case("true") || text == "1",
        Some(number @ Json::Number(_)) => number.as_number() == Some(1.0),
        _ => false,
    }
}
