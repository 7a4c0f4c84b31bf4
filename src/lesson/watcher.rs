//! A watcher: one page that looks behind the stage.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Instant;

use super::frame::{Around, Frame};
use super::scene::Scene;
use super::stage::stage;
use crate::config::WATCHERS_MAX;
use crate::metrics::cells;
use crate::wire::refusal::Refusal;
use crate::wire::reply::{EVENT_STREAM, Reply};

/// How many there are.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// One of them.
pub struct Watcher {
    /// When it was shown the last frame.
    seen: Instant,
    /// How many reports of the crowd it was shown.
    heard: u64,
}

impl Watcher {
    /// One more, if there are not too many.
    pub fn new() -> Result<Watcher, Refusal> {
        let taken = |count| (count < WATCHERS_MAX).then_some(count + 1);
        match COUNT.fetch_update(SeqCst, SeqCst, taken) {
            Ok(_) => Ok(Watcher { seen: Instant::now(), heard: stage()?.stagehand.heard.since(0).1 }),
            Err(_) => Err(Refusal::TooManyWaiters),
        }
    }

    /// What stands before the frames.
    pub fn head(&self) -> Reply {
        Reply::new(200, EVENT_STREAM, &[][..])
    }

    /// The next frame, as an event.
    pub fn frame(&mut self, scene: Scene) -> String {
        let Ok(stage) = stage() else { return String::new() };
        let now = Instant::now();
        let process = stage.process.figures(scene.threads.map(|(_, count)| count));
        let (crowd, heard) = stage.stagehand.heard.since(self.heard);
        let frame = Frame::of(
            scene,
            Around {
                at: stage.age(),
                cells: cells().map(|cells| cells.render(now, self.seen)).unwrap_or_default(),
                process,
                levers: stage.levers(),
                crowd,
                failures: stage.failures.by_name(),
                program: stage.program(),
            },
        );
        (self.seen, self.heard) = (now, heard);
        // Plain structs of strings and numbers can't fail.
        let frame = serde_json::to_string(&frame).expect("plain data is written to memory");
        format!("event: frame\ndata: {frame}\n\n")
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        COUNT.fetch_sub(1, SeqCst);
    }
}
