//! On which processors the threads of this process may run.

use std::io;

#[cfg(target_os = "linux")]
pub use linux::{Cores, Thread, this_thread};
#[cfg(not(target_os = "linux"))]
pub use missing::{Cores, Thread, this_thread};

/// Has every thread run on these processors only, but this one.
pub fn move_all(to: &Cores, but: Option<Thread>) -> io::Result<()> {
    // A new thread runs where the one runs that starts it. So the second round finds those that were started in the
    // first.
    to.give_all(but).and_then(|()| to.give_all(but))
}

#[cfg(target_os = "linux")]
mod linux {
    use std::{fs, io};

    use rustix::thread::{CpuSet, Pid, gettid, sched_getaffinity, sched_setaffinity};

    /// A thread.
    pub type Thread = Pid;

    /// The calling thread.
    pub fn this_thread() -> Option<Thread> {
        Some(gettid())
    }

    /// Some processors.
    #[derive(Clone, Copy)]
    pub struct Cores(CpuSet);

    impl Cores {
        /// Those on which the calling thread may run.
        pub fn of_this_thread() -> io::Result<Cores> {
            Ok(Cores(sched_getaffinity(None)?))
        }

        /// How many.
        pub fn count(&self) -> u32 {
            self.0.count()
        }

        /// The first of them alone.
        pub fn first(&self) -> Cores {
            let mut one = CpuSet::new();
            (0..CpuSet::MAX_CPU).find(|core| self.0.is_set(*core)).iter().for_each(|core| one.set(*core));
            Cores(one)
        }

        pub(super) fn give_all(&self, but: Option<Thread>) -> io::Result<()> {
            for task in fs::read_dir("/proc/self/task")? {
                let name = task?.file_name();
                let id = name.to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw);
                if id.is_some() && id != but {
                    // It may have ended meanwhile.
                    let _ = sched_setaffinity(id, &self.0);
                }
            }
            Ok(())
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod missing {
    use std::io;

    /// A thread, where threads have no numbers for us.
    pub type Thread = ();

    /// The calling thread.
    pub fn this_thread() -> Option<Thread> {
        None
    }

    /// Where nobody tells a thread where to run.
    #[derive(Clone, Copy)]
    pub struct Cores;

    impl Cores {
        pub fn of_this_thread() -> io::Result<Cores> {
            Err(io::ErrorKind::Unsupported.into())
        }

        pub fn count(&self) -> u32 {
            0
        }

        pub fn first(&self) -> Cores {
            Cores
        }

        pub(super) fn give_all(&self, _but: Option<Thread>) -> io::Result<()> {
            Err(io::ErrorKind::Unsupported.into())
        }
    }
}
