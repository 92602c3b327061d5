//! Tables of the catalog and their version.

use crate::error::StoreError;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;

/// Version of the tables, in SQLite's `user_version`. A store of an earlier version is brought up to it when it is opened
/// ([`UPGRADES`]); one of a later version is refused.
pub const VERSION: u32 = 3;

/// What leads from one version to the next.
enum Step {
    /// Runs in a transaction with the new version.
    Statements(&'static str),
    /// Checksums for every page, by a copy that takes the file's place with the new version in it.
    Checksums,
}

/// What leads from version 1 to 2, from 2 to 3, and so on.
const UPGRADES: [Step; 2] = [Step::Statements(DOCUMENT_VERSIONS), Step::Checksums];

const DOCUMENT_VERSIONS: &str = "
ALTER TABLE document ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE document ADD COLUMN created_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE document ADD COLUMN created_by TEXT NOT NULL DEFAULT '';
ALTER TABLE document ADD COLUMN changed_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE document ADD COLUMN changed_by TEXT NOT NULL DEFAULT '';
CREATE TABLE document_number(project INTEGER NOT NULL, kind TEXT NOT NULL, last INTEGER NOT NULL,
    PRIMARY KEY(project, kind)) STRICT, WITHOUT ROWID;
INSERT INTO document_number SELECT project, kind, max(id) FROM document GROUP BY project, kind;
";

const TABLES: &str = "
CREATE TABLE setting(name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE project(
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    timezone TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    settings TEXT NOT NULL,
    next_seq INTEGER NOT NULL DEFAULT 1,
    feed_position INTEGER NOT NULL DEFAULT 0,
    received_ms INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE credential(
    digest BLOB PRIMARY KEY,
    project INTEGER NOT NULL REFERENCES project(id),
    kind TEXT NOT NULL,
    username TEXT UNIQUE,
    created_ms INTEGER NOT NULL,
    scopes TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE document(
    project INTEGER NOT NULL REFERENCES project(id),
    kind TEXT NOT NULL,
    id INTEGER NOT NULL,
    name TEXT NOT NULL,
    json TEXT NOT NULL,
    version INTEGER NOT NULL DEFAULT 1,
    created_ms INTEGER NOT NULL DEFAULT 0,
    created_by TEXT NOT NULL DEFAULT '',
    changed_ms INTEGER NOT NULL DEFAULT 0,
    changed_by TEXT NOT NULL DEFAULT '',
    PRIMARY KEY(project, kind, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE document_number(
    project INTEGER NOT NULL,
    kind TEXT NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY(project, kind)
) STRICT, WITHOUT ROWID;
CREATE TABLE segment(
    id INTEGER PRIMARY KEY,
    project INTEGER NOT NULL,
    shard INTEGER NOT NULL,
    period TEXT NOT NULL,
    rows INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    first_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    sums BLOB NOT NULL,
    deleted BLOB NOT NULL
) STRICT;
CREATE TABLE property_column(
    project INTEGER NOT NULL,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    rows INTEGER NOT NULL,
    PRIMARY KEY(project, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE event(
    project INTEGER NOT NULL,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    rows INTEGER NOT NULL,
    first_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    PRIMARY KEY(project, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE merged_person(
    project INTEGER NOT NULL,
    person INTEGER NOT NULL,
    into_person INTEGER NOT NULL,
    PRIMARY KEY(project, person)
) STRICT, WITHOUT ROWID;
CREATE TABLE unsettled_person(
    project INTEGER NOT NULL,
    person INTEGER NOT NULL,
    merged_after_seq INTEGER NOT NULL,
    PRIMARY KEY(project, person)
) STRICT, WITHOUT ROWID;
CREATE TABLE erased_person(
    project INTEGER NOT NULL,
    person INTEGER NOT NULL,
    purge_after_seq INTEGER,
    PRIMARY KEY(project, person)
) STRICT, WITHOUT ROWID;
CREATE TABLE profile(
    project INTEGER NOT NULL,
    group_key TEXT NOT NULL,
    number INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY(project, group_key, number)
) STRICT, WITHOUT ROWID;
";

/// Creates the database file with its tables.
pub(super) fn create(file: &Path, shards: u32) -> Result<Connection, StoreError> {
    pages::register();
    let connection = Connection::open(file).map_err(StoreError::catalog("create the database"))?;
    pages::seal_new(&connection).map_err(StoreError::catalog("create the database"))?;
    configure(&connection)?;
    let setup = format!(
        "BEGIN; {TABLES}
         INSERT INTO setting VALUES ('shards', {shards}), ('watermark', 0), ('next_segment', 1);
         PRAGMA user_version = {VERSION}; COMMIT;"
    );
    connection
        .execute_batch(&setup)
        .map_err(StoreError::catalog("create the tables"))?;
    Ok(connection)
}

/// Opens an existing database of this version or an earlier one.
pub(super) fn open(file: &Path) -> Result<Connection, StoreError> {
    pages::register();
    check_wal(file)?;
    let connection = connect(file)?;
    let found = version(&connection)?;
    check_version(file, found)?;
    configure(&connection)?;
    upgrade(file, connection, found)
}

fn connect(file: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(file, flags).map_err(|source| StoreError::NotAStore {
        directory: file.parent().unwrap_or(file).to_path_buf(),
        what: format!("its catalog cannot be opened: {source}"),
    })
}

/// Commits that the write-ahead log has lost to damage would be missing without a word.
pub(super) fn check_wal(file: &Path) -> Result<(), StoreError> {
    match pages::wal::check(file) {
        Ok(None) => Ok(()),
        Ok(Some(damage)) => Err(StoreError::corrupt(
            &damage.file,
            damage.offset,
            "a frame fails its checksum, and later commits follow it; restore from a backup",
        )),
        Err(source) => Err(StoreError::io("read the write-ahead log of", file, source)),
    }
}

pub(super) fn version(connection: &Connection) -> Result<u32, StoreError> {
    connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(StoreError::catalog("read its version"))
}

/// Whether this program can open tables of a version.
pub(super) fn check_version(file: &Path, version: u32) -> Result<(), StoreError> {
    match version {
        0 => Err(StoreError::NotAStore {
            directory: file.parent().unwrap_or(file).to_path_buf(),
            what: "its catalog has no version".into(),
        }),
        found if found > VERSION => Err(StoreError::NewerFormat {
            file: file.to_path_buf(),
            found,
            known: VERSION,
        }),
        _ => Ok(()),
    }
}

fn upgrade(file: &Path, mut connection: Connection, from: u32) -> Result<Connection, StoreError> {
    for (to, step) in (2_u32..).zip(UPGRADES).filter(|(to, _)| *to > from) {
        match step {
            Step::Statements(statements) => connection
                .execute_batch(&format!("BEGIN; {statements} PRAGMA user_version = {to}; COMMIT;"))
                .map_err(StoreError::catalog("bring its tables up to date"))?,
            Step::Checksums => {
                drop(connection);
                pages::seal_existing(file, to).map_err(|error| seal_error(file, error))?;
                connection = connect(file)?;
                configure(&connection)?;
            }
        }
    }
    Ok(connection)
}

fn seal_error(file: &Path, error: pages::SealError) -> StoreError {
    let action = "give checksums to";
    match error {
        pages::SealError::Sqlite(source) => StoreError::catalog("give checksums to itself")(source),
        pages::SealError::Io(source) => StoreError::io(action, file, source),
        in_use @ pages::SealError::InUse => StoreError::io(action, file, std::io::Error::other(in_use)),
    }
}

fn configure(connection: &Connection) -> Result<(), StoreError> {
    connection
        .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")
        .map_err(StoreError::catalog("set its journal mode"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The two tables as version 1 had them.
    const VERSION_1: &str = "
        CREATE TABLE project(id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
        CREATE TABLE document(
            project INTEGER NOT NULL REFERENCES project(id), kind TEXT NOT NULL, id INTEGER NOT NULL,
            name TEXT NOT NULL, json TEXT NOT NULL, PRIMARY KEY(project, kind, id)) STRICT, WITHOUT ROWID;
        INSERT INTO project VALUES (1, 'P');
        INSERT INTO document VALUES (1, 'report', 4, 'Sales', '{}');
        PRAGMA user_version = 1;";

    #[test]
    fn an_earlier_catalog_is_brought_up_to_date_once() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("catalog.db");
        Connection::open(&file).unwrap().execute_batch(VERSION_1).unwrap();
        for _ in 0..2 {
            let connection = open(&file).unwrap();
            let columns = "SELECT name || version || created_by || (SELECT last FROM document_number) FROM document";
            let read: String = connection.query_row(columns, (), |row| row.get(0)).unwrap();
            assert_eq!(read, "Sales14");
            assert!(pages::is_sealed(&connection).unwrap());
            assert_eq!(version(&connection).unwrap(), VERSION);
        }
    }

    #[test]
    fn an_upgrade_that_is_cut_off_leaves_the_earlier_version_and_can_be_repeated() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("catalog.db");
        let connection = Connection::open(&file).unwrap();
        // The step fails half-way, after it has added columns.
        let in_the_way = format!("{VERSION_1} CREATE TABLE document_number(x);");
        connection.execute_batch(&in_the_way).unwrap();
        assert!(open(&file).is_err());
        let columns = "SELECT count(*) FROM pragma_table_info('document')";
        let left = (
            version(&connection).unwrap(),
            connection.query_row(columns, (), |row| row.get(0)).unwrap(),
        );
        assert_eq!(left, (1, 5));
        connection.execute_batch("DROP TABLE document_number").unwrap();
        drop(connection);
        assert_eq!(version(&open(&file).unwrap()).unwrap(), VERSION);
    }

    /// Killed behind each step of an upgrade, and within the last: the next start goes on from there.
    #[test]
    fn an_upgrade_goes_on_where_it_was_cut_off() {
        let directory = tempfile::tempdir().unwrap();
        let upgraded_to_2 = format!("{VERSION_1} BEGIN; {DOCUMENT_VERSIONS} PRAGMA user_version = 2; COMMIT;");
        let half_a_copy = |file: &Path| std::fs::write(file.with_extension("db-sealing"), [7; 5000]).unwrap();
        let nothing = |_: &Path| {};
        type CutOff<'a> = &'a dyn Fn(&Path);
        let left: [(&str, CutOff<'_>); 4] = [
            (VERSION_1, &nothing),
            (&upgraded_to_2, &nothing),
            (&upgraded_to_2, &half_a_copy),
            // The copy is complete and has not taken the file's place.
            (&upgraded_to_2, &|file| {
                pages::seal_existing(file, 3).unwrap();
                std::fs::rename(file, file.with_extension("db-sealing")).unwrap();
                Connection::open(file).unwrap().execute_batch(&upgraded_to_2).unwrap();
            }),
        ];
        for (number, (statements, cut_off)) in left.into_iter().enumerate() {
            let file = directory.path().join(format!("{number}.db"));
            Connection::open(&file).unwrap().execute_batch(statements).unwrap();
            cut_off(&file);
            let connection = open(&file).unwrap();
            let read: String = connection
                .query_row("SELECT name || version FROM document", (), |row| row.get(0))
                .unwrap();
            assert_eq!((read.as_str(), version(&connection).unwrap()), ("Sales1", VERSION));
            assert!(pages::is_sealed(&connection).unwrap());
            assert!(!file.with_extension("db-sealing").exists());
        }
    }

    #[test]
    fn upgraded_and_new_documents_have_the_same_columns() {
        let directory = tempfile::tempdir().unwrap();
        let old = directory.path().join("old.db");
        Connection::open(&old).unwrap().execute_batch(VERSION_1).unwrap();
        let columns = |connection: Connection| -> Vec<String> {
            ["document", "document_number"]
                .map(|table| {
                    connection
                        .prepare(&format!("SELECT name || type || \"notnull\" || coalesce(dflt_value, '') || pk FROM pragma_table_info('{table}')"))
                        .unwrap()
                        .query_map((), |row| row.get(0))
                        .unwrap()
                        .collect::<rusqlite::Result<Vec<String>>>()
                        .unwrap()
                })
                .concat()
        };
        let new = create(&directory.path().join("new.db"), 4).unwrap();
        assert_eq!(columns(open(&old).unwrap()), columns(new));
    }

    #[test]
    fn a_later_catalog_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("catalog.db");
        let connection = create(&file, 4).unwrap();
        connection.execute_batch("PRAGMA user_version = 99").unwrap();
        drop(connection);
        assert!(matches!(open(&file), Err(StoreError::NewerFormat { found: 99, .. })));
    }
}
