//! The lesson: what a class sees behind the stage while a server runs, and what it may change and break there.
//!
//! Nothing of it is there unless the command line asks for it. The engines call it in their `backstage.rs`, each in its
//! own way: what differs is a part of the lesson.
//!
//! ```text
//! page ◀── watcher ◀── frame ◀── scene of an engine: rooms, threads or tasks
//!                        ▲
//! cells, mailboxes, process, crowd
//!
//! page ──▶ asked ──▶ stage ──▶ levers ───▶ stagehand ──▶ the crowd, a process of its own
//!                       └────▶ failures ─▶ stagehand, doubtful (the store), machine (files, processors)
//! ```

mod asked;
mod cores;
mod crowd;
mod doubtful;
mod failures;
mod frame;
mod levers;
mod machine;
mod page;
mod process;
mod scene;
mod stage;
mod stagehand;
mod watcher;

pub use self::asked::{Asked, parse};
pub use self::failures::Failure;
pub use self::levers::{Levers, Moved};
pub use self::scene::Scene;
pub use self::stage::{Stage, fail, move_levers};
pub use self::watcher::Watcher;
