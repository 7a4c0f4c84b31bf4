//! How many clients this machine can hold, read from its limits at the start.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::limits::Limits;
use crate::config::{
    ARENA_SPACE, CONNECTIONS_LEAST, CONNECTIONS_MAX, DESCRIPTORS_ASIDE, DESCRIPTORS_ASIDE_LEAST, LANE_LEAST,
    LANE_MAX, LANE_SHARE, MAPS_PER_THREAD, THREAD_SPACE, THREADS_ASIDE, THREADS_ASIDE_LEAST,
};

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

impl Budget {
    /// Works out the budget, and sets the limit of file descriptors to what the budget can use. If the machine
    /// does not allow even a small chat, the error says which limit to raise.
    pub fn claim(cost: Cost) -> io::Result<Budget> {
        let of_files = getrlimit(Resource::Nofile);
        let hard = of_files.maximum.unwrap_or(u64::MAX);
        let budget = Budget::within(Limits::read(hard), cost).map_err(io::Error::other)?;
        // No higher: so the kernel refuses one connection too many before it costs the thread or the map that
        // would end the process.
        let wanted = budget.connections as u64 * cost.descriptors + descriptors_aside(hard);
        if of_files.current != Some(wanted) {
            let current = Some(wanted.min(hard));
            setrlimit(Resource::Nofile, Rlimit { current, maximum: of_files.maximum })?;
        }
        Ok(budget)
    }

    fn within(limits: Limits, cost: Cost) -> Result<Budget, String> {
        let aside = descriptors_aside(limits.descriptors);
        let by_descriptors = limits.descriptors.saturating_sub(aside) / cost.descriptors;
        if by_descriptors < CONNECTIONS_LEAST {
            let needed = CONNECTIONS_LEAST * cost.descriptors + DESCRIPTORS_ASIDE_LEAST;
            return Err(format!(
                "the limit of open files is {}, and {needed} are needed: for {CONNECTIONS_LEAST} connections, \
                 the store and the rooms. Raise it with `ulimit -n {needed}`, or `LimitNOFILE=` in a unit of \
                 systemd; each further client takes {} more",
                limits.descriptors, cost.descriptors,
            ));
        }
        let threads = cost.threads + cost.waiting_threads;
        let by_threads = match threads {
            0 => u64::MAX,
            _ => {
                let maps = (limits.maps - limits.maps / 10) / MAPS_PER_THREAD;
                let most = limits.threads.min(maps).min(threads_within(limits.space, limits.arenas));
                let by_threads = most.saturating_sub(threads_aside(most)) / threads;
                if by_threads < CONNECTIONS_LEAST {
                    let needed = CONNECTIONS_LEAST * threads + THREADS_ASIDE_LEAST;
                    return Err(format!(
                        "{most} more threads may be started here, and {needed} are needed: for \
                         {CONNECTIONS_LEAST} connections, the store and the rooms. What limits them is the \
                         control group's `pids.max` (`TasksMax=` in a unit of systemd, `--pids-limit` of a \
                         container), `ulimit -u`, `vm.max_map_count` or `ulimit -v` (of which \
                         MALLOC_ARENA_MAX=2 makes each take less); `--engine async`, where it is built in, \
                         needs none for its clients"
                    ));
                }
                by_threads
            }
        };
        let connections = by_descriptors.min(by_threads).min(CONNECTIONS_MAX) as usize;
        let lane = (connections / LANE_SHARE).clamp(LANE_LEAST, LANE_MAX);
        Ok(Budget { connections, waiters: connections - lane })
    }
}

/// How many file descriptors are not for clients: if there are few, only a quarter of them.
fn descriptors_aside(descriptors: u64) -> u64 {
    DESCRIPTORS_ASIDE.min(descriptors / 4).max(DESCRIPTORS_ASIDE_LEAST)
}

/// How many threads are not for clients: if there are few, half of them.
fn threads_aside(threads: u64) -> u64 {
    THREADS_ASIDE.min(threads / 2).max(THREADS_ASIDE_LEAST)
}

