//! The wire: HTTP requests parsed into what they ask for, and the answers rendered.
//!
//! Nothing here knows how a request was read or how a reply is written.

pub mod join;
pub mod origin;
pub mod page;
pub mod refusal;
pub mod reply;
pub mod request;
pub mod rooms;
