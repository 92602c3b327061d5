//! A data directory, a vault on a thread, a collector between them, and requests as SDKs send them.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type, UInt64Type};
use collect::{Collector, CollectorOptions, Endpoint, IngestReply, IngestRequest, Method, token_digest};
use flate2::{Compression, write::GzEncoder};
use model::{EventTime, ProjectId};
use std::collections::BTreeMap;
use std::io::Write;
use std::net::IpAddr;
use std::thread::JoinHandle;
use store::{Credential, CredentialKind, Project, ScanRequest, Store, StoreOptions};
use vault::{RootSource, Server, Stop, VaultOptions};

/// The clock of every test: 2024-03-09T16:00:00Z.
pub const NOW: EventTime = EventTime(1_710_000_000_000);
pub const B64A: &str = "W3siZXZlbnQiOiJhPj9+IiwicHJvcGVydGllcyI6eyJ0b2tlbiI6IlQiLCJkaXN0aW5jdF9pZCI6InUxIn19XQ==";
pub const B64O: &str = "eyJldmVudCI6ImF+fn4iLCJwcm9wZXJ0aWVzIjp7InRva2VuIjoiVCJ9fQ==";
pub const B64P: &str = "eyIkdG9rZW4iOiJUIiwiJGRpc3RpbmN0X2lkIjoidTEiLCIkc2V0Ijp7InBsYW4iOiJwcm8ifX0=";

pub struct World {
    pub directory: tempfile::TempDir,
    pub store: Store,
    pub vault: vault_client::Client,
    pub collector: Collector,
    pub project: ProjectId,
    server: Option<(Stop, JoinHandle<()>)>,
}

/// An event as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub event: String,
    pub person: u64,
    pub time_ms: i64,
    /// Physical column name → value as text.
    pub properties: BTreeMap<String, String>,
}

impl World {
    pub fn new() -> World {
        World::with_options(CollectorOptions {
            clock: || NOW,
            ..CollectorOptions::default()
        })
    }

    pub fn with_options(options: CollectorOptions) -> World {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::create(StoreOptions {
            background: false,
            ..StoreOptions::new(directory.path().join("data"))
        })
        .unwrap();
        vault::init(&directory.path().join("vault"), &RootSource::File(None)).unwrap();
        let vault = vault_client::Client::new(directory.path().join("run/vault.sock"));
        let collector = Collector::new(store.clone(), vault.clone(), options);
        let mut world = World {
            directory,
            store,
            vault,
            collector,
            project: ProjectId(0),
            server: None,
        };
        world.start_vault();
        world.project = world.add_project("one", "T", "secret", Some(("svc", "pw"))).id;
        world
    }

    pub fn start_vault(&mut self) {
        let root = RootSource::File(None);
        let options = VaultOptions::new(
            self.directory.path().join("vault"),
            self.directory.path().join("run/vault.sock"),
            root,
        );
        let stop = options.stop.clone();
        let server = Server::bind(options).unwrap();
        let thread = std::thread::spawn(move || server.run().unwrap());
        self.server = Some((stop, thread));
    }

    pub fn stop_vault(&mut self) {
        if let Some((stop, thread)) = self.server.take() {
            stop.stop();
            thread.join().unwrap();
        }
    }

    pub fn add_project(&self, name: &str, token: &str, secret: &str, account: Option<(&str, &str)>) -> Project {
        let project = self.store.catalog().create_project(name, "Europe/Paris").unwrap();
        self.vault.create_project(project.id).unwrap();
        let credential = |kind, username: Option<&str>, secret: &str| Credential {
            project: project.id,
            kind,
            username: username.map(str::to_owned),
            digest: token_digest(secret),
            created: NOW,
            scopes: Vec::new(),
        };
        let catalog = self.store.catalog();
        catalog
            .add_credential(credential(CredentialKind::WriteToken, None, token))
            .unwrap();
        catalog
            .add_credential(credential(CredentialKind::ApiSecret, None, secret))
            .unwrap();
        if let Some((username, secret)) = account {
            catalog
                .add_credential(credential(CredentialKind::ServiceAccount, Some(username), secret))
                .unwrap();
        }
        project
    }

    pub fn configure(&self, change: impl FnOnce(&mut store::ProjectSettings)) {
        let mut project = self.store.catalog().project(self.project).unwrap();
        change(&mut project.settings);
        self.store.catalog().update_project(&project).unwrap();
    }

    pub fn send(&self, request: Request) -> IngestReply {
        self.collector.handle(&IngestRequest {
            endpoint: request.endpoint,
            method: request.method,
            query: &request.query,
            content_type: request.content_type.as_deref(),
            content_encoding: request.gzip.then_some("gzip"),
            authorization: request.authorization.as_deref(),
            user_agent: request.user_agent.as_deref(),
            opted_out: request.opted_out,
            peer: request.peer,
            body: &request.body,
        })
    }

    /// Sends JSON to `/track` and expects the plain `1`.
    pub fn track(&self, json: &str) {
        assert_eq!(
            text(&self.send(Request::post(Endpoint::Track, "", json))),
            "1",
            "{json}"
        );
    }

    pub fn engage(&self, json: &str) {
        assert_eq!(
            text(&self.send(Request::post(Endpoint::Engage, "", json))),
            "1",
            "{json}"
        );
    }

    /// All stored events, in order of arrival.
    pub fn rows(&self) -> Vec<Row> {
        self.rows_of(self.project)
    }

