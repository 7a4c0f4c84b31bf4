//! What the kernel knows of this process, looked at now and then.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::mem;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use rustix::param::{clock_ticks_per_second, page_size};

use super::cores::Cores;
use crate::config::PROCESS_EVERY;
use crate::metrics::process::{Stat, descriptors};

/// The process at one moment.
#[derive(Debug, Clone, Copy, Default)]
pub struct Figures {
    /// Its threads.
    pub threads: usize,
    /// Resident memory, in bytes.
    pub resident: u64,
    /// Open files.
    pub files: u64,
    /// How often a thread left a processor because it waited, and because it was pushed aside.
    pub switches: (i64, i64),
    /// Time on a processor, in user space and in the kernel.
    pub cpu: (Duration, Duration),
    /// On how many processors it may run.
    pub cores: u32,
    /// Its threads that an engine counted at that moment.
    pub counted: [usize; 2],
}

/// The process.
pub struct Process {
    /// It stays open: at the limit of files it could not be opened.
    stat: Mutex<(File, Option<(Instant, Figures)>)>,
}

impl Process {
    /// This process.
    pub fn new() -> io::Result<Process> {
        let needs = |error| io::Error::other(format!("a lesson needs /proc, as Linux has it: {error}"));
        let stat = File::open("/proc/self/stat").map_err(needs)?;
        Ok(Process { stat: Mutex::new((stat, None)) })
    }

    /// What it was at most [`PROCESS_EVERY`] ago. An engine has counted these threads now.
    pub fn figures(&self, counted: [usize; 2]) -> Figures {
        let mut looked = self.stat.lock().unwrap_or_else(PoisonError::into_inner);
        let (stat, before) = &mut *looked;
        match before {
            Some((at, figures)) if at.elapsed() < PROCESS_EVERY => *figures,
            _ => {
                let last = mem::take(before).map(|(_, figures)| figures).unwrap_or_default();
                let figures = look(stat, counted).unwrap_or(last);
                *before = Some((Instant::now(), figures));
                figures
            }
        }
    }
}

fn look(stat: &mut File, counted: [usize; 2]) -> Option<Figures> {
    let mut line = String::new();
    stat.rewind().ok()?;
    stat.read_to_string(&mut line).ok()?;
    let stat = Stat::of(&line)?;
    let usage = getrusage(UsageWho::RUSAGE_SELF).ok()?;
    let time = |ticks: f64| Duration::from_secs_f64(ticks / clock_ticks_per_second() as f64);
    Some(Figures {
        threads: stat.field(20)? as usize,
        resident: stat.field(24)? as u64 * page_size() as u64,
        files: descriptors()?,
        switches: (usage.voluntary_context_switches(), usage.involuntary_context_switches()),
        cpu: (time(stat.field(14)?), time(stat.field(15)?)),
        cores: Cores::of_this_thread().ok()?.count(),
        counted,
    })
}
