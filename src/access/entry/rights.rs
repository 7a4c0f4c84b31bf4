//! What a token gives a right to.

use std::fmt;
use std::str::FromStr;

use crate::message::{RoomName, RoomPatterns};
use crate::wire::refusal::Refusal;
use crate::wire::request::Intent;

/// Rights over some rooms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rights {
    read: bool,
    write: bool,
    operate: bool,
    rooms: RoomPatterns,
}

impl Rights {
    /// Reads `read`, `write` or `read,write`, and the rooms. An error is the end of a sentence.
    pub fn parse(rights: &str, rooms: &str) -> Result<Rights, String> {
        let (read, write) = match rights {
            "read" => (true, false),
            "write" => (false, true),
            "read,write" | "write,read" => (true, true),
            _ => return Err(format!("{rights:?} is not read, write or read,write")),
        };
        Ok(Rights { read, write, operate: false, rooms: named(rooms)? })
    }

    /// Those of an operator of these rooms, who may do everything there. An error is the end of a sentence.
    pub fn operator(rooms: &str) -> Result<Rights, String> {
        Ok(Rights { read: true, write: true, operate: true, rooms: named(rooms)? })
    }

    /// Has what an operator asks for be done as the operator's.
    pub fn empower(&self, intent: &mut Intent) {
        let is_of_these = match intent {
            Intent::Publish(publish) => self.rooms.include(&publish.room),
            Intent::Past(past) => past.rooms().iter().all(|room| self.rooms.include(room)),
            _ => false,
        };
        if self.operate && is_of_these {
            intent.empower();
        }
    }

    /// Refuses what they do not give. A list of rooms becomes one of the rooms that they give.
    pub fn permit(&self, intent: &mut Intent) -> Result<(), Refusal> {
        let is_given = match intent {
            Intent::Poll(poll) | Intent::Stream(poll) => {
                // Whoever waits under a name joins the room, for all to see.
                let is_here = poll.name.is_some();
                self.read_all(&poll.rooms)
                    && (!is_here || poll.present_in().iter().all(|room| self.may_write(room)))
            }
            Intent::Past(past) => self.read_all(past.rooms()),
            Intent::People(room) => self.may_read(room),
            Intent::Page(view) | Intent::Code(view) => self.may_read(&view.room),
            Intent::Publish(publish) => self.may_write(&publish.room),
            Intent::Leave(leave) => self.may_write(&leave.room),
            Intent::NewRoom(_) => self.write,
            Intent::Rooms(asked) => {
                asked.among = Some(self.rooms.clone());
                self.read
            }
            Intent::Metrics(_) => self.read && self.rooms.include_all(),
            // Who has an invite may do everything.
            Intent::Invite(_) => false,
            Intent::Asset(_)
            | Intent::Health
            | Intent::Live
            | Intent::Help
            | Intent::Description
            | Intent::Login(_)
            | Intent::Elsewhere(_)
            | Intent::Options(_) => true,
        };
        is_given.then_some(()).ok_or_else(|| Refusal::NoRight(self.to_string()))
    }

    fn read_all(&self, rooms: &[RoomName]) -> bool {
        rooms.iter().all(|room| self.may_read(room))
    }

    fn may_read(&self, room: &RoomName) -> bool {
        self.read && self.rooms.include(room)
    }

    fn may_write(&self, room: &RoomName) -> bool {
        self.write && self.rooms.include(room)
    }
}

fn named(rooms: &str) -> Result<RoomPatterns, String> {
    RoomPatterns::from_str(rooms).map_err(|error| format!("{rooms:?} names no rooms: {error}"))
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match (self.read, self.write) {
            (true, true) if self.operate => "do everything",
            (true, true) => "read and write",
            (true, false) => "read",
            _ => "write",
        };
        write!(f, "it may {what} in {}", self.rooms)
    }
}
