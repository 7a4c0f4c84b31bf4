//! A number that tells two messages with the same id apart.

use crate::message::Draft;

/// The number of a speaker, a text, what it is about and its file: the FNV-1a hash in 64 bits.
///
/// It stands in files, so it is the same in every version. It finds ids that were used twice by mistake. It
/// does not protect from a sender who looks for two texts with one number.
pub(super) fn fingerprint(draft: &Draft) -> u64 {
    let name = draft.name.as_ref().map_or("", |name| name.as_str());
    // 0xff is in no UTF-8 text, so nothing else is taken for this.
    let rule = draft.kind.is_rule().then(|| draft.kind.as_str().to_owned());
    let about = draft.of.map(|of| format!("{}{of}", draft.kind.as_str())).or(rule);
    let about = about.iter().flat_map(|about| [0xff].into_iter().chain(about.bytes()));
    let file = draft.file.as_ref().map(|upload| (upload.file.name.as_str(), &upload.hash));
    let file =
        file.iter().flat_map(|(name, hash)| [0xff, 0xff].into_iter().chain(name.bytes()).chain(**hash));
    fnv(said(name.as_bytes(), draft.text.as_bytes()).chain(about).chain(file))
}

/// The same for a message that is stored and about no other.
pub(super) fn of(name: Option<&str>, text: &str) -> u64 {
    fnv(said(name.unwrap_or("").as_bytes(), text.as_bytes()))
}

/// A name and a text as one row of bytes.
pub(super) fn said(name: &[u8], text: &[u8]) -> impl Iterator<Item = u8> {
    // 0xff is in no UTF-8 text, so a name's end can't be taken for a text's beginning.
    name.iter().copied().chain([0xff]).chain(text.iter().copied())
}

/// The FNV-1a hash of some bytes.
pub(super) fn fnv(bytes: impl Iterator<Item = u8>) -> u64 {
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    bytes.fold(BASIS, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn it_is_the_same_in_every_version() {
        assert_eq!(of(None, ""), 0xaf64_724c_8602_eb6e);
        assert_eq!(of(Some("anna"), "hi"), 0xebb3_5845_5ce0_987f);
        assert_ne!(of(Some("anna"), "hi"), of(Some("ann"), "ahi"));
    }
}
