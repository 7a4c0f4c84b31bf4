//! A check that the writer's files are still at their path.

use std::path::Path;

use crate::store::Error;

/// The files that the connection writes to. If a file is removed or replaced while the server runs, it still
/// takes every commit, and nobody finds it at the path.
pub(super) struct Place {
    file: Option<Identity>,
    /// The write-ahead log, once there is one.
    log: Option<Identity>,
}

/// Names a file, whatever its path: its device and inode.
type Identity = (u64, u64);

impl Place {
    /// The file of this path, as it is now.
    pub(super) fn of(path: &Path) -> Place {
        Place { file: identity(path), log: None }
    }

    /// Makes sure that the path still names the files that are written to.
    pub(super) fn holds(&mut self, path: &Path) -> Result<(), Error> {
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let log = identity(Path::new(&log));
        if identity(path) == self.file && (self.log.is_none() || log == self.log) {
            self.log = self.log.or(log);
            return Ok(());
        }
        Err(Error(format!(
            "{} was removed or replaced while this server uses it: put the file back with its -wal, or \
             start the server anew to use what is there",
            path.display()
        )))
    }

    /// The connection was opened anew: there may be another log.
    pub(super) fn forget_log(&mut self) {
        self.log = None;
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(_: &Path) -> Option<Identity> {
    None
}
