//! One limit for what a process holds in memory, and who holds how much of it.
//!
//! Whoever is about to hold much asks first ([`Memory::reserve`]) and gives back by dropping what it got. When there is not
//! enough left, the parts give way in an order: caches are dropped on the spot; fresh rows are flushed early; then questions
//! are refused; then compaction waits; ingestion is refused last. The order is nothing but a ceiling for each use
//! ([`MemoryUse::share`]): a question may not fill what is kept free for the batches that arrive meanwhile.
//!
//! Estimates miss something: parsed trees, buffers of libraries, what the allocator keeps. So the process's own figure is read
//! several times a second ([`Memory::observe`]), and what is in it beyond the estimates counts like a use that nobody asked for.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Who holds memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryUse {
    /// Requests that bring events, from the first byte of the body until the log holds what it brought.
    Ingestion,
    /// Rows that are in the log and not yet in a segment.
    Fresh,
    /// What running questions and exports hold.
    Questions,
    /// Flush and compaction.
    Maintenance,
    /// Decoded columns that scans keep for each other.
    Columns,
    /// What segments say of themselves: their columns, row groups and events.
    Footers,
    /// Answers that are kept until something changes.
    Answers,
}

impl MemoryUse {
    pub const ALL: [MemoryUse; 7] = [
        MemoryUse::Ingestion,
        MemoryUse::Fresh,
        MemoryUse::Questions,
        MemoryUse::Maintenance,
        MemoryUse::Columns,
        MemoryUse::Footers,
        MemoryUse::Answers,
    ];

    pub fn name(self) -> &'static str {
        match self {
            MemoryUse::Ingestion => "ingestion",
            MemoryUse::Fresh => "fresh",
            MemoryUse::Questions => "questions",
            MemoryUse::Maintenance => "maintenance",
            MemoryUse::Columns => "columns",
            MemoryUse::Footers => "footers",
            MemoryUse::Answers => "answers",
        }
    }

    /// What is refused to a cache hurts nobody.
    fn is_cache(self) -> bool {
        matches!(self, MemoryUse::Columns | MemoryUse::Footers | MemoryUse::Answers)
    }

    /// Sixteenths of the limit that all uses together may reach when this one asks.
    fn share(self) -> usize {
        match self {
            MemoryUse::Columns | MemoryUse::Footers | MemoryUse::Answers => 12,
            MemoryUse::Questions => 13,
            MemoryUse::Maintenance => 14,
            MemoryUse::Ingestion | MemoryUse::Fresh => 15,
        }
    }
}

/// What can be dropped at once because it can be had again.
pub trait GivesWay: Send + Sync {
    /// Drops about so many bytes, and returns what it released.
    fn give_way(&self, bytes: usize) -> usize;
}

/// The memory of a process. Cloning gives another handle to the same one.
#[derive(Clone)]
pub struct Memory {
    shared: Arc<Shared>,
}

struct Shared {
    limit: usize,
    total: AtomicUsize,
    used: [AtomicUsize; MemoryUse::ALL.len()],
    other: AtomicUsize,
    /// The latest findings about `other`; see [`Memory::observe`].
    findings: Mutex<[usize; FINDINGS]>,
    /// Somebody did not get what they asked for since the last flush.
    short: AtomicBool,
    refused: AtomicUsize,
    caches: Mutex<Vec<Weak<dyn GivesWay>>>,
}

/// Memory that was just freed is still the process's for a moment, and a single finding may fall into that moment. So the
/// smallest of the last few counts.
const FINDINGS: usize = 4;

/// Who holds how much, for `/metrics`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryFigures {
    /// `None`: there is no limit.
    pub limit_bytes: Option<u64>,
    pub used_bytes: [(MemoryUse, u64); MemoryUse::ALL.len()],
    /// What the process has beyond all of these: its code, profiles, definitions, buffers of libraries.
    pub other_bytes: u64,
    /// How often somebody did not get what they asked for.
    pub refused: u64,
}

