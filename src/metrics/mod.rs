//! The server's figures: counters that anybody increments, and the text that a monitor reads.
//!
//! Nothing here knows the wire: in which format a client gets the text is decided there.

mod cells;
mod counters;
mod exposition;
pub(crate) mod process;
mod snapshot;

pub use self::cells::{Cell, Cells, cells, watch_cells};
pub use self::counters::{METRICS, Metrics};
pub use self::exposition::render;
pub use self::snapshot::Snapshot;
