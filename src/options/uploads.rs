//! What the command line says of files.

use clap::Args;
use comet_chat::config::{KEEP_FILES, UPLOAD_LIMIT, UPLOAD_LIMIT_MAX};

#[derive(Args)]
#[command(next_help_heading = "Pictures and files")]
pub struct UploadOptions {
    /// How large a file may be that comes with a message, such as 500KiB or 10MiB, up to 32MiB; 0 takes none. Each is
    /// in memory as a whole while it comes
    #[arg(long, value_name = "SIZE", default_value_t = Size(UPLOAD_LIMIT), value_parser = limit)]
    upload_limit: Size,

    /// How much is kept of the files of one room. The oldest are forgotten first, and their messages stay
    #[arg(long, value_name = "SIZE", default_value_t = Size(KEEP_FILES), value_parser = size)]
    upload_keep: Size,
}

impl UploadOptions {
    /// The most bytes of a file.
    pub fn limit(&self) -> usize {
        // It is 32 MiB at most.
        usize::try_from(self.upload_limit.0).unwrap_or(usize::MAX)
    }

    /// The most bytes of the files of one room. A file that is taken is kept.
    pub fn keep(&self) -> u64 {
        self.upload_keep.0.max(self.upload_limit.0)
    }
}

/// So many bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Size(u64);

const UNITS: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("", 1)];

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let fits = |(_, unit): &(&str, u64)| self.0 >= *unit && self.0.is_multiple_of(*unit);
        let (name, unit) = UNITS.into_iter().find(fits).unwrap_or(("", 1));
        write!(f, "{}{name}", self.0 / unit)
    }
}

fn size(text: &str) -> Result<Size, String> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = text[digits.len()..].trim().to_ascii_lowercase();
    let unit = UNITS.into_iter().find(|(name, _)| {
        let name = name.to_ascii_lowercase();
        // `10M` and `10MB` are what people mean by it, too.
        unit == name || unit.len() < 3 && !unit.is_empty() && name.replace('i', "").starts_with(&unit)
    });
    let bytes = digits.parse::<u64>().ok().zip(unit).and_then(|(number, (_, unit))| number.checked_mul(unit));
    bytes.map(Size).ok_or_else(|| "say a number of bytes, or such as 500KiB, 10MiB or 1GiB".to_owned())
}

fn limit(text: &str) -> Result<Size, String> {
    let size = size(text)?;
    if size.0 > UPLOAD_LIMIT_MAX {
        return Err(format!(
            "it is {} at most, since each file is in memory while it comes",
            Size(UPLOAD_LIMIT_MAX)
        ));
    }
    Ok(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_number_with_a_unit() {
        for (text, bytes) in [
            ("0", 0),
            ("1234", 1234),
            ("10MiB", 10 << 20),
            ("10 mib", 10 << 20),
            ("5M", 5 << 20),
            ("5MB", 5 << 20),
            ("7k", 7 << 10),
            ("1GiB", 1 << 30),
        ] {
            assert_eq!(size(text), Ok(Size(bytes)), "{text}");
        }
        for text in ["", "MiB", "-1", "1.5MiB", "1TiB", "1x", "99999999999GiB"] {
            assert!(size(text).is_err(), "{text}");
        }
        assert!(limit("32MiB").is_ok() && limit("33MiB").is_err());
        assert_eq!(Size(10 << 20).to_string(), "10MiB");
        assert_eq!(Size(1500).to_string(), "1500");
        assert_eq!(Size(0).to_string(), "0");
    }
}
