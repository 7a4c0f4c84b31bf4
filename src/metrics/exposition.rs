//! The exposition: all figures as text, in the format OpenMetrics 1.0.

use prometheus_client::encoding::text::{encode_eof, encode_registry};

use super::counters::METRICS;
use super::process;
use super::snapshot::Snapshot;

/// All figures: what was counted, what there is now, and what the kernel knows.
pub fn render(now: &Snapshot) -> String {
    let mut text = String::new();
    encode_registry(&mut text, METRICS.registry())
        .and_then(|()| encode_registry(&mut text, &now.registry()))
        .and_then(|()| encode_registry(&mut text, &process::figures()))
        .and_then(|()| encode_eof(&mut text))
        .expect("a String takes every write");
    text
}
