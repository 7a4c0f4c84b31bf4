//! The machine on which a run was made.

use serde::Serialize;

/// Where it ran.
#[derive(Debug, Serialize)]
pub struct Machine {
    processor: String,
    processors: usize,
    memory_bytes: u64,
    system: String,
}

impl Machine {
    /// This machine, as far as it tells.
    #[cfg(target_os = "linux")]
    pub fn here() -> Machine {
        use procfs::Current;
        let processors = procfs::CpuInfo::current().ok();
        let model = processors.as_ref().and_then(|all| all.model_name(0));
        let release = procfs::sys::kernel::Version::current();
        Machine {
            processor: model.unwrap_or("unknown").to_owned(),
            processors: processors.as_ref().map_or(0, |all| all.num_cores()),
            memory_bytes: procfs::Meminfo::current().map_or(0, |memory| memory.mem_total),
            system: match release {
                Ok(v) => format!("Linux {}.{}.{}", v.major, v.minor, v.patch),
                Err(_) => "Linux".to_owned(),
            },
        }
    }

    /// This machine, as far as it tells.
    #[cfg(not(target_os = "linux"))]
    pub fn here() -> Machine {
        Machine {
            processor: std::env::consts::ARCH.to_owned(),
            processors: std::thread::available_parallelism().map_or(0, usize::from),
            memory_bytes: 0,
            system: std::env::consts::OS.to_owned(),
        }
    }
}
