//! A room as lines of text, to keep it or to move it to another store.
//!
//! ```text
//! {"comet-chat":"room","version":2,"room":"lobby"}
//! {"id":"0123abcd-1-89abcdef","kind":"message","name":"anna","text":"hi","at":"2026-11-26T12:00:00.000Z"}
//! {"in_force":[{"id":"0123abcd-2-89abcdef","kind":"topic","name":"anna","text":"tea","at":"2026-11-26T12:00:01.000Z"}]}
//! {"end":"lobby","entries":1}
//! ```
//!
//! Whoever is muted or removed is so by name in another store: keys are known only to the store that hashed them.
//! The file that came with a message stands in its line, in base64.
//!
//! Several rooms stand one after the other, so archives can be joined by `cat`. The last line of a room tells whether
//! something is missing: what was cut off on its way is not taken for whole.

mod lines;
mod put;
mod read;
mod write;

pub use put::put;
pub use read::{Archived, read};
pub use write::write;
