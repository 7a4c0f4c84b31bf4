//! What one address, and one room, may take.

mod blocks;
mod rate;
mod shards;
mod waits;

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::Quota;

use self::blocks::{Block, blocks};
use self::rate::Rate;
use self::waits::Waits;
use crate::config::{
    ADDRESS_BYTES, ADDRESS_MESSAGES, ADDRESS_ROOMS, ADDRESS_WAITS, BURST_SECONDS, IPV6_TIERS, ROOM_MESSAGES,
};
use crate::message::RoomName;
use crate::wire::refusal::Refusal;
use crate::wire::request::Intent;

pub use self::waits::Waiting;

/// What the command line says of it. Nothing is no limit.
#[derive(Debug, Clone, Copy)]
pub struct LimitsSpec {
    /// Messages a second of one address.
    pub messages: Option<NonZeroU32>,
    /// Bytes a second of one address.
    pub bytes: Option<NonZeroU32>,
    /// Rooms a minute that one address wakes or opens.
    pub rooms: Option<NonZeroU32>,
    /// Waits at once of one address.
    pub waits: Option<NonZeroU32>,
    /// Messages a second in one room.
    pub room_messages: Option<NonZeroU32>,
}

impl Default for LimitsSpec {
    fn default() -> LimitsSpec {
        let [messages, bytes, rooms, waits, room_messages] =
            [ADDRESS_MESSAGES, ADDRESS_BYTES, ADDRESS_ROOMS, ADDRESS_WAITS, ROOM_MESSAGES]
                .map(NonZeroU32::new);
        LimitsSpec { messages, bytes, rooms, waits, room_messages }
    }
}

/// The limits, and how much of each is taken.
pub struct Limits {
    spec: LimitsSpec,
    messages: Option<OfAddress>,
    bytes: Option<OfAddress>,
    rooms: Option<OfAddress>,
    room_messages: Option<Rate<RoomName>>,
    waits: Option<Arc<Waits>>,
}

impl Limits {
    /// Nothing is taken yet.
    pub fn new(spec: LimitsSpec) -> Limits {
        Limits {
            spec,
            messages: spec.messages.map(|most| OfAddress::new(|times| a_second(most, times))),
            bytes: spec.bytes.map(|most| OfAddress::new(|times| a_second(most, times))),
            rooms: spec
                .rooms
                .map(|most| OfAddress::new(|times| Quota::per_minute(most.saturating_mul(times)))),
            room_messages: spec.room_messages.map(|most| Rate::new(a_second(most, NonZeroU32::MIN))),
            waits: spec.waits.map(|most| Waits::new(most.get())),
        }
    }

    /// Takes what a request of this address needs, or refuses it. `bytes` is how long its body is, and
    /// `is_awake` says whether a room is awake.
    pub fn take(
        &self,
        address: IpAddr,
        intent: &Intent,
        bytes: usize,
        is_awake: impl Fn(&RoomName) -> bool,
    ) -> Result<(), Refusal> {
        if let (Some(rate), Some(most)) = (&self.bytes, self.spec.bytes) {
            let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
            rate.take(address, bytes).map_err(|after| Refusal::TooManyBytes { most: most.get(), after })?;
        }
        let rooms: &[RoomName] = match intent {
            Intent::Publish(publish) => std::slice::from_ref(&publish.room),
            Intent::Leave(leave) => std::slice::from_ref(&leave.room),
            Intent::Stream(poll) => &poll.rooms,
            Intent::Poll(poll) if !poll.only_looks(poll.hold) => &poll.rooms,
            _ => &[],
        };
        if let (Some(rate), Some(most)) = (&self.rooms, self.spec.rooms) {
            let asleep = rooms.iter().filter(|room| !is_awake(room)).count();
            let refused = |after| Refusal::TooManyWoken { most: most.get(), after };
            let new = usize::from(matches!(intent, Intent::NewRoom(_)));
            rate.take(address, (asleep + new) as u32).map_err(refused)?;
        }
        // Who leaves is told to all in the room.
        if !matches!(intent, Intent::Publish(_) | Intent::Leave(_)) {
            return Ok(());
        }
        if let (Some(rate), Some(most)) = (&self.messages, self.spec.messages) {
            rate.take(address, 1).map_err(|after| Refusal::TooManyMessages { most: most.get(), after })?;
        }
        if let (Some(rate), Some(most)) = (&self.room_messages, self.spec.room_messages) {
            rate.take(&rooms[0], 1).map_err(|after| Refusal::RoomTooBusy { most: most.get(), after })?;
        }
        Ok(())
    }

    /// Counts one more wait of this address, until what is given is dropped.
    pub fn wait(&self, address: IpAddr) -> Result<Option<Waiting>, Refusal> {
        let Some(waits) = &self.waits else { return Ok(None) };
        waits.begin(address).map(Some).ok_or(Refusal::TooManyWaits { most: waits.most() })
    }
}

/// So many times so much a second for long, and some seconds' worth of it at once.
fn a_second(most: NonZeroU32, times: NonZeroU32) -> Quota {
    let most = most.saturating_mul(times);
    Quota::per_second(most).allow_burst(most.saturating_mul(BURST_SECONDS))
}

/// A rate for each address.
struct OfAddress {
    tiers: [Rate<Block>; IPV6_TIERS.len()],
}

impl OfAddress {
    /// So much for each address, and more for wider networks.
    fn new(quota: impl Fn(NonZeroU32) -> Quota) -> OfAddress {
        OfAddress { tiers: IPV6_TIERS.map(|(_, times)| Rate::new(quota(times))) }
    }

    /// Takes so much, or says after what time there is enough.
    fn take(&self, address: IpAddr, much: u32) -> Result<(), Duration> {
        // The narrowest first: who is refused takes nothing of the neighbours'.
        blocks(address).try_for_each(|block| self.tiers[block.tier].take(&block, much))
    }
}
