//! From a request to a durable record and a reply (secrecy contract 1.6, design section 4).
//!
//! decode → firewall → split → resolve → append → reply. A success is said only after the log holds the batch; when
//! vault or storage are away nothing is stored and the client is told to come back. One record is written for each
//! request and project.

use crate::access::import_project;
use crate::batch::{Batch, Numbers};
use crate::cache::{Cache, DigestKey, LookUp};
use crate::decode::{self, PayloadError};
use crate::firewall::{Firewall, KeyClass, Kind};
use crate::intake::Intake;
use crate::metrics::{CollectMetrics, Counters};
use crate::pipeline::{DedupKey, Pipeline};
use crate::replays::Replays;
use crate::reply::{self, Rejection};
use crate::request::{Endpoint, IngestReply, IngestRequest};
use crate::turns::Turns;
use hashbrown::HashMap;
use model::{BatchId, ErrorCode, EventTime, FeedEntry, GroupNumber, PersonNumber, ProjectId};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Instant;
use store::{MemoryUse, Store, StoreError};
use vault_client::{Client, ResolveReply, ResolveRequest, VaultError};

/// Most objects of one request (contract T3, E1, I3).
const ITEMS_MAX: usize = 2000;
/// How long a request waits for the vault (ID-19 sheds calls that wait longer than a second; the rest is work).
const RESOLVE_TIMEOUT_MS: i64 = 5_000;
/// Most text in one call to the vault, whose frames hold 8 MiB.
const QUESTION_BYTES_MAX: usize = 7 * 1024 * 1024;

/// Settings of a collector.
#[derive(Clone)]
pub struct CollectorOptions {
    /// Requests worked on at once; more are answered with 429.
    pub requests_max: usize,
    /// Remembered tuples and references, about 32 bytes each.
    pub cache_entries_max: usize,
    /// The wall clock.
    pub clock: fn() -> EventTime,
}

impl Default for CollectorOptions {
    fn default() -> Self {
        CollectorOptions {
            requests_max: 256,
            cache_entries_max: 1_000_000,
            clock: || EventTime(jiff::Timestamp::now().as_millisecond()),
        }
    }
}

/// The ingestion half of Frostpane. Cloning gives another handle to the same one.
#[derive(Clone)]
pub struct Collector {
    inner: Arc<Inner>,
}

/// What all requests share.
pub(crate) struct Inner {
    pub(crate) store: Store,
    vault: Client,
    options: CollectorOptions,
    pub(crate) pipeline: Pipeline,
    cache: Cache,
    pub(crate) replays: Replays,
    dedup_keys: RwLock<HashMap<ProjectId, DedupKey>>,
    pub(crate) counters: Counters,
    requests: AtomicUsize,
    /// Imports that are being decoded and cleaned: as many as there are cores. More would only take turns at them, hold
    /// their unpacked bodies meanwhile, and take from live requests, which wait for nobody here.
    imports: Turns,
}

impl Collector {
    /// # Panics
    ///
    /// When the operating system has no randomness to give.
    pub fn new(store: Store, vault: Client, options: CollectorOptions) -> Collector {
        let mut key = [0; 32];
        getrandom::fill(&mut key).expect("the operating system gives randomness");
        Collector {
            inner: Arc::new(Inner {
                store,
                vault,
                pipeline: Pipeline {
                    firewall: Firewall::new(),
                    digests: DigestKey::new(key),
                },
                cache: Cache::new(options.cache_entries_max),
                replays: Replays::default(),
                dedup_keys: RwLock::default(),
                counters: Counters::default(),
                requests: AtomicUsize::new(0),
                imports: Turns::new(std::thread::available_parallelism().map_or(2, usize::from)),
                options,
            }),
        }
    }

    /// Takes a request in. Blocks until what it brought is durable, or until it is known that nothing of it is.
    pub fn handle(&self, request: &IngestRequest) -> IngestReply {
        let inner = &*self.inner;
        let _place = match Place::take(&inner.requests, inner.options.requests_max) {
            Some(place) => place,
            None => return inner.reject(Rejection::Overloaded),
        };
        inner.counters.add(|metrics| metrics.requests += 1);
        let import_turn = (request.endpoint == Endpoint::Import).then(|| inner.imports.take());
        // Until the log has what the request brings: then its rows count as fresh ones.
        let mut memory = inner.store.memory().nothing(MemoryUse::Ingestion);
        let decoded = decode::decode(request, &mut memory);
        let parameters = decoded.parameters;
        // The credential comes first: who may not import learns nothing about the body.
        let import = match request.endpoint {
            Endpoint::Import => match import_project(inner.store.catalog(), request.authorization, &parameters) {
                Ok(project) => Some(project),
                Err(rejection) => return inner.reject(rejection),
            },
            _ => None,
        };
        let document = match decoded.payload {
            Ok(document) if document.items.len() > ITEMS_MAX => {
                return inner.reject(Rejection::TooLarge("request exceeds max limit of 2000 objects"));
            }
            Ok(document) => document,
            Err(PayloadError::MemoryShort) => return inner.reject(Rejection::Overloaded),
            Err(PayloadError::TooLarge) => {
                return inner.reject(Rejection::TooLarge("request exceeds max limit of 10485760 bytes"));
            }
            Err(error) => {
                inner.counters.refused("unreadable");
                return reply::unreadable(request.endpoint, &parameters, &error.to_string());
            }
        };
        let intake = Intake {
            inner,
            request,
            parameters: &parameters,
            received: (inner.options.clock)(),
            import,
        };
        match intake.run(document, import_turn) {
            Ok(outcome) => reply::outcome(request.endpoint, &parameters, &outcome),
            // Content problems are no 4xx outside `/import` (T12).
            Err(Rejection::Unusable) => {
                inner.counters.refused("unusable");
                reply::unreadable(request.endpoint, &parameters, reply::UNUSABLE)
            }
            Err(rejection) => inner.reject(rejection),
        }
    }

