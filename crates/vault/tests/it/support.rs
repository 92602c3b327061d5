//! A vault in a temporary folder, and short ways to ask it.

use model::{BatchId, FeedEntry, FeedItem, PersonNumber, ProjectId, PurposeCode};
use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;
use vault::clock::{Clock, SetClock};
use vault::{RootSource, Vault, VaultOptions, VaultServeError, init};
use vault_client::protocol::{Reply, Request};
use vault_client::{
    Asker, FieldOp, FieldWrite, LookupRequest, Personal, Purpose, Reference, ResolveReply, ResolveRequest,
    RevealRequest, Revealed, Role, SecretText, Tuple, VaultError, WriteSubject,
};

pub const PROJECT: ProjectId = ProjectId(1);
pub const START_MS: i64 = 1_700_000_000_000;

pub struct World {
    pub folder: tempfile::TempDir,
    pub clock: Arc<SetClock>,
    pub options: VaultOptions,
    vault: Option<Vault>,
    next_batch: Cell<u128>,
}

impl World {
    pub fn new() -> World {
        World::with_index(1000)
    }

    /// A vault whose index in RAM holds so many identities.
    pub fn with_index(index_entries_max: usize) -> World {
        let folder = quick_folder();
        init(folder.path(), &RootSource::File(None)).unwrap();
        let clock = Arc::new(SetClock::new(START_MS));
        let mut options = VaultOptions::new(
            folder.path(),
            folder.path().join("run/vault.sock"),
            RootSource::File(None),
        );
        options.clock = Arc::clone(&clock) as Arc<dyn Clock>;
        options.index_entries_max = index_entries_max;
        let vault = Some(Vault::open(&options).unwrap());
        let world = World {
            folder,
            clock,
            options,
            vault,
            next_batch: Cell::new(1),
        };
        world.ask(Request::CreateProject(PROJECT)).unwrap();
        world
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn vault(&self) -> &Vault {
        self.vault.as_ref().unwrap()
    }

    pub fn close(&mut self) {
        self.vault = None;
    }

    pub fn open(&mut self) -> Result<(), VaultServeError> {
        self.vault = Some(Vault::open(&self.options)?);
        Ok(())
    }

    pub fn restart(&mut self) {
        self.close();
        self.open().unwrap();
    }

    /// Changes `vault.db` while the vault is closed, as somebody with the disk could.
    pub fn tamper(&mut self, statements: &str) {
        self.close();
        let connection = rusqlite::Connection::open(self.path().join("vault.db")).unwrap();
        connection.execute_batch(statements).unwrap();
    }

    pub fn ask(&self, request: Request) -> Result<Reply, VaultError> {
        self.vault().answer(request)
    }

    pub fn new_batch(&self) -> BatchId {
        self.next_batch.set(self.next_batch.get() + 1);
        BatchId(self.next_batch.get().to_le_bytes())
    }

    pub fn request(&self, ids: Vec<Tuple>) -> ResolveRequest {
        ResolveRequest {
            project: PROJECT,
            batch_id: self.new_batch(),
            received_ms: START_MS,
            deadline_ms: 0,
            have_feed: 0,
            ids,
            refs: vec![],
            writes: vec![],
        }
    }

    pub fn try_resolve(&self, request: ResolveRequest) -> Result<ResolveReply, VaultError> {
        self.ask(Request::Resolve(request)).map(|reply| match reply {
            Reply::Resolved(resolved) => resolved,
            _ => panic!("another answer"),
        })
    }

    pub fn resolve(&self, request: ResolveRequest) -> ResolveReply {
        self.try_resolve(request).unwrap()
    }

    /// The number of one tuple in a batch of its own.
    pub fn number(&self, tuple: Tuple) -> u64 {
        self.resolve(self.request(vec![tuple])).ids[0].person.0
    }

    pub fn feed(&self) -> Vec<FeedEntry> {
        match self
            .ask(Request::FeedSince {
                project: PROJECT,
                seq: 0,
            })
            .unwrap()
        {
            Reply::Feed { items, more: false } => entries(&items),
            _ => panic!("another answer"),
        }
    }

    pub fn persons(&self) -> u64 {
        match self.ask(Request::Hello).unwrap() {
            Reply::Hello(hello) => hello.projects[0].next_person - 1,
            _ => panic!("another answer"),
        }
    }

    pub fn group(&self, key: &str, value: &str) -> u64 {
        let mut request = self.request(vec![]);
        request.refs = vec![reference(key, value)];
        self.resolve(request).refs[0].0
    }

    /// Sets fields of a person who is named by one id, as a profile update does.
    pub fn write(&self, subject: Tuple, writes: &[(FieldOp, &str, Option<&str>)]) -> u64 {
        let mut request = self.request(vec![Tuple {
            profile: true,
            ..subject
        }]);
        request.writes = writes
            .iter()
            .map(|(op, field, value)| write(*op, field, *value))
            .collect();
        self.resolve(request).ids[0].person.0
    }

    pub fn reveal_as(&self, person: u64, asker: Asker) -> Result<Revealed, VaultError> {
        let request = RevealRequest {
            project: PROJECT,
            person: PersonNumber(person),
            fields: None,
            asker,
            purpose: purpose(),
        };
        self.ask(Request::Reveal(request)).map(|reply| match reply {
            Reply::Revealed(revealed) => revealed,
            _ => panic!("another answer"),
        })
    }

    pub fn reveal(&self, person: u64) -> Result<Revealed, VaultError> {
        self.reveal_as(person, robot())
    }

    /// The identifying fields of a person as `name=json`, sorted.
    pub fn fields(&self, person: u64) -> Vec<String> {
        let revealed = self.reveal(person).unwrap();
        revealed
            .fields
            .iter()
            .map(|(name, value)| format!("{name}={}", value.expose()))
            .collect()
    }

    pub fn identifiers(&self, person: u64) -> Vec<String> {
        let mut found: Vec<String> = self
            .reveal(person)
            .unwrap()
            .identifiers
            .iter()
            .map(|(_, text)| text.expose().to_owned())
            .collect();
        found.sort();
        found
    }

    pub fn lookup(&self, identifier: &str) -> Option<u64> {
        let request = LookupRequest {
            project: PROJECT,
            identifier: Personal::new(identifier),
            asker: robot(),
            purpose: purpose(),
        };
        match self.ask(Request::Lookup(request)).unwrap() {
            Reply::Person(person) => person.map(|person| person.0),
            _ => panic!("another answer"),
        }
    }

    /// A session of a new account with this role.
    pub fn session(&self, role: Role) -> SecretText {
        let email = Personal::new(format!("{}@staff.example", role.as_str()));
        let Reply::Account(Some(account)) = self.ask(Request::CreateAccount { email, role }).unwrap() else {
            panic!("another answer")
        };
        let Reply::Secret(Some(code)) = self.ask(Request::CreateLoginLink(account)).unwrap() else {
            panic!("another answer")
        };
        match self.ask(Request::SignIn(code)).unwrap() {
            Reply::SignedIn(Some(signed_in)) => signed_in.secret,
            _ => panic!("not signed in"),
        }
    }
}

/// In memory where there is such a place: these tests are about what is written, not about when it reaches a disk,
/// and they make some ten thousand commits.
pub fn quick_folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap()
}

