//! A store in a temporary folder with an engine on it, and beside it the same history for the reference.

use ledger::{Actor, Asker, Class, Disclosure, Gate, Ledger, Undisclosed};
use model::report::{Answer, Report, ReportCell};
use model::{
    BatchId, Cohort, Definitions, Event, EventTime, FeedEntry, FeedItem, PersonNumber, ProfileOp, ProfileUpdate,
    ProjectId, Record, Subject, Value,
};
use query::{Engine, EngineOptions, Explained, QueryError};
use reference::{History, HistoryEvent};
use std::collections::BTreeSet;
use std::sync::Arc;
use store::{Draft, Project, Store, StoreOptions};
use tempfile::TempDir;

pub struct World {
    pub project: Project,
    pub history: History,
    store: Option<Store>,
    gate: Gate,
    directory: TempDir,
    runtime: tokio::runtime::Runtime,
    batches: u64,
    feed_seq: u64,
    shards: u32,
}

impl World {
    pub fn new(timezone: &str) -> World {
        World::with_shards(timezone, 3)
    }

    pub fn with_shards(timezone: &str, shards: u32) -> World {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::create(options(&directory, shards)).unwrap();
        let project = store.catalog().create_project("test", timezone).unwrap();
        let ledger = Ledger::open(&directory.path().join("ledger")).unwrap();
        World {
            project,
            history: History::default(),
            store: Some(store),
            gate: Gate::new(Arc::new(ledger)),
            directory,
            runtime: tokio::runtime::Builder::new_current_thread().build().unwrap(),
            batches: 0,
            feed_seq: 0,
            shards,
        }
    }

    pub fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    pub fn append(
        &mut self,
        events: Vec<Event>,
        profiles: Vec<ProfileUpdate>,
        merges: Vec<(PersonNumber, PersonNumber)>,
    ) {
        let feed = merges.iter().map(|(from, into)| {
            self.feed_seq += 1;
            FeedItem {
                seq: self.feed_seq,
                entry: FeedEntry::Merge {
                    from: *from,
                    into: *into,
                },
            }
        });
        let feed = feed.collect();
        self.record(feed, profiles, events.clone());
        self.history.merges.extend(merges);
        for event in events {
            let seq = self.history.events.len() as u64 + 1;
            self.history.events.push(HistoryEvent { event, seq });
        }
    }

    /// Erases persons, and everything they did from the history.
    pub fn erase(&mut self, persons: Vec<PersonNumber>) {
        self.feed_seq += 1;
        let feed = vec![FeedItem {
            seq: self.feed_seq,
            entry: FeedEntry::Erase {
                persons: persons.clone(),
            },
        }];
        self.record(feed, Vec::new(), Vec::new());
        let history = self.history.clone();
        let erased = |event: &HistoryEvent| persons.contains(&history.canonical(event.event.person));
        self.history.events.retain(|event| !erased(event));
        let erased = persons.into_iter().map(|person| history.canonical(person));
        self.history.erased.extend(erased);
    }

    fn record(&mut self, feed: Vec<FeedItem>, profiles: Vec<ProfileUpdate>, events: Vec<Event>) {
        self.batches += 1;
        let mut batch_id = [0; 16];
        batch_id[..8].copy_from_slice(&self.batches.to_le_bytes());
        let record = Record {
            project: self.project.id,
            batch_id: BatchId(batch_id),
            received: EventTime(1_800_000_000_000),
            feed,
            profiles,
            events,
        };
        self.store().append(record).unwrap();
    }

    pub fn reopen(&mut self) {
        self.store.take().unwrap().close();
        self.store = Some(Store::open(options(&self.directory, self.shards)).unwrap());
    }

    /// Takes over the profiles as the store has them; how operations change them is the store's business.
    pub fn read_profiles(&mut self) {
        let profiles = self.store().snapshot(self.project.id).profiles();
        let read = profiles
            .iter()
            .map(|(person, profile)| (person, profile.properties.clone()));
        self.history.profiles = read.collect();
        for key in profiles.group_keys() {
            for (number, profile) in profiles.groups(key) {
                let properties = profile.properties.clone();
                self.history.groups.insert((key.to_owned(), number), properties);
            }
        }
    }

