//! What the machine gives this process: files and processors. A lesson takes some of it away, and gives it back.

use std::io;
use std::sync::{Mutex, PoisonError};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::cores::{Cores, Thread, move_all};
use crate::config::FILES_LEFT;
use crate::metrics::process::descriptors;

/// What was taken away.
#[derive(Default)]
pub struct Machine(Mutex<Taken>);

#[derive(Default)]
struct Taken {
    /// The limit of files as it was.
    files: Option<Rlimit>,
    /// The processors as they were.
    cores: Option<Cores>,
}

impl Machine {
    /// Lets the process open only a few more files, or as many as before.
    pub fn limit_files(&self, on: bool) -> io::Result<()> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (on, taken.files) {
            (true, None) => {
                let before = getrlimit(Resource::Nofile);
                let open =
                    descriptors().ok_or_else(|| io::Error::other("nobody knows how many files are open"))?;
                setrlimit(Resource::Nofile, Rlimit { current: Some(open + FILES_LEFT), ..before })?;
                taken.files = Some(before);
            }
            (false, Some(before)) => {
                setrlimit(Resource::Nofile, before)?;
                taken.files = None;
            }
            _ => {}
        }
        Ok(())
    }

    /// Has all threads share one processor, but this one, or lets them run where they ran before.
    pub fn pin(&self, on: bool, but: Option<Thread>) -> io::Result<()> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (on, taken.cores) {
            (true, None) => {
                let before = Cores::of_this_thread()?;
                taken.cores = Some(before);
                move_all(&before.first(), but)?;
            }
            (false, Some(before)) => {
                move_all(&before, but)?;
                taken.cores = None;
            }
            _ => {}
        }
        Ok(())
    }
}
