//! Pictures: which format some bytes are, and how large they are shown.
//!
//! What is not known to be a picture with a size is none: then it is saved, and not shown.

use super::media::Media;
use crate::config::PICTURE_PIXELS;

/// How large a picture is shown, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// From left to right.
    pub width: u32,
    /// From top to bottom.
    pub height: u32,
}

/// The format and size of a picture, by its first bytes.
pub fn picture(bytes: &[u8]) -> Option<(Media, Size)> {
    let formats = [(Media::Png, png as Look), (Media::Gif, gif), (Media::Jpeg, jpeg), (Media::Webp, webp)];
    let look = |(media, look): (Media, Look)| Some((media, look(bytes)?));
    let found = formats.into_iter().chain([(Media::Avif, avif as Look)]).find_map(look);
    found.filter(|(_, Size { width, height })| {
        *width > 0 && *height > 0 && u64::from(*width) * u64::from(*height) <= PICTURE_PIXELS
    })
}

type Look = fn(&[u8]) -> Option<Size>;

fn png(bytes: &[u8]) -> Option<Size> {
    let head = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")?;
    Some(Size { width: big(head, 0)?, height: big(head, 4)? })
}

fn gif(bytes: &[u8]) -> Option<Size> {
    let head = bytes.strip_prefix(b"GIF89a").or(bytes.strip_prefix(b"GIF87a"))?;
    Some(Size { width: little(head, 0, 2)?, height: little(head, 2, 2)? })
}

/// Goes from segment to segment to the one that has the size. A camera that was held upright says so by Exif.
fn jpeg(bytes: &[u8]) -> Option<Size> {
    let mut rest = bytes.strip_prefix(b"\xff\xd8")?;
    let mut is_turned = false;
    loop {
        let (0xff, kind) = (*rest.first()?, *rest.get(1)?) else { return None };
        // More of these may stand before a segment.
        if kind == 0xff {
            rest = &rest[1..];
            continue;
        }
        let length = usize::from(u16::from_be_bytes([*rest.get(2)?, *rest.get(3)?]));
        let segment = rest.get(4..2 + length)?;
        match kind {
            0xc0..=0xcf if !matches!(kind, 0xc4 | 0xc8 | 0xcc) => {
                let side = |at: usize| {
                    Some(u32::from(u16::from_be_bytes([*segment.get(at)?, *segment.get(at + 1)?])))
                };
                let (height, width) = (side(1)?, side(3)?);
                return Some(if is_turned {
                    Size { width: height, height: width }
                } else {
                    Size { width, height }
                });
            }
            0xe1 => {
                is_turned |= segment.strip_prefix(b"Exif\0\0").and_then(orientation).is_some_and(|o| o >= 5)
            }
            // The picture itself begins, or ends, without a size.
            0xd8..=0xda => return None,
            _ => {}
        }
        rest = &rest[2 + length..];
    }
}

/// The orientation in Exif: from 5 on, a picture is shown with its sides changed.
fn orientation(tiff: &[u8]) -> Option<u32> {
    let is_big = match tiff.get(..4)? {
        b"MM\0*" => true,
        b"II*\0" => false,
        _ => return None,
    };
    let number = |at: usize, length: usize| {
        let bytes = tiff.get(at..at.checked_add(length)?)?;
        let fold = |sum: u32, byte: &u8| sum << 8 | u32::from(*byte);
        Some(if is_big { bytes.iter().fold(0, fold) } else { bytes.iter().rev().fold(0, fold) })
    };
    let table = number(4, 4)? as usize;
    let entries = number(table, 2)? as usize;
    let entry = (0..entries).map(|n| table + 2 + 12 * n).find(|at| number(*at, 2) == Some(0x112))?;
    number(entry + 8, 2)
}

fn webp(bytes: &[u8]) -> Option<Size> {
    let chunk = bytes.strip_prefix(b"RIFF")?.get(4..)?.strip_prefix(b"WEBP")?;
    let (kind, content) = (chunk.get(..4)?, chunk.get(8..)?);
    match kind {
        b"VP8X" => Some(Size { width: 1 + little(content, 4, 3)?, height: 1 + little(content, 7, 3)? }),
        b"VP8L" => {
            let bits = little(content.strip_prefix(b"\x2f")?, 0, 4)?;
            Some(Size { width: 1 + (bits & 0x3fff), height: 1 + (bits >> 14 & 0x3fff) })
        }
        b"VP8 " => {
            let head = content.get(3..)?.strip_prefix(b"\x9d\x01\x2a")?;
            Some(Size { width: little(head, 0, 2)? & 0x3fff, height: little(head, 2, 2)? & 0x3fff })
        }
        _ => None,
    }
}