    pub fn rows_of(&self, project: ProjectId) -> Vec<Row> {
        let snapshot = self.store.snapshot(project);
        let properties: Vec<String> = snapshot
            .columns()
            .iter()
            .map(|column| column.physical.clone())
            .collect();
        let request = ScanRequest {
            events: None,
            from_ms: 0,
            to_ms: i64::MAX,
            properties: properties.clone(),
            persons: None,
            with_event: true,
            with_seq: true,
            with_insert_id: false,
        };
        let mut rows = Vec::new();
        for partition in 0..snapshot.scan_count() {
            for batch in snapshot.scan(partition, &request).unwrap() {
                let batch = batch.unwrap();
                for at in 0..batch.num_rows() {
                    let column = |name: &str| cell(batch.column_by_name(name).unwrap(), at);
                    let properties = properties
                        .iter()
                        .filter_map(|name| Some((name.clone(), column(name)?)))
                        .collect();
                    let seq: u64 = column("seq").unwrap().parse().unwrap();
                    let row = Row {
                        event: column("event").unwrap(),
                        person: column("person").unwrap().parse().unwrap(),
                        time_ms: column("time").unwrap().parse().unwrap(),
                        properties,
                    };
                    rows.push((seq, row));
                }
            }
        }
        rows.sort_by_key(|(seq, _)| *seq);
        rows.into_iter().map(|(_, row)| row).collect()
    }

    pub fn names(&self) -> Vec<String> {
        self.rows().into_iter().map(|row| row.event).collect()
    }

    /// Ordinary properties of a person's profile as text.
    pub fn profile(&self, person: u64) -> BTreeMap<String, String> {
        let profiles = self.store.snapshot(self.project).profiles();
        let profile = profiles.get(model::PersonNumber(person));
        let properties = profile.map(|profile| profile.properties.clone()).unwrap_or_default();
        properties
            .into_iter()
            .map(|(name, value)| (name, value.to_json().to_string()))
            .collect()
    }

    /// The person behind an identifier, found the way the app does.
    pub fn person(&self, identifier: &str) -> Option<u64> {
        let json = format!(
            r#"[{{"event":"who","properties":{{"token":"T","distinct_id":"{identifier}","$insert_id":"who"}}}}]"#
        );
        self.track(&json);
        self.rows()
            .into_iter()
            .rfind(|row| row.event == "who")
            .map(|row| row.person)
            .filter(|person| *person > 0)
    }

    /// Every byte of the data directory, file by file; the log and whatever was flushed.
    pub fn data_bytes(&self) -> Vec<u8> {
        self.store.flush().unwrap();
        let mut bytes = Vec::new();
        let mut folders = vec![self.directory.path().join("data")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path)
                } else {
                    bytes.extend(std::fs::read(path).unwrap())
                }
            }
        }
        bytes
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop_vault();
    }
}

fn cell(column: &dyn Array, at: usize) -> Option<String> {
    if column.is_null(at) {
        return None;
    }
    Some(match column.data_type() {
        DataType::Dictionary(_, _) => {
            let dictionary = column.as_dictionary::<Int32Type>();
            let key = dictionary.keys().value(at) as usize;
            dictionary.values().as_string::<i32>().value(key).to_owned()
        }
        DataType::Utf8 => column.as_string::<i32>().value(at).to_owned(),
        DataType::Float64 => model::value::number_text(column.as_primitive::<Float64Type>().value(at)),
        DataType::Boolean => column.as_boolean().value(at).to_string(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(at).to_string(),
        DataType::UInt64 => column.as_primitive::<UInt64Type>().value(at).to_string(),
        DataType::List(_) => {
            let list = column.as_list::<i32>().value(at);
            format!("{:?}", list.as_primitive::<UInt64Type>().values().to_vec())
        }
        other => panic!("unexpected column type {other}"),
    })
}

/// A request being put together.
pub struct Request {
    pub endpoint: Endpoint,
    pub method: Method,
    pub query: String,
    pub content_type: Option<String>,
    pub gzip: bool,
    pub authorization: Option<String>,
    pub user_agent: Option<String>,
    pub opted_out: bool,
    pub peer: Option<IpAddr>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn post(endpoint: Endpoint, query: &str, body: impl AsRef<[u8]>) -> Request {
        Request {
            endpoint,
            method: Method::Post,
            query: query.into(),
            content_type: None,
            gzip: false,
            authorization: None,
            user_agent: None,
            opted_out: false,
            peer: None,
            body: body.as_ref().to_vec(),
        }
    }

    pub fn get(endpoint: Endpoint, query: &str) -> Request {
        Request {
            method: Method::Get,
            ..Request::post(endpoint, query, "")
        }
    }

    pub fn typed(self, content_type: &str) -> Request {
        Request {
            content_type: Some(content_type.into()),
            ..self
        }
    }

    pub fn authorized(self, header: &str) -> Request {
        Request {
            authorization: Some(header.into()),
            ..self
        }
    }

    pub fn from(self, peer: &str) -> Request {
        Request {
            peer: Some(peer.parse().unwrap()),
            ..self
        }
    }

    pub fn gzipped(self) -> Request {
        Request {
            gzip: true,
            body: gzip(&self.body),
            ..self
        }
    }
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Percent-encodes everything that is not a letter or digit.
pub fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

/// The reply's body.
pub fn text(reply: &IngestReply) -> &str {
    std::str::from_utf8(&reply.body).unwrap()
}

pub fn json(reply: &IngestReply) -> serde_json::Value {
    assert_eq!(reply.content_type, "application/json");
    serde_json::from_slice(&reply.body).unwrap()
}
