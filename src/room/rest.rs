//! When a room may go to sleep, and how long it rests until it looks again.

use std::time::Duration;

use super::letter::Engine;
use super::owner::Owner;
use crate::config::{GOING_BEAT, LAPSE_BEAT, ROOM_IDLE};

/// What a room's thread or task goes by when no letter is there.
pub struct Rest {
    /// Whether the room is to go to sleep for another.
    pub is_going: bool,
    /// Whether people may be in it. A room that could not be opened may have some.
    pub is_peopled: bool,
    is_empty: bool,
    is_settled: bool,
}

impl Rest {
    /// Looks at an owner; `None` if the room could not be opened.
    pub fn of<E: Engine>(owner: Option<&Owner<E>>, is_going: bool) -> Rest {
        let is_empty = owner.is_none_or(Owner::is_empty);
        Rest {
            is_going,
            is_peopled: owner.is_none_or(|owner| !owner.room().people.is_empty()),
            is_empty,
            is_settled: owner.is_none_or(Owner::is_settled),
        }
    }

    /// Whether the room may go to sleep, so long after its last letter. While a batch is on its way it must
    /// not.
    pub fn may_sleep(&self, silent: Duration) -> bool {
        self.is_settled && (self.is_going || (self.is_empty && silent >= ROOM_IDLE))
    }

    /// How long to wait for a letter.
    pub fn pause(&self) -> Duration {
        match (self.is_going, self.is_empty) {
            (true, _) => GOING_BEAT,
            (false, true) => ROOM_IDLE,
            (false, false) => LAPSE_BEAT,
        }
    }
}
