//! Every store, from one source: what it promises, against a plain model; and what the one in a
//! file does about a damaged, locked, full or foreign file.

mod faults;
mod model;
mod place;
mod promises;
mod recovery;
mod rerun;
