//! The lines of a head: names and values.

use std::ops::Range;
use std::sync::OnceLock;

use super::format::Format;

/// The lines of a head, and what was found in them so far: whoever keeps them for the next request with the same lines, as
/// most on a connection are, need not look for it twice.
#[derive(Debug, Clone, Default)]
pub struct Lines {
    /// The text in which names and values stand.
    text: String,
    fields: Vec<Field>,
    /// Whether names are tokens and values are text, once that was asked.
    pub(super) are_sound: OnceLock<bool>,
    /// The form that `Accept` prefers, once it was asked for.
    pub(super) format: OnceLock<Format>,
}

/// Where a name and its value stand.
#[derive(Debug, Clone)]
struct Field {
    name: Range<usize>,
    value: Range<usize>,
}

impl Lines {
    /// Lines of which this text is what came. `None` if a name or a value is no part of it.
    pub fn within<'a>(text: &'a str, fields: &[(&'a str, &'a str)]) -> Option<Lines> {
        let place = |part: &str| {
            let from = part.as_ptr().addr().checked_sub(text.as_ptr().addr())?;
            let place = from..from + part.len();
            (text.get(place.clone())? == part).then_some(place)
        };
        let fields =
            fields.iter().map(|(name, value)| Some(Field { name: place(name)?, value: place(value)? }));
        let fields = fields.collect::<Option<_>>()?;
        Some(Lines { text: text.to_owned(), fields, ..Lines::default() })
    }

    /// The text in which they stand.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Names and values, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|field| (&self.text[field.name.clone()], &self.text[field.value.clone()]))
    }
}

/// How many bytes the lines of most scripts have, at most.
const USUAL: usize = 128;

impl<'a> FromIterator<(&'a str, &'a str)> for Lines {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(fields: I) -> Lines {
        let mut text = String::with_capacity(USUAL);
        let mut add = |part: &str| {
            let from = text.len();
            text.push_str(part);
            from..text.len()
        };
        let fields =
            fields.into_iter().map(|(name, value)| Field { name: add(name), value: add(value) }).collect();
        Lines { text, fields, ..Lines::default() }
    }
}
