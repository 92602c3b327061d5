//! Answers that are kept, and questions that run once for everybody who asks them at the same time.
//!
//! A key holds everything that an answer depends on ([`AnswerKey`]), so an answer is never stale: when anything changes,
//! the key does, and the old answer is not found any more. What is kept has not passed the gate: it goes through it, and
//! into the ledger, each time it is handed out.

use crate::engine::Explained;
use crate::error::QueryError;
use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};
use ledger::Disclosure;
use model::ProjectId;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use store::{GivesWay, Memory, MemoryUse};

/// What an answer depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct AnswerKey {
    pub project: ProjectId,
    /// [`store::Snapshot::version`]: events, merges, erasures, profiles.
    pub version: u64,
    /// Of the question, with everything that it refers to.
    pub question: [u8; 32],
    /// Its own or the project's.
    pub zone: String,
    /// The time of asking, as far as it matters.
    pub now_ms: Option<i64>,
    /// Of the cohorts, computed properties and lookup tables it is built on, with the time of asking as far as it matters
    /// to them.
    pub definitions: Option<[u8; 32]>,
}

/// An answer before the gate.
pub(crate) struct Made {
    pub explained: Explained,
    pub disclosure: Disclosure,
}

/// How an answer came to whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    Computed,
    /// Computed for somebody else who asked the same a moment ago.
    Shared,
    Kept,
}

type Outcome = Result<Arc<Made>, Arc<QueryError>>;
type Computing = Shared<BoxFuture<'static, Outcome>>;

pub(crate) struct Answers {
    bytes_max: usize,
    memory: Memory,
    state: Mutex<State>,
    pub hits: AtomicU64,
    pub misses: AtomicU64,
    pub shared: AtomicU64,
}

#[derive(Default)]
struct State {
    kept: HashMap<AnswerKey, Kept>,
    /// Keys by last use.
    used: BTreeMap<u64, AnswerKey>,
    uses: u64,
    bytes: usize,
    /// Ends with the last one who waits.
    running: HashMap<AnswerKey, WeakShared<BoxFuture<'static, Outcome>>>,
}

struct Kept {
    made: Arc<Made>,
    bytes: usize,
    used: u64,
}

impl Answers {
    pub fn new(bytes_max: usize, memory: &Memory) -> Arc<Answers> {
        let answers = Arc::new(Answers {
            bytes_max,
            memory: memory.clone(),
            state: Mutex::default(),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            shared: AtomicU64::new(0),
        });
        let weak: Weak<Answers> = Arc::downgrade(&answers);
        memory.add_cache(weak);
        answers
    }

    pub fn bytes(&self) -> u64 {
        self.state().bytes as u64
    }

    /// The answer under a key: kept, or by `compute`, which runs once however many ask. It stops when nobody waits for
    /// it any more.
    pub async fn ask(
        self: &Arc<Self>,
        key: AnswerKey,
        compute: impl Future<Output = Result<Made, QueryError>> + Send + 'static,
    ) -> (Outcome, Came) {
        let (computing, came) = match self.begin(key, compute) {
            Ok(made) => return (Ok(made), Came::Kept),
            Err(begun) => begun,
        };
        (computing.await, came)
    }

    fn begin(
        self: &Arc<Self>,
        key: AnswerKey,
        compute: impl Future<Output = Result<Made, QueryError>> + Send + 'static,
    ) -> Result<Arc<Made>, (Computing, Came)> {
        let mut state = self.state();
        if let Some(made) = state.find(&key) {
            self.hits.fetch_add(1, Ordering::Relaxed);
            return Ok(made);
        }
        self.misses.fetch_add(1, Ordering::Relaxed);
        if let Some(computing) = state.running.get(&key).and_then(WeakShared::upgrade) {
            self.shared.fetch_add(1, Ordering::Relaxed);
            return Err((computing, Came::Shared));
        }
        let (answers, of) = (self.clone(), key.clone());
        let computing = async move {
            let outcome = compute.await.map(Arc::new).map_err(Arc::new);
            answers.finish(of, outcome.as_ref().ok());
            outcome
        };
        let computing = computing.boxed().shared();
        // What nobody waits for any more leaves its key behind; there are few, and they go here.
        state.running.retain(|_, running| running.upgrade().is_some());
        state.running.extend(computing.downgrade().map(|weak| (key, weak)));
        Err((computing, Came::Computed))
    }