/// How many threads fit into this address space, with so many arenas.
fn threads_within(space: u64, arenas: u64) -> u64 {
    let space = space - space / 4;
    // The first threads have an arena each. The others share those.
    let first = space / (ARENA_SPACE + THREAD_SPACE);
    if first < arenas { first } else { (space - arenas * ARENA_SPACE) / THREAD_SPACE }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREADED: Cost = Cost { descriptors: 2, threads: 1, waiting_threads: 1 };
    const TASKS: Cost = Cost { descriptors: 1, threads: 0, waiting_threads: 0 };
    const AMPLE: Limits =
        Limits { descriptors: 1 << 20, threads: 1 << 20, maps: 1 << 24, space: u64::MAX, arenas: 16 };

    fn connections(limits: Limits, cost: Cost) -> usize {
        Budget::within(limits, cost).expect("enough for a chat").connections
    }

    #[test]
    fn the_scarcest_limit_decides() {
        assert_eq!(connections(Limits { descriptors: 1_000, ..AMPLE }, THREADED), (1_000 - 250) / 2);
        assert_eq!(connections(Limits { threads: 5_500, ..AMPLE }, THREADED), 2_000);
        let few_maps = ((65_530 - 6_553) / 4 - 1_500) as usize / 2;
        assert_eq!(connections(Limits { maps: 65_530, ..AMPLE }, THREADED), few_maps);
        assert_eq!(connections(Limits { maps: 10, space: 0, threads: 0, ..AMPLE }, TASKS), 1_000_000);
        assert_eq!(connections(Limits { descriptors: u64::MAX, ..AMPLE }, TASKS), 1_000_000);
    }

    #[test]
    fn some_connections_are_always_left_for_posts() {
        for descriptors in [72, 256, 1_024, 20_000, u64::MAX] {
            let budget = Budget::within(Limits { descriptors, ..AMPLE }, THREADED).expect("enough");
            assert!(budget.waiters >= 8 && budget.waiters + 4 <= budget.connections, "{budget:?}");
        }
    }

    /// With 16 or 24 files the server printed its address and then served nobody, without a word.
    #[test]
    fn with_too_little_there_is_no_budget_but_what_to_raise() {
        for (cost, needed) in [(THREADED, 72), (TASKS, 56)] {
            for descriptors in [0, 16, 24, needed - 1] {
                let refused = Budget::within(Limits { descriptors, ..AMPLE }, cost).unwrap_err();
                assert!(refused.contains(&format!("`ulimit -n {needed}`")), "{refused}");
            }
            assert_eq!(connections(Limits { descriptors: needed, ..AMPLE }, cost), 16);
        }
        for limits in [Limits { threads: 79, ..AMPLE }, Limits { maps: 350, ..AMPLE }] {
            assert!(Budget::within(limits, THREADED).unwrap_err().contains("80 are needed"));
        }
        assert!(Budget::within(Limits { space: 1 << 20, ..AMPLE }, THREADED).is_err());
        assert_eq!(connections(Limits { threads: 80, ..AMPLE }, THREADED), 16);
    }

    /// With `pids.max` at 1,000 the budget claimed 6,366 waiters of two threads each, and with `ulimit -v` a
    /// crowd ended the process.
    #[test]
    fn no_more_threads_are_planned_than_fit() {
        for seed in 0..1_000 {
            fastrand::seed(seed);
            let limits = Limits {
                threads: fastrand::u64(..1 << fastrand::u32(1..20)),
                space: fastrand::u64(..1 << fastrand::u32(20..50)),
                arenas: fastrand::u64(1..600),
                ..AMPLE
            };
            let Ok(budget) = Budget::within(limits, THREADED) else { continue };
            let planned = 2 * budget.connections as u64;
            assert!(planned + THREADS_ASIDE_LEAST <= limits.threads, "{budget:?} of {limits:?}, seed {seed}");
            let arenas = planned.min(limits.arenas);
            let space = planned * THREAD_SPACE + arenas * ARENA_SPACE;
            assert!(space <= limits.space, "{budget:?} of {limits:?}, seed {seed}");
        }
    }
}
