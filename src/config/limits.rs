//! How much one address, and one room, may take.
//!
//! A school may have one address for all: each of these lets 60 people chat behind it who have just come
//! together, with two devices each.

use std::num::NonZeroU32;
use std::time::Duration;

/// How many messages a second one address may send for long. 60 people who say something every two seconds.
pub const ADDRESS_MESSAGES: u32 = 30;

/// How many messages a second one room takes for long. Nobody reads so many.
pub const ROOM_MESSAGES: u32 = 100;

/// How many bytes of bodies a second one address may send for long (1 MiB): sixteen of the longest messages.
pub const ADDRESS_BYTES: u32 = 1024 * 1024;

/// How many seconds' worth of these may come at once: everybody says hello when a class begins, and after an
/// outage everything that was written meanwhile is sent.
pub const BURST_SECONDS: NonZeroU32 = NonZeroU32::new(10).unwrap();

/// How many rooms a minute one address may wake or open; as many may come at once. After a start of the server
/// all rooms sleep, and each of 60 people may follow some of their own.
pub const ADDRESS_ROOMS: u32 = 600;

/// How many waits one address may have at once. A browser has one, and up to three with very many rooms.
pub const ADDRESS_WAITS: u32 = 500;

/// After what time a client may come back whose address has too many waits. The default wait is over by then
/// for half of them.
pub const WAITS_RETRY: Duration = Duration::from_secs(5);

/// How many first bits the addresses of one client of IPv6 have in common. Who has one of them can use them all.
pub const CLIENT_BITS: u8 = 64;

/// The networks of IPv6 that count as one address, by the length of their prefix, and how many times as much
/// each may take. A home or a server has the first, a customer the second, a site the third. Who has one can use
/// all of its addresses.
pub const IPV6_TIERS: [(u8, NonZeroU32); 3] =
    [(CLIENT_BITS, NonZeroU32::MIN), (56, NonZeroU32::new(4).unwrap()), (48, NonZeroU32::new(16).unwrap())];

/// How long a browser need not ask again whether a page of another site may send what it sends.
pub const PREFLIGHT_KEPT: Duration = Duration::from_secs(3_600);

/// Into how many parts a table of addresses is divided, so that two clients seldom wait for each other.
pub const TABLE_SHARDS: usize = 16;

/// The most entries of each part. All tables together then have at most 10 MiB. When one is full, those go that
/// have all of their allowance; if there are none, all go: nobody is refused because of strangers, and who has
/// so many addresses has an allowance for each in any case.
pub const SHARD_ENTRIES: usize = 1_024;
