//! Who may enter: nobody without the passphrase or a token, and with a token to its rooms only.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;

use base64::prelude::{BASE64_STANDARD, Engine};
use comet_chat::access::{Access, AccessSpec, EntrySpec};
use comet_chat::message::RoomName;
use comet_chat::wire::request::{Head, Intent};

use super::{Target, seal, text};

const PASSPHRASE: &str = "open sesame, please";
const TOKEN: &str = "0123456789abcdef-token";

pub const TARGET: Target = Target {
    name: "strangers",
    seeds: &[
        "GET /chat/lobby?after=oldest\r\nAuthorization: Bearer 0123456789abcdef-token",
        "GET /chat/lobby/history\r\nAuthorization: Bearer 0123456789abcdef-token\r\nAccept: application/json",
        "GET /chat/other,lobby?after=latest\r\nAuthorization: Bearer 0123456789abcdef-token",
        "POST /chat/lobby\r\nAuthorization: Bearer 0123456789abcdef-token",
        "POST /chat/lobby/leave\r\nAuthorization: Basic YW5uYTpvcGVuIHNlc2FtZSwgcGxlYXNl",
        "GET /chat/lobby\r\nCookie: a=b; chat-session=1764158400.0123456789abcdef0123456789abcdef\r\nAccept: text/html",
        "GET /chat/lobby?invite=1764158400.0123456789abcdef0123456789abcdef\r\nAccept: text/html",
        "GET /rooms\r\nAuthorization: Basic YW5uYTp3cm9uZw==",
        "GET /login?to=/chat/lobby\r\nAccept: text/html",
    ],
    check,
};

/// A server with a passphrase and a token that may read in the lobby.
static CLOSED: LazyLock<Access> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let (passphrase, tokens) = (folder.path().join("passphrase"), folder.path().join("tokens"));
    fs::write(&passphrase, PASSPHRASE).expect("a file");
    fs::write(&tokens, format!("{TOKEN} read lobby")).expect("a file");
    let entry = EntrySpec { passphrase: Some(passphrase), tokens: Some(tokens), operators: None };
    let access = Access::new(&AccessSpec { entry, ..AccessSpec::default() }).expect("files");
    access.use_seal(seal());
    access
});

fn check(bytes: &[u8]) {
    let text = &*text(bytes);
    let mut lines = text.split("\r\n");
    let (method, target) = lines.next().unwrap_or_default().split_once(' ').unwrap_or_default();
    let lines = lines.filter_map(|line| line.split_once(": "));
    let lines = [("Host", "localhost")].into_iter().chain(lines).collect();
    let head = Head::new(method, target, (1, 1), &lines);
    if head.body_length(0).is_err() {
        return;
    }
    // Each from an address of its own: who tries too often is not listened to.
    let address = bytes.iter().fold(1_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(*byte)));
    let caller = CLOSED.caller(&head, Some(IpAddr::V4(Ipv4Addr::from_bits(address | 1 << 31))));
    let Ok(intent) = CLOSED.admit(&head, b"message=hi&name=anna", &caller, |_| true) else { return };
    if matches!(intent, Intent::Asset(_) | Intent::Health | Intent::Live | Intent::Options(_)) {
        return;
    }
    let has_passphrase = head.header_values("Authorization").any(|value| {
        let word = value.split_once(' ').map_or("", |(_, word)| word.trim());
        BASE64_STANDARD.decode(word).is_ok_and(|given| given.ends_with(format!(":{PASSPHRASE}").as_bytes()))
    });
    if has_passphrase {
        return;
    }
    let has_token = head.header_values("Authorization").any(|value| value.ends_with(TOKEN));
    assert!(has_token, "a stranger is in: {intent:?}");
    let lobby = RoomName::lobby();
    match intent {
        Intent::Publish(_) | Intent::Leave(_) => panic!("who may only read has written"),
        Intent::Poll(poll) | Intent::Stream(poll) => assert_eq!(poll.rooms, [lobby]),
        Intent::Past(past) => assert_eq!(past.rooms(), [lobby]),
        Intent::People(room) => assert_eq!(room, lobby),
        _ => {}
    }
}
