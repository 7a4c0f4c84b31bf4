//! The doors: what an HTTP library needs around it to serve an open network.
//!
//! [`tiny_http`] is the blocking engine's, `hyper` the async engine's. Both use the [`budget`], the
//! [listening socket](listen) and the [`pace`] of what fails again and again.

pub mod budget;
pub mod listen;
pub mod pace;

pub mod tiny_http;

#[cfg(feature = "async")]
pub mod hyper;
