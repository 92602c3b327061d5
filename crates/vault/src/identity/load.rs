//! From the database to RAM, at start and when a project is made.

use super::feed;
use super::index::{Blind, Entry, Index, Short, ShortMap};
use super::project::{Counters, GroupKey, Project, State};
use super::schema::{FIRST_COUNTERS, INDEX_GENERATION};
use crate::error::Fault;
use crate::keys::ProjectKeys;
use model::{FeedEntry, ProjectId};
use rusqlite::Connection;
use std::collections::{HashMap, HashSet};
use std::path::Path;

pub(super) fn projects(connection: &Connection) -> Result<Vec<ProjectId>, Fault> {
    let mut select = connection.prepare("SELECT project FROM project ORDER BY project")?;
    let found = select.query_map([], |row| row.get(0).map(ProjectId))?;
    Ok(found.collect::<Result<_, _>>()?)
}

pub(super) fn project(connection: &Connection, keys: ProjectKeys, index_entries_max: usize) -> Result<Project, Fault> {
    let id = keys.project;
    let counters = counters(connection, id)?;
    check_counters(connection, id, &counters)?;
    let absorbed = absorbed(connection, id, counters.feed_seq)?;
    let (identities, own) = identities(connection, id, index_entries_max)?;
    let state = State {
        identities,
        groups: groups(connection, id, index_entries_max)?,
        group_keys: group_keys(connection, id)?,
        fields: fields(connection, id)?,
        absorbed,
        own,
        counters,
    };
    Ok(Project::new(keys, state))
}

/// A project nobody was seen in.
pub(super) fn empty_project(keys: ProjectKeys, index_entries_max: usize) -> Project {
    let state = State {
        identities: Index::new(index_entries_max),
        groups: Index::new(index_entries_max),
        group_keys: HashMap::new(),
        fields: HashMap::new(),
        absorbed: HashMap::new(),
        own: ShortMap::default(),
        counters: FIRST_COUNTERS,
    };
    Project::new(keys, state)
}

fn counters(connection: &Connection, project: ProjectId) -> Result<Counters, Fault> {
    Ok(connection.query_row(
        "SELECT next_person, next_ident, feed_seq, dek_serial FROM project WHERE project = ?1",
        [project.0],
        |row| {
            let number = |at| row.get::<_, i64>(at).map(|n| n as u64);
            Ok(Counters {
                next_person: number(0)?,
                next_ident: number(1)?,
                feed_seq: number(2)?,
                dek_serial: number(3)?,
            })
        },
    )?)
}

/// A project row put back to an older state would give numbers away twice.
fn check_counters(connection: &Connection, project: ProjectId, counters: &Counters) -> Result<(), Fault> {
    let (highest, feed): (i64, i64) = connection.query_row(
        "SELECT (SELECT coalesce(max(n), 0) FROM person WHERE project = ?1),
            (SELECT coalesce(max(seq), 0) FROM feed WHERE project = ?1)",
        [project.0],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    match (highest as u64) < counters.next_person && feed as u64 == counters.feed_seq {
        true => Ok(()),
        false => Err(Fault::Tampered("a project's row")),
    }
}

/// What contradicts itself in the rows of a database, as far as that shows without keys.
pub(crate) fn inconsistencies(connection: &Connection) -> Result<Vec<String>, rusqlite::Error> {
    // One moment of a database that may be changing.
    let moment = connection.unchecked_transaction()?;
    let mut found = Vec::new();
    let mut select = moment.prepare(
        "SELECT project, next_person, feed_seq,
            (SELECT coalesce(max(n), 0) FROM person WHERE person.project = project.project),
            (SELECT coalesce(max(seq), 0) FROM feed WHERE feed.project = project.project),
            (SELECT count(*) FROM feed WHERE feed.project = project.project)
            FROM project",
    )?;
    let mut rows = select.query(())?;
    while let Some(row) = rows.next()? {
        let project: u32 = row.get(0)?;
        let [next_person, feed_seq, highest, last, entries]: [i64; 5] =
            [row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?];
        if highest >= next_person {
            found.push(format!(
                "project {project} would give person number {next_person} away twice"
            ));
        }
        if last != feed_seq || entries != feed_seq {
            found.push(format!(
                "the identity feed of project {project} has a hole or another end than {feed_seq}"
            ));
        }
    }
    Ok(found)
}

/// How many persons and groups have a key that is not in the keystore.
pub(crate) fn keyless(connection: &Connection, keystore: &Path) -> Result<u64, rusqlite::Error> {
    connection.execute("ATTACH DATABASE ?1 AS keystore", [keystore.to_string_lossy()])?;
    connection.query_row(
        "SELECT (SELECT count(*) FROM person AS p WHERE NOT EXISTS
                (SELECT 1 FROM keystore.dek AS d WHERE d.project = p.project AND d.key_id = p.key_id))
            + (SELECT count(*) FROM grp AS g WHERE NOT EXISTS
                (SELECT 1 FROM keystore.dek AS d WHERE d.project = g.project AND d.key_id = g.key_id))",
        (),
        |row| row.get(0),
    )
}

