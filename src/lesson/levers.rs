//! The levers: how many wait, how often somebody speaks, and how long the messages are.

use serde::{Deserialize, Serialize};

use crate::config::{LEVER_RATE_MAX, LEVER_WAITERS_MAX, TEXT_LIMIT};
use crate::wire::refusal::Refusal;

/// Where the levers stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Levers {
    /// How many synthetic clients wait.
    pub waiters: u32,
    /// How many messages a second they are sent.
    pub rate: u32,
    /// How many bytes a message has.
    pub size: u32,
}

impl Default for Levers {
    /// Nobody is there yet. When somebody comes, two messages a second show what happens.
    fn default() -> Levers {
        Levers { waiters: 0, rate: 2, size: 64 }
    }
}

/// The levers that are moved, and where to.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moved {
    waiters: Option<u32>,
    rate: Option<u32>,
    size: Option<u32>,
}

impl Moved {
    /// What a client is told that sends something else.
    pub const WANTED: &str = "the levers are whole numbers in JSON: waiters up to 10000, rate (messages a second) up to \
        1000, size from 1 to 65536 (bytes), such as {\"waiters\":1000}";

    /// Refuses what goes too far.
    pub fn within_bounds(self) -> Result<Moved, Refusal> {
        let fits =
            |lever: Option<u32>, least: u32, most: u32| lever.is_none_or(|to| (least..=most).contains(&to));
        let do_fit = fits(self.waiters, 0, LEVER_WAITERS_MAX)
            && fits(self.rate, 0, LEVER_RATE_MAX)
            && fits(self.size, 1, TEXT_LIMIT as u32);
        if do_fit { Ok(self) } else { Err(Refusal::BadForm(Moved::WANTED)) }
    }

    /// Where the levers stand then.
    pub fn from(self, levers: Levers) -> Levers {
        Levers {
            waiters: self.waiters.unwrap_or(levers.waiters),
            rate: self.rate.unwrap_or(levers.rate),
            size: self.size.unwrap_or(levers.size),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_names_the_bounds_as_they_are() {
        for bound in [
            format!("waiters up to {LEVER_WAITERS_MAX},"),
            format!("up to {LEVER_RATE_MAX},"),
            format!("from 1 to {TEXT_LIMIT} "),
        ] {
            assert!(Moved::WANTED.contains(&bound), "{bound}");
        }
    }
}
