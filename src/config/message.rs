//! How large a message, a name and a key may be.

use std::ops::RangeInclusive;

/// The most characters in the name of a room or a person.
pub const NAME_LIMIT: usize = 64;

/// The most bytes in the text of one message (64 KiB), and in the body of a request: a long mail fits, and a
/// thousand such bodies at once are little memory.
pub const TEXT_LIMIT: usize = 64 * 1024;

/// The most characters in a sender's own id of a message: a UUID or a hash in hexadecimal fits.
pub const SEND_ID_LIMIT: usize = 128;

/// How long a key is, by which somebody holds a name: short ones could be guessed, and 128 random bits take 32
/// hexadecimal digits.
pub const KEY_LENGTH: RangeInclusive<usize> = 16..=128;
