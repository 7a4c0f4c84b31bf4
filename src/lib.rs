//! A Comet (HTTP long-polling) chat server.
#![forbid(unsafe_code)]

pub mod bench;
pub mod message;
pub mod store;
