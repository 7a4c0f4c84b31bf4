//! Who may enter: how long a session lasts, and how often a stranger may guess.

use std::time::Duration;

/// How long a browser that gave the passphrase is let in without it (30 days): nobody types on a phone each
/// day, and a device that was given away is out in a month.
pub const SESSION: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How long an invite lets in, and whoever came in by it (a day): a class, a party, a meeting.
pub const INVITE: Duration = Duration::from_secs(24 * 60 * 60);

/// How often the passphrase is hashed into the key that signs sessions and invites (20 to 50 ms). Who has an invite
/// can try passphrases against it on a machine of their own: each try takes as long.
pub const KEY_ROUNDS: u32 = 100_000;

/// A passphrase with fewer characters is accepted with a warning: it is soon guessed.
pub const PASSPHRASE_SHORT: usize = 8;

/// The longest passphrase, in bytes: a file that is no passphrase is noticed.
pub const PASSPHRASE_MAX: usize = 1_024;

/// The fewest characters of a token in plain text: nobody guesses so many that were drawn at random.
pub const TOKEN_LEAST: usize = 16;

/// How many wrong tries an address has at once: a class behind one address mistypes now and then.
pub const TRIES: u32 = 10;

/// After how long an address has one more try.
pub const TRY_EVERY: Duration = Duration::from_secs(5);

/// How many wrong tries all addresses have at once.
pub const TRIES_OF_ALL: u32 = 300;

/// After how long they have one more. So even a thousand machines guess about 200,000 times a day.
pub const TRY_EVERY_OF_ALL: Duration = Duration::from_millis(400);

/// How many addresses with wrong tries are remembered at most (1 MiB). If there are more, only the limit for all
/// counts for the others.
pub const TRIES_REMEMBERED: usize = 10_000;
