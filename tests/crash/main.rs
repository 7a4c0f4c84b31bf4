//! The server as a process that is killed, or whose disk fails: what was answered stays true.

/// Makes one test for every engine of each function that takes an engine's name.
macro_rules! on_every_engine {
    ($($test:ident),+ $(,)?) => {
        mod blocking {
            $(#[test] fn $test() { super::$test("blocking"); })+
        }
        #[cfg(feature = "async")]
        mod nonblocking {
            $(#[test] fn $test() { super::$test("async"); })+
        }
    };
}

mod backups;
mod bot;
mod checker;
mod client;
mod faults;
mod followers;
mod ids;
mod kills;
mod lost;
mod planted;
mod server;
mod stopped;
mod swap;
mod talk;
mod upgrade;
