//! What the kernel knows of this process.

use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

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

#[cfg(target_os = "linux")]
fn look() -> Option<Process> {
    let process = procfs::process::Process::myself().ok()?;
    let stat = process.stat().ok()?;
    let ticks = procfs::ticks_per_second() as f64;
    Some(Process {
        cpu: (stat.utime + stat.stime) as f64 / ticks,
        started: procfs::boot_time_secs().ok()? as f64 + stat.starttime as f64 / ticks,
        threads: stat.num_threads as f64,
        descriptors: process.fd_count().ok()? as f64,
        descriptors_max: rlimit::Resource::NOFILE.get_soft().ok()? as f64,
        resident: (stat.rss * procfs::page_size()) as f64,
        space: stat.vsize as f64,
    })
}

#[cfg(not(target_os = "linux"))]
fn look() -> Option<Process> {
    None
}

/// How many threads there are, for far less than the rest costs where many files are open.
#[cfg(target_os = "linux")]
pub fn threads() -> Option<i64> {
    Some(procfs::process::Process::myself().ok()?.stat().ok()?.num_threads)
}

#[cfg(not(target_os = "linux"))]
pub fn threads() -> Option<i64> {
    None
}
