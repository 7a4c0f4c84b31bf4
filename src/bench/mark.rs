//! The texts of a run's messages: `TAG NUMBER ....`, told apart from all that others say.

/// A message by its number: 0 for the first that this run published.
pub type Number = u32;

/// What marks the messages of this run.
pub struct Mark {
    tag: String,
    size: usize,
}

impl Mark {
    /// A mark of this run alone, for texts of so many bytes, or as many as the number needs.
    pub fn new(size: usize) -> Mark {
        Mark { tag: format!("bench-{:08x}", fastrand::u32(..)), size }
    }

    /// Texts have so many bytes from now on.
    pub fn set_size(&mut self, size: usize) {
        self.size = size;
    }

    /// The text of a message.
    pub fn text(&self, number: Number) -> String {
        format!("{:.<size$}", format!("{} {number} ", self.tag), size = self.size)
    }

    /// The number in a text of this run.
    pub fn number(&self, text: &str) -> Option<Number> {
        let mut words = text.split(' ');
        words.next().filter(|tag| *tag == self.tag)?;
        words.next()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_gives_its_number_back_to_its_run_alone() {
        let (own, other) = (Mark::new(64), Mark::new(0));
        for number in [0, 7, Number::MAX] {
            assert_eq!(own.number(&own.text(number)), Some(number));
            assert_eq!(other.number(&own.text(number)), None);
            assert_eq!(other.number(&other.text(number)), Some(number));
        }
        assert_eq!(own.text(3).len(), 64);
        assert_eq!(own.number("bench"), None);
    }
}
