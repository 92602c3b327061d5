//! What `examples/throughput.rs` measures: the way of a batch through this crate, without vault and disk.

use crate::batch::{Batch, Numbers};
use crate::cache::DigestKey;
use crate::decode::decode;
use crate::firewall::{Firewall, Tally};
use crate::json::parse_document;
use crate::pipeline::{Pipeline, Sender};
use crate::raw_event::{self, Rules};
use crate::request::IngestRequest;
use model::{BatchId, EventTime, GroupNumber, PersonNumber, ProjectId, Record};
use store::{Memory, MemoryUse, ProjectSettings};

/// Decode, firewall and split, with numbers made up in place of the vault's.
pub struct Offline {
    pipeline: Pipeline,
    settings: ProjectSettings,
}

impl Default for Offline {
    fn default() -> Self {
        Offline {
            pipeline: Pipeline {
                firewall: Firewall::new(),
                digests: DigestKey::new([1; 32]),
            },
            settings: ProjectSettings::default(),
        }
    }
}

impl Offline {
    /// Number of items: decode alone.
    pub fn parse(&self, body: &[u8]) -> usize {
        parse_document(body).map_or(0, |document| document.items.len())
    }

    /// The record that the request would become; `None` where it cannot be read.
    pub fn record(&self, request: &IngestRequest, received: EventTime) -> Option<Record> {
        let document = decode(request, &mut Memory::unlimited().nothing(MemoryUse::Ingestion))
            .payload
            .ok()?;
        let rules = Rules {
            received,
            strict: false,
            is_import: false,
            invalid_utf8: document.invalid_utf8,
        };
        let mut batch = Batch::new(ProjectId(1));
        let mut tally = Tally::default();
        let mut sender = Sender::new(&self.pipeline.firewall, request.peer, request.user_agent);
        for (index, (item, bytes)) in document.items.into_iter().enumerate() {
            if let Ok(event) = raw_event::read(item, index, bytes, &rules) {
                self.pipeline.take_event(
                    event,
                    &self.settings,
                    &mut sender,
                    Some(&[2; 32]),
                    &mut batch,
                    &mut tally,
                );
            }
        }
        let numbers = Numbers {
            persons: (1..=batch.tuples.len() as u64).map(PersonNumber).collect(),
            groups: (1..=batch.references.len() as u64).map(GroupNumber).collect(),
        };
        Some(batch.into_record(BatchId::default(), received, Vec::new(), &numbers))
    }
}
