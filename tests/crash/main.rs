//! The server as a process that dies, or whose disk does not serve it: what was answered stays true.

/// Makes of each function that takes an engine's name one test for every engine.
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

mod checker;
mod client;
mod faults;
mod kills;
mod server;
