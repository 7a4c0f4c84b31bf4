//! Names: whether they are held, and by what keys are known.

use std::sync::OnceLock;

use crate::message::Seal;
use crate::wire::refusal::Refusal;
use crate::wire::request::{Head, Intent, parse};

/// What a key is worth here.
pub struct Names {
    /// With what keys are hashed: the store's seal, once there is a store.
    seal: OnceLock<Seal>,
    /// Whether anybody may use any name.
    are_free: bool,
}

impl Names {
    /// As the command line says.
    pub fn new(are_free: bool) -> Names {
        Names { seal: OnceLock::new(), are_free }
    }

    /// Hashes keys with this from now on. The first seal is for good.
    pub fn use_seal(&self, seal: Seal) {
        self.seal.get_or_init(|| seal);
    }

    /// With what keys are hashed.
    pub fn seal(&self) -> &Seal {
        self.seal.get_or_init(Seal::random)
    }

    /// Says what a request asks for, and by what right it uses a name.
    pub fn parse(&self, head: &Head<'_>, body: &[u8]) -> Result<Intent, Refusal> {
        let mut intent = parse(head, body, self.seal())?;
        if self.are_free {
            intent.vouch(None);
        }
        Ok(intent)
    }
}
