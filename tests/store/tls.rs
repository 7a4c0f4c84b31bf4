//! A store on Redis that is reached by TLS: what is trusted, and what is refused in words.

use std::path::PathBuf;
use std::process::Command;

use comet_chat::message::{Cursor, RoomName};
use comet_chat::store::{RedisSpec, Store, Tls};

use crate::place::said;
use crate::redis::{RedisServer, a_prefix, certificates};
use crate::shared::{append, begin, instance, until};
use crate::trouble::refusal;

/// Such a server, and whom to trust about it.
pub fn safe_spec(server: &RedisServer) -> RedisSpec {
    let tls = Some(Tls { authorities: Some(server.authority()), own: None });
    RedisSpec { tls, prefix: a_prefix(), ..RedisSpec::parse(&server.safe_url()).unwrap() }
}

/// The same, where another file says who is trusted.
fn trusting(server: &RedisServer, authorities: Option<PathBuf>) -> RedisSpec {
    RedisSpec { tls: Some(Tls { authorities, own: None }), ..safe_spec(server) }
}

#[test]
fn a_server_for_which_nobody_who_is_trusted_vouches_is_refused() {
    let server = RedisServer::shared();
    let other = tempfile::tempdir().unwrap();
    certificates::make_authority(other.path(), "other");
    for authorities in [Some(other.path().join("other.pem")), None] {
        let sentence = refusal(&trusting(server, authorities));
        assert!(sentence.starts_with("cannot use rediss://127.0.0.1:"), "{sentence}");
        // A machine without any certificates says so.
        assert!(sentence.contains("--redis-ca"), "{sentence}");
    }
    for file in ["missing.pem", "other.key"] {
        let path = other.path().join(file);
        let sentence = refusal(&trusting(server, Some(path.clone())));
        assert!(sentence.contains(path.to_str().unwrap()), "{sentence}");
    }
}

#[test]
fn a_server_that_proves_another_name_is_refused() {
    let server = RedisServer::shared();
    let spec = RedisSpec { host: "localhost".into(), ..safe_spec(server) };
    let sentence = refusal(&spec);
    assert!(sentence.contains("for another name"), "{sentence}");
}

#[test]
fn tls_on_a_port_without_it_is_told_and_the_other_way_round() {
    let server = RedisServer::shared();
    let (plain, safe) = (RedisSpec::parse(&server.url()).unwrap(), safe_spec(server));
    let sentence = refusal(&RedisSpec { port: plain.port, ..safe.clone() });
    assert!(sentence.contains("say redis://"), "{sentence}");
    let sentence = refusal(&RedisSpec { port: safe.port, ..plain });
    assert!(sentence.contains("say rediss://"), "{sentence}");
}

/// A Redis wants a certificate of its clients, if its settings do not say otherwise.
#[test]
fn a_server_that_asks_who_we_are_is_shown_our_certificate() {
    let server = RedisServer::start_with_tls(&[]);
    let directory = server.directory();
    certificates::make(directory, "authority", "chat", "DNS:chat");
    certificates::make_authority(directory, "other");
    certificates::make(directory, "other", "stranger", "DNS:stranger");
    let showing = |name: &str| {
        let own = Some((directory.join(format!("{name}.pem")), directory.join(format!("{name}.key"))));
        RedisSpec { tls: Some(Tls { own, authorities: Some(server.authority()) }), ..safe_spec(&server) }
    };
    let sentence = refusal(&safe_spec(&server));
    assert!(sentence.contains("--redis-cert"), "{sentence}");
    let sentence = refusal(&showing("stranger"));
    assert!(sentence.contains("--redis-cert"), "{sentence}");
    let sentence = refusal(&showing("nobody"));
    assert!(sentence.contains("nobody.pem"), "{sentence}");
    let store = instance(&showing("chat"));
    assert!(store.newest(&RoomName::lobby(), 0).is_ok());
}

/// All that waits has its end also where TLS stands between.
#[test]
fn a_frozen_or_killed_redis_holds_nobody_up_by_tls() {
    let mut server = RedisServer::start_with_tls(&["--tls-auth-clients", "no", "--appendonly", "yes"]);
    let spec = safe_spec(&server);
    let (store, lobby) = (instance(&spec), RoomName::lobby());
    let start = Cursor::start(store.epoch());
    let seen = append(&store, &lobby, start, &[said("a", 1)]).unwrap().latest;
    server.crash();
    let waiting = begin(&store, &lobby, seen, &[said("b", 1)]);
    server.starts_again();
    // It came back in time, or the machine was slow: then nothing was stored.
    let seen = waiting.recv().unwrap().map_or(seen, |arrived| arrived.latest);
    until(|| store.newest(&lobby, 0).is_ok_and(|tail| tail.latest == seen));
    server.freeze();
    assert!(append(&store, &lobby, seen, &[said("c", 1)]).is_err());
    assert!(store.newest(&lobby, 9).is_err());
    // A store that is closed while Redis is frozen ends too.
    drop(store);
}

#[test]
fn the_flags_for_tls_reach_the_store_and_are_refused_without_it() {
    let server = RedisServer::shared();
    let program = |store: &str, ca: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_comet-chat"));
        let output =
            command.args(["--listen", "127.0.0.1:0", "--store", store, "--redis-ca", ca]).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let sentence = program(&server.safe_url(), "/nowhere/ca.pem");
    assert!(sentence.contains("cannot use rediss://") && sentence.contains("/nowhere/ca.pem"), "{sentence}");
    let sentence = program(&server.url(), "/nowhere/ca.pem");
    assert!(sentence.contains("say --store rediss://HOST"), "{sentence}");
}
