//! The call of the hot path: identities in, person numbers out (secrecy contract 1.5).

use crate::Personal;
use model::{BatchId, FeedItem, GroupNumber, PersonNumber, ProjectId};
use serde::{Deserialize, Serialize};

/// Everything of one project in one ingestion batch that only the vault may know.
#[derive(Clone)]
pub struct ResolveRequest {
    pub project: ProjectId,
    /// The same id again means the same batch: numbers come back, `writes` are not applied twice.
    pub batch_id: BatchId,
    pub received_ms: i64,
    /// Instant (milliseconds since 1970) after which nobody waits for the reply; 0: the vault's own limit.
    pub deadline_ms: i64,
    /// Highest feed sequence number of the project that the event log holds durably.
    pub have_feed: u64,
    /// Distinct tuples in order of first appearance.
    pub ids: Vec<Tuple>,
    pub refs: Vec<Reference>,
    /// Profile operations on identifying fields, in order.
    pub writes: Vec<FieldWrite>,
}

/// The identities that came with an event or a profile update.
#[derive(Clone, Default)]
pub struct Tuple {
    /// `$device_id`, or a `distinct_id` of the form `$device:…` with the prefix taken off.
    pub device: Option<Personal>,
    pub user: Option<Personal>,
    /// A profile update: resolves like rows 2–5 of the table and never links (ID-8).
    pub profile: bool,
    /// The identity's own number instead of the canonical one (`$ignore_alias`).
    pub ignore_alias: bool,
}

/// A value of a group key or reference key (ID-22).
#[derive(Clone)]
pub struct Reference {
    pub key: String,
    pub value: Personal,
}

/// Whose field is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WriteSubject {
    /// Index into [`ResolveRequest::ids`].
    Id(u32),
    /// Index into [`ResolveRequest::refs`].
    Ref(u32),
}

/// A profile operation (Mixpanel contract 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FieldOp {
    Set,
    SetOnce,
    Add,
    Append,
    Union,
    Remove,
    Unset,
    Merge,
    /// Empties the profile; `field` and `value` are ignored.
    Delete,
}

#[derive(Clone)]
pub struct FieldWrite {
    pub subject: WriteSubject,
    pub op: FieldOp,
    pub field: String,
    /// JSON text; none for `Unset` and `Delete`.
    pub value: Option<Personal>,
    pub time_ms: i64,
    /// `$mp_event_id`: a repeat within seven days is skipped.
    pub event_id: Option<[u8; 16]>,
}

/// Numbers in the order of the request. Never a string.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolveReply {
    pub lineage: u64,
    pub ids: Vec<ResolvedId>,
    pub refs: Vec<GroupNumber>,
    /// Feed entries of the project with a sequence number above `have_feed`, in order, without holes.
    pub feed: Vec<FeedItem>,
    /// There are more; ask `feed_since` with the last one received.
    pub more: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolvedId {
    pub person: PersonNumber,
    /// The number was given by this call.
    pub new: bool,
    /// The device was linked to the user by this call.
    pub linked: bool,
}
