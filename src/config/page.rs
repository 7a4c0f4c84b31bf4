//! How much the HTML of the page holds.

/// The most messages in the HTML. Older ones are one history request away.
pub const BACKLOG_MESSAGES: usize = 50;

/// The most text in the HTML, in bytes (48 KiB): it arrives at once on a phone too. The newest message is
/// there whatever its size.
pub const BACKLOG_BYTES: usize = 48 * 1024;

/// The longest side of a picture in a message, in pixels of the page: a phone's screen shows it whole.
pub const PICTURE_SHOWN: f64 = 320.0;

/// The longest piece of a text that a browser lays out as one, in bytes (4 KiB): the worst text of this length
/// takes 20 ms.
pub const LAYOUT_BYTES: usize = 4 * 1024;
