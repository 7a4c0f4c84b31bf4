//! The limit of open files, which a crowd of connections meets first.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::error::Error;

/// Raises this process's limit as far as the system lets it, and says how many files that is.
pub fn allow_most() -> io::Result<u64> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    Ok(maximum.unwrap_or(u64::MAX))
}

/// Sees whether so many files may be open.
pub fn allow(wanted: u64) -> Result<(), Error> {
    let allowed = allow_most()?;
    if wanted > allowed {
        return Err(Error::TooManyFiles(wanted, allowed));
    }
    Ok(())
}
