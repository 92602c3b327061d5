//! What one question may use, and how many run.

use datafusion::common::{Result, resources_datafusion_err};
use datafusion::execution::memory_pool::{GreedyMemoryPool, MemoryLimit, MemoryPool, MemoryReservation};
use std::fmt::{self, Display, Formatter};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use store::{Memory, MemoryUse};

/// How a refusal begins that is due to what others hold. DataFusion has one kind of refusal for that and for a question that
/// is too large in itself.
pub(crate) const MEMORY_SHORT: &str = "the process has too little memory left";

/// What all questions may hold together: an amount of their own, out of what the process has.
#[derive(Debug)]
pub(crate) struct QuestionsMemory {
    process: Memory,
    own: GreedyMemoryPool,
}

impl QuestionsMemory {
    pub fn new(limit_bytes: usize, process: &Memory) -> QuestionsMemory {
        QuestionsMemory {
            process: process.clone(),
            own: GreedyMemoryPool::new(limit_bytes),
        }
    }
}

impl Display for QuestionsMemory {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("questions")
    }
}

impl MemoryPool for QuestionsMemory {
    fn name(&self) -> &str {
        "questions"
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.process.add(MemoryUse::Questions, additional);
        self.own.grow(reservation, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.own.shrink(reservation, shrink);
        self.process.remove(MemoryUse::Questions, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        self.own.try_grow(reservation, additional)?;
        if !self.process.try_add(MemoryUse::Questions, additional) {
            self.own.shrink(reservation, additional);
            return Err(resources_datafusion_err!("{MEMORY_SHORT}"));
        }
        Ok(())
    }

    fn reserved(&self) -> usize {
        self.own.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        self.own.memory_limit()
    }
}

/// The share of one question in the memory of all: what it holds counts here and there.
#[derive(Debug)]
pub(crate) struct QuestionMemory {
    all: Arc<dyn MemoryPool>,
    limit_bytes: usize,
    used_bytes: AtomicUsize,
}

impl QuestionMemory {
    pub fn of(all: Arc<dyn MemoryPool>, limit_bytes: usize) -> QuestionMemory {
        QuestionMemory {
            all,
            limit_bytes,
            used_bytes: AtomicUsize::new(0),
        }
    }
}

impl Display for QuestionMemory {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("question")
    }
}

impl MemoryPool for QuestionMemory {
    fn name(&self) -> &str {
        "question"
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.used_bytes.fetch_add(additional, Ordering::Relaxed);
        self.all.grow(reservation, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.used_bytes.fetch_sub(shrink, Ordering::Relaxed);
        self.all.shrink(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        let limit_bytes = self.limit_bytes;
        let within = |used: usize| used.checked_add(additional).filter(|used| *used <= limit_bytes);
        let taken = self
            .used_bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, within);
        if taken.is_err() {
            return Err(resources_datafusion_err!("one question may hold {limit_bytes} bytes"));
        }
        let shared = self.all.try_grow(reservation, additional);
        if shared.is_err() {
            self.used_bytes.fetch_sub(additional, Ordering::Relaxed);
        }
        shared
    }

    fn reserved(&self) -> usize {
        self.used_bytes.load(Ordering::Relaxed)
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.limit_bytes)
    }
}

/// When a question has to end, for work that cannot be interrupted from outside.
#[derive(Debug)]
pub(crate) struct Stop {
    started: Instant,
    limit: Duration,
    cancelled: AtomicBool,
}

impl Stop {
    pub fn after(limit: Duration) -> Stop {
        Stop {
            started: Instant::now(),
            limit,
            cancelled: AtomicBool::new(false),
        }
    }

    /// Nobody waits any more.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    pub fn is_due(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed) || self.started.elapsed() >= self.limit
    }

    pub fn limit_ms(&self) -> u64 {
        self.limit.as_millis() as u64
    }
}

tokio::task_local! {
    /// Of the question that a task answers.
    pub(crate) static STOP: Arc<Stop>;
}

/// What questions did since the start, and do now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EngineMetrics {
    /// Questions that run now.
    pub running: u64,
    /// Bytes that running questions hold now.
    pub memory_bytes: u64,
    /// Questions that ran into the time limit.
    pub timeouts: u64,
    /// Questions that ran shard by shard, because at once they needed too much memory.
    pub split: u64,
    /// Answers that were kept from an earlier question.
    pub cache_hits: u64,
    /// Answers that had to be computed, or waited for.
    pub cache_misses: u64,
    /// Questions that waited for the same one of somebody else.
    pub shared: u64,
    pub cache_bytes: u64,
}

/// Counters behind [`EngineMetrics`].
#[derive(Debug, Default)]
pub(crate) struct Activity {
    pub running: AtomicU64,
    pub timeouts: AtomicU64,
    pub split: AtomicU64,
}

impl Activity {
    /// Counts a question as running for as long as the guard lives.
    pub fn begin(self: &Arc<Self>) -> RunningQuestion {
        self.running.fetch_add(1, Ordering::Relaxed);
        RunningQuestion(self.clone())
    }
}

pub(crate) struct RunningQuestion(Arc<Activity>);

impl Drop for RunningQuestion {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::execution::memory_pool::MemoryConsumer;

    #[test]
    fn one_question_cannot_take_what_belongs_to_all() {
        let all: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(100));
        let question = || -> Arc<dyn MemoryPool> { Arc::new(QuestionMemory::of(all.clone(), 60)) };
        let (first, second) = (question(), question());
        let held = MemoryConsumer::new("a").register(&first);
        assert!(held.try_grow(61).is_err());
        held.try_grow(60).unwrap();
        assert!(held.try_grow(1).is_err());
        let other = MemoryConsumer::new("b").register(&second);
        assert!(other.try_grow(41).is_err());
        assert_eq!((second.reserved(), all.reserved()), (0, 60));
        other.try_grow(40).unwrap();
        drop(held);
        assert_eq!((first.reserved(), all.reserved()), (0, 40));
        other.try_grow(20).unwrap();
    }

    #[test]
    fn questions_are_refused_what_the_process_has_not_got() {
        let process = Memory::limited(1_600);
        let all: Arc<dyn MemoryPool> = Arc::new(QuestionsMemory::new(1_000, &process));
        let held = MemoryConsumer::new("a").register(&all);
        held.try_grow(900).unwrap();
        let own = held.try_grow(101).unwrap_err().to_string();
        assert!(!own.contains(MEMORY_SHORT), "their own limit: {own}");
        let rows = process.reserve(MemoryUse::Ingestion, 350).unwrap();
        let short = held.try_grow(100).unwrap_err();
        assert!(short.to_string().contains(MEMORY_SHORT), "{short}");
        assert_eq!(all.reserved(), 900);
        drop(rows);
        held.try_grow(100).unwrap();
        drop(held);
        assert_eq!(
            process.figures().used_bytes.iter().map(|(_, bytes)| bytes).sum::<u64>(),
            0
        );
    }
}
