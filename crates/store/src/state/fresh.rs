//! Rows that are durable in the log and not yet in a segment.
//!
//! They arrive as chunks (one per record) and are gathered into blocks. A block is turned into Arrow batches once,
//! by whoever needs it first: the background thread, or a scan that comes earlier. Then the events themselves are
//! dropped. The unfinished block at the end is turned into batches per snapshot.

use super::encoded::EncodedEvents;
use super::registry::ColumnNames;
use crate::rows::build;
use arrow::record_batch::RecordBatch;
use hashbrown::HashMap;
use roaring::RoaringTreemap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Rows after which a block is complete. Larger blocks scan a little faster; smaller ones cost less per snapshot
/// while they are unfinished.
const BLOCK_ROWS: usize = 16_384;

/// Values after which a block is complete, absent ones included: with thousands of columns, most of a batch are these.
const BLOCK_CELLS: usize = 2_000_000;

/// Events of one record as they were applied: persons are canonical as of that moment.
pub(crate) struct Chunk {
    pub first_seq: u64,
    pub events: EncodedEvents,
    pub event_names: Vec<String>,
    pub event_of_row: Vec<u32>,
}

impl Chunk {
    fn bytes(&self) -> usize {
        self.events.memory_bytes() + self.event_of_row.len() * size_of::<u32>()
    }
}

/// A run of chunks, as one sorted batch per shard.
pub(crate) struct Block {
    pub first_seq: u64,
    pub last_seq: u64,
    pub rows: usize,
    /// Memory of the events, until they are batches.
    event_bytes: usize,
    pub first_ms: i64,
    pub last_ms: i64,
    names: Arc<ColumnNames>,
    shards: u32,
    /// Taken when the batches are made.
    chunks: Mutex<Vec<Arc<Chunk>>>,
    built: OnceLock<Built>,
}

/// The batches of a block, one for each shard that has rows.
struct Built {
    batches: Vec<Option<RecordBatch>>,
    bytes: usize,
}

impl Block {
    fn new(chunks: Vec<Arc<Chunk>>, names: Arc<ColumnNames>, shards: u32) -> Block {
        let times = || chunks.iter().flat_map(|chunk| &chunk.events.rows).map(|row| row.time.0);
        let last = chunks.last().expect("a block is made of at least one chunk");
        Block {
            first_seq: chunks[0].first_seq,
            last_seq: last.first_seq + last.events.len() as u64 - 1,
            rows: chunks.iter().map(|chunk| chunk.events.len()).sum(),
            event_bytes: chunks.iter().map(|chunk| chunk.bytes()).sum(),
            first_ms: times().min().unwrap_or(i64::MAX),
            last_ms: times().max().unwrap_or(i64::MIN),
            names,
            shards,
            chunks: Mutex::new(chunks),
            built: OnceLock::new(),
        }
    }

    /// The block's rows by shard, each sorted by event, person, time and sequence number.
    pub fn batches(&self) -> &[Option<RecordBatch>] {
        let built = self.built.get_or_init(|| {
            let chunks = std::mem::take(&mut *self.chunks.lock().unwrap_or_else(PoisonError::into_inner));
            let batches = build::batches(&chunks, &self.names, self.shards);
            let bytes = batches.iter().flatten().map(RecordBatch::get_array_memory_size).sum();
            Built { batches, bytes }
        });
        &built.batches
    }

    /// Memory of the block.
    pub fn bytes(&self) -> usize {
        self.built.get().map_or(self.event_bytes, |built| built.bytes)
    }

    pub fn is_built(&self) -> bool {
        self.built.get().is_some()
    }
}

/// What makes two rows copies of each other, with the event's place in the registry.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct CopyKey {
    pub event: u32,
    pub person: u64,
    pub time: i64,
    pub insert_id: u64,
}

