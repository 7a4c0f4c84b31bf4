//! Tests beside which no other may run: crowds, and whoever looks at the time.
//!
//! They stand together because tests run in the order of their names: one among the others would wait for
//! the longest of them, and they for it.

mod bursts;
mod crowd;
mod firehose;
mod flood;
mod limits;
#[cfg(feature = "async")]
mod open_network;
mod pages;
#[cfg(feature = "async")]
mod readers;
mod shutdown;
mod strangers;
