//! How a person stands with this instance, and whose the name is.

use crate::message::{Claim, Draft, Holder, Kind};

/// The name is somebody else's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken;

/// How a person stands with this instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It does not hold the person.
    Gone,
    /// It holds the person, whose name is this one's by a key.
    Held(Option<Holder>),
}

impl Standing {
    /// By what is announced.
    pub fn after(kind: Kind, claim: Claim) -> Standing {
        if kind == Kind::Joined { Standing::Held(claim.holder()) } else { Standing::Gone }
    }

    /// Whether there is something to announce of a person who is there with this key.
    pub(super) fn lacks(self, holder: Option<Holder>) -> bool {
        match self {
            Standing::Gone => true,
            Standing::Held(known) => holder.is_some() && known != holder,
        }
    }
}

/// What a draft is worth when a batch before it is settled.
#[derive(Debug, PartialEq, Eq)]
pub enum Worth {
    /// It holds as it is.
    Same,
    /// It announces something that is so already, or is of somebody whose name has changed hands.
    Nothing,
    /// Its speaker is not held any more. This draft goes before it.
    After(Draft),
}
