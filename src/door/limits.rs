//! The limits that this machine sets to this process.

use std::env;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::thread;

use rustix::process::{Resource, geteuid, getrlimit};

use crate::config::ARENAS_PER_CORE;

/// The limits of this process.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How many file descriptors it may have.
    pub descriptors: u64,
    /// How many more threads it may start.
    pub threads: u64,
    /// How many memory maps it may have.
    pub maps: u64,
    /// How much more address space it may take, in bytes.
    pub space: u64,
    /// How many arenas the allocator makes in it.
    pub arenas: u64,
}

impl Limits {
    /// Reads them. That of file descriptors is given.
    pub fn read(descriptors: u64) -> Limits {
        Limits {
            descriptors,
            threads: threads_left(),
            maps: number_in("/proc/sys/vm/max_map_count"),
            space: space_left(),
            arenas: arenas(),
        }
    }
}

/// How many arenas the allocator makes at most.
fn arenas() -> u64 {
    let said = env::var("MALLOC_ARENA_MAX").ok().and_then(|text| text.parse().ok());
    let cores = || thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    said.unwrap_or_else(|| ARENAS_PER_CORE * cores())
}

/// How many more threads this process may start, by the strictest of the limits.
fn threads_left() -> u64 {
    let of_system = number_in("/proc/sys/kernel/threads-max").min(number_in("/proc/sys/kernel/pid_max"));
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let of_groups = left_in_groups(Path::new("/sys/fs/cgroup"), &groups);
    of_system.min(of_groups).min(left_to_user())
}

/// How many more threads this user may start. The kernel does not limit root.
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

/// How many more threads the control groups of a process allow. `groups` is its `/proc/self/cgroup`. Its own
/// group counts and each one above it, of both versions. A container that does not see the groups above its
/// own has them at the root.
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

/// How much more address space this process may take, in bytes.
fn space_left() -> u64 {
    let most = getrlimit(Resource::As).current.unwrap_or(u64::MAX);
    if most == u64::MAX {
        return most;
    }
    let pages = fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|text| text.split(' ').next()?.parse::<u64>().ok()).unwrap_or(0);
    most.saturating_sub(pages * rustix::param::page_size() as u64)
}

/// The number in a file of the kernel. No number is no limit.
fn number_in(path: impl AsRef<Path>) -> u64 {
    fs::read_to_string(path).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

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
