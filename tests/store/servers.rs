//! The Redis servers that tests start: they end when they should, and only then.

use std::fs;
use std::time::Duration;

use crate::redis::{RedisServer, a_prefix};

#[test]
fn a_redis_server_that_crashed_starts_again_with_its_files() {
    let mut server = RedisServer::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let (key, address) = (a_prefix(), server.address());
    assert_eq!(server.ask(&["SET", &key, "kept"]), "OK");
    server.crash();
    assert!(std::net::TcpStream::connect(address).is_err());
    server.starts_again();
    assert_eq!((server.ask(&["GET", &key]).as_str(), server.address()), ("kept", address));
}

#[test]
fn a_frozen_redis_server_answers_nothing_until_it_is_thawed() {
    let server = RedisServer::start(&[]);
    server.freeze();
    let stream = std::net::TcpStream::connect_timeout(&server.address(), Duration::from_secs(30)).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    assert!(std::io::Read::read(&mut &stream, &mut [0]).is_err());
    server.thaw();
    assert_eq!(server.ask(&["PING"]), "PONG");
    let pid = server.pid();
    drop(server);
    assert!(fs::metadata(format!("/proc/{pid}")).is_err(), "its process has ended");
}
