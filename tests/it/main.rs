//! The server from outside, through real sockets: one suite, which runs once for every setup of engine and
//! store. A test never names its setup.
//!
//! The type of a test's argument says what it needs ([`harness::Stage`]): a [`chat::Chat`] is a room on some
//! server, a [`harness::Launch`] starts a server process of its own, and a [`harness::Alone`] does so while
//! no other test runs; these tests stand in [`alone`].
//!
//! `COMET_CHAT_URL=http://HOST:PORT cargo test --test it -- blocking_memory ::blocking::` speaks to a server that
//! runs already. Tests that need a process of their own are left out, and say so.

/// Makes a module of tests for every setup. The compiler reports a test that is not in the list as dead code.
macro_rules! on_every_setup {
    ($($test:ident),+ $(,)?) => {
        on_setup!(blocking_memory, "blocking", "memory:", $($test),+);
        on_setup!(blocking_sqlite, "blocking", "sqlite:{dir}/chat.db", $($test),+);
        #[cfg(feature = "async")]
        on_setup!(async_memory, "async", "memory:", $($test),+);
        #[cfg(feature = "async")]
        on_setup!(async_sqlite, "async", "sqlite:{dir}/chat.db", $($test),+);
        #[cfg(feature = "redis")]
        on_setup!(blocking_redis, "blocking", "redis:", $($test),+);
        #[cfg(all(feature = "async", feature = "redis"))]
        on_setup!(async_redis, "async", "redis:", $($test),+);
    };
}

/// Makes a module of tests for every engine, for tests in which no store has a part.
macro_rules! on_every_engine {
    ($($test:ident),+ $(,)?) => {
        on_setup!(blocking, "blocking", "memory:", $($test),+);
        on_async_engine![$($test),+];
    };
}

/// The same for the engine that serves an open network.
macro_rules! on_async_engine {
    ($($test:ident),+ $(,)?) => {
        #[cfg(feature = "async")]
        on_setup!(nonblocking, "async", "memory:", $($test),+);
    };
}

/// Makes a module of tests for every engine with a store in a file, of which each reader has a copy open.
macro_rules! on_every_engine_with_a_file {
    ($($test:ident),+ $(,)?) => {
        on_setup!(blocking_file, "blocking", "sqlite:{dir}/chat.db", $($test),+);
        #[cfg(feature = "async")]
        on_setup!(nonblocking_file, "async", "sqlite:{dir}/chat.db", $($test),+);
    };
}

/// One line of [`on_every_setup`]: its module's name, `--engine` and `--store` (`{dir}` stands for a
/// directory that lives as long as the server, and `redis:` for keys of its own in the Redis of this test run).
macro_rules! on_setup {
    ($module:ident, $engine:literal, $store:literal, $($test:ident),+) => {
        mod $module {
            const SETUP: crate::harness::Setup = crate::harness::Setup {
                engine: $engine,
                store: $store,
            };
            $(
                #[test]
                fn $test() {
                    crate::harness::run(SETUP, super::$test);
                }
            )+
        }
    };
}

mod chat;
mod client;
mod contract;
mod events;
mod harness;
mod raw;
#[cfg(feature = "redis")]
#[path = "../redis/mod.rs"]
mod redis;
mod schema;
mod server;

mod alone;
#[cfg(feature = "lesson")]
mod backstage;
mod behind;
mod browsers;
mod caller;
mod changes;
mod cursors;
mod description;
mod entry;
mod environment;
mod figures;
mod firehose;
mod flood;
mod framing;
mod heads;
mod history;
mod leaving;
mod limits;
mod listen;
mod log;
mod machine;
mod names;
mod negotiation;
#[cfg(feature = "async")]
mod open_network;
mod order;
mod origin;
mod pages;
mod parameters;
mod pipelining;
mod places;
mod presence;
mod private;
mod proxy;
mod public;
mod publish;
mod refusals;
mod rooms;
mod rude;
mod search;
mod seed;
mod several;
mod several_limits;
mod several_random;
mod several_waits;
mod shutdown;
mod spread;
mod strangers;
mod streams;
mod told;
mod uploads;
