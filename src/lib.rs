//! A Comet (HTTP long-polling) chat server: what the binary `comet-chat` is made of.
//!
//! ```text
//! main ──► engines (blocking, nonblocking) ──► wire, room ──► message
//!                     └──────────────────────► store ───────► message
//! ```
//!
//! Nothing points the other way. Read it in this order: [`message`], what travels; [`room`], who waits
//! for it; [`store`], where it is kept; [`wire`], how it looks to a client; then one engine,
//! [`blocking`], from [`blocking::poll`] and [`blocking::publish`] to [`blocking::room`], and last its
//! [`door`](door::tiny_http), which is there for tiny_http's sake. `nonblocking`, behind the feature
//! `async`, is the same house with tasks.
//!
//! What must hold:
//!
//! - The room does no I/O, reads no clock and knows no thread. It never waits for the store: it hands
//!   drafts over, and the outcome comes back as a letter.
//! - A message is stored before anybody is shown it, and shown before its sender is told `ok`.
//! - A subscriber is answered once: with a page, or with the cursor up to which it has missed nothing.
//! - Looking for what was missed and beginning to wait are one step in the room.
//! - A sequence has no holes, so whoever reads on can tell a loss.
//! - State has one owner. No lock is held over I/O.
//! - A delivery is never taken for certain: the client's cursor decides what it gets next.
#![forbid(unsafe_code)]

pub mod message;

pub mod room;

pub mod store;

pub mod page;

pub mod wire;

pub mod door;

pub mod blocking;

#[cfg(feature = "async")]
pub mod nonblocking;

pub mod address;
pub mod clock;
pub mod config;
pub mod log;
pub mod metrics;

#[cfg(feature = "bench")]
pub mod bench;
