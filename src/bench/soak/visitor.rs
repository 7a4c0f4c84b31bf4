//! One visitor: it comes, follows a room, says something now and then through others, and goes.

use std::time::{Duration, Instant};

use crate::config::{SOAK_AWAY, SOAK_STAY};

/// A visitor, by what it does.
pub enum State {
    /// It has asked where the room stands, before anything was said.
    Greets,
    /// It is not there, and comes back at this time.
    Away(Instant),
    /// It waits for what comes next, and goes at this time.
    There(Instant),
    /// It has said that it leaves, and waits for the answer.
    Leaves,
    /// The run is over, and it has left.
    Done,
}

/// A visitor of one room.
pub struct Visitor {
    pub state: State,
    /// Where to poll next.
    pub next: Option<String>,
    /// How often it could not come.
    pub refused_in_a_row: u32,
}

impl Visitor {
    /// A visitor who has just asked where the room stands.
    pub fn new() -> Visitor {
        Visitor { state: State::Greets, next: None, refused_in_a_row: 0 }
    }

    /// Whether it waits in its room.
    pub fn is_there(&self) -> bool {
        matches!(self.state, State::There(_))
    }

    /// Comes, and stays for a while.
    pub fn come(&mut self) {
        self.state = State::There(Instant::now() + around(SOAK_STAY));
    }

    /// Goes, for a while.
    pub fn go(&mut self) {
        self.state = State::Away(Instant::now() + around(SOAK_AWAY));
    }
}

/// A time between nothing and twice the mean.
pub fn around(mean: Duration) -> Duration {
    mean.mul_f64(fastrand::f64() * 2.0)
}
