//! The room by itself: beside a plain model, and in its thread when that panics.

mod desk;
mod health;
mod instances;
mod leases;
mod model;
mod owner;
mod panics;
mod presence;
mod scenes;
mod shared;
