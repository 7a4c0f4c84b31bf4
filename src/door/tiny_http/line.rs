//! The line of those who are to be woken: a message for thousands wakes a few of them, and each wakes the next.
//!
//! **Fault:** a room's thread that wakes 5,000 others is one of 5,000 that want a core. The kernel let it go on when most
//! of them had written their replies, and until then the sender waited for `ok`. **Cure:** what they hear is put in a
//! line, and [`WAKES_AT_ONCE`] of them are woken. Whoever hears wakes the next, before it renders and writes its own
//! reply: nobody in line waits for a client.
//!
//! **Fault:** a crossbeam receiver with nothing in it offers its core to others four times before it sleeps. Among a
//! thousand threads that is four switches a wait, and what it waits for is seconds away. **Cure:** a `Select` sleeps at
//! once.

use std::collections::VecDeque;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crossbeam_channel::{Receiver, RecvTimeoutError, Select, Sender, never};

use crate::config::WAKES_AT_ONCE;

/// A line, and what each in it hears.
pub struct Line<T>(Mutex<VecDeque<(Sender<T>, T)>>);

/// What somebody hears by who may stand in a line. When it is dropped, the next in line is woken.
pub struct Ear<T> {
    receiver: Receiver<T>,
    line: Arc<Line<T>>,
}

impl<T> Default for Line<T> {
    fn default() -> Line<T> {
        Line(Mutex::default())
    }
}

impl<T> Line<T> {
    /// Whoever has this receiver may stand in this line. Once something is in it, its owner must take that, or drop it,
    /// before it waits for anything else: the others in line depend on it.
    pub fn join(self: &Arc<Line<T>>, receiver: Receiver<T>) -> Ear<T> {
        Ear { receiver, line: self.clone() }
    }

    /// Hands something to each of these. They hear it one after the other, in this order.
    pub fn hand_out(&self, all: Vec<(Sender<T>, T)>) {
        // Nothing under this lock can panic half way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(all);
        (0..WAKES_AT_ONCE).for_each(|_| self.wake_next());
    }

    fn wake_next(&self) {
        let next = || self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        // Whoever is gone is passed over.
        while let Some((to, what)) = next() {
            if to.try_send(what).is_ok() {
                return;
            }
        }
    }
}

impl<T> Ear<T> {
    /// Sleeps until something comes, or until this time.
    pub fn recv_deadline(&self, deadline: Instant) -> Result<T, RecvTimeoutError> {
        let mut select = Select::new();
        select.recv(&self.receiver);
        let ready = select.select_deadline(deadline).map_err(|_| RecvTimeoutError::Timeout)?;
        ready.recv(&self.receiver).map_err(|_| RecvTimeoutError::Disconnected)
    }
}

/// Takes what comes to each of these, and `None` from one that is given up. It waits for all at once, and drops each that
/// has heard: in two lines, each could else hold up the other.
pub fn hear_all<T>(ears: Vec<Ear<T>>) -> Vec<Option<T>> {
    let mut heard: Vec<Option<T>> = ears.iter().map(|_| None).collect();
    let mut left: Vec<(usize, Ear<T>)> = ears.into_iter().enumerate().collect();
    while !left.is_empty() {
        let mut select = Select::new();
        left.iter().for_each(|(_, ear)| _ = select.recv(ear));
        let ready = select.select();
        let at = ready.index();
        let what = ready.recv(&left[at].1).ok();
        let (n, _ear) = left.swap_remove(at);
        heard[n] = what;
    }
    heard
}

impl<T> Deref for Ear<T> {
    type Target = Receiver<T>;

    fn deref(&self) -> &Receiver<T> {
        &self.receiver
    }
}

impl<T> Drop for Ear<T> {
    fn drop(&mut self) {
        // It may stand in line itself: then it is gone.
        self.receiver = never();
        self.line.wake_next();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use crossbeam_channel::bounded;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);

    type Given = (Sender<usize>, usize);

    /// So many who stand in a line, and what each of them hears: its number.
    fn stand(line: &Arc<Line<usize>>, count: usize) -> (Vec<Ear<usize>>, Vec<Given>) {
        let stands = |n| {
            let (to, receiver) = bounded(1);
            (line.join(receiver), (to, n))
        };
        (0..count).map(stands).unzip()
    }

    fn hears(ear: Ear<usize>) -> usize {
        ear.recv_deadline(Instant::now() + PATIENCE).expect("it is woken")
    }

    #[test]
    fn few_are_woken_and_each_wakes_the_next() {
        let line = Arc::default();
        let (ears, given) = stand(&line, 3 * WAKES_AT_ONCE);
        line.hand_out(given);
        let woken = |ears: &[Ear<usize>]| ears.iter().filter(|ear| !ear.is_empty()).count();
        assert_eq!(woken(&ears), WAKES_AT_ONCE);
        for (n, ear) in ears.into_iter().enumerate() {
            assert_eq!(hears(ear), n);
        }
        assert!(line.0.lock().unwrap().is_empty());
    }

    #[test]
    fn whoever_has_gone_is_passed_over_also_one_who_goes_unheard() {
        let line = Arc::default();
        let (mut ears, given) = stand(&line, 1_000);
        // Nobody of the second hundred is there any more.
        ears.drain(100..200);
        line.hand_out(given);
        // The first were woken, and go without having taken it.
        ears.drain(..100);
        let heard: Vec<_> = ears.into_iter().map(hears).collect();
        assert_eq!(heard, (200..1_000).collect::<Vec<_>>());
    }

    /// Each waits in two lines and hears in the order of one of them. If it took from that one first, the first of each
    /// line would wait for ever behind those who wait for the first of the other.
    #[test]
    fn two_lines_do_not_hold_each_other_up() {
        let lines: [Arc<Line<usize>>; 2] = [Arc::default(), Arc::default()];
        let [(ears, given), (other_ears, mut other_given)] = [0, 1].map(|n| stand(&lines[n], 200));
        let hear = |(n, (one, other)): (usize, (Ear<usize>, Ear<usize>))| {
            thread::spawn(move || {
                let swapped = n % 2 == 0;
                let ears = if swapped { [other, one] } else { [one, other] };
                hear_all(ears.into()) == [Some(n), Some(n)]
            })
        };
        let threads: Vec<_> = ears.into_iter().zip(other_ears).enumerate().map(hear).collect();
        other_given.reverse();
        let [one, other] = &lines;
        one.hand_out(given);
        other.hand_out(other_given);
        assert!(threads.into_iter().all(|thread| thread.join().expect("it hears both")));
    }
}
