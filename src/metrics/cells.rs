//! Cells: whoever waits, one by one. There are none unless somebody watches.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// The cells of all who wait, once somebody watches.
static CELLS: OnceLock<Arc<Cells>> = OnceLock::new();

/// The cells, if somebody watches.
pub fn cells() -> Option<&'static Arc<Cells>> {
    CELLS.get()
}

/// Has a cell for each who waits from now on.
pub fn watch_cells() {
    CELLS.get_or_init(Arc::default);
}

/// The cells. Whoever comes takes the first one that is free.
#[derive(Default)]
pub struct Cells(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    cells: Vec<State>,
    free: BinaryHeap<Reverse<usize>>,
}

#[derive(Clone, Copy)]
struct State {
    what: What,
    /// When a message last woke whoever was in it.
    flashed: Option<Instant>,
}

#[derive(Clone, Copy)]
enum What {
    Free,
    /// Somebody waits until then.
    Wait(Instant),
    /// Somebody follows a stream, which has no end.
    Stream,
}

/// The cell of one who waits. It is free again when this is dropped.
pub struct Cell {
    cells: Arc<Cells>,
    at: usize,
}

/// What the byte of a cell says beside the half seconds that are left.
const STREAM: u8 = 127;
const FLASHED: u8 = 0x80;

impl Cells {
    /// Takes a cell for one who waits so long at most.
    pub fn take(self: &Arc<Cells>, hold: Duration) -> Cell {
        let what = Instant::now().checked_add(hold).map_or(What::Stream, What::Wait);
        let mut inner = self.lock();
        let at = match inner.free.pop() {
            Some(Reverse(at)) => at,
            None => {
                inner.cells.push(State { what, flashed: None });
                inner.cells.len() - 1
            }
        };
        inner.cells[at].what = what;
        Cell { cells: self.clone(), at }
    }

    /// A byte for each cell, up to the last that says something. Its low bits are 0 if it is free, 127 for a stream, and
    /// else what is left of the wait, in half seconds that have begun. The high bit says that a message woke whoever
    /// was in it since a moment.
    pub fn render(&self, now: Instant, since: Instant) -> Vec<u8> {
        let byte = |cell: &State| {
            let left = match cell.what {
                What::Free => 0,
                What::Stream => STREAM,
                What::Wait(until) => {
                    let halves = until.saturating_duration_since(now).as_millis().div_ceil(500);
                    halves.clamp(1, u128::from(STREAM) - 1) as u8
                }
            };
            left | if cell.flashed.is_some_and(|at| at >= since) { FLASHED } else { 0 }
        };
        let mut bytes: Vec<u8> = self.lock().cells.iter().map(byte).collect();
        bytes.truncate(bytes.iter().rposition(|byte| *byte > 0).map_or(0, |last| last + 1));
        bytes
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing under this lock can panic half way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cell {
    /// Notes that a message woke whoever is in it.
    pub fn flash(&self) {
        self.cells.lock().cells[self.at].flashed = Some(Instant::now());
    }
}

impl Drop for Cell {
    fn drop(&mut self) {
        let mut inner = self.cells.lock();
        inner.cells[self.at].what = What::Free;
        inner.free.push(Reverse(self.at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_says_what_is_left_and_whether_a_message_came() {
        let cells = Arc::new(Cells::default());
        let began = Instant::now();
        let one = cells.take(Duration::from_secs(10));
        let two = cells.take(Duration::MAX);
        let three = cells.take(Duration::from_secs(600));
        assert_eq!(cells.render(began, began)[1..], [127, 126]);
        // It began a moment later.
        assert!(matches!(cells.render(began, began)[0], 20 | 21));
        let later = began + Duration::from_millis(9_400);
        assert_eq!(cells.render(later, later)[0], 2);
        assert_eq!(cells.render(later + Duration::from_secs(9), later)[0], 1);
        two.flash();
        assert_eq!(cells.render(later, began)[1], 0xff);
        assert_eq!(cells.render(later, later)[1], 127);
        drop((one, three));
        assert_eq!(cells.render(later, later), [0, 127]);
        // The first that is free is taken.
        let _four = cells.take(Duration::MAX);
        assert_eq!(cells.render(later, later), [127, 127]);
    }
}
