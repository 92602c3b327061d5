//! The calls, one method each.

use crate::connection::Pool;
use crate::protocol::{self, Reply};
use crate::wire::{WireGroupLabels, WireRequest};
use crate::{
    Asker, LookupRequest, Personal, ResolveReply, ResolveRequest, RevealRequest, Revealed, Role, SecretText, Session,
    SignedIn, Tier, VaultError,
};
use model::{AccountNumber, FeedItem, GroupNumber, PersonNumber, ProjectId};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Longest wait for a reply to a call without a deadline of its own.
const REPLY_TIMEOUT: Duration = Duration::from_secs(30);
/// How much longer than the deadline of a resolve its reply is waited for: the vault sheds late calls itself and says
/// so, which is worth more than a broken connection.
const DEADLINE_SLACK: Duration = Duration::from_millis(500);

/// What a vault says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    pub vault_id: [u8; 16],
    /// Changes with every restore; numbers cached under another lineage are void (ID-12).
    pub lineage: u64,
    pub tier: Tier,
    pub projects: Vec<ProjectHello>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectHello {
    pub project: ProjectId,
    /// The number that the next new person gets.
    pub next_person: u64,
    /// Sequence number of the latest feed entry; 0 when there is none.
    pub feed_seq: u64,
}

/// The vault, seen from another process. Blocking, thread-safe, cheap to clone; connects when first asked and again
/// whenever the vault was restarted.
#[derive(Clone)]
pub struct Client {
    pool: Arc<Pool>,
}

impl Client {
    pub fn new(socket: impl Into<PathBuf>) -> Client {
        Client {
            pool: Arc::new(Pool::new(socket.into())),
        }
    }

    pub fn hello(&self) -> Result<Hello, VaultError> {
        match self.ask(&WireRequest::Hello)? {
            Reply::Hello(hello) => Ok(hello),
            _ => Err(unexpected()),
        }
    }

    /// Makes a project with its keys; one that exists is left as it is.
    pub fn create_project(&self, project: ProjectId) -> Result<(), VaultError> {
        done(self.ask(&WireRequest::CreateProject(project))?)
    }

    /// `K_dedup`: the key under which `$insert_id`s are digested.
    pub fn dedup_key(&self, project: ProjectId) -> Result<[u8; 32], VaultError> {
        match self.ask(&WireRequest::DedupKey(project))? {
            Reply::Key32(key) => Ok(*key),
            _ => Err(unexpected()),
        }
    }

    /// Identities to numbers; see [`ResolveRequest`].
    pub fn resolve(&self, request: &ResolveRequest) -> Result<ResolveReply, VaultError> {
        let body = protocol::encode_request(&WireRequest::Resolve(request.into()))?;
        match self.pool.call(body, wait_for(request.deadline_ms), true)? {
            Reply::Resolved(resolved) => Ok(resolved),
            _ => Err(unexpected()),
        }
    }

    /// All feed entries of the project with a sequence number above `seq`, fetched page by page.
    pub fn feed_since(&self, project: ProjectId, seq: u64) -> Result<Vec<FeedItem>, VaultError> {
        let mut all: Vec<FeedItem> = Vec::new();
        loop {
            let from = all.last().map_or(seq, |item| item.seq);
            let Reply::Feed { items, more } = self.ask(&WireRequest::FeedSince(project, from))? else {
                return Err(unexpected());
            };
            let progressed = !items.is_empty();
            all.extend(items);
            if !more {
                return Ok(all);
            }
            if !progressed {
                return Err(VaultError::Protocol(
                    "an empty page of the feed promised more".to_owned(),
                ));
            }
        }
    }

    pub fn create_account(&self, email: &Personal, role: Role) -> Result<AccountNumber, VaultError> {
        match self.ask_once(&WireRequest::CreateAccount(email.expose(), role))? {
            Reply::Account(Some(account)) => Ok(account),
            _ => Err(unexpected()),
        }
    }

    /// A one-time code for the account: 256 bits, 60 minutes. The vault keeps its digest only.
    pub fn create_login_link(&self, account: AccountNumber) -> Result<SecretText, VaultError> {
        match self.ask_once(&WireRequest::CreateLoginLink(account))? {
            Reply::Secret(Some(code)) => Ok(code),
            _ => Err(unexpected()),
        }
    }

