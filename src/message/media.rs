//! What a file is, to a browser.

/// What a file is, by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// A picture.
    Png,
    /// A picture.
    Jpeg,
    /// A picture.
    Gif,
    /// A picture.
    Webp,
    /// A picture.
    Avif,
    /// Text. It may mean something to a program, such as HTML.
    Text,
    /// Anything else.
    Other,
}

impl Media {
    const ALL: [Media; 7] =
        [Media::Png, Media::Jpeg, Media::Gif, Media::Webp, Media::Avif, Media::Text, Media::Other];

    /// The type under which it is served. No browser takes one of these for a page or a script.
    pub fn content_type(self) -> &'static str {
        match self {
            Media::Png => "image/png",
            Media::Jpeg => "image/jpeg",
            Media::Gif => "image/gif",
            Media::Webp => "image/webp",
            Media::Avif => "image/avif",
            Media::Text => "text/plain; charset=utf-8",
            Media::Other => "application/octet-stream",
        }
    }

    /// The same without parameters.
    pub fn essence(self) -> &'static str {
        self.content_type().split(';').next().unwrap_or_default()
    }

    /// Whether it is shown. Anything else is saved.
    pub fn is_picture(self) -> bool {
        !matches!(self, Media::Text | Media::Other)
    }

    /// The word for it in a store.
    pub(super) fn word(self) -> &'static str {
        match self {
            Media::Png => "png",
            Media::Jpeg => "jpeg",
            Media::Gif => "gif",
            Media::Webp => "webp",
            Media::Avif => "avif",
            Media::Text => "text",
            Media::Other => "other",
        }
    }

    /// What a word means.
    pub(super) fn of_word(word: &str) -> Option<Media> {
        Media::ALL.into_iter().find(|media| media.word() == word)
    }
}
