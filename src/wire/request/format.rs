//! Formats: the forms in which an answer is given.

/// The form in which a client wants its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One message, and nothing but its text: the protocol of 2008.
    Plain,
    /// All messages that there are, with names, times and cursors.
    Json,
    /// The web page.
    Html,
    /// Server-sent events, for as long as the client listens.
    EventStream,
    /// A JSON object a line, for as long as the client listens.
    JsonLines,
}