/// All fresh rows of a project.
#[derive(Default)]
pub(crate) struct Fresh {
    blocks: Vec<Arc<Block>>,
    tail: Vec<Arc<Chunk>>,
    tail_rows: usize,
    /// The tail as a block, once a snapshot asked for it.
    tail_block: Option<Arc<Block>>,
    rows: usize,
    tail_bytes: usize,
    /// Sequence numbers of rows with a later copy among the fresh rows.
    superseded: Arc<RoaringTreemap>,
    /// The latest fresh row of every key.
    latest: HashMap<CopyKey, u64>,
}

/// The fresh rows of a snapshot.
#[derive(Clone, Default)]
pub(crate) struct FreshView {
    pub blocks: Vec<Arc<Block>>,
    pub superseded: Arc<RoaringTreemap>,
}

impl Fresh {
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Estimated memory of the rows.
    pub fn bytes(&self) -> usize {
        let keys = self.latest.capacity() * size_of::<(CopyKey, u64)>();
        self.tail_bytes + keys + self.blocks.iter().map(|block| block.bytes()).sum::<usize>()
    }

    /// Notes a row's key. Returns whether it supersedes an earlier fresh row.
    pub fn note_key(&mut self, key: CopyKey, seq: u64) -> bool {
        match self.latest.insert(key, seq) {
            Some(earlier) => Arc::make_mut(&mut self.superseded).insert(earlier),
            None => false,
        }
    }

    /// Adds a record's rows. Returns the block that they completed, whose batches are not made yet.
    pub fn push(&mut self, chunk: Chunk, names: &Arc<ColumnNames>, shards: u32) -> Option<Arc<Block>> {
        self.rows += chunk.events.len();
        self.tail_bytes += chunk.bytes();
        self.tail_rows += chunk.events.len();
        self.tail.push(Arc::new(chunk));
        self.tail_block = None;
        if self.tail_rows < BLOCK_ROWS.min(BLOCK_CELLS / names.len().max(1)) {
            return None;
        }
        self.seal(names, shards);
        self.blocks.last().cloned()
    }

    fn seal(&mut self, names: &Arc<ColumnNames>, shards: u32) {
        if self.tail.is_empty() {
            return;
        }
        let block = self.tail_block.take().unwrap_or_else(|| {
            let chunks = std::mem::take(&mut self.tail);
            Arc::new(Block::new(chunks, names.clone(), shards))
        });
        self.tail.clear();
        (self.tail_rows, self.tail_bytes) = (0, 0);
        self.blocks.push(block);
    }

    /// All rows there are now.
    pub fn view(&mut self, names: &Arc<ColumnNames>, shards: u32) -> FreshView {
        if self.tail_block.is_none() && !self.tail.is_empty() {
            self.tail_block = Some(Arc::new(Block::new(self.tail.clone(), names.clone(), shards)));
        }
        FreshView {
            blocks: self.blocks.iter().chain(&self.tail_block).cloned().collect(),
            superseded: self.superseded.clone(),
        }
    }

    /// Seals the tail, so that everything up to now can be flushed and then dropped by [`Fresh::forget`].
    pub fn freeze(&mut self, names: &Arc<ColumnNames>, shards: u32) -> FreshView {
        self.seal(names, shards);
        self.view(names, shards)
    }

    /// Drops rows that a segment holds now.
    pub fn forget(&mut self, last_seq: u64) {
        self.blocks.retain(|block| block.last_seq > last_seq);
        debug_assert!(self.blocks.iter().all(|block| block.first_seq > last_seq));
        self.rows = self.tail_rows + self.blocks.iter().map(|block| block.rows).sum::<usize>();
        self.latest.retain(|_, seq| *seq > last_seq);
        if self.latest.is_empty() {
            self.latest = HashMap::new();
        }
        let superseded = Arc::make_mut(&mut self.superseded);
        superseded.remove_range(..=last_seq);
    }

    /// Complete blocks whose batches nobody has made yet.
    pub fn unbuilt(&self) -> Vec<Arc<Block>> {
        self.blocks.iter().filter(|block| !block.is_built()).cloned().collect()
    }
}
