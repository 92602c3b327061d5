//! Databases with checksums as their users see them: damaged bit by bit, grown, copied, upgraded, cut off.
#![allow(clippy::unwrap_used)]

mod damage;
mod upgrade;

use rusqlite::Connection;
use std::path::Path;

/// A new database with checksums, some tables and an index.
pub fn create(file: &Path) -> Connection {
    pages::register();
    let connection = Connection::open(file).unwrap();
    pages::seal_new(&connection).unwrap();
    connection
        .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")
        .unwrap();
    fill(&connection);
    connection
}

/// Tables of both kinds, an index, a value that spills over several pages, and pages that are free again.
pub fn fill(connection: &Connection) {
    connection
        .execute_batch(
            "CREATE TABLE setting(name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
             CREATE TABLE row(id INTEGER PRIMARY KEY, name TEXT UNIQUE, body BLOB);
             INSERT INTO setting VALUES ('watermark', 7), ('shards', 8);
             WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 60)
             INSERT INTO row SELECT n, 'name ' || n, zeroblob(n * 20) FROM n;
             INSERT INTO row VALUES (100, 'long', zeroblob(9000)), (101, 'gone', zeroblob(20000));
             DELETE FROM row WHERE id = 101;",
        )
        .unwrap();
}

/// Everything in the tables.
pub fn content(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut all = Vec::new();
    for sql in [
        "SELECT name || ' ' || value FROM setting",
        "SELECT id || ' ' || name || ' ' || hex(body) FROM row ORDER BY id",
        "SELECT id FROM row INDEXED BY sqlite_autoindex_row_1 ORDER BY name",
    ] {
        let mut statement = connection.prepare(sql)?;
        let rows = statement.query_map((), |row| row.get_ref(0).map(|value| format!("{value:?}")))?;
        all.extend(rows.collect::<rusqlite::Result<Vec<String>>>()?);
    }
    Ok(all)
}
