//! Every limit, its default and its reason, by subject.

mod door;
mod message;
mod page;
mod reply;
mod room;
mod store;
mod wait;

pub use self::door::*;
pub use self::message::*;
pub use self::page::*;
pub use self::reply::*;
pub use self::room::*;
pub use self::store::*;
pub use self::wait::*;
