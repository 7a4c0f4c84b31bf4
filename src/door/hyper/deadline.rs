//! A point in time at which patience ends.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// A point in time at which patience ends. It costs a timer only where something is waited for.
#[derive(Default)]
pub struct Deadline {
    at: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    /// Forgets when it began.
    pub fn clear(&mut self) {
        self.at = None;
    }

    /// Ready when this patience has ended, counted from the first poll since it was cleared.
    pub fn poll(&mut self, patience: Duration, cx: &mut Context<'_>) -> Poll<()> {
        let at = *self.at.get_or_insert_with(|| Instant::now() + patience);
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
        // It is left as it is if it goes off too early, and set when it has: most deadlines are forgotten before.
        if timer.deadline() > at {
            timer.as_mut().reset(at);
        }
        while timer.as_mut().poll(cx).is_ready() {
            if timer.deadline() >= at {
                return Poll::Ready(());
            }
            timer.as_mut().reset(at);
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::runtime::Builder;
    use tokio::time::sleep;

    use super::*;

    /// How long it is until a deadline's patience of so many seconds has ended.
    async fn waits(deadline: &mut Deadline, patience: u64) -> u64 {
        let began = Instant::now();
        poll_fn(|cx| deadline.poll(Duration::from_secs(patience), cx)).await;
        began.elapsed().as_secs()
    }

    #[test]
    fn patience_ends_in_its_time_whatever_was_forgotten_before() {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.expect("a runtime").block_on(async {
            let mut deadline = Deadline::default();
            for (before, patience) in [(3, 10), (10, 10), (60, 5), (1, 60), (90, 2)] {
                // A patience that is forgotten when a second has passed.
                poll_fn(|cx| {
                    assert!(deadline.poll(Duration::from_secs(before), cx).is_pending());
                    Poll::Ready(())
                })
                .await;
                sleep(Duration::from_millis(500)).await;
                deadline.clear();
                assert_eq!(waits(&mut deadline, patience).await, patience, "after {before} s");
                deadline.clear();
            }
        });
    }
}