    /// Counts since start.
    /// Whether values of this property become numbers of groups and references, on events or on profiles. `group_keys`
    /// are the project's own.
    pub fn is_group_key(&self, name: &str, group_keys: &[String]) -> bool {
        let firewall = &self.inner.pipeline.firewall;
        [Kind::Event, Kind::Profile]
            .into_iter()
            .any(|kind| firewall.class_of(name, kind, group_keys).1 == KeyClass::Reference)
    }

    pub fn metrics(&self) -> CollectMetrics {
        self.inner.counters.snapshot()
    }
}

impl Inner {
    fn reject(&self, rejection: Rejection) -> IngestReply {
        self.counters.refused(match rejection {
            Rejection::Unauthorized(_) => "unauthorized",
            Rejection::TooLarge(_) => "too_large",
            Rejection::Unusable => "unusable",
            Rejection::Overloaded => "overloaded",
            Rejection::Unavailable => "unavailable",
        });
        reply::rejection(rejection)
    }

    /// `K_dedup` of a project, fetched from the vault once.
    pub(crate) fn dedup_key(&self, project: ProjectId) -> Result<DedupKey, Rejection> {
        if let Some(key) = self.dedup_keys.read().expect("no holder panics").get(&project) {
            return Ok(*key);
        }
        let key = self.vault.dedup_key(project).map_err(vault_away)?;
        self.dedup_keys.write().expect("no holder panics").insert(project, key);
        Ok(key)
    }

    /// Steps 2 to 5 of the order of durability: numbers from the vault, then one log record.
    pub(crate) fn commit(&self, mut batch: Batch, received: EventTime) -> Result<(), Rejection> {
        let mut batch_id = [0; 16];
        getrandom::fill(&mut batch_id).map_err(|_| Rejection::Unavailable)?;
        let batch_id = BatchId(batch_id);
        let (events, updates) = (batch.events_count() as u64, batch.updates_count() as u64);
        let mut resolved = self.resolve(&mut batch, batch_id, received)?;
        let project = batch.project;
        // The vault answers from what the log said it has. Should the log have less (it was restored meanwhile), the
        // feed must begin where the log ends: an edge that is missing there would never be asked for again.
        let have = self.store.feed_position(project);
        if resolved.feed.first().is_some_and(|item| item.seq > have + 1) {
            resolved.feed = self.vault.feed_since(project, have).map_err(vault_away)?;
        }
        let record = batch.into_record(batch_id, received, resolved.feed, &resolved.numbers);
        if !(record.events.is_empty() && record.profiles.is_empty() && record.feed.is_empty()) {
            self.store.append(record).map_err(storage_away)?;
        }
        self.counters.add(|metrics| {
            metrics.events += events;
            metrics.updates += updates;
        });
        Ok(())
    }

    /// The numbers of everybody and everything in the batch. Only who is not in the cache is asked for, so that one newcomer
    /// among two thousand costs one look-up.
    fn resolve(&self, batch: &mut Batch, batch_id: BatchId, received: EventTime) -> Result<Resolved, Rejection> {
        let digests = batch.tuple_digests.iter().chain(&batch.reference_digests);
        let LookUp {
            numbers: mut known,
            lease_holds,
            lineage,
        } = self.cache.look_up(digests.copied());
        let unknown = known.iter().filter(|number| number.is_none()).count() as u64;
        self.counters.add(|metrics| {
            metrics.cache_hits += known.len() as u64 - unknown;
            metrics.cache_misses += unknown;
        });
        if unknown == 0 && batch.writes.is_empty() && lease_holds {
            return Ok(Resolved::new(known, None, batch.tuples.len()));
        }
        if batch.question_bytes() > QUESTION_BYTES_MAX {
            return Err(Rejection::TooLarge(
                "request has more identifying text than is taken at once",
            ));
        }
        if !batch.writes.is_empty() {
            // Writes point at tuples by index, so all of them are asked for.
            known.fill(None);
        }
        let mut reply = self.ask(batch, &known, batch_id, received)?;
        if known.iter().any(Option::is_some) && lineage != Some(reply.lineage) {
            // The vault was put back meanwhile, and what was known is void.
            known.fill(None);
            reply = self.ask(batch, &known, batch_id, received)?;
        }
        Ok(Resolved::new(known, Some(reply), batch.tuples.len()))
    }

