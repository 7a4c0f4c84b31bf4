//! How many clients this machine can hold, read from its limits at the start.

use std::env;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::thread;

use rustix::process::{Resource, Rlimit, geteuid, getrlimit, setrlimit};

use crate::config::{
    ARENA_SPACE, ARENAS_PER_CORE, CONNECTIONS_LEAST, CONNECTIONS_MAX, DESCRIPTORS_ASIDE,
    DESCRIPTORS_ASIDE_LEAST, LANE_LEAST, LANE_MAX, LANE_SHARE, MAPS_PER_THREAD, THREAD_SPACE, THREADS_ASIDE,
    THREADS_ASIDE_LEAST,
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

/// The limits of this process.
#[derive(Debug, Clone, Copy)]
struct Limits {
    descriptors: u64,
    threads: u64,
    maps: u64,
    /// Of address space, in bytes.
    space: u64,
    /// How many arenas the allocator makes in it.
    arenas: u64,
}

impl Budget {
    /// Raises the limit of file descriptors as far as the budget can use it, and says what it came to. Fails
    /// with what to raise if the machine does not allow even a small chat.
    pub fn claim(cost: Cost) -> io::Result<Budget> {
        let of_files = getrlimit(Resource::Nofile);
        let hard = of_files.maximum.unwrap_or(u64::MAX);
        let limits = Limits {
            descriptors: hard,
            threads: threads_left(),
            maps: number_in("/proc/sys/vm/max_map_count"),
            space: space_left(),
            arenas: arenas(),
        };
        let budget = Budget::within(limits, cost).map_err(io::Error::other)?;
        // Not further: the kernel then refuses the connection that would be one too many, before it
        // costs the thread or the map that would end the process.
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

/// With few file descriptors in all, only a quarter of them is set aside.
fn descriptors_aside(descriptors: u64) -> u64 {
    DESCRIPTORS_ASIDE.min(descriptors / 4).max(DESCRIPTORS_ASIDE_LEAST)
}

/// With few threads in all, half of them are.
fn threads_aside(threads: u64) -> u64 {
    THREADS_ASIDE.min(threads / 2).max(THREADS_ASIDE_LEAST)
}

/// How many threads fit into this address space, with so many arenas.
fn threads_within(space: u64, arenas: u64) -> u64 {
    let space = space - space / 4;
    // The first of them have an arena each, the others share those.
    let first = space / (ARENA_SPACE + THREAD_SPACE);
    if first < arenas { first } else { (space - arenas * ARENA_SPACE) / THREAD_SPACE }
}

/// How many arenas the allocator makes at the most.
fn arenas() -> u64 {
    let said = env::var("MALLOC_ARENA_MAX").ok().and_then(|text| text.parse().ok());
    let cores = || thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    said.unwrap_or_else(|| ARENAS_PER_CORE * cores())
}

/// The fewest further threads that any of the limits on them allows.
fn threads_left() -> u64 {
    let of_system = number_in("/proc/sys/kernel/threads-max").min(number_in("/proc/sys/kernel/pid_max"));
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let of_groups = left_in_groups(Path::new("/sys/fs/cgroup"), &groups);
    of_system.min(of_groups).min(left_to_user())
}

/// How many threads this user may yet start. The kernel does not limit root.
fn left_to_user() -> u64 {
    let user = geteuid();
    let most = getrlimit(Resource::Nproc).current.unwrap_or(u64::MAX);
    if user.is_root() || most == u64::MAX {
        return u64::MAX;
    }
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let own = processes.filter(|entry| entry.metadata().is_ok_and(|of| of.uid() == user.as_raw()));
    let threads = own.filter_map(|process| {
        let status = fs::read_to_string(process.path().join("status")).ok()?;
        status.lines().find_map(|line| line.strip_prefix("Threads:"))?.trim().parse::<u64>().ok()
    });
    most.saturating_sub(threads.sum())
}

/// How many threads the control groups of a process leave it, of which `groups` is `/proc/self/cgroup`: its
/// own, and each above it, of either version. A container that does not see the groups above its own has
/// them at the root.
fn left_in_groups(root: &Path, groups: &str) -> u64 {
    let mut left = u64::MAX;
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(group)) = (fields.next(), fields.next()) else { continue };
        let roots = match controllers {
            "" => vec![root.to_owned(), root.join("unified")],
            _ if controllers.split(',').any(|one| one == "pids") => vec![root.join(controllers)],
            _ => continue,
        };
        let names = Path::new(group).components().filter(|part| matches!(part, Component::Normal(_)));
        let group: PathBuf = names.collect();
        for (root, group) in roots.iter().flat_map(|root| group.ancestors().map(move |group| (root, group))) {
            let group = root.join(group);
            let there = number_in(group.join("pids.current"));
            let there = if there == u64::MAX { 0 } else { there };
            left = left.min(number_in(group.join("pids.max")).saturating_sub(there));
        }
    }
    left
}

/// How much address space this process may yet take, in bytes.
fn space_left() -> u64 {
    let most = getrlimit(Resource::As).current.unwrap_or(u64::MAX);
    if most == u64::MAX {
        return most;
    }
    let pages = fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|text| text.split(' ').next()?.parse::<u64>().ok()).unwrap_or(0);
    most.saturating_sub(pages * rustix::param::page_size() as u64)
}

/// The number in a file of the kernel's; without a bound if there is none.
fn number_in(path: impl AsRef<Path>) -> u64 {
    fs::read_to_string(path).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(u64::MAX)
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

    /// One file at the root of the control groups was read, where a service or a container has none.
    #[test]
    fn the_least_that_any_control_group_leaves_is_what_is_left() {
        let directory = tempfile::tempdir().expect("a directory");
        let root = directory.path();
        let limit = |group: &str, most: &str, there: &str| {
            let group = root.join(group);
            fs::create_dir_all(&group).expect("a directory");
            fs::write(group.join("pids.max"), format!("{most}\n")).expect("a file");
            fs::write(group.join("pids.current"), format!("{there}\n")).expect("a file");
        };
        limit("system.slice/chat.service", "1000", "1");
        limit("system.slice", "1100", "200");
        limit("user.slice", "7", "1");
        let service = "0::/system.slice/chat.service";
        assert_eq!(left_in_groups(root, service), 900);
        limit("system.slice/chat.service", "max", "1");
        assert_eq!(left_in_groups(root, service), 900);
        assert_eq!(left_in_groups(root, "0::/user.slice"), 6);
        assert_eq!(left_in_groups(root, "0::/elsewhere"), u64::MAX);
        // In a container the way to its own group may not be there, but the group is the root.
        limit(".", "50", "60");
        assert_eq!(left_in_groups(root, "0::/../docker/0123"), 0);
        limit(".", "max", "60");
        // The first version, and both.
        limit("pids/docker/0123", "500", "20");
        limit("unified/docker/0123", "400", "20");
        assert_eq!(left_in_groups(root, "8:pids:/docker/0123\n4:memory:/docker/4567"), 480);
        assert_eq!(left_in_groups(root, "8:pids:/docker/0123\n0::/docker/0123"), 380);
        assert_eq!(left_in_groups(root, "4:memory:/docker/0123\nnonsense\n"), u64::MAX);
    }
}
