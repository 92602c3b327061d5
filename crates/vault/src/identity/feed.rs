//! The identity feed: one gap-free sequence per project, kept for ever (ID-10).

use crate::error::Fault;
use model::{FeedEntry, FeedItem, PersonNumber, ProjectId};
use rusqlite::{Connection, OptionalExtension};

/// Entries of one page.
pub(super) const PAGE: usize = 10_000;

const MERGE: u8 = 1;
const RESET: u8 = 2;
const ERASE: u8 = 3;
const GAP: u8 = 4;

pub(super) fn insert(
    connection: &Connection,
    project: ProjectId,
    seq: u64,
    entry: &FeedEntry,
    at_ms: i64,
) -> Result<(), Fault> {
    let (kind, a, b, numbers) = match entry {
        FeedEntry::Merge { from, into } => (MERGE, from.0, into.0, None),
        FeedEntry::Reset { person } => (RESET, person.0, 0, None),
        FeedEntry::Erase { persons } => (ERASE, 0, 0, Some(pack(persons))),
        FeedEntry::Gap { low, high } => (GAP, low.0, high.0, None),
    };
    connection
        .prepare_cached(
            "INSERT INTO feed(project, seq, kind, a, b, at_ms, numbers) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute((project.0, seq as i64, kind, a as i64, b as i64, at_ms, numbers))?;
    Ok(())
}

/// Entries above `seq` up to and with `up_to`, at most a page, and whether there are more.
pub(super) fn page(
    connection: &Connection,
    project: ProjectId,
    seq: u64,
    up_to: u64,
) -> Result<(Vec<FeedItem>, bool), Fault> {
    if seq >= up_to {
        return Ok((Vec::new(), false));
    }
    let last = up_to.min(seq + PAGE as u64);
    let mut select = connection.prepare_cached(
        "SELECT seq, kind, a, b, numbers FROM feed WHERE project = ?1 AND seq > ?2 AND seq <= ?3 ORDER BY seq",
    )?;
    let mut rows = select.query((project.0, seq as i64, last as i64))?;
    let mut items = Vec::with_capacity((last - seq) as usize);
    while let Some(row) = rows.next()? {
        let number = |at| row.get::<_, i64>(at).map(|n| PersonNumber(n as u64));
        let entry = match row.get::<_, u8>(1)? {
            MERGE => FeedEntry::Merge {
                from: number(2)?,
                into: number(3)?,
            },
            RESET => FeedEntry::Reset { person: number(2)? },
            ERASE => FeedEntry::Erase {
                persons: unpack(&row.get::<_, Vec<u8>>(4)?),
            },
            GAP => FeedEntry::Gap {
                low: number(2)?,
                high: number(3)?,
            },
            _ => return Err(Fault::Tampered("the identity feed")),
        };
        items.push(FeedItem {
            seq: row.get::<_, i64>(0)? as u64,
            entry,
        });
    }
    // A hole would make readers miss an edge for ever, so it is refused here rather than found there.
    let gap_free = items.iter().zip(seq + 1..).all(|(item, expected)| item.seq == expected);
    if !gap_free || items.len() as u64 != last - seq {
        return Err(Fault::Tampered("the identity feed"));
    }
    Ok((items, last < up_to))
}

fn pack(persons: &[PersonNumber]) -> Vec<u8> {
    persons.iter().flat_map(|person| person.0.to_le_bytes()).collect()
}

fn unpack(bytes: &[u8]) -> Vec<PersonNumber> {
    bytes
        .chunks_exact(8)
        .map(|chunk| {
            let mut number = [0; 8];
            number.copy_from_slice(chunk);
            PersonNumber(u64::from_le_bytes(number))
        })
        .collect()
}

/// What a person was merged into. Reads the whole feed: for the rare doubt only.
pub(super) fn merged_into(connection: &Connection, project: ProjectId, from: u64) -> Result<Option<u64>, Fault> {
    let into: Option<i64> = connection
        .prepare_cached("SELECT b FROM feed WHERE project = ?1 AND kind = ?2 AND a = ?3")?
        .query_row((project.0, MERGE, from as i64), |row| row.get(0))
        .optional()?;
    Ok(into.map(|into| into as u64))
}
