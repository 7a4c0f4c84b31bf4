//! Every limit, its default and its reason, by subject.

#[cfg(feature = "bench")]
mod bench;
mod command;
mod door;
mod entry;
#[cfg(feature = "async")]
mod hyper;
#[cfg(feature = "lesson")]
mod lesson;
mod limits;
mod machine;
mod message;
mod page;
#[cfg(feature = "redis")]
mod redis;
mod reply;
mod room;
mod search;
mod store;
mod tiny_http;
mod wait;

#[cfg(feature = "bench")]
pub use self::bench::*;
pub use self::command::*;
pub use self::door::*;
pub use self::entry::*;
#[cfg(feature = "async")]
pub use self::hyper::*;
#[cfg(feature = "lesson")]
pub use self::lesson::*;
pub use self::limits::*;
pub use self::machine::*;
pub use self::message::*;
pub use self::page::*;
#[cfg(feature = "redis")]
pub use self::redis::*;
pub use self::reply::*;
pub use self::room::*;
pub use self::search::*;
pub use self::store::*;
pub use self::tiny_http::*;
pub use self::wait::*;
