//! The only place where identities become bytes.
//!
//! Each silent type of the public API has a mirror here that borrows its text and can be serialised. The mirrors are
//! private to the crate, so no other crate can hand a request to a logger or a JSON writer by accident. Bodies are
//! [postcard](https://docs.rs/postcard): the order of fields and variants *is* the format; append, never reorder.

use crate::{
    Asker, FieldOp, FieldWrite, Hello, IdentityKind, LookupRequest, Personal, Purpose, PurposeCode, Reference,
    ResolveReply, ResolveRequest, RevealRequest, Revealed, Role, SecretText, Session, SignedIn, Tuple, WriteSubject,
};
use model::{AccountNumber, BatchId, ErrorCode, FeedItem, GroupNumber, PersonNumber, ProjectId};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub(crate) enum WireRequest<'a> {
    Hello,
    CreateProject(ProjectId),
    DedupKey(ProjectId),
    #[serde(borrow)]
    Resolve(WireResolve<'a>),
    FeedSince(ProjectId, u64),
    CreateAccount(&'a str, Role),
    CreateLoginLink(AccountNumber),
    OwnerAccount,
    SignIn(&'a str),
    CheckSession(&'a str),
    EndSession(&'a str),
    Reveal(WireReveal<'a>),
    Lookup(WireLookup<'a>),
    GroupLabels(WireGroupLabels<'a>),
    PseudonymKey(ProjectId, &'a str),
    PutSecret(ProjectId, &'a str, &'a str),
    Secret(ProjectId, &'a str),
}

#[derive(Serialize, Deserialize)]
pub(crate) enum WireReply<'a> {
    Done,
    Hello(Hello),
    Key32([u8; 32]),
    /// 64 bytes in two halves: serde's arrays end at 32.
    Key64([u8; 32], [u8; 32]),
    Resolved(ResolveReply),
    Feed {
        items: Vec<FeedItem>,
        more: bool,
    },
    Account(Option<AccountNumber>),
    #[serde(borrow)]
    Secret(Option<&'a str>),
    SignedIn(Option<(&'a str, Session)>),
    Session(Option<Session>),
    Revealed(WireRevealed<'a>),
    Person(Option<PersonNumber>),
    Labels(Vec<Option<&'a str>>),
}

#[derive(Serialize, Deserialize)]
pub(crate) struct WireRefusal {
    pub overloaded: bool,
    pub code: ErrorCode,
    pub message: String,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct WireResolve<'a> {
    project: ProjectId,
    batch_id: BatchId,
    received_ms: i64,
    deadline_ms: i64,
    have_feed: u64,
    #[serde(borrow)]
    ids: Vec<WireTuple<'a>>,
    refs: Vec<(&'a str, &'a str)>,
    writes: Vec<WireWrite<'a>>,
}

#[derive(Serialize, Deserialize)]
struct WireTuple<'a> {
    device: Option<&'a str>,
    user: Option<&'a str>,
    profile: bool,
    ignore_alias: bool,
}

#[derive(Serialize, Deserialize)]
struct WireWrite<'a> {
    subject: WriteSubject,
    op: FieldOp,
    field: &'a str,
    value: Option<&'a str>,
    time_ms: i64,
    event_id: Option<[u8; 16]>,
}

#[derive(Serialize, Deserialize)]
enum WireAsker<'a> {
    Session(&'a str),
    ServiceAccount(&'a str),
}

#[derive(Serialize, Deserialize)]
pub(crate) struct WireReveal<'a> {
    project: ProjectId,
    person: PersonNumber,
    #[serde(borrow)]
    fields: Option<Vec<&'a str>>,
    asker: WireAsker<'a>,
    purpose: (PurposeCode, &'a str),
}

#[derive(Serialize, Deserialize)]
pub(crate) struct WireLookup<'a> {
    project: ProjectId,
    identifier: &'a str,
    #[serde(borrow)]
    asker: WireAsker<'a>,
    purpose: (PurposeCode, &'a str),
}

#[derive(Serialize, Deserialize)]
pub(crate) struct WireGroupLabels<'a> {
    project: ProjectId,
    key: &'a str,
    numbers: Vec<GroupNumber>,
    #[serde(borrow)]
    asker: WireAsker<'a>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct WireRevealed<'a> {
    #[serde(borrow)]
    fields: Vec<(&'a str, &'a str)>,
    identifiers: Vec<(IdentityKind, &'a str)>,
    ledger_seq: u64,
}

impl<'a> From<&'a ResolveRequest> for WireResolve<'a> {
    fn from(request: &'a ResolveRequest) -> Self {
        WireResolve {
            project: request.project,
            batch_id: request.batch_id,
            received_ms: request.received_ms,
            deadline_ms: request.deadline_ms,
            have_feed: request.have_feed,
            ids: request.ids.iter().map(WireTuple::from).collect(),
            refs: request
                .refs
                .iter()
                .map(|r| (r.key.as_str(), r.value.expose()))
                .collect(),
            writes: request.writes.iter().map(WireWrite::from).collect(),
        }
    }
}

impl<'a> From<&'a Tuple> for WireTuple<'a> {
    fn from(tuple: &'a Tuple) -> Self {
        WireTuple {
            device: tuple.device.as_ref().map(Personal::expose),
            user: tuple.user.as_ref().map(Personal::expose),
            profile: tuple.profile,
            ignore_alias: tuple.ignore_alias,
        }
    }
}

impl<'a> From<&'a FieldWrite> for WireWrite<'a> {
    fn from(write: &'a FieldWrite) -> Self {
        WireWrite {
            subject: write.subject,
            op: write.op,
            field: &write.field,
            value: write.value.as_ref().map(Personal::expose),
            time_ms: write.time_ms,
            event_id: write.event_id,
        }
    }
}

impl<'a> From<&'a Asker> for WireAsker<'a> {
    fn from(asker: &'a Asker) -> Self {
        match asker {
            Asker::Session(secret) => WireAsker::Session(secret.expose()),
            Asker::ServiceAccount(name) => WireAsker::ServiceAccount(name),
        }
    }
}

impl<'a> From<&'a RevealRequest> for WireReveal<'a> {
    fn from(request: &'a RevealRequest) -> Self {
        WireReveal {
            project: request.project,
            person: request.person,
            fields: request
                .fields
                .as_ref()
                .map(|names| names.iter().map(String::as_str).collect()),
            asker: WireAsker::from(&request.asker),
            purpose: (request.purpose.code, request.purpose.text.expose()),
        }
    }
}

impl<'a> From<&'a LookupRequest> for WireLookup<'a> {
    fn from(request: &'a LookupRequest) -> Self {
        WireLookup {
            project: request.project,
            identifier: request.identifier.expose(),
            asker: WireAsker::from(&request.asker),
            purpose: (request.purpose.code, request.purpose.text.expose()),
        }
    }
}

impl<'a> WireGroupLabels<'a> {
    pub(crate) fn new(project: ProjectId, key: &'a str, numbers: &[GroupNumber], asker: &'a Asker) -> Self {
        WireGroupLabels {
            project,
            key,
            numbers: numbers.to_vec(),
            asker: WireAsker::from(asker),
        }
    }
}

impl<'a> From<&'a Revealed> for WireRevealed<'a> {
    fn from(revealed: &'a Revealed) -> Self {
        WireRevealed {
            fields: revealed
                .fields
                .iter()
                .map(|(name, value)| (name.as_str(), value.expose()))
                .collect(),
            identifiers: revealed
                .identifiers
                .iter()
                .map(|(kind, value)| (*kind, value.expose()))
                .collect(),
            ledger_seq: revealed.ledger_seq,
        }
    }
}

impl WireResolve<'_> {
    pub(crate) fn into_owned(self) -> ResolveRequest {
        ResolveRequest {
            project: self.project,
            batch_id: self.batch_id,
            received_ms: self.received_ms,
            deadline_ms: self.deadline_ms,
            have_feed: self.have_feed,
            ids: self.ids.into_iter().map(WireTuple::into_owned).collect(),
            refs: self
                .refs
                .into_iter()
                .map(|(key, value)| Reference {
                    key: key.to_owned(),
                    value: Personal::new(value),
                })
                .collect(),
            writes: self.writes.into_iter().map(WireWrite::into_owned).collect(),
        }
    }
}

impl WireTuple<'_> {
    fn into_owned(self) -> Tuple {
        Tuple {
            device: self.device.map(Personal::new),
            user: self.user.map(Personal::new),
            profile: self.profile,
            ignore_alias: self.ignore_alias,
        }
    }
}

impl WireWrite<'_> {
    fn into_owned(self) -> FieldWrite {
        FieldWrite {
            subject: self.subject,
            op: self.op,
            field: self.field.to_owned(),
            value: self.value.map(Personal::new),
            time_ms: self.time_ms,
            event_id: self.event_id,
        }
    }
}

impl WireAsker<'_> {
    fn into_owned(self) -> Asker {
        match self {
            WireAsker::Session(secret) => Asker::Session(SecretText::new(secret)),
            WireAsker::ServiceAccount(name) => Asker::ServiceAccount(name.to_owned()),
        }
    }
}

fn purpose_into_owned((code, text): (PurposeCode, &str)) -> Purpose {
    Purpose {
        code,
        text: Personal::new(text),
    }
}

impl WireReveal<'_> {
    pub(crate) fn into_owned(self) -> RevealRequest {
        RevealRequest {
            project: self.project,
            person: self.person,
            fields: self.fields.map(|names| names.into_iter().map(str::to_owned).collect()),
            asker: self.asker.into_owned(),
            purpose: purpose_into_owned(self.purpose),
        }
    }
}

impl WireLookup<'_> {
    pub(crate) fn into_owned(self) -> LookupRequest {
        LookupRequest {
            project: self.project,
            identifier: Personal::new(self.identifier),
            asker: self.asker.into_owned(),
            purpose: purpose_into_owned(self.purpose),
        }
    }
}

impl WireGroupLabels<'_> {
    pub(crate) fn into_owned(self) -> (ProjectId, String, Vec<GroupNumber>, Asker) {
        (self.project, self.key.to_owned(), self.numbers, self.asker.into_owned())
    }
}

impl WireRevealed<'_> {
    pub(crate) fn into_owned(self) -> Revealed {
        Revealed {
            fields: self
                .fields
                .into_iter()
                .map(|(name, value)| (name.to_owned(), Personal::new(value)))
                .collect(),
            identifiers: self
                .identifiers
                .into_iter()
                .map(|(kind, value)| (kind, Personal::new(value)))
                .collect(),
            ledger_seq: self.ledger_seq,
        }
    }
}

pub(crate) fn signed_in_into_owned((secret, session): (&str, Session)) -> SignedIn {
    SignedIn {
        secret: SecretText::new(secret),
        session,
    }
}
