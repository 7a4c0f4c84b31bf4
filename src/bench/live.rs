//! What is seen on the terminal while something is measured: a bar, and a plot that moves. Where stderr is no
//! terminal, nothing.

use std::time::{Duration, Instant};

use console::Term;
use hdrhistogram::Histogram;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::graph;
use super::latency::Latency;
use crate::config::{LIVE_BEAT, LIVE_ROWS};

/// A bar and its plot.
pub struct Live {
    bar: ProgressBar,
    /// How wide the terminal is, which may change.
    columns: fn() -> usize,
    /// What the plot shows.
    plotted: &'static str,
    values: Vec<f64>,
    looked: Instant,
    counted: usize,
}

impl Live {
    /// The bar of something that is so long, and a plot of that.
    pub fn new(what: &'static str, length: u64, plotted: &'static str) -> Live {
        let columns = || usize::from(Term::stderr().size().1);
        Live::on((ProgressDrawTarget::stderr(), columns), what, length, plotted)
    }

    fn on(
        (target, columns): (ProgressDrawTarget, fn() -> usize),
        what: &'static str,
        length: u64,
        plotted: &'static str,
    ) -> Live {
        let style = ProgressStyle::with_template("{msg:>12} {wide_bar} {pos}/{len} {eta:>4}\n{prefix}")
            .expect("the template is well-formed");
        let bar = ProgressBar::with_draw_target(Some(length), target).with_style(style).with_message(what);
        Live { bar, columns, plotted, values: Vec::new(), looked: Instant::now(), counted: 0 }
    }

    /// Moves the bar.
    pub fn set_position(&self, position: usize) {
        self.bar.set_position(position as u64);
    }

    /// Now and then adds to the plot how much a count grows in a second.
    pub fn count(&mut self, counted: usize, so_far: Option<&Histogram<u64>>) {
        if let Some(past) = self.past() {
            let grown = counted.saturating_sub(self.counted);
            self.counted = counted;
            self.add(grown as f64 / past.as_secs_f64(), so_far);
        }
    }

    /// Now and then adds the longest time since it was last asked, in milliseconds.
    pub fn time(&mut self, longest: &mut Duration, so_far: Option<&Histogram<u64>>) {
        if self.past().is_some() {
            self.add(std::mem::take(longest).as_secs_f64() * 1e3, so_far);
        }
    }

    /// Adds a value to the plot.
    pub fn add(&mut self, value: f64, so_far: Option<&Histogram<u64>>) {
        if self.bar.is_hidden() {
            return;
        }
        let columns = (self.columns)();
        self.values.drain(..self.values.len().saturating_sub(columns));
        self.values.push(value);
        let caption = match so_far.and_then(Latency::of) {
            Some(latency) => format!("{}; so far {}", self.plotted, latency.in_short()),
            None => self.plotted.to_owned(),
        };
        self.bar.set_prefix(graph::draw(&self.values, (LIVE_ROWS, columns), &caption));
    }

    /// How long ago it looked, if that is long enough for another value, and somebody sees it.
    fn past(&mut self) -> Option<Duration> {
        let past = self.looked.elapsed();
        (past >= LIVE_BEAT && !self.bar.is_hidden()).then(|| {
            self.looked = Instant::now();
            past
        })
    }
}

/// It leaves nothing behind.
impl Drop for Live {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use indicatif::TermLike;

    use super::super::latency::histogram;
    use super::*;

    /// A terminal that remembers what stands on it.
    #[derive(Debug, Clone, Default)]
    struct Paper(Arc<Mutex<(Vec<String>, usize)>>);

    impl Paper {
        fn lines(&self) -> Vec<String> {
            let lines = &self.0.lock().unwrap().0;
            lines.iter().map(|line| line.trim_end().to_owned()).filter(|line| !line.is_empty()).collect()
        }

        fn edit(&self, edit: impl FnOnce(&mut Vec<String>, &mut usize)) -> io::Result<()> {
            let (lines, row) = &mut *self.0.lock().unwrap();
            lines.resize(lines.len().max(*row + 1), String::new());
            edit(lines, row);
            Ok(())
        }
    }

    impl TermLike for Paper {
        fn width(&self) -> u16 {
            80
        }
        fn move_cursor_up(&self, n: usize) -> io::Result<()> {
            self.edit(|_, row| *row -= n)
        }
        fn move_cursor_down(&self, n: usize) -> io::Result<()> {
            self.edit(|_, row| *row += n)
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(text)?;
            self.edit(|_, row| *row += 1)
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            // A full line goes on in the next.
            text.chars().filter(|one| *one != '\r').try_for_each(|one| {
                self.edit(|lines, row| {
                    if lines[*row].chars().count() == 80 {
                        *row += 1;
                        lines.resize(lines.len().max(*row + 1), String::new());
                    }
                    lines[*row].push(one);
                })
            })
        }
        fn clear_line(&self) -> io::Result<()> {
            self.edit(|lines, row| lines[*row].clear())
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn it_shows_a_bar_with_a_plot_and_leaves_nothing_behind() {
        let paper = Paper::default();
        let target = ProgressDrawTarget::term_like(Box::new(paper.clone()));
        let mut live = Live::on((target, || 80), "fan-out", 20, "ms to the last waiter");
        let mut so_far = histogram();
        so_far.record(1_500_000).unwrap();
        live.set_position(7);
        live.add(4.0, Some(&so_far));
        live.add(8.0, Some(&so_far));
        live.bar.tick();
        let lines = paper.lines();
        assert!(lines[0].starts_with("     fan-out ███") && lines[0].contains("7/20"), "{lines:?}");
        assert_eq!(lines[1], "        8.00  █");
        assert_eq!(lines[2], "             ▄█");
        assert_eq!(lines[3], "           0 ██");
        assert_eq!(lines[4], "             ms to the last waiter; so far p50 1.50  p99 1.50 ms");
        drop(live);
        assert!(paper.lines().is_empty(), "{:?}", paper.lines());
    }

    #[test]
    fn where_nobody_sees_it_nothing_is_drawn() {
        let mut live = Live::on((ProgressDrawTarget::hidden(), || 80), "idle", 3, "waits");
        live.add(4.0, None);
        assert!(live.values.is_empty());
    }
}