pub fn entries(items: &[FeedItem]) -> Vec<FeedEntry> {
    items.iter().map(|item| item.entry.clone()).collect()
}

pub fn purpose() -> Purpose {
    Purpose {
        code: PurposeCode::Support,
        text: Personal::new("Ticket of a customer who called"),
    }
}

pub fn robot() -> Asker {
    Asker::ServiceAccount("robot".into())
}

pub fn device(text: &str) -> Tuple {
    Tuple {
        device: Some(Personal::new(text)),
        ..Tuple::default()
    }
}

pub fn user(text: &str) -> Tuple {
    Tuple {
        user: Some(Personal::new(text)),
        ..Tuple::default()
    }
}

pub fn pair(device: &str, user: &str) -> Tuple {
    Tuple {
        device: Some(Personal::new(device)),
        user: Some(Personal::new(user)),
        ..Tuple::default()
    }
}

pub fn reference(key: &str, value: &str) -> Reference {
    Reference {
        key: key.into(),
        value: Personal::new(value),
    }
}

pub fn write(op: FieldOp, field: &str, value: Option<&str>) -> FieldWrite {
    FieldWrite {
        subject: WriteSubject::Id(0),
        op,
        field: field.into(),
        value: value.map(Personal::new),
        time_ms: START_MS,
        event_id: None,
    }
}

pub fn merge(from: u64, into: u64) -> FeedEntry {
    FeedEntry::Merge {
        from: PersonNumber(from),
        into: PersonNumber(into),
    }
}

pub fn reset(person: u64) -> FeedEntry {
    FeedEntry::Reset {
        person: PersonNumber(person),
    }
}
