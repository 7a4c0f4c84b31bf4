//! A Comet (HTTP long-polling) chat server.
#![forbid(unsafe_code)]

pub mod message;

pub mod presence;
pub mod room;

pub mod store;

pub mod wire;

pub mod blocking;

#[cfg(feature = "async")]
pub mod nonblocking;

pub mod address;
pub mod budget;
pub mod config;
pub mod listen;

pub mod bench;
