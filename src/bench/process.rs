//! What a process costs, as Linux counts it in `/proc`.

use std::collections::HashMap;
use std::time::Duration;

use serde::Serialize;

/// A process at one moment. Sizes are in bytes.
#[derive(Debug, Clone, Serialize)]
pub struct Usage {
    /// Time on a processor in user space since its start, ended threads included.
    pub user: Duration,
    /// Time on a processor in the kernel since its start, ended threads included.
    pub system: Duration,
    /// Its threads.
    pub threads: u64,
    /// Its open files.
    pub fds: u64,
    /// Memory that is resident (RSS), without the kernel's share.
    pub resident: u64,
    /// Address space that is reserved.
    pub virtual_size: u64,
    /// Page tables: the kernel's share for the address space.
    pub page_tables: u64,
    /// Kernel stacks: the kernel's share for the threads.
    pub kernel_stacks: u64,
    /// Context switches of the threads that live now.
    #[serde(skip)]
    switches: HashMap<i32, Switches>,
}

/// How often a thread left a processor.
#[derive(Debug, Clone, Copy, Default)]
pub struct Switches {
    /// Because it waited.
    pub voluntary: u64,
    /// Because it was pushed aside.
    pub involuntary: u64,
}

impl Usage {
    /// The time on a processor since an earlier moment.
    pub fn cpu_since(&self, before: &Usage) -> Duration {
        (self.user + self.system).saturating_sub(before.user + before.system)
    }

    /// The context switches since an earlier moment, without those of threads that have ended:
    /// the kernel forgets them.
    pub fn switches_since(&self, before: &Usage) -> Switches {
        let mut sum = Switches::default();
        for (thread, now) in &self.switches {
            let then = before.switches.get(thread).copied().unwrap_or_default();
            sum.voluntary += now.voluntary.saturating_sub(then.voluntary);
            sum.involuntary += now.involuntary.saturating_sub(then.involuntary);
        }
        sum
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::HashMap;
    use std::time::Duration;

    use procfs::process::Process;
    use procfs::{ProcError, ProcResult};

    use super::super::error::Error;
    use super::{Switches, Usage};
    use crate::config::KERNEL_STACK;

    /// A process that is watched.
    pub struct Watched {
        pid: i32,
        process: Process,
    }

    impl Watched {
        /// Watches the process with this number.
        pub fn new(pid: i32) -> Result<Watched, Error> {
            let process = Process::new(pid).map_err(|error| unreadable(pid, &error))?;
            Ok(Watched { pid, process })
        }

        /// What it costs now. Takes about 20 us for each of its threads.
        pub fn usage(&self) -> Result<Usage, Error> {
            self.read().map_err(|error| unreadable(self.pid, &error))
        }

        fn read(&self) -> ProcResult<Usage> {
            let stat = self.process.stat()?;
            let status = self.process.status()?;
            let tick = procfs::ticks_per_second() as f64;
            let mut usage = Usage {
                user: Duration::from_secs_f64(stat.utime as f64 / tick),
                system: Duration::from_secs_f64(stat.stime as f64 / tick),
                threads: stat.num_threads as u64,
                fds: self.process.fd_count()? as u64,
                resident: stat.rss * procfs::page_size(),
                virtual_size: stat.vsize,
                page_tables: status.vmpte.unwrap_or(0) * 1024,
                kernel_stacks: stat.num_threads as u64 * KERNEL_STACK,
                switches: HashMap::new(),
            };
            for task in self.process.tasks()? {
                let task = task?;
                // A thread may end while the list is read.
                if let Ok(status) = task.status() {
                    let switches = Switches {
                        voluntary: status.voluntary_ctxt_switches.unwrap_or(0),
                        involuntary: status.nonvoluntary_ctxt_switches.unwrap_or(0),
                    };
                    usage.switches.insert(task.tid, switches);
                }
            }
            Ok(usage)
        }
    }

    fn unreadable(pid: i32, error: &ProcError) -> Error {
        let why = match error {
            ProcError::NotFound(_) => "no such process".to_owned(),
            ProcError::PermissionDenied(_) => "that process is another user's".to_owned(),
            other => other.to_string(),
        };
        Error::Process(pid, why)
    }
}

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use super::super::error::Error;
    use super::Usage;

    /// A process that would be watched.
    pub struct Watched;

    impl Watched {
        /// Always an error: there is no `/proc`.
        pub fn new(pid: i32) -> Result<Watched, Error> {
            Err(Error::Process(pid, "it takes Linux's /proc".to_owned()))
        }

        /// Never called, for want of a `Watched`.
        pub fn usage(&self) -> Result<Usage, Error> {
            Err(Error::Process(0, "it takes Linux's /proc".to_owned()))
        }
    }
}

#[cfg(not(target_os = "linux"))]
pub use elsewhere::Watched;
#[cfg(target_os = "linux")]
pub use linux::Watched;

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_seen() {
        let own = Watched::new(std::process::id() as i32).unwrap();
        let usage = own.usage().unwrap();
        assert!(usage.resident > 100_000 && usage.page_tables > 0);
        assert!(usage.fds >= 3 && usage.threads >= 1);
        assert_eq!(usage.kernel_stacks, usage.threads * 16_384);
    }

    #[test]
    fn a_process_that_is_not_there_is_named() {
        let error = Watched::new(i32::MAX).err().unwrap().to_string();
        assert_eq!(error, format!("--pid {}: no such process", i32::MAX));
    }
}
