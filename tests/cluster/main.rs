//! Several instances on one Redis are one chat: what holds for one server holds for all of them together, whatever
//! fails among them.
//!
//! From the environment: `SEED` repeats random faults, `FAULTS=300` makes more of them, and `MESSAGES=20000`
//! publishes more before followers who hop.

#[path = "../crash/checker.rs"]
mod checker;
#[path = "../crash/client.rs"]
mod client;
#[path = "../crash/followers.rs"]
mod followers;
#[path = "../redis/mod.rs"]
mod redis;
#[path = "../crash/server.rs"]
mod server;
#[path = "../crash/talk.rs"]
mod talk;

mod balancer;
mod instances;
mod link;
mod told;

mod changes;
mod faults;
mod ghosts;
mod hops;
mod losses;
mod names;
mod notices;
mod order;
mod stopped;