impl Memory {
    pub fn unlimited() -> Memory {
        Memory::limited(usize::MAX)
    }

    pub fn limited(limit_bytes: usize) -> Memory {
        Memory {
            shared: Arc::new(Shared {
                limit: limit_bytes,
                total: AtomicUsize::new(0),
                used: Default::default(),
                other: AtomicUsize::new(0),
                findings: Mutex::new([0; FINDINGS]),
                short: AtomicBool::new(false),
                refused: AtomicUsize::new(0),
                caches: Mutex::default(),
            }),
        }
    }

    pub fn limit_bytes(&self) -> Option<usize> {
        (self.shared.limit < usize::MAX).then_some(self.shared.limit)
    }

    /// The given part of the limit; `otherwise` where there is none.
    pub fn part(&self, divisor: usize, otherwise: usize) -> usize {
        self.limit_bytes().map_or(otherwise, |limit| limit / divisor)
    }

    /// Registers what gives way. The one registered first gives way first.
    pub fn add_cache(&self, cache: Weak<dyn GivesWay>) {
        self.caches().push(cache);
    }

    /// The memory, if there is enough or caches can make room; it counts as held until the reservation is dropped.
    ///
    /// A cache must not ask while it holds the lock that giving way takes.
    pub fn reserve(&self, of: MemoryUse, bytes: usize) -> Option<Reservation> {
        let mut reservation = self.nothing(of);
        reservation.grow(bytes).then_some(reservation)
    }

    /// A reservation of memory that is held whether there is enough or not.
    pub fn hold(&self, of: MemoryUse, bytes: usize) -> Reservation {
        self.add(of, bytes);
        Reservation {
            memory: self.clone(),
            of,
            bytes,
        }
    }

    /// A reservation of no bytes, to be grown.
    pub fn nothing(&self, of: MemoryUse) -> Reservation {
        Reservation {
            memory: self.clone(),
            of,
            bytes: 0,
        }
    }

    /// Counts memory that is held whether there is enough or not. Caches make room as far as they can.
    pub fn add(&self, of: MemoryUse, bytes: usize) {
        self.count(of, bytes);
        self.settle(of);
    }

    /// The counterpart of [`Memory::add`].
    pub fn remove(&self, of: MemoryUse, bytes: usize) {
        self.shared.used[of as usize].fetch_sub(bytes, Ordering::Relaxed);
        self.shared.total.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Asks for memory without a guard: [`Memory::remove`] gives it back.
    pub fn try_add(&self, of: MemoryUse, bytes: usize) -> bool {
        loop {
            let missing = match self.take(of, bytes) {
                Ok(()) => return true,
                Err(missing) => missing,
            };
            if self.give_way(missing) == 0 {
                if !of.is_cache() {
                    self.shared.short.store(true, Ordering::Relaxed);
                    self.shared.refused.fetch_add(1, Ordering::Relaxed);
                }
                return false;
            }
        }
    }

    /// Whether a use could grow by so much now, caches giving way not counted.
    pub fn has_room(&self, of: MemoryUse, bytes: usize) -> bool {
        let held = self.shared.total.load(Ordering::Relaxed) + self.other();
        held.saturating_add(bytes) <= self.ceiling(of)
    }

    /// Whether somebody was refused since this was last asked: time to flush.
    pub fn was_short(&self) -> bool {
        self.shared.short.swap(false, Ordering::Relaxed)
    }

    /// Takes note of what the process has by the operating system's figure.
    pub fn observe(&self, resident_bytes: usize) {
        let beyond = resident_bytes.saturating_sub(self.shared.total.load(Ordering::Relaxed));
        let mut findings = self.shared.findings.lock().unwrap_or_else(PoisonError::into_inner);
        findings.rotate_left(1);
        findings[FINDINGS - 1] = beyond;
        let other = findings.iter().copied().min().unwrap_or(0);
        drop(findings);
        self.shared.other.store(other, Ordering::Relaxed);
        self.settle(MemoryUse::Columns);
    }

    pub fn figures(&self) -> MemoryFigures {
        let used = |of: MemoryUse| self.shared.used[of as usize].load(Ordering::Relaxed) as u64;
        MemoryFigures {
            limit_bytes: self.limit_bytes().map(|limit| limit as u64),
            used_bytes: MemoryUse::ALL.map(|of| (of, used(of))),
            other_bytes: self.other() as u64,
            refused: self.shared.refused.load(Ordering::Relaxed) as u64,
        }
    }

    fn other(&self) -> usize {
        self.shared.other.load(Ordering::Relaxed)
    }

    fn ceiling(&self, of: MemoryUse) -> usize {
        self.shared.limit / 16 * of.share()
    }

    /// Takes the bytes, or says how many are missing.
    fn take(&self, of: MemoryUse, bytes: usize) -> Result<(), usize> {
        let (ceiling, other) = (self.ceiling(of), self.other());
        let fits = |total: usize| {
            let grown = total.checked_add(bytes)?;
            (grown.checked_add(other)? <= ceiling).then_some(grown)
        };
        let total = &self.shared.total;
        match total.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits) {
            Ok(_) => {
                self.shared.used[of as usize].fetch_add(bytes, Ordering::Relaxed);
                Ok(())
            }
            Err(total) => Err(total.saturating_add(bytes).saturating_add(other) - ceiling),
        }
    }

