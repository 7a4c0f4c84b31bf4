//! What the machine gives this process: files and processors. A lesson takes some of it away, and gives it back.

use std::fs;
use std::io;
use std::sync::{Mutex, PoisonError};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, Pid, sched_getaffinity, sched_setaffinity};

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
    cores: Option<CpuSet>,
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
    pub fn pin(&self, on: bool, but: Option<Pid>) -> io::Result<()> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (on, taken.cores) {
            (true, None) => {
                let before = sched_getaffinity(None)?;
                let mut one = CpuSet::new();
                (0..CpuSet::MAX_CPU).find(|core| before.is_set(*core)).iter().for_each(|core| one.set(*core));
                taken.cores = Some(before);
                move_all(&one, but)?;
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

/// Moves all threads to these processors. A new thread runs where the one runs that starts it, so the second round finds
/// those that were started in the first.
fn move_all(to: &CpuSet, but: Option<Pid>) -> io::Result<()> {
    for _round in 0..2 {
        for task in fs::read_dir("/proc/self/task")? {
            let name = task?.file_name();
            let id = name.to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw);
            if id.is_some() && id != but {
                // It may have ended meanwhile.
                let _ = sched_setaffinity(id, to);
            }
        }
    }
    Ok(())
}
