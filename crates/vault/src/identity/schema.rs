//! The tables of `vault.db` (secrecy contract 2.4), those that are in use.
//!
//! Every primary key begins with the project (ID-20). Tables are clustered by it (`WITHOUT ROWID`), so that new
//! persons and identities are appended; only `bidx`, which is keyed by a MAC, is written at random, and it is narrow.

use super::project::Counters;
use crate::sqlite::META_TABLE;

const TABLES: &str = "
CREATE TABLE project(project INTEGER PRIMARY KEY, mode TEXT NOT NULL, next_person INTEGER NOT NULL,
    next_ident INTEGER NOT NULL, feed_seq INTEGER NOT NULL, dek_serial INTEGER NOT NULL, state TEXT NOT NULL) STRICT;

CREATE TABLE person(project INTEGER NOT NULL, n INTEGER NOT NULL, canon INTEGER NOT NULL, key_id BLOB NOT NULL,
    state INTEGER NOT NULL, created_day INTEGER NOT NULL, ver INTEGER NOT NULL, mac BLOB NOT NULL,
    PRIMARY KEY(project, n)) WITHOUT ROWID, STRICT;
CREATE INDEX person_absorbed ON person(project, canon) WHERE canon <> n;

CREATE TABLE ident(project INTEGER NOT NULL, person INTEGER NOT NULL, ident_id INTEGER NOT NULL,
    kind INTEGER NOT NULL, created_day INTEGER NOT NULL, sealed BLOB NOT NULL,
    PRIMARY KEY(project, person, ident_id)) WITHOUT ROWID, STRICT;
CREATE TABLE bidx(project INTEGER NOT NULL, gen INTEGER NOT NULL, idx BLOB NOT NULL, ident_id INTEGER NOT NULL,
    person INTEGER NOT NULL, PRIMARY KEY(project, gen, idx)) WITHOUT ROWID, STRICT;
CREATE TABLE link(project INTEGER NOT NULL, device_ident INTEGER NOT NULL, user_ident INTEGER NOT NULL,
    at_ms INTEGER NOT NULL, PRIMARY KEY(project, device_ident)) WITHOUT ROWID, STRICT;
CREATE TABLE feed(project INTEGER NOT NULL, seq INTEGER NOT NULL, kind INTEGER NOT NULL, a INTEGER NOT NULL,
    b INTEGER NOT NULL, at_ms INTEGER NOT NULL, numbers BLOB, PRIMARY KEY(project, seq)) WITHOUT ROWID, STRICT;

CREATE TABLE field_def(project INTEGER NOT NULL, field_id INTEGER NOT NULL, name TEXT NOT NULL,
    PRIMARY KEY(project, field_id), UNIQUE(project, name)) WITHOUT ROWID, STRICT;
CREATE TABLE field(project INTEGER NOT NULL, person INTEGER NOT NULL, field_id INTEGER NOT NULL,
    ver INTEGER NOT NULL, schema_ver INTEGER NOT NULL, updated_ms INTEGER NOT NULL, sealed BLOB NOT NULL,
    PRIMARY KEY(project, person, field_id)) WITHOUT ROWID, STRICT;
CREATE TABLE fidx(project INTEGER NOT NULL, gen INTEGER NOT NULL, field_id INTEGER NOT NULL, idx BLOB NOT NULL,
    person INTEGER NOT NULL, PRIMARY KEY(project, gen, field_id, idx, person)) WITHOUT ROWID, STRICT;
CREATE INDEX fidx_person ON fidx(project, person, field_id);

CREATE TABLE grp_key(project INTEGER NOT NULL, key_no INTEGER NOT NULL, name TEXT NOT NULL,
    next_group INTEGER NOT NULL, PRIMARY KEY(project, key_no), UNIQUE(project, name)) WITHOUT ROWID, STRICT;
CREATE TABLE grp(project INTEGER NOT NULL, key_no INTEGER NOT NULL, n INTEGER NOT NULL, key_id BLOB NOT NULL,
    state INTEGER NOT NULL, created_day INTEGER NOT NULL, ver INTEGER NOT NULL, mac BLOB NOT NULL,
    sealed BLOB NOT NULL, PRIMARY KEY(project, key_no, n)) WITHOUT ROWID, STRICT;
CREATE TABLE gbidx(project INTEGER NOT NULL, gen INTEGER NOT NULL, idx BLOB NOT NULL, key_no INTEGER NOT NULL,
    n INTEGER NOT NULL, PRIMARY KEY(project, gen, idx)) WITHOUT ROWID, STRICT;
CREATE TABLE gfield(project INTEGER NOT NULL, key_no INTEGER NOT NULL, n INTEGER NOT NULL,
    field_id INTEGER NOT NULL, ver INTEGER NOT NULL, schema_ver INTEGER NOT NULL, updated_ms INTEGER NOT NULL,
    sealed BLOB NOT NULL, PRIMARY KEY(project, key_no, n, field_id)) WITHOUT ROWID, STRICT;

CREATE TABLE applied_batch(project INTEGER NOT NULL, batch_id BLOB NOT NULL, at_ms INTEGER NOT NULL,
    PRIMARY KEY(project, batch_id)) WITHOUT ROWID, STRICT;
CREATE INDEX applied_batch_age ON applied_batch(at_ms);
CREATE TABLE applied_update(project INTEGER NOT NULL, event_id BLOB NOT NULL, at_ms INTEGER NOT NULL,
    PRIMARY KEY(project, event_id)) WITHOUT ROWID, STRICT;
CREATE INDEX applied_update_age ON applied_update(at_ms);

CREATE TABLE document(project INTEGER NOT NULL, kind TEXT NOT NULL, name BLOB NOT NULL, at_ms INTEGER NOT NULL,
    sealed BLOB NOT NULL, PRIMARY KEY(project, kind, name)) WITHOUT ROWID, STRICT;
";

/// Generation of the index keys in use.
pub(super) const INDEX_GENERATION: u32 = 1;

/// Of a project that nobody was seen in: person and identity numbers begin at 1.
pub(super) const FIRST_COUNTERS: Counters = Counters {
    next_person: 1,
    next_ident: 1,
    feed_seq: 0,
    dek_serial: 0,
};

pub(super) fn create(connection: &rusqlite::Connection) -> Result<(), rusqlite::Error> {
    connection.execute_batch(META_TABLE)?;
    connection.execute_batch(TABLES)
}
