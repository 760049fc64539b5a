//! Reads the database of Uptime Kuma: copies it, because its files must not change, and reads the tables that describe
//! monitors. Settings and notifications contain secrets, of which nothing is read.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use serde_json::{Map, Value, json};

use crate::local::temp_dir::TempDir;
use crate::output::CommandError;

/// The tables with what is read of each.
const TABLES: [(&str, &str); 9] = [
    ("monitor", "SELECT * FROM \"monitor\" ORDER BY id"),
    ("tag", "SELECT id, name FROM \"tag\""),
    (
        "monitor_tag",
        "SELECT monitor_id, tag_id, value FROM \"monitor_tag\" ORDER BY id",
    ),
    ("group", "SELECT id, name FROM \"group\""),
    (
        "monitor_group",
        "SELECT monitor_id, group_id FROM \"monitor_group\" ORDER BY id",
    ),
    ("maintenance", "SELECT * FROM \"maintenance\" ORDER BY id"),
    (
        "monitor_maintenance",
        "SELECT monitor_id, maintenance_id FROM \"monitor_maintenance\" ORDER BY id",
    ),
    (
        "setting",
        "SELECT key, value FROM \"setting\" WHERE key IN ('serverTimezone', 'tlsExpiryNotifyDays')",
    ),
    ("notification", "SELECT id FROM \"notification\""),
];

/// The tables as one JSON object of lists of rows.
pub(super) fn read(path: &Path) -> Result<String, CommandError> {
    let failed = |what: &str| format!("{what} {}", path.display());
    let folder =
        TempDir::create().map_err(|error| CommandError::failed("create a temporary directory", error))?;
    let copy = folder.path().join("kuma.db");
    fs::copy(path, &copy).map_err(|error| CommandError::failed(failed("copy"), error))?;
    // Recent changes are in the log beside the database.
    let log = with_suffix(path, "-wal");
    if log.exists() {
        fs::copy(&log, with_suffix(&copy, "-wal"))
            .map_err(|error| CommandError::failed(failed("copy the log of"), error))?;
    }
    let tables = tables(&copy).map_err(|error| CommandError::failed(failed("read the tables of"), error))?;
    Ok(Value::Object(tables).to_string())
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn tables(path: &Path) -> rusqlite::Result<Map<String, Value>> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let mut tables = Map::new();
    for (table, query) in TABLES {
        let is_there: bool = connection.query_row(
            "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1)",
            [table],
            |row| row.get(0),
        )?;
        if is_there {
            tables.insert(table.to_owned(), rows(&connection, query)?);
        }
    }
    Ok(tables)
}

fn rows(connection: &Connection, query: &str) -> rusqlite::Result<Value> {
    let mut statement = connection.prepare(query)?;
    let columns: Vec<String> = statement.column_names().iter().map(ToString::to_string).collect();
    let mut found = statement.query([])?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let mut fields = Map::new();
        for (index, column) in columns.iter().enumerate() {
            let value = match row.get_ref(index)? {
                ValueRef::Null | ValueRef::Blob(_) => Value::Null,
                ValueRef::Integer(number) => json!(number),
                ValueRef::Real(number) => json!(number),
                ValueRef::Text(text) => json!(String::from_utf8_lossy(text)),
            };
            fields.insert(column.clone(), value);
        }
        rows.push(Value::Object(fields));
    }
    Ok(Value::Array(rows))
}
