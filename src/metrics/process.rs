//! What the kernel knows of this process.

use std::fs;
use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Resource, getrlimit};

/// By the names that all of Prometheus's libraries use.
pub(super) fn figures() -> Registry {
    let mut registry = Registry::default();
    let Some(process) = look() else { return registry };
    let cpu: Counter<f64, AtomicU64> = Counter::default();
    cpu.inc_by(process.cpu);
    registry.register("process_cpu_seconds", "Processor time of user and system", cpu);
    let mut gauge = |name: &str, help: &str, value: f64| {
        let gauge: Gauge<f64, AtomicU64> = Gauge::default();
        gauge.set(value);
        registry.register(name, help, gauge);
    };
    gauge("process_start_time_seconds", "When it was started, in seconds since 1970", process.started);
    gauge("process_threads", "Threads", process.threads);
    gauge("process_open_fds", "Open file descriptors", process.descriptors);
    gauge("process_max_fds", "How many file descriptors it may have open", process.descriptors_max);
    gauge("process_resident_memory_bytes", "Resident memory", process.resident);
    gauge("process_virtual_memory_bytes", "Address space", process.space);
    registry
}

/// Numbers as figures have them.
struct Process {
    cpu: f64,
    started: f64,
    threads: f64,
    descriptors: f64,
    descriptors_max: f64,
    resident: f64,
    space: f64,
}

/// `None` where there is no `/proc` of Linux.
fn look() -> Option<Process> {
    let stat = Stat::read()?;
    let ticks = clock_ticks_per_second() as f64;
    let boot = fs::read_to_string("/proc/stat").ok()?;
    let boot = boot.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse::<f64>().ok()?;
    Some(Process {
        cpu: (stat.field(14)? + stat.field(15)?) / ticks,
        started: boot + stat.field(22)? / ticks,
        threads: stat.field(20)?,
        descriptors: descriptors()? as f64,
        descriptors_max: getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX) as f64,
        resident: stat.field(24)? * page_size() as f64,
        space: stat.field(23)?,
    })
}

/// How many threads there are. This costs far less than the rest where many files are open.
pub fn threads() -> Option<i64> {
    Stat::read()?.field(20).map(|threads| threads as i64)
}

/// What stands behind the name in `/proc/self/stat`. A name may hold anything, also a parenthesis.
pub struct Stat(String);

impl Stat {
    fn read() -> Option<Stat> {
        Stat::of(&fs::read_to_string("/proc/self/stat").ok()?)
    }

    /// What stands in this line.
    pub fn of(line: &str) -> Option<Stat> {
        line.rsplit_once(')').map(|(_, fields)| Stat(fields.to_owned()))
    }

    /// A field by its number in proc(5), where the name is the second.
    pub fn field(&self, number: usize) -> Option<f64> {
        self.0.split_ascii_whitespace().nth(number - 3)?.parse().ok()
    }
}

/// How many files are open. Linux tells it as the directory's size since 6.2, and counting takes long
/// where there are many.
pub fn descriptors() -> Option<u64> {
    let size = fs::metadata("/proc/self/fd").ok()?.len();
    if size > 0 { Some(size) } else { Some(fs::read_dir("/proc/self/fd").ok()?.count() as u64) }
}
