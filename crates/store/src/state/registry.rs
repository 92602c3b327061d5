//! Which property columns and event names a project has, with their counts.
//!
//! Names live in shared lists that are copied only when one is added; counts are plain vectors beside them. So a
//! snapshot costs two small copies even with 2,000 columns.

use super::prepared::{ColumnTally, EventTally};
use crate::columns::{Column, ColumnKind, EventSummary, physical_name};
use hashbrown::HashMap;
use std::sync::Arc;

/// Property columns a project may have. Properties beyond it share the column `overflow:json`.
pub(crate) const COLUMNS_MAX: usize = 2_000;

/// The project's columns and events. Both lists only grow, in the order of the log, so that replaying the log gives
/// every name the same place again.
#[derive(Clone, Default)]
pub(crate) struct Registry {
    columns: Arc<ColumnNames>,
    column_rows: Vec<u64>,
    events: Arc<EventNames>,
    event_counts: Vec<EventCount>,
}

/// Property columns by place.
#[derive(Clone, Default)]
pub(crate) struct ColumnNames {
    list: Vec<(String, ColumnKind, String)>,
    by_name: HashMap<String, [Option<u32>; ColumnKind::ALL.len()]>,
}

#[derive(Clone, Default)]
struct EventNames {
    list: Vec<String>,
    by_name: HashMap<String, u32>,
}

#[derive(Clone, Copy)]
struct EventCount {
    rows: u64,
    first_ms: i64,
    last_ms: i64,
}

impl ColumnNames {
    /// The column's place; `None` for one that overflowed or never came.
    pub fn place(&self, name: &str, kind: ColumnKind) -> Option<usize> {
        self.by_name.get(name)?[kind as usize].map(|place| place as usize)
    }

    pub fn physical(&self, place: usize) -> (&str, ColumnKind) {
        let (_, kind, physical) = &self.list[place];
        (physical, *kind)
    }

    pub fn len(&self) -> usize {
        self.list.len()
    }

    fn push(&mut self, name: &str, kind: ColumnKind) {
        let place = self.list.len() as u32;
        self.list.push((name.to_owned(), kind, physical_name(name, kind)));
        self.by_name.entry_ref(name).or_default()[kind as usize] = Some(place);
    }
}

impl Registry {
    pub fn column_names(&self) -> &Arc<ColumnNames> {
        &self.columns
    }

    /// Counts the columns of a batch, adding new ones while there is room.
    pub fn count_columns(&mut self, tallies: &[ColumnTally]) {
        for tally in tallies {
            let place = self.columns.place(&tally.name, tally.kind);
            let place = place.or_else(|| {
                (self.columns.len() < COLUMNS_MAX).then(|| {
                    Arc::make_mut(&mut self.columns).push(&tally.name, tally.kind);
                    self.column_rows.push(0);
                    self.columns.len() - 1
                })
            });
            if let Some(place) = place {
                self.column_rows[place] += tally.rows;
            }
        }
    }

    /// Counts the events of a batch and returns the place of each name.
    pub fn count_events(&mut self, tallies: &[EventTally]) -> Vec<u32> {
        tallies.iter().map(|tally| self.count_event(tally)).collect()
    }

    fn count_event(&mut self, tally: &EventTally) -> u32 {
        let place = match self.events.by_name.get(&tally.name) {
            Some(place) => *place,
            None => {
                let names = Arc::make_mut(&mut self.events);
                let place = names.list.len() as u32;
                names.list.push(tally.name.clone());
                names.by_name.insert(tally.name.clone(), place);
                self.event_counts.push(EventCount {
                    rows: 0,
                    first_ms: i64::MAX,
                    last_ms: i64::MIN,
                });
                place
            }
        };
        let count = &mut self.event_counts[place as usize];
        count.rows += tally.rows;
        count.first_ms = count.first_ms.min(tally.first_ms);
        count.last_ms = count.last_ms.max(tally.last_ms);
        place
    }

    /// Takes recognised copies out of an event's count.
    pub fn discount_event(&mut self, place: u32, rows: u64) {
        let count = &mut self.event_counts[place as usize];
        count.rows = count.rows.saturating_sub(rows);
    }

    pub fn event_place(&self, name: &str) -> Option<u32> {
        self.events.by_name.get(name).copied()
    }

    pub fn columns(&self) -> Vec<Column> {
        self.columns
            .list
            .iter()
            .zip(&self.column_rows)
            .map(|((name, kind, physical), rows)| Column {
                name: name.clone(),
                kind: *kind,
                physical: physical.clone(),
                rows: *rows,
            })
            .collect()
    }

    pub fn events(&self) -> Vec<EventSummary> {
        self.events
            .list
            .iter()
            .zip(&self.event_counts)
            .map(|(name, count)| EventSummary {
                name: name.clone(),
                rows: count.rows,
                first_ms: count.first_ms,
                last_ms: count.last_ms,
            })
            .collect()
    }

    /// Earliest and latest event time, if there are events.
    pub fn time_range_ms(&self) -> Option<(i64, i64)> {
        let first = self.event_counts.iter().map(|count| count.first_ms).min()?;
        let last = self.event_counts.iter().map(|count| count.last_ms).max()?;
        Some((first, last))
    }

    /// Rebuilds the registry from what the catalog holds, in order of place.
    pub fn load(columns: Vec<(String, ColumnKind, u64)>, events: Vec<EventSummary>) -> Registry {
        let mut registry = Registry::default();
        for (name, kind, rows) in columns {
            Arc::make_mut(&mut registry.columns).push(&name, kind);
            registry.column_rows.push(rows);
        }
        for event in events {
            registry.count_event(&EventTally {
                name: event.name,
                rows: event.rows,
                first_ms: event.first_ms,
                last_ms: event.last_ms,
            });
        }
        registry
    }
}