    /// Asks the vault for all that is not known, and for the feed.
    fn ask(
        &self,
        batch: &Batch,
        known: &[Option<u64>],
        batch_id: BatchId,
        received: EventTime,
    ) -> Result<ResolveReply, Rejection> {
        let (known_tuples, known_references) = known.split_at(batch.tuples.len());
        let asked = Instant::now();
        let request = ResolveRequest {
            project: batch.project,
            batch_id,
            received_ms: received.0,
            // Between two processes, so on the clock that both can read, whatever the collector's own one says.
            deadline_ms: jiff::Timestamp::now().as_millisecond() + RESOLVE_TIMEOUT_MS,
            have_feed: self.store.feed_position(batch.project),
            ids: unknown(known_tuples, &batch.tuples).cloned().collect(),
            refs: unknown(known_references, &batch.references).cloned().collect(),
            writes: batch.writes.clone(),
        };
        let mut reply = self.vault.resolve(&request).map_err(vault_away)?;
        if reply.ids.len() != request.ids.len() || reply.refs.len() != request.refs.len() {
            tracing::error!(project = %batch.project, "The vault answered with another number of numbers than asked for");
            return Err(Rejection::Unavailable);
        }
        if reply.more {
            let last = reply.feed.last().map_or(request.have_feed, |item| item.seq);
            reply
                .feed
                .extend(self.vault.feed_since(batch.project, last).map_err(vault_away)?);
        }
        self.remember(batch, known, &reply, asked);
        Ok(reply)
    }

    fn remember(&self, batch: &Batch, known: &[Option<u64>], reply: &ResolveReply, asked: Instant) {
        self.cache.heard(reply.lineage, asked);
        let (known_tuples, known_references) = known.split_at(batch.tuples.len());
        let tuples = unknown(known_tuples, &batch.tuple_digests).copied();
        let tuples = tuples.zip(reply.ids.iter().map(|id| id.person.0));
        let references = unknown(known_references, &batch.reference_digests).copied();
        let references = references.zip(reply.refs.iter().map(|number| number.0));
        self.cache.insert(batch.project, tuples.chain(references));
        for item in &reply.feed {
            if let FeedEntry::Erase { persons } = &item.entry {
                let numbers: Vec<u64> = persons.iter().map(|person| person.0).collect();
                self.cache.forget(batch.project, &numbers);
            }
        }
    }
}

struct Resolved {
    numbers: Numbers,
    feed: Vec<model::FeedItem>,
}

impl Resolved {
    /// What was known, with the vault's answers in the places that were not.
    fn new(known: Vec<Option<u64>>, reply: Option<ResolveReply>, tuples: usize) -> Resolved {
        let (ids, refs, feed) = reply.map_or_else(Default::default, |reply| (reply.ids, reply.refs, reply.feed));
        let mut answers = ids
            .iter()
            .map(|id| id.person.0)
            .chain(refs.iter().map(|number| number.0));
        let mut numbers = known.into_iter().map(|number| {
            number
                .or_else(|| answers.next())
                .expect("all that was not known was answered")
        });
        let persons = numbers.by_ref().take(tuples).map(PersonNumber).collect();
        let groups = numbers.map(GroupNumber).collect();
        Resolved {
            numbers: Numbers { persons, groups },
            feed,
        }
    }
}

/// Those of `items` whose number is not known.
fn unknown<'a, T>(known: &[Option<u64>], items: &'a [T]) -> impl Iterator<Item = &'a T> {
    known
        .iter()
        .zip(items)
        .filter(|(known, _)| known.is_none())
        .map(|(_, item)| item)
}

fn vault_away(error: VaultError) -> Rejection {
    match error {
        VaultError::Overloaded => Rejection::Overloaded,
        VaultError::Refused {
            code: ErrorCode::InvalidRequest,
            ..
        } => {
            tracing::warn!(%error, "The vault refused a batch for what is in it");
            Rejection::Unusable
        }
        VaultError::Unavailable(_) | VaultError::Refused { .. } | VaultError::Protocol(_) => {
            tracing::warn!(%error, "The vault did not resolve a batch; the client was told to come back");
            Rejection::Unavailable
        }
    }
}

fn storage_away(error: StoreError) -> Rejection {
    tracing::error!(%error, "A batch could not be stored; the client was told to come back");
    match error {
        StoreError::Overloaded { .. } => Rejection::Overloaded,
        StoreError::TooLarge { .. } => Rejection::TooLarge("request exceeds the limit of a log record"),
        _ => Rejection::Unavailable,
    }
}

/// A place among the requests that are worked on at once.
struct Place<'a>(&'a AtomicUsize);

impl Place<'_> {
    fn take(requests: &AtomicUsize, requests_max: usize) -> Option<Place<'_>> {
        let place = Place(requests);
        // Dropping it gives the place back, also when it was one too many.
        let before = requests.fetch_add(1, Ordering::Relaxed);
        (before < requests_max).then_some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
