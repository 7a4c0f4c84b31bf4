//! The doors: what each HTTP library needs around it.
//!
//! [`tiny_http`] is the blocking engine's door, `hyper` the async engine's. A door knows no engine: it calls
//! a service with a request, and gets an [`answer`]. Both count at a [`gate`], and share the [`budget`], the
//! [listening socket](listen) and the [`pace`] of what fails again and again.

pub mod answer;
pub mod gate;

pub mod budget;
mod limits;
pub mod listen;
pub mod pace;
mod upload;

#[cfg(test)]
mod search;

pub mod tiny_http;

#[cfg(feature = "async")]
pub mod hyper;
