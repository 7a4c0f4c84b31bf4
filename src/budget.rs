//! How many clients this machine can hold, read from its limits at the start.

use std::fs;
use std::io;

use rlimit::Resource;

/// What one waiting client costs the engine that holds it.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// File descriptors of a connection.
    pub descriptors: u64,
    /// Threads of a connection that does not wait.
    pub threads: u64,
    /// Further threads of one that waits.
    pub waiting_threads: u64,
}

/// How many clients may be there at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Connections of any kind. The limit of file descriptors is set so that the kernel keeps it.
    pub connections: usize,
    /// Those of them that may wait. The rest is the lane of the POSTs.
    pub waiters: usize,
}

/// The limits of this process.
#[derive(Debug, Clone, Copy)]
struct Limits {
    descriptors: u64,
    threads: u64,
    maps: u64,
}

/// What a process has open besides clients: listeners, the store, logs, what `/metrics` reads.
const DESCRIPTORS_ASIDE: u64 = 300;

/// Threads for rooms, handlers that do not wait, and the store.
const THREADS_ASIDE: u64 = 1_500;

/// A thread's stack, its guard page and the allocator's arena take up to four memory maps. At the
/// kernel's limit of maps Rust aborts the process, so a tenth of them is left alone.
const MAPS_PER_THREAD: u64 = 4;

impl Budget {
    /// Raises the limit of file descriptors as far as the budget can use it, and says what it came to.
    pub fn claim(cost: Cost) -> io::Result<Budget> {
        let (soft, hard) = Resource::NOFILE.get()?;
        let limits = Limits {
            descriptors: hard,
            threads: threads_left(),
            maps: number_in("/proc/sys/vm/max_map_count"),
        };
        let budget = Budget::within(limits, cost);
        // Not further: the kernel then refuses the connection that would be one too many, before it
        // costs the thread or the map that would end the process.
        let wanted = budget.connections as u64 * cost.descriptors + aside(hard);
        if wanted != soft {
            Resource::NOFILE.set(wanted.min(hard), hard)?;
        }
        Ok(budget)
    }

    fn within(limits: Limits, cost: Cost) -> Budget {
        let by_descriptors = (limits.descriptors - aside(limits.descriptors)) / cost.descriptors;
        let threads = cost.threads + cost.waiting_threads;
        let by_threads = match threads {
            0 => u64::MAX,
            _ => {
                let maps = limits.maps - limits.maps / 10;
                let within_maps = (maps / MAPS_PER_THREAD).saturating_sub(THREADS_ASIDE);
                let within_threads = limits.threads.saturating_sub(THREADS_ASIDE);
                within_maps.min(within_threads) / threads
            }
        };
        // Nobody has measured this server with more than a million connections.
        let connections = by_descriptors.min(by_threads).clamp(16, 1_000_000) as usize;
        let lane = (connections / 16).clamp(4, 256);
        Budget { connections, waiters: connections - lane }
    }
}

/// With few file descriptors in all, only a quarter of them is set aside.
fn aside(descriptors: u64) -> u64 {
    DESCRIPTORS_ASIDE.min(descriptors / 4)
}

/// The fewest threads that any of the limits on them allows.
fn threads_left() -> u64 {
    let of_user = Resource::NPROC.get().map_or(u64::MAX, |(soft, _)| soft);
    let of_system = number_in("/proc/sys/kernel/threads-max").min(number_in("/proc/sys/kernel/pid_max"));
    of_user.min(of_system).min(number_in("/sys/fs/cgroup/pids.max"))
}

/// The number in a file of the kernel's; without a bound if there is none.
fn number_in(path: &str) -> u64 {
    fs::read_to_string(path).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREADED: Cost = Cost { descriptors: 2, threads: 1, waiting_threads: 1 };
    const TASKS: Cost = Cost { descriptors: 1, threads: 0, waiting_threads: 0 };

    #[test]
    fn the_scarcest_limit_decides() {
        let ample = Limits { descriptors: 1 << 20, threads: 1 << 20, maps: 1 << 24 };
        let few_descriptors = Budget::within(Limits { descriptors: 1_000, ..ample }, THREADED);
        assert_eq!(few_descriptors.connections, (1_000 - 250) / 2);
        let few_threads = Budget::within(Limits { threads: 5_500, ..ample }, THREADED);
        assert_eq!(few_threads.connections, 2_000);
        let few_maps = Budget::within(Limits { maps: 65_530, ..ample }, THREADED);
        assert_eq!(few_maps.connections, ((65_530 - 6_553) / 4 - 1_500) as usize / 2);
        assert_eq!(Budget::within(Limits { maps: 10, ..ample }, TASKS).connections, 1_000_000);
    }

    #[test]
    fn some_connections_are_always_left_for_posts() {
        for descriptors in [0, 64, 256, 1_024, 20_000, u64::MAX] {
            let budget = Budget::within(Limits { descriptors, threads: u64::MAX, maps: u64::MAX }, THREADED);
            assert!(budget.waiters >= 8 && budget.waiters + 4 <= budget.connections, "{budget:?}");
        }
    }
}
