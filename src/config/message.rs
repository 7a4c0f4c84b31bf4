//! How large a message, a name and a key may be.

use std::ops::RangeInclusive;

/// The most characters in the name of a room or a person.
pub const NAME_LIMIT: usize = 64;

/// The most bytes in the text of one message (64 KiB), and in the body of a request: a long mail fits, and a
/// thousand such bodies at once are little memory.
pub const TEXT_LIMIT: usize = 64 * 1024;

/// The most characters in a file's name.
pub const FILE_NAME_LIMIT: usize = 128;

/// The most bytes of a file (10 MiB), if the command line does not say: what a phone's camera makes.
pub const UPLOAD_LIMIT: u64 = 10 * 1024 * 1024;

/// The most that the command line may say (32 MiB). A file is in memory as a whole, two times, while it comes, and some
/// of them come at once.
pub const UPLOAD_LIMIT_MAX: u64 = 32 * 1024 * 1024;

/// How much the body of a request may have beyond its text and its file, in bytes: the other fields, and what stands
/// between the parts.
pub const MULTIPART_SPARE: usize = 8 * 1024;

/// The most parts of such a body. The page sends six.
pub const MULTIPART_PARTS: usize = 16;

/// The most pixels of a picture that is shown (100 million): more than a camera makes, and 400 MB in a browser.
pub const PICTURE_PIXELS: u64 = 100_000_000;

/// The most characters in a sender's own id of a message: a UUID or a hash in hexadecimal fits.
pub const SEND_ID_LIMIT: usize = 128;

/// How long a key is, by which somebody holds a name: short ones could be guessed, and 128 random bits take 32
/// hexadecimal digits.
pub const KEY_LENGTH: RangeInclusive<usize> = 16..=128;

/// The most letters of a room's topic: it stands in one line.
pub const TOPIC_LIMIT: usize = 200;

/// The most letters of the notice of a locked room: a short explanation, with a link.
pub const NOTICE_LIMIT: usize = 1_000;

/// The longest time for which somebody is muted or removed, in seconds (a year). Who is to stay so longer has no such
/// time.
pub const BARRED_SECONDS: usize = 366 * 24 * 3600;

/// The longest time between two messages of a person in slow mode, in seconds.
pub const SLOW_SECONDS: usize = 3600;

/// The most people whom one room has muted or removed at once. Each message is compared with all of them.
pub const BARRED_MAX: usize = 200;

/// Among how many of the newest messages slow mode looks for the last one of a speaker: in a room where each says one in
/// a while, that is a thousand people.
pub const SLOW_LOOK: usize = 1_000;

/// Among how many of the newest messages a store looks for the key of somebody who is muted and not present.
pub const WHOSE_LOOK: usize = 1_000;
