//! Fuzzing: what strangers, files and other programs may hand to us, broken in every way.
//!
//! Each target is a function of some bytes, which says by a panic that something does not hold. Here they get texts of
//! the tests' own that were changed by chance. Without `SEED` the chance is the same each time: so no change is ever
//! refused for an old fault. `SEED=7 TIMES=1000 cargo test --release --test fuzz` looks further, and
//! `scripts/fuzz.sh` goes where the code has not been yet, by libFuzzer.

mod chance;
#[cfg(feature = "redis")]
#[path = "../redis/mod.rs"]
mod redis;
mod rows;
#[cfg(feature = "redis")]
mod rows_in_redis;
mod targets;

use targets::Target;

/// How many inputs each target gets: a second or so.
const INPUTS: usize = 4_000;

fn try_out(target: &Target) {
    let mut chance = chance::Chance::new();
    for seed in target.seeds {
        (target.check)(seed.as_bytes());
    }
    for _ in 0..chance.times(INPUTS) {
        let input = chance.input(target.seeds);
        let told = std::panic::catch_unwind(|| (target.check)(&input));
        assert!(told.is_ok(), "this does not hold: {:?}", String::from_utf8_lossy(&input));
    }
}

macro_rules! try_out {
    ($($target:ident),+ $(,)?) => {
        $(#[test] fn $target() { try_out(&targets::$target::TARGET); })+

        #[test]
        fn every_target_is_tried_out() {
            assert_eq!(targets::ALL.map(|target| target.name), [$(stringify!($target)),+]);
        }
    };
}

try_out![addresses, archives, bodies, callers, cursors, files, names, places, requests, strangers];
