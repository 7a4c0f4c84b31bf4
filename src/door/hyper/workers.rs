//! The threads that run the tasks.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use tokio::runtime::{Builder, EnterGuard, Runtime};
use tokio::sync::oneshot::{Sender, channel};

use crate::config::{EVENT_INTERVAL, STORE_THREADS, WORKER_STACK, WORKERS_MAX};

const NAME: &str = "task runner";

/// The threads that run the tasks: one for each core, as far as they are needed.
pub struct Workers {
    runtime: Arc<Runtime>,
    /// On one core: the thread, and what ends it.
    alone: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Workers {
    /// Starts them. One that is alone shares its tasks with no other thread, so it needs none of the care by which they
    /// take them from each other: on one core that is a tenth of the time of a delivery, and two fifths of that of a message.
    pub fn start() -> io::Result<Workers> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let is_alone = cores == 1;
        let mut builder = if is_alone { Builder::new_current_thread() } else { Builder::new_multi_thread() };
        if !is_alone {
            builder.worker_threads(cores.min(WORKERS_MAX));
        }
        let runtime = builder
            .event_interval(EVENT_INTERVAL)
            .max_blocking_threads(STORE_THREADS)
            .thread_name(NAME)
            .thread_stack_size(WORKER_STACK)
            .enable_all()
            .build()?;
        let runtime = Arc::new(runtime);
        let alone = is_alone.then(|| run_alone(runtime.clone())).transpose()?;
        Ok(Workers { runtime, alone })
    }

    /// Has this thread start tasks for them, until what is given is dropped.
    pub fn enter(&self) -> EnterGuard<'_> {
        self.runtime.enter()
    }

    /// Ends them, and waits until then for one that is in the store. What tasks there still are is dropped.
    pub fn end(self, deadline: Instant) {
        if let Some((end, thread)) = self.alone {
            drop(end);
            // A panic would be that of a task, and tokio has caught it.
            let _ = thread.join();
        }
        if let Some(runtime) = Arc::into_inner(self.runtime) {
            runtime.shutdown_timeout(deadline.saturating_duration_since(Instant::now()));
        }
    }
}

/// Starts the one thread that runs all tasks.
fn run_alone(runtime: Arc<Runtime>) -> io::Result<(Sender<()>, JoinHandle<()>)> {
    let (end, ends) = channel();
    let run = move || drop(runtime.block_on(ends));
    let thread = thread::Builder::new().name(NAME.to_owned()).stack_size(WORKER_STACK).spawn(run)?;
    Ok((end, thread))
}
