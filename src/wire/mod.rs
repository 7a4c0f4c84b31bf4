//! The wire: HTTP requests parsed into what they ask for, and the answers rendered.
//!
//! Nothing here knows how a request is read, or how a reply is written.

pub mod past;
pub mod path;

pub mod refusal;
pub mod reply;
pub mod request;
pub mod rooms;
pub mod search;
