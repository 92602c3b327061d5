//! What lies in the log: events with person numbers, profile updates, and the identity feed.

use crate::{BatchId, EventTime, GroupNumber, InsertId, PersonNumber, ProjectId, Value};
use serde::{Deserialize, Serialize};

/// One event after decode, firewall, split and resolve. It names nobody.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    pub name: String,
    pub person: PersonNumber,
    pub time: EventTime,
    /// `None`: the client sent none, and the event takes no part in deduplication (contract N7).
    pub insert_id: Option<InsertId>,
    /// Ordinary and reduced properties, unique names, no nulls.
    pub properties: Vec<(String, Value)>,
    /// Values of group keys and reference keys as group numbers: (key name, numbers).
    pub groups: Vec<(String, Vec<GroupNumber>)>,
}

/// Whose profile an update changes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Subject {
    Person(PersonNumber),
    Group { key: String, number: GroupNumber },
}

/// A profile operation on ordinary properties (contract 2.2). Identifying properties go to the vault instead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ProfileOp {
    Set(Vec<(String, Value)>),
    SetOnce(Vec<(String, Value)>),
    Add(Vec<(String, f64)>),
    Append(Vec<(String, Value)>),
    Union(Vec<(String, Vec<Value>)>),
    Remove(Vec<(String, Value)>),
    Unset(Vec<String>),
    /// Recursive object merge, the mobile SDKs' private `$merge`.
    Merge(Vec<(String, Value)>),
    Delete,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProfileUpdate {
    pub subject: Subject,
    pub op: ProfileOp,
    pub time: EventTime,
    /// Whether the update moves `$last_seen` (false with `$ignore_time`).
    pub touches_last_seen: bool,
}

/// One entry of a project's identity feed (secrecy contract, ID-10).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FeedEntry {
    /// All events of `from` belong to `into` from now on, past ones included.
    Merge { from: PersonNumber, into: PersonNumber },
    /// The ordinary profile of the person is emptied (contract S5).
    Reset { person: PersonNumber },
    /// Numbers that were erased; every answer masks them.
    Erase { persons: Vec<PersonNumber> },
    /// Numbers that a restored vault skipped.
    Gap { low: PersonNumber, high: PersonNumber },
}

/// A feed entry at its place in the project's gap-free sequence, which starts at 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedItem {
    pub seq: u64,
    pub entry: FeedEntry,
}

/// The unit of the log: everything one ingestion batch changed, durable as a whole or not at all.
///
/// Feed items take effect first, each once at its first appearance in the log; then profile updates and events in
/// order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub project: ProjectId,
    pub batch_id: BatchId,
    pub received: EventTime,
    pub feed: Vec<FeedItem>,
    pub profiles: Vec<ProfileUpdate>,
    pub events: Vec<Event>,
}
