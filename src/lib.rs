//! A Comet (HTTP long-polling) chat server.
#![forbid(unsafe_code)]

pub mod message;
pub mod store;
pub mod wire;
