//! Who sent a request: the word of a trusted proxy counts, a client's own does not.

use crate::client::Request;
use crate::harness::{Launch, wait_until};

on_every_engine![
    the_log_has_the_address_that_a_trusted_proxy_tells,
    what_a_client_says_of_its_own_address_is_not_believed,
    a_proxy_that_can_t_be_meant_is_refused_at_the_start,
];

fn from(address: &str) -> Request {
    Request::get("/health/live").header("X-Forwarded-For", address)
}

fn the_log_has_the_address_that_a_trusted_proxy_tells(launch: Launch) {
    let server = launch.with_flag("--log", "debug").with_flag("--trusted-proxy", "127.0.0.0/8").start();
    let mut proxy = server.connect();
    proxy.ask(&from("1.2.3.4, 192.0.2.7")).is(200);
    proxy.ask(&from("2001:db8::7, 127.0.0.9")).is(200);
    proxy.ask(&Request::get("/health/live")).is(200);
    for client in ["192.0.2.7", "2001:db8::7"] {
        let line = format!("client={client}");
        wait_until(&format!("the log has {line}"), || server.lines_with(&line) == 1);
    }
    wait_until("the log has three requests", || server.lines_with("path=\"/health/live\"") == 3);
    assert_eq!(server.lines_with("client="), 2);
    assert_eq!(server.lines_with("1.2.3.4"), 0);
}

fn what_a_client_says_of_its_own_address_is_not_believed(launch: Launch) {
    let server = launch.with_flag("--log", "debug").with_flag("--trusted-proxy", "10.0.0.0/8").start();
    server.connect().ask(&from("192.0.2.7")).is(200);
    wait_until("the log has the request", || server.lines_with("path=\"/health/live\"") == 1);
    assert_eq!(server.lines_with("client="), 0);
}

fn a_proxy_that_can_t_be_meant_is_refused_at_the_start(launch: Launch) {
    let reason = launch.with_flag("--trusted-proxy", "proxy.example").refuses();
    assert!(reason.contains("--trusted-proxy proxy.example") && reason.contains("10.0.0.0/8"), "{reason}");
}
