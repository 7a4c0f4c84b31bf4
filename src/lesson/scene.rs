//! The scene: what an engine shows of itself.

use std::collections::HashMap;
use std::sync::Arc;

use crate::message::RoomName;
use crate::metrics::Snapshot;
use crate::room::registry::Census;

/// An engine at one moment.
pub struct Scene {
    /// Its name.
    pub engine: &'static str,
    /// Its rooms.
    pub rooms: HashMap<RoomName, Arc<Census>>,
    /// What it counts.
    pub now: Snapshot,
    /// Its threads by what they do, as far as it counts them.
    pub threads: [(&'static str, usize); 2],
    /// How many threads its door has for itself at each address.
    pub own: usize,
    /// What its other threads do.
    pub others: &'static str,
    /// Its tasks, if it has any.
    pub tasks: Option<usize>,
}
