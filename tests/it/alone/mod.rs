//! Tests beside which no other may run: crowds, and measures of time.
//!
//! They stand in one module because tests run in the order of their names. One of these among the others
//! would wait for the longest of them, and all others for it.

mod bursts;
mod crowd;
#[cfg(feature = "async")]
mod open_network;
mod pages;
#[cfg(feature = "async")]
mod readers;
