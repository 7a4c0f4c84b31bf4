//! How a room hears of other instances that share its store.

use std::time::Duration;

use crate::message::{Cursor, Person};

/// What other instances did, as far as a room must hear of it at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// The room's order has come to this place. A notice of it may come late.
    Latest(Cursor),
    /// Where the room's order ends, as the store finds it now and then. What the room has seen behind that place has
    /// come since, or is lost.
    Ends(Cursor),
    /// Somebody leaves through another instance, at once or after a wait if the person is not seen before.
    Leaves(Person, Duration),
    /// This instance may hold others than the room knows: it was taken for dead, or the store has failed over, or
    /// an append ended in doubt. The room's next append [tells](super::Arrived::present) who is present. This is
    /// told again now and then until it has.
    Lapsed,
}

/// What a store calls with it. It must not block.
pub type Hear = Box<dyn Fn(Heard) + Send + Sync>;

/// While this lives, a room hears of other instances.
pub struct Following {
    /// Held, never read.
    _guard: Option<Box<dyn Send + Sync>>,
}

impl Following {
    /// Follows until the guard is dropped.
    pub fn until_dropped(guard: impl Send + Sync + 'static) -> Following {
        Following { _guard: Some(Box::new(guard)) }
    }

    /// There is nothing to hear.
    pub fn nothing() -> Following {
        Following { _guard: None }
    }
}