/// The size stands in a box `ispe` near the beginning. Of several, as of parts and previews, the largest is the picture's.
fn avif(bytes: &[u8]) -> Option<Size> {
    let head = &bytes[..bytes.len().min(AVIF_HEAD)];
    let brand = head.get(4..)?.strip_prefix(b"ftyp")?.get(..4)?;
    if !matches!(brand, b"avif" | b"avis") {
        return None;
    }
    let boxes = head.windows(8).enumerate().filter(|(_, window)| *window == b"ispe\0\0\0\0");
    let sizes =
        boxes.filter_map(|(at, _)| Some(Size { width: big(head, at + 8)?, height: big(head, at + 12)? }));
    sizes.max_by_key(|size| u64::from(size.width) * u64::from(size.height))
}

/// In how many of its first bytes an AVIF tells its size.
const AVIF_HEAD: usize = 4_096;

fn big(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn little(bytes: &[u8], at: usize, length: usize) -> Option<u32> {
    Some(bytes.get(at..at + length)?.iter().rev().fold(0, |sum, byte| sum << 8 | u32::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(media: Media, width: u32, height: u32) -> Option<(Media, Size)> {
        Some((media, Size { width, height }))
    }

    /// A JPEG of 640 x 480 with this Exif.
    fn jpeg_with(exif: &[u8]) -> Vec<u8> {
        let mut bytes = b"\xff\xd8\xff\xe0\0\x04JF".to_vec();
        bytes.extend(b"\xff\xe1");
        bytes.extend(u16::try_from(exif.len() + 8).unwrap().to_be_bytes());
        bytes.extend(b"Exif\0\0");
        bytes.extend(exif);
        bytes.extend(b"\xff\xff\xc2\0\x0b\x08\x01\xe0\x02\x80\x01\0\0\0");
        bytes
    }

    #[test]
    fn each_format_tells_its_size() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\x80\0\0\x01\xe0\x08\x06\0\0\0";
        assert_eq!(picture(png), is(Media::Png, 640, 480));
        assert_eq!(picture(b"GIF87a\x80\x02\xe0\x01\0\0\0"), is(Media::Gif, 640, 480));
        assert_eq!(
            picture(b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x7f\x02\0\xdf\x01\0"),
            is(Media::Webp, 640, 480)
        );
        let lossless = (639u32 | 479 << 14).to_le_bytes();
        let lossless = [&b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f"[..], &lossless].concat();
        assert_eq!(picture(&lossless), is(Media::Webp, 640, 480));
        let lossy = b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0\x30\x01\0\x9d\x01\x2a\x80\x02\xe0\x01";
        assert_eq!(picture(lossy), is(Media::Webp, 640, 480));
        let avif = b"\0\0\0\x1cftypavif\0\0\0\0avifmif1\0\0\0\x14ispe\0\0\0\0\0\0\x02\x80\0\0\x01\xe0";
        assert_eq!(picture(avif), is(Media::Avif, 640, 480));
    }

    #[test]
    fn a_picture_of_a_camera_held_upright_is_shown_upright() {
        assert_eq!(picture(&jpeg_with(b"")), is(Media::Jpeg, 640, 480));
        for (orientation, turned) in [(1, false), (3, false), (6, true), (8, true)] {
            let big =
                [0x4d, 0x4d, 0, 0x2a, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0];
            let little =
                [0x49, 0x49, 0x2a, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0];
            for exif in [big, little] {
                let shown = if turned { is(Media::Jpeg, 480, 640) } else { is(Media::Jpeg, 640, 480) };
                assert_eq!(picture(&jpeg_with(&exif)), shown, "orientation {orientation}");
            }
        }
    }

    #[test]
    fn what_has_no_size_or_a_senseless_one_is_no_picture() {
        let png = |width: u32, height: u32| {
            [&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], &width.to_be_bytes(), &height.to_be_bytes()].concat()
        };
        assert!(picture(&png(1, 1)).is_some());
        for bytes in [png(0, 1), png(1, 0), png(65_535, 65_535), png(u32::MAX, u32::MAX)] {
            assert_eq!(picture(&bytes), None);
        }
        for cut in 0..24 {
            assert_eq!(picture(&png(7, 7)[..cut]), None);
        }
        let whole = jpeg_with(b"II*\0\x08\0\0\0\x01\0");
        assert!((0..whole.len() - 3).all(|cut| picture(&whole[..cut]).is_none()));
        for bytes in
            [&b"\xff\xd8\xff\xda\0\x02"[..], b"\xff\xd8\xff\xe1\0\0\xff", b"\xff\xd8\xff\xe1\0\x01", b""]
        {
            assert_eq!(picture(bytes), None);
        }
    }
}