fn absorbed(connection: &Connection, project: ProjectId, feed_seq: u64) -> Result<HashMap<u64, u64>, Fault> {
    let mut absorbed = HashMap::new();
    let mut seq = 0;
    loop {
        let (items, more) = feed::page(connection, project, seq, feed_seq)?;
        for item in items {
            seq = item.seq;
            if let FeedEntry::Merge { from, into } = item.entry {
                absorbed.insert(from.0, into.0);
            }
        }
        if !more {
            return Ok(absorbed);
        }
    }
}

fn identities(
    connection: &Connection,
    project: ProjectId,
    entries_max: usize,
) -> Result<(Index, ShortMap<u64>), Fault> {
    let linked: HashSet<i64> = connection
        .prepare("SELECT device_ident FROM link WHERE project = ?1")?
        .query_map([project.0], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let own_by_ident: HashMap<i64, i64> = connection
        .prepare(
            "SELECT ident.ident_id, ident.person FROM person JOIN ident
                ON ident.project = person.project AND ident.person = person.n
                WHERE person.project = ?1 AND person.canon <> person.n",
        )?
        .query_map([project.0], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let mut index = Index::new(entries_max);
    let mut own = ShortMap::default();
    let mut select = connection.prepare("SELECT idx, ident_id, person FROM bidx WHERE project = ?1 AND gen = ?2")?;
    let mut rows = select.query((project.0, INDEX_GENERATION))?;
    while let Some(row) = rows.next()? {
        let (blind, ident, person): (Blind, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        index.insert(Short::of(&blind), Entry::new(person as u64, linked.contains(&ident)));
        if let Some(number) = own_by_ident.get(&ident) {
            own.insert(Short::of(&blind), *number as u64);
        }
    }
    Ok((index, own))
}

fn groups(connection: &Connection, project: ProjectId, entries_max: usize) -> Result<Index, Fault> {
    let mut index = Index::new(entries_max);
    let mut select = connection.prepare("SELECT idx, n FROM gbidx WHERE project = ?1 AND gen = ?2")?;
    let mut rows = select.query((project.0, INDEX_GENERATION))?;
    while let Some(row) = rows.next()? {
        let (blind, number): (Blind, i64) = (row.get(0)?, row.get(1)?);
        index.insert(Short::of(&blind), Entry::new(number as u64, false));
    }
    Ok(index)
}

fn group_keys(connection: &Connection, project: ProjectId) -> Result<HashMap<String, GroupKey>, Fault> {
    let mut select = connection.prepare("SELECT name, key_no, next_group FROM grp_key WHERE project = ?1")?;
    let found = select.query_map([project.0], |row| {
        let next_group = row.get::<_, i64>(2)? as u64;
        Ok((
            row.get(0)?,
            GroupKey {
                key_no: row.get(1)?,
                next_group,
            },
        ))
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

fn fields(connection: &Connection, project: ProjectId) -> Result<HashMap<String, u32>, Fault> {
    let mut select = connection.prepare("SELECT name, field_id FROM field_def WHERE project = ?1")?;
    let found = select.query_map([project.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(found.collect::<Result<_, _>>()?)
}