    fn count(&self, of: MemoryUse, bytes: usize) {
        self.shared.total.fetch_add(bytes, Ordering::Relaxed);
        self.shared.used[of as usize].fetch_add(bytes, Ordering::Relaxed);
    }

    /// Lets caches go down to the ceiling of a use.
    fn settle(&self, of: MemoryUse) {
        let held = self.shared.total.load(Ordering::Relaxed).saturating_add(self.other());
        let beyond = held.saturating_sub(self.ceiling(of));
        if beyond > 0 {
            self.give_way(beyond);
        }
    }

    fn give_way(&self, mut bytes: usize) -> usize {
        // Not under the lock: a cache that is dropped meanwhile must not wait for itself.
        let caches: Vec<Arc<dyn GivesWay>> = self.caches().iter().filter_map(Weak::upgrade).collect();
        let mut freed = 0;
        for cache in caches {
            let given = cache.give_way(bytes);
            freed += given;
            bytes = bytes.saturating_sub(given);
            if bytes == 0 {
                break;
            }
        }
        freed
    }

    fn caches(&self) -> std::sync::MutexGuard<'_, Vec<Weak<dyn GivesWay>>> {
        self.shared.caches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.figures().fmt(f)
    }
}

/// Memory that somebody holds; given back when dropped.
#[derive(Debug)]
pub struct Reservation {
    memory: Memory,
    of: MemoryUse,
    bytes: usize,
}

impl Reservation {
    /// Asks for more. After `false` it is as large as before.
    #[must_use]
    pub fn grow(&mut self, bytes: usize) -> bool {
        let grown = self.memory.try_add(self.of, bytes);
        self.bytes += if grown { bytes } else { 0 };
        grown
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.memory.remove(self.of, self.bytes);
    }
}

/// What this process has resident, by the operating system's figure; `None` where it does not tell.
pub fn resident_bytes() -> Option<usize> {
    kibibytes(&std::fs::read_to_string("/proc/self/status").ok()?, "VmRSS:")
}

/// What the machine has, or the control group that this process is in, whichever is less; `None` where neither is told.
pub fn available_bytes() -> Option<usize> {
    let machine = std::fs::read_to_string("/proc/meminfo").ok();
    let machine = machine.and_then(|text| kibibytes(&text, "MemTotal:"));
    // As a container sees its own group; version 2, then version 1. Without a limit there is no number, or a huge one.
    let group = |path: &str| std::fs::read_to_string(path).ok()?.trim().parse::<usize>().ok();
    let groups = [
        "/sys/fs/cgroup/memory.max",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
    ];
    groups.iter().filter_map(|path| group(path)).chain(machine).min()
}

