//! A copy of the file while a server uses it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf, absolute};
use std::thread;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::open;
use crate::config::BACKUP_PAUSE;
use crate::store::Error;

/// Copies the file at `from` to `to`, as it is between two commits. A server that uses it goes on meanwhile, since a
/// reader of a file with a write-ahead log keeps nobody waiting. What stands at `to` is replaced when the copy is whole
/// and on the disk, and not before.
pub fn back_up(from: &Path, to: &Path) -> Result<(), Error> {
    let source = open::reader(from)?;
    open::applied(&source, from).map_err(|error| open::sentence(from, &error))??;
    let to = absolute(to).map_err(|error| cannot(to, &error))?;
    if to.is_dir() {
        return Err(Error(format!("cannot write {}: it is a directory; name a file in it", to.display())));
    }
    if is_in_use(from, &to) {
        return Err(Error(format!(
            "cannot write {}: a store is there that may be in use; name another file",
            to.display()
        )));
    }
    let new = New::beside(&to)?;
    copy(&source, &new.0).map_err(|error| open::sentence(&new.0, &error))?;
    drop(source);
    new.keep_as(from, &to).map_err(|error| cannot(&to, &error))
}

/// Whether the place of the copy is the file itself, or a file with a log beside it, which SQLite would take for the
/// copy's own.
fn is_in_use(from: &Path, to: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().ok();
    let mut log = to.as_os_str().to_owned();
    log.push("-wal");
    to.exists() && real(from) == real(to) || Path::new(&log).exists()
}

/// Copies all pages in one step, and so in one state. In smaller steps the copy would begin anew whenever the server
/// writes.
fn copy(source: &Connection, to: &Path) -> rusqlite::Result<()> {
    let mut copy = Connection::open_with_flags(to, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let backup = Backup::new(source, &mut copy)?;
    while !matches!(backup.step(-1)?, StepResult::Done) {
        thread::sleep(BACKUP_PAUSE);
    }
    Ok(())
}

/// A new file beside the one that it is to become. It is removed if it does not become that.
struct New(PathBuf);

impl New {
    fn beside(to: &Path) -> Result<New, Error> {
        let mut path = to.as_os_str().to_owned();
        path.push(format!(".{:08x}.part", fastrand::u32(..)));
        let new = New(path.into());
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&new.0).map_err(|error| cannot(&new.0, &error))?;
        Ok(new)
    }

    /// Makes it durable, lets the same people read it who may read the source, and gives it its name.
    fn keep_as(self, source: &Path, to: &Path) -> io::Result<()> {
        let file = File::open(&self.0)?;
        file.set_permissions(fs::metadata(source)?.permissions())?;
        file.sync_all()?;
        fs::rename(&self.0, to)?;
        let directory = to.parent().unwrap_or(Path::new("/"));
        File::open(directory)?.sync_all()
    }
}

impl Drop for New {
    fn drop(&mut self) {
        // It may have its name by now.
        let _ = fs::remove_file(&self.0);
    }
}

fn cannot(path: &Path, error: &io::Error) -> Error {
    Error(format!("cannot write {}: {error}", path.display()))
}
