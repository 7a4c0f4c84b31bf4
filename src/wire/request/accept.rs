//! Content negotiation: in what form a client wants its answer.

use std::borrow::Cow;

use super::format::Format;
use super::head::{Head, lowered};
use crate::page::Language;

/// Whether this value of `Accept` may ask for a stream of events. If it names none, it does not.
pub fn may_ask_for_events(accept: &str) -> bool {
    let names = |name: &str| {
        accept.as_bytes().windows(name.len()).any(|part| part.eq_ignore_ascii_case(name.as_bytes()))
    };
    names("event-stream") || names("ndjson")
}

/// The format in which a monitor wants the figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exposition {
    /// Prometheus's text format 0.0.4, which every monitor reads.
    Prometheus,
    /// OpenMetrics 1.0, for a monitor that asks for it.
    OpenMetrics,
}

impl Head<'_> {
    /// Whether an answer may be compressed by gzip.
    pub fn takes_gzip(&self) -> bool {
        self.header_values("Accept-Encoding").flat_map(|value| value.split(',')).any(|coding| {
            let (name, quality) = coding.split_once(';').unwrap_or((coding, "q=1"));
            let quality = quality.trim().strip_prefix("q=").and_then(|quality| quality.parse().ok());
            name.trim().eq_ignore_ascii_case("gzip") && quality.is_some_and(|quality: f32| quality > 0.0)
        })
    }

    /// The language of the page for this reader: of those that `Accept-Language` names, the first in the reader's order
    /// that there is (RFC 4647, 3.4).
    pub fn language(&self) -> Language {
        let mut best = (Language::DEFAULT, 0.0);
        for (range, quality) in self.preferences("Accept-Language") {
            if quality > best.1
                && let Some(language) = Language::of(&range)
            {
                best = (language, quality);
            }
        }
        best.0
    }

    /// The media types of `Accept`, in lower case, each with its quality.
    fn accepts(&self) -> impl Iterator<Item = (Cow<'_, str>, f32)> {
        self.preferences("Accept")
    }

    /// What such a header lists, in lower case, each with its quality.
    fn preferences(&self, header: &str) -> impl Iterator<Item = (Cow<'_, str>, f32)> {
        let ranges = self.header_values(header).flat_map(|value| value.split(','));
        ranges.map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let media_type = lowered(parts.next().unwrap_or_default());
            let quality = parts
                .find_map(|p| p.strip_prefix("q=").or(p.strip_prefix("Q=")))
                .map_or(1.0, |q| q.parse().unwrap_or(0.0));
            (media_type, quality)
        })
    }

    /// The form that `Accept` prefers; plain text if it names none that is known.
    pub fn format(&self) -> Format {
        *self.lines.format.get_or_init(|| self.preferred_format())
    }

    fn preferred_format(&self) -> Format {
        let mut best = (Format::Plain, 0.0);
        for (media_type, quality) in self.accepts() {
            let format = match &*media_type {
                "application/json" | "application/problem+json" | "application/*" => Format::Json,
                "text/event-stream" => Format::EventStream,
                "application/x-ndjson" | "application/ndjson" => Format::JsonLines,
                "text/html" | "application/xhtml+xml" => Format::Html,
                "text/plain" | "text/*" | "*/*" => Format::Plain,
                _ => continue,
            };
            if quality > best.1 {
                best = (format, quality);
            }
        }
        best.0
    }

    /// The format of figures that `Accept` prefers; Prometheus's own if it does not name the other.
    pub(super) fn exposition(&self) -> Exposition {
        let quality = |wanted: &[&str]| {
            let qualities = self.accepts().filter(|(media_type, _)| wanted.contains(&&**media_type));
            qualities.map(|(_, quality)| quality).fold(0.0, f32::max)
        };
        let (new, old) = (quality(&["application/openmetrics-text"]), quality(&["text/plain", "text/*"]));
        if new > 0.0 && new >= old { Exposition::OpenMetrics } else { Exposition::Prometheus }
    }
}
