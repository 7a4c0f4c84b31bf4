//! The steps that Redis runs whole, in Lua.

use redis::{Cmd, cmd};

macro_rules! scripts {
    ($($step:ident: $command:literal $($file:literal)+),+ $(,)?) => {
        /// A step.
        #[derive(Debug, Clone, Copy)]
        pub(super) enum Step { $($step),+ }

        impl Step {
            /// All steps, in the order of their numbers.
            const SOURCES: &[&str] = &[$(concat!(include_str!("common.lua"), $(include_str!($file)),+)),+];
            const COMMANDS: &[&str] = &[$($command),+];
        }
    };
}

scripts![
    Append: "EVALSHA" "write.lua" "rules.lua" "append.lua",
    Expire: "EVALSHA" "write.lua" "expire.lua",
    Pulse: "EVALSHA" "write.lua" "pulse.lua",
    Sweep: "EVALSHA" "write.lua" "sweep.lua",
    Newest: "EVALSHA_RO" "read.lua" "rules.lua" "newest.lua",
    After: "EVALSHA_RO" "read.lua" "after.lua",
    Before: "EVALSHA_RO" "read.lua" "before.lua",
    NewestBut: "EVALSHA_RO" "read.lua" "newest_but.lua",
    Rooms: "EVALSHA_RO" "rooms.lua",
    Latest: "EVALSHA_RO" "latest.lua",
];

/// The names of the steps in one Redis, which has been given their sources.
pub(super) struct Scripts(Vec<String>);

impl Scripts {
    /// What gives Redis the sources.
    pub(super) fn load() -> Vec<Cmd> {
        let load = |source: &&str| cmd("SCRIPT").arg("LOAD").arg(*source).take();
        Step::SOURCES.iter().map(load).collect()
    }

    /// What Redis answered to that.
    pub(super) fn loaded(names: Vec<String>) -> Scripts {
        Scripts(names)
    }

    /// What runs a step. Its arguments follow.
    pub(super) fn run(&self, step: Step) -> Cmd {
        cmd(Step::COMMANDS[step as usize]).arg(&self.0[step as usize]).arg(0).take()
    }
}
