//! Opening the file: for one server at a time, in the schema of this version.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, MAIN_DB, OpenFlags, OptionalExtension, Row, TransactionBehavior};

use super::{marks, schema};
use crate::config::LOCK_PATIENCE;
use crate::message::{Epoch, Seal};
use crate::store::Error;

/// What a file keeps of its own life: by what its cursors are known, and with what its keys are hashed.
type Life = (Epoch, Seal);

/// Claims the file for this process, until the claim is dropped or the process ends.
///
/// SQLite's own locks last for one transaction, and two servers on one file would each wake only their own
/// waiters. On Linux the lock is on the file itself, so it holds for every name of the file. SQLite's locks
/// are of another kind (`fcntl(2)`) and do not conflict with it. Where the two kinds may conflict, the lock is
/// on a file beside it (`PATH.lock`).
///
/// The descriptor must outlive every connection: closing it releases SQLite's locks too.
pub(super) fn claim(path: &Path) -> Result<File, Error> {
    let directory = path.parent().unwrap_or(Path::new("/"));
    if !directory.is_dir() {
        return Err(Error(format!(
            "cannot open {}: there is no directory {}; make it, or give another place by --store sqlite:PATH",
            path.display(),
            directory.display()
        )));
    }
    let mut beside = path.as_os_str().to_owned();
    if cfg!(not(target_os = "linux")) {
        beside.push(".lock");
    }
    let cannot = |error: std::io::Error| {
        Error(format!("cannot open {}: locking {} failed: {error}", path.display(), beside.display()))
    };
    let lock = match File::open(&beside) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            File::options().create(true).truncate(false).write(true).open(&beside)
        }
        opened => opened,
    };
    let lock = lock.map_err(cannot)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(Error(format!(
            "another comet-chat uses {}: stop it, or give this one its own file by --store sqlite:PATH",
            path.display()
        ))),
        Err(TryLockError::Error(error)) => Err(cannot(error)),
    }
}

/// Makes the file ours, brings it to this schema, and gives a connection that writes.
pub(super) fn writer(path: &Path) -> Result<(Connection, Epoch, Seal), Error> {
    let connect = || -> rusqlite::Result<(Connection, Result<Life, Error>)> {
        let mut connection = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_WRITE
                | OpenFlags::SQLITE_OPEN_CREATE
                | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        connection.busy_timeout(LOCK_PATIENCE)?;
        connection.set_prepared_statement_cache_capacity(40);
        plan_once(&connection)?;
        let life = prepare(&mut connection, path)?;
        Ok((connection, life))
    };
    let (connection, life) = connect().map_err(|error| sentence(path, &error))?;
    let (epoch, seal) = life?;
    Ok((connection, epoch, seal))
}

/// A connection that reads a file that a [`writer`] has prepared.
pub(super) fn reader(path: &Path) -> Result<Connection, Error> {
    let connect = || {
        let connection = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        connection.busy_timeout(LOCK_PATIENCE)?;
        plan_once(&connection)?;
        Ok(connection)
    };
    connect().map_err(|error| sentence(path, &error))
}

/// Keeps SQLite from parsing and planning a statement again whenever other values are bound to it. Each
/// statement here has one good plan, and nobody gathers statistics (`ANALYZE`) that could show a better one.
fn plan_once(connection: &Connection) -> rusqlite::Result<bool> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
}

/// The epoch and seal of a file that another process may use, and that has the schema of this version.
pub(super) fn life(path: &Path) -> Result<Life, Error> {
    let connection = reader(path)?;
    let broken = |error| sentence(path, &error);
    if applied(&connection, path).map_err(broken)?? != schema::MIGRATIONS.len() {
        return Err(refused(
            path,
            "an older comet-chat wrote it: start this one on it once, which brings it up to date",
        ));
    }
    connection.query_row(schema::LIFE, (), read_life).map_err(broken)
}

/// How many steps of the schema a file has; 0 for a new one. The outer result is SQLite's, the inner one says whether
/// the file is ours.
pub(super) fn applied(connection: &Connection, path: &Path) -> rusqlite::Result<Result<usize, Error>> {
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get(0));
    let application: i32 = number("application_id")?;
    let version: i32 = number("user_version")?;
    let is_new = !connection.query_row(schema::ANY_TABLE, (), |row| row.get::<_, bool>(0))?;
    if application != schema::APPLICATION_ID && !(is_new && application == 0 && version == 0) {
        return Ok(Err(refused(path, "it is the database of another program")));
    }
    let known = schema::MIGRATIONS.len();
    let applied = usize::try_from(version).unwrap_or(usize::MAX);
    if applied > known {
        let why = format!("a newer comet-chat wrote it (schema {version}, this one knows {known})");
        return Ok(Err(refused(path, &why)));
    }
    Ok(Ok(applied))
}

fn refused(path: &Path, why: &str) -> Error {
    Error(format!("cannot use {}: {why}", path.display()))
}

/// The outer result is SQLite's. The inner one says whether we may use this file.
fn prepare(connection: &mut Connection, path: &Path) -> rusqlite::Result<Result<Life, Error>> {
    let refused = |why: String| Ok(Err(refused(path, &why)));
    let applied = match applied(connection, path)? {
        Ok(applied) => applied,
        Err(error) => return Ok(Err(error)),
    };
    if connection.is_readonly(MAIN_DB)? {
        return refused("the file is read-only; make it writable for the one who runs this".into());
    }
    let journal: String =
        connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if journal != "wal" {
        return refused(format!("its file system cannot hold a write-ahead log (SQLite offers {journal:?})"));
    }
    connection.execute_batch(schema::WRITER_PRAGMAS)?;
    marks::define(connection)?;

    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for (step, sql) in schema::MIGRATIONS.iter().enumerate().skip(applied) {
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "user_version", step + 1)?;
    }
    let life = match transaction.query_row(schema::LIFE, (), read_life).optional()? {
        Some(life) => life,
        None => {
            let (epoch, seal) = (Epoch::random(), Seal::random());
            transaction.execute(schema::BEGIN_LIFE, (epoch.number(), seal.secret()))?;
            (epoch, seal)
        }
    };
    transaction.commit()?;
    Ok(Ok(life))
}

/// Reads what `LIFE` selects.
fn read_life(row: &Row<'_>) -> rusqlite::Result<Life> {
    Ok((Epoch::from_number(row.get(0)?), Seal::new(row.get(1)?)))
}

/// What SQLite's error means for the person who runs the server.
pub(super) fn sentence(path: &Path, error: &rusqlite::Error) -> Error {
    let path = path.display();
    Error(match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            format!("{path} is locked by another program ({error})")
        }
        Some(ErrorCode::ReadOnly) => format!("{path} is read-only ({error})"),
        Some(ErrorCode::DiskFull) => format!("the disk with {path} is full ({error})"),
        Some(ErrorCode::SystemIoFailure) => {
            format!("the disk with {path} does not read or write ({error})")
        }
        Some(ErrorCode::NotADatabase) => format!("{path} is not a SQLite database ({error})"),
        Some(ErrorCode::DatabaseCorrupt) => {
            format!("{path} is damaged ({error}): put a backup in its place, or move it away to begin anew")
        }
        Some(ErrorCode::CannotOpen) => format!("cannot open {path} ({error})"),
        _ => format!("{path}: {error}"),
    })
}