    /// The first owner there is.
    pub fn owner_account(&self) -> Result<Option<AccountNumber>, VaultError> {
        match self.ask(&WireRequest::OwnerAccount)? {
            Reply::Account(account) => Ok(account),
            _ => Err(unexpected()),
        }
    }

    /// Spends a one-time code. `None`: unknown, spent or too old.
    pub fn sign_in(&self, code: &SecretText) -> Result<Option<SignedIn>, VaultError> {
        match self.ask_once(&WireRequest::SignIn(code.expose()))? {
            Reply::SignedIn(signed_in) => Ok(signed_in),
            _ => Err(unexpected()),
        }
    }

    /// The session behind a secret, if it is valid now. Asking counts as use and moves its idle limit.
    pub fn check_session(&self, secret: &SecretText) -> Result<Option<Session>, VaultError> {
        match self.ask(&WireRequest::CheckSession(secret.expose()))? {
            Reply::Session(session) => Ok(session),
            _ => Err(unexpected()),
        }
    }

    pub fn end_session(&self, secret: &SecretText) -> Result<(), VaultError> {
        done(self.ask(&WireRequest::EndSession(secret.expose()))?)
    }

    /// Identifying fields and identifiers of one person. Recorded in the vault's ledger before it returns.
    pub fn reveal(&self, request: &RevealRequest) -> Result<Revealed, VaultError> {
        match self.ask_once(&WireRequest::Reveal(request.into()))? {
            Reply::Revealed(revealed) => Ok(revealed),
            _ => Err(unexpected()),
        }
    }

    /// The person behind an identifier. Recorded, hit or miss.
    pub fn lookup(&self, request: &LookupRequest) -> Result<Option<PersonNumber>, VaultError> {
        match self.ask_once(&WireRequest::Lookup(request.into()))? {
            Reply::Person(person) => Ok(person),
            _ => Err(unexpected()),
        }
    }

    /// The strings behind group numbers, in order; `None` where there is no such group. Recorded, so it has an asker.
    pub fn group_labels(
        &self,
        project: ProjectId,
        key: &str,
        numbers: &[GroupNumber],
        asker: &Asker,
    ) -> Result<Vec<Option<Personal>>, VaultError> {
        let request = WireGroupLabels::new(project, key, numbers, asker);
        match self.ask_once(&WireRequest::GroupLabels(request))? {
            Reply::Labels(labels) => Ok(labels),
            _ => Err(unexpected()),
        }
    }

    /// The key of one stream of pseudonyms: `HKDF(K_export[project], "s" ‖ stream)`.
    pub fn pseudonym_key(&self, project: ProjectId, stream: &str) -> Result<[u8; 64], VaultError> {
        match self.ask(&WireRequest::PseudonymKey(project, stream))? {
            Reply::Key64(key) => Ok(*key),
            _ => Err(unexpected()),
        }
    }

    /// Seals a text under a name, in place of the one that was there.
    pub fn put_secret(&self, project: ProjectId, name: &str, text: &SecretText) -> Result<(), VaultError> {
        done(self.ask(&WireRequest::PutSecret(project, name, text.expose()))?)
    }

    pub fn secret(&self, project: ProjectId, name: &str) -> Result<Option<SecretText>, VaultError> {
        match self.ask(&WireRequest::Secret(project, name))? {
            Reply::Secret(text) => Ok(text),
            _ => Err(unexpected()),
        }
    }

    /// A call whose repetition changes nothing.
    fn ask(&self, request: &WireRequest<'_>) -> Result<Reply, VaultError> {
        self.pool.call(protocol::encode_request(request)?, REPLY_TIMEOUT, true)
    }

    /// A call that must not be repeated by itself.
    fn ask_once(&self, request: &WireRequest<'_>) -> Result<Reply, VaultError> {
        self.pool.call(protocol::encode_request(request)?, REPLY_TIMEOUT, false)
    }
}

fn done(reply: Reply) -> Result<(), VaultError> {
    match reply {
        Reply::Done => Ok(()),
        _ => Err(unexpected()),
    }
}

fn unexpected() -> VaultError {
    VaultError::Protocol("an answer of another kind".to_owned())
}

fn wait_for(deadline_ms: i64) -> Duration {
    if deadline_ms == 0 {
        return REPLY_TIMEOUT;
    }
    let now_ms = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| d.as_millis() as i64);
    let left = Duration::from_millis(deadline_ms.saturating_sub(now_ms).max(0) as u64);
    (left + DEADLINE_SLACK).min(REPLY_TIMEOUT)
}
