//! The room by itself: beside a plain model, and in its thread when that fails.

mod model;
mod panics;
mod presence;
