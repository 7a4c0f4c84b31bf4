//! A Comet (HTTP long-polling) chat server: the library of the binary `comet-chat`.
//!
//! The map. Each line is a module: its name, what it is, and the modules that it uses. All arrows point
//! down: a module uses only what stands below it, and there is no circle of files or folders anywhere.
//! `tests/map` compares it with the code.
//!
//! ```text
//! main         the command line                       archive bench blocking nonblocking lesson door access wire store message address config
//! archive      rooms as lines, to keep or to move     store message clock config
//! bench        the benchmark (feature bench)          clock config
//! blocking     the engine of threads                  lesson access door wire room metrics store message address clock config
//! nonblocking  the engine of tasks (feature async)    lesson access door wire room metrics store message address clock config
//! lesson       the backstage (feature lesson)         page wire room metrics store message address clock config
//! door         what an HTTP library needs around it   access log wire metrics message address config
//! access       what each request may                  wire message address clock config
//! log          a line and a count for each request    wire metrics
//! wire         requests read, replies written         page room store message address clock config
//! page         the web page and its files             message config
//! room         who waits, who is here, what comes     store message clock config
//! metrics      the figures for a monitor              store config
//! store        where messages are kept                message clock config
//! message      what travels: texts, names, cursors    clock config
//! address      where this server is reached          config
//! clock        the wall clock, and one that nobody sets
//! config       every limit and its reason
//! ```
//!
//! Read the code in this order:
//!
//! 1. [`message`]: what travels. It is parsed once and valid ever after.
//! 2. [`room`]: who waits for messages, and what each of them is given.
//! 3. [`store`]: where messages are kept.
//! 4. [`wire`]: how all that looks to a client.
//! 5. [`blocking`]: an engine, from [`blocking::poll`] and [`blocking::publish`] to [`blocking::room`].
//!    `nonblocking` (feature `async`) is the same with tasks; the difference of the two is the lesson.
//! 6. [`door`], last: what tiny_http and hyper need around them. It knows no engine, it calls a service.
//!
//! What must hold:
//!
//! - The room does no I/O, reads no clock and knows no thread. It never waits for the store: it hands
//!   drafts over, and the outcome comes back as a letter.
//! - A message is stored before anybody is shown it, and shown before its sender is told `ok`.
//! - A subscriber is answered once: with a delivery, or with the cursor up to which it has missed nothing.
//! - Looking for what was missed and beginning to wait are one step in the room.
//! - A sequence has no holes, so whoever reads on can tell a loss.
//! - A room is never ahead of its store. Where several instances share the store it may lag behind, and then it
//!   judges no cursor before it has caught up.
//! - State has one owner. No lock is held over I/O.
//! - A delivery is never taken for certain: the client's cursor decides what it gets next.
#![forbid(unsafe_code)]

pub mod message;

pub mod room;

pub mod store;

pub mod wire;

pub mod page;

pub mod blocking;

#[cfg(feature = "async")]
pub mod nonblocking;

pub mod door;

pub mod access;
pub mod address;
pub mod archive;
pub mod clock;
pub mod config;
pub mod log;
pub mod metrics;

#[cfg(feature = "bench")]
pub mod bench;

#[cfg(feature = "lesson")]
pub mod lesson;
