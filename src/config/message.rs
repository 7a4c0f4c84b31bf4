//! How large a message and a name may be.

/// The most characters in the name of a room or a person.
pub const NAME_LIMIT: usize = 64;

/// The most bytes in the text of one message (64 KiB), and in the body of a request: a long mail fits, and a
/// thousand such bodies at once are little memory.
pub const TEXT_LIMIT: usize = 64 * 1024;

/// The most characters in a sender's own id of a message: a UUID or a hash in hexadecimal fits.
pub const SEND_ID_LIMIT: usize = 128;
