//! Every store, from one source: its promises, against a plain model; and what the store in a file does with
//! a damaged, locked, full or foreign file.

mod backup;
mod faults;
mod health;
mod model;
mod moving;
mod pasts;
mod place;
mod plain;
mod promises;
mod recovery;
#[path = "../redis/mod.rs"]
mod redis;
mod rerun;
mod search;
mod servers;
#[cfg(feature = "redis")]
mod shared;
#[cfg(feature = "redis")]
mod tls;
#[cfg(feature = "redis")]
mod trouble;