fn kibibytes(text: &str, name: &str) -> Option<usize> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim()
        .strip_suffix("kB")?
        .trim()
        .parse::<usize>()
        .ok()?
        .checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Cache {
        memory: Memory,
        bytes: AtomicUsize,
    }

    impl GivesWay for Cache {
        fn give_way(&self, bytes: usize) -> usize {
            let given = bytes.min(self.bytes.load(Ordering::Relaxed));
            self.bytes.fetch_sub(given, Ordering::Relaxed);
            self.memory.remove(MemoryUse::Columns, given);
            given
        }
    }

    fn with_cache(bytes: usize) -> (Memory, Arc<Cache>) {
        let memory = Memory::limited(1_600);
        assert!(memory.try_add(MemoryUse::Columns, bytes));
        let cache = Arc::new(Cache {
            memory: memory.clone(),
            bytes: AtomicUsize::new(bytes),
        });
        let weak: Weak<Cache> = Arc::downgrade(&cache);
        memory.add_cache(weak);
        (memory, cache)
    }

    #[test]
    fn caches_give_way_then_questions_are_refused_and_ingestion_last() {
        let (memory, cache) = with_cache(1_200);
        let question = memory.reserve(MemoryUse::Questions, 1_000).unwrap();
        assert_eq!(
            cache.bytes.load(Ordering::Relaxed),
            300,
            "only as much as the question lacked"
        );
        assert!(
            memory.reserve(MemoryUse::Questions, 301).is_none(),
            "1,300 of 1,600 are theirs"
        );
        assert!(memory.was_short() && !memory.was_short());
        let batch = memory.reserve(MemoryUse::Ingestion, 500).unwrap();
        assert!(memory.reserve(MemoryUse::Ingestion, 1).is_none());
        drop(question);
        assert!(memory.reserve(MemoryUse::Questions, 800).is_some());
        drop(batch);
        assert!(memory.figures().used_bytes.iter().all(|(_, bytes)| *bytes == 0));
        assert_eq!(memory.figures().refused, 2);
    }

    #[test]
    fn what_nobody_asked_for_takes_room_once_it_has_been_seen_for_a_while() {
        let (memory, cache) = with_cache(1_000);
        for _ in 1..FINDINGS {
            memory.observe(1_500);
            assert_eq!(memory.figures().other_bytes, 0, "it may be on its way out");
        }
        memory.observe(1_500);
        assert_eq!(memory.figures().other_bytes, 500);
        assert_eq!(cache.bytes.load(Ordering::Relaxed), 700, "down to what caches may fill");
        assert!(memory.reserve(MemoryUse::Questions, 801).is_none());
        memory.observe(400);
        assert_eq!(memory.figures().other_bytes, 400);
    }

    #[test]
    fn what_is_held_in_any_case_makes_caches_smaller() {
        let (memory, cache) = with_cache(1_200);
        memory.add(MemoryUse::Fresh, 600);
        assert_eq!(cache.bytes.load(Ordering::Relaxed), 900);
        memory.remove(MemoryUse::Fresh, 600);
        let mut growing = memory.nothing(MemoryUse::Maintenance);
        assert!(growing.grow(400) && !growing.grow(2_000) && growing.bytes() == 400);
    }

    #[test]
    fn without_a_limit_nothing_is_refused() {
        let memory = Memory::unlimited();
        memory.observe(1 << 40);
        assert!(memory.reserve(MemoryUse::Columns, 1 << 50).is_some());
        assert_eq!((memory.limit_bytes(), memory.part(4, 7)), (None, 7));
    }

    #[test]
    fn the_process_has_memory() {
        assert!(resident_bytes().is_some_and(|bytes| bytes > 1 << 20));
        assert!(available_bytes() > resident_bytes());
    }
}
