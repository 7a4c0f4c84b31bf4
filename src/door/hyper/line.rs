//! Those who are to be woken: all of them at once. To wake a task takes no kernel, so they need not wake one another as
//! threads do.

use std::marker::PhantomData;
use std::sync::Arc;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::oneshot::{Receiver, Sender};

/// They stand in no line.
pub struct Line<T>(PhantomData<fn(T)>);

/// What somebody hears by.
pub type Ear<T> = Receiver<T>;

impl<T> Default for Line<T> {
    fn default() -> Line<T> {
        Line(PhantomData)
    }
}

impl<T: Send + 'static> Line<T> {
    /// Whoever has this receiver hears by it.
    pub fn join(self: &Arc<Line<T>>, receiver: Receiver<T>) -> Ear<T> {
        receiver
    }

    /// Hands something to each of these.
    ///
    /// One thread that runs all tasks does so in the order in which they are woken, and would come to a sender, who is
    /// answered behind these, when all have written. So there a task of its own hands it out: the sender is woken behind
    /// that task, and before those that it wakes. Where nobody waits, there is nothing for a task to do.
    pub fn hand_out(&self, all: Vec<(Sender<T>, T)>) {
        match Handle::current().runtime_flavor() {
            RuntimeFlavor::CurrentThread if !all.is_empty() => drop(tokio::spawn(async { hand_out(all) })),
            _ => hand_out(all),
        }
    }
}

fn hand_out<T>(all: Vec<(Sender<T>, T)>) {
    for (to, what) in all {
        // It may have gone.
        let _ = to.send(what);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::runtime::Builder;
    use tokio::sync::oneshot::channel;
    use tokio::task::yield_now;

    use super::*;

    #[test]
    fn where_one_thread_runs_all_the_sender_is_told_when_all_are_handed_it_and_before_they_write() {
        let runtime = Builder::new_current_thread().build();
        runtime.expect("a runtime").block_on(async {
            let seen: Arc<Mutex<Vec<&str>>> = Arc::default();
            let (mut waiting, mut tasks) = (Vec::new(), Vec::new());
            for _ in 0..3 {
                let (to, ear) = channel();
                waiting.push((to, "a message"));
                let seen = seen.clone();
                tasks.push(tokio::spawn(async move {
                    let heard = ear.await.expect("it comes");
                    seen.lock().unwrap().push(heard);
                }));
            }
            let (to, mut last) = channel();
            waiting.push((to, "a message"));
            let (answer, receipt) = channel();
            let told = seen.clone();
            tasks.push(tokio::spawn(async move {
                receipt.await.expect("an answer");
                assert_eq!(last.try_recv(), Ok("a message"));
                told.lock().unwrap().push("ok");
            }));
            // All wait.
            yield_now().await;
            Line::default().hand_out(waiting);
            answer.send(()).expect("the sender waits");
            for task in tasks {
                task.await.expect("nobody panics");
            }
            assert_eq!(*seen.lock().unwrap(), ["ok", "a message", "a message", "a message"]);
        });
    }
}
