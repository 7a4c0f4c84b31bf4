//! The exercises of the lesson: three changes of one engine, then of the other, and a test for each that tells
//! whether yours is right. The tests fail until you have made the change. `cargo test` alone leaves them out:
//!
//! ```sh
//! cargo test --test exercises few::blocking                       # in src/blocking
//! cargo test --features async --test exercises few::nonblocking   # then in src/nonblocking
//! ```
//!
//! The tasks stand at the head of [`few`], [`slow`] and [`first`], in this order. Each is bound to the names of some
//! rooms, so all other rooms, and all other tests, stay as they are. Each takes 5 to 50 lines in an engine's folder.
//!
//! Beside each task lies a solution for both engines: `git apply tests/exercises/few.patch`. Look at it last, and then
//! compare its two halves. `scripts/exercises.sh` proves that all of them pass these tests, and that the tests fail
//! without them.
#![allow(dead_code, reason = "the harness of tests/it, of which the exercises use a part")]

/// Makes a module of tests for each engine.
macro_rules! on_each_engine {
    ($($test:ident),+ $(,)?) => {
        on_engine!(blocking, "blocking", $($test),+);
        #[cfg(feature = "async")]
        on_engine!(nonblocking, "async", $($test),+);
    };
}

/// One line of it: the module's name, and `--engine`.
macro_rules! on_engine {
    ($module:ident, $engine:literal, $($test:ident),+) => {
        mod $module {
            const SETUP: crate::harness::Setup = crate::harness::Setup { engine: $engine, store: "memory:" };
            $(
                #[test]
                fn $test() {
                    crate::harness::run(SETUP, super::$test);
                }
            )+
        }
    };
}

#[path = "../it/chat.rs"]
mod chat;
#[path = "../it/client.rs"]
mod client;
#[path = "../it/contract.rs"]
mod contract;
#[path = "../it/events.rs"]
mod events;
#[path = "../it/harness.rs"]
mod harness;
#[cfg(feature = "redis")]
#[path = "../redis/mod.rs"]
mod redis;
#[path = "../it/schema.rs"]
mod schema;
#[path = "../it/server.rs"]
mod server;

mod few;
mod first;
mod slow;