    fn finish(&self, key: AnswerKey, made: Option<&Arc<Made>>) {
        self.state().running.remove(&key);
        let Some(made) = made else { return };
        let bytes = size_bytes(&key, made);
        // Before the lock: to make room kept answers give way as well.
        if bytes > self.bytes_max || !self.memory.try_add(MemoryUse::Answers, bytes) {
            return;
        }
        let mut state = self.state();
        let before = state.bytes + bytes;
        state.keep(key, made.clone(), bytes, self.bytes_max);
        self.memory.remove(MemoryUse::Answers, before - state.bytes);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl GivesWay for Answers {
    fn give_way(&self, bytes: usize) -> usize {
        let mut state = self.state();
        let before = state.bytes;
        state.shrink(before.saturating_sub(bytes));
        let freed = before - state.bytes;
        self.memory.remove(MemoryUse::Answers, freed);
        freed
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        self.memory.remove(MemoryUse::Answers, self.state().bytes);
    }
}

impl State {
    fn find(&mut self, key: &AnswerKey) -> Option<Arc<Made>> {
        let kept = self.kept.get_mut(key)?;
        self.used.remove(&kept.used);
        self.uses += 1;
        kept.used = self.uses;
        self.used.insert(self.uses, key.clone());
        Some(kept.made.clone())
    }

    fn keep(&mut self, key: AnswerKey, made: Arc<Made>, bytes: usize, bytes_max: usize) {
        // Nobody can ask for an earlier version again.
        let is_old = |other: &AnswerKey| other.project == key.project && other.version < key.version;
        let mut gone: Vec<AnswerKey> = self.kept.keys().filter(|other| is_old(other)).cloned().collect();
        gone.push(key.clone());
        gone.iter().for_each(|key| self.forget(key));
        self.shrink(bytes_max - bytes);
        self.uses += 1;
        let used = self.uses;
        self.bytes += bytes;
        self.used.insert(used, key.clone());
        self.kept.insert(key, Kept { made, bytes, used });
    }

    fn shrink(&mut self, bytes_max: usize) {
        while self.bytes > bytes_max
            && let Some((_, oldest)) = self.used.first_key_value()
        {
            let oldest = oldest.clone();
            self.forget(&oldest);
        }
    }

    fn forget(&mut self, key: &AnswerKey) {
        if let Some(kept) = self.kept.remove(key) {
            self.used.remove(&kept.used);
            self.bytes -= kept.bytes;
        }
    }
}

/// Bytes of an answer, about: its JSON text, of which the parsed form takes a few times more.
fn size_bytes(key: &AnswerKey, made: &Made) -> usize {
    let text = serde_json::to_vec(&made.explained).map_or(usize::MAX / 8, |text| text.len());
    4 * text + made.disclosure.persons.serialized_size() + 2 * (size_of::<AnswerKey>() + key.zone.len()) + 256
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    fn key(version: u64) -> AnswerKey {
        AnswerKey {
            project: ProjectId(1),
            version,
            question: [7; 32],
            zone: "UTC".into(),
            now_ms: None,
            definitions: None,
        }
    }

    /// Whoever asks the same while it is computed waits for it, also when who asked first has gone; once nobody waits,
    /// it stops.
    #[test]
    fn the_same_question_at_the_same_time_is_computed_once() {
        let answers = Answers::new(1 << 20, &Memory::unlimited());
        let (finish, finished) = tokio::sync::oneshot::channel::<QueryError>();
        let compute = async move { Err(finished.await.unwrap()) };
        let never = || async { unreachable!("it is being computed") };
        let mut context = Context::from_waker(Waker::noop());
        let mut first = Box::pin(answers.ask(key(1), compute));
        let mut second = pin!(answers.ask(key(1), never()));
        assert!(first.as_mut().poll(&mut context).is_pending());
        assert!(second.as_mut().poll(&mut context).is_pending());
        drop(first);
        assert!(!finish.is_closed());
        assert!(finish.send(QueryError::TimedOut { limit_ms: 5 }).is_ok());
        let Poll::Ready((outcome, came)) = second.as_mut().poll(&mut context) else {
            panic!("the answer is there");
        };
        assert_eq!(came, Came::Shared);
        assert!(matches!(&*outcome.err().unwrap(), QueryError::TimedOut { limit_ms: 5 }));
        assert_eq!(answers.shared.load(Ordering::Relaxed), 1);

        let (finish, finished) = tokio::sync::oneshot::channel::<QueryError>();
        let mut alone = Box::pin(answers.ask(key(2), async move { Err(finished.await.unwrap()) }));
        assert!(alone.as_mut().poll(&mut context).is_pending());
        drop(alone);
        assert!(finish.is_closed());
    }
}