    /// Saves what the names in expressions stand for.
    pub fn define(&mut self, definitions: Definitions) {
        let (catalog, project) = (self.store().catalog(), self.project.id);
        for (number, cohort) in &definitions.cohorts {
            let json = serde_json::to_string(cohort).unwrap();
            let name = format!("cohort number {number}");
            let saved = catalog.save_document(project, query::COHORT_KIND, Some(*number), &name, &json);
            saved.unwrap();
        }
        let put = |kind: &str, name: &str, json: String| {
            let draft = Draft {
                name,
                json: &json,
                by: "",
            };
            catalog.put_document(project, kind, None, draft).unwrap();
        };
        for (name, formula) in &definitions.computed {
            put(query::COMPUTED_KIND, name, serde_json::to_string(formula).unwrap());
        }
        for (name, table) in &definitions.lookups {
            put(query::LOOKUP_TABLE_KIND, name, serde_json::to_string(table).unwrap());
        }
        self.history.definitions = definitions;
    }

    pub fn cohort(&self, engine: &Engine, cohort: &Cohort, now: EventTime) -> Result<Vec<PersonNumber>, QueryError> {
        let members = self.wait(engine.cohort(&self.project, cohort, now))?;
        Ok(members.slice(0, members.len()))
    }

    pub fn engine(&self) -> Engine {
        self.engine_with(256 << 20)
    }

    pub fn engine_with(&self, memory_bytes: usize) -> Engine {
        Engine::new(self.store().clone(), EngineOptions::new(2, memory_bytes))
    }

    pub fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// Through the gate, with what was disclosed.
    pub fn release<T>(&self, undisclosed: Undisclosed<T>) -> (T, Disclosure) {
        let disclosure = undisclosed.disclosure().clone();
        let asker = Asker {
            actor: Actor::System,
            clearance: Class::D3,
            session_commit: None,
            project: ProjectId(self.project.id.0),
            action: "report",
            purpose: None,
            purpose_commit: None,
        };
        let (value, _) = self.gate.release(undisclosed, &asker).unwrap();
        (value, disclosure)
    }

    pub fn ask(&self, engine: &Engine, report: &Report, now: EventTime) -> Result<(Explained, Disclosure), QueryError> {
        let answered = self.wait(engine.report(&self.project, report, now))?;
        Ok(self.release(answered))
    }

    /// Who is behind a number, with what finding out disclosed.
    pub fn members(
        &self,
        engine: &Engine,
        report: &Report,
        cell: &ReportCell,
        now: EventTime,
    ) -> Result<(BTreeSet<PersonNumber>, Disclosure), QueryError> {
        let members = self.wait(engine.members(&self.project, report, cell, now))?;
        let (members, disclosure) = self.release(members);
        Ok((members.slice(0, members.len()).into_iter().collect(), disclosure))
    }

    pub fn reference_members(
        &self,
        report: &Report,
        cell: &ReportCell,
        now: EventTime,
    ) -> Result<BTreeSet<PersonNumber>, reference::ReferenceError> {
        reference::members(report, cell, &self.project.timezone, &self.history, now)
    }

    pub fn reference(&self, report: &Report, now: EventTime) -> Result<Answer, reference::ReferenceError> {
        reference::answer(report, &self.project.timezone, &self.history, now)
    }
}

fn options(directory: &TempDir, shards: u32) -> StoreOptions {
    StoreOptions {
        shards,
        background: false,
        ..StoreOptions::new(directory.path().join("store"))
    }
}

/// An event without anything but who and when.
pub fn event(name: &str, person: u64, time_ms: i64) -> Event {
    Event {
        name: name.into(),
        person: PersonNumber(person),
        time: EventTime(time_ms),
        insert_id: None,
        properties: Vec::new(),
        groups: Vec::new(),
    }
}

pub fn set(person: u64, properties: Vec<(String, Value)>) -> ProfileUpdate {
    ProfileUpdate {
        subject: Subject::Person(PersonNumber(person)),
        op: ProfileOp::Set(properties),
        time: EventTime(1_700_000_000_000),
        touches_last_seen: true,
    }
}

/// Milliseconds of an RFC 3339 text.
pub fn at(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

pub fn report(json: serde_json::Value) -> Report {
    serde_json::from_value(json).unwrap()
}
