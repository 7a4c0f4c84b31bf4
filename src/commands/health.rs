//! `comet-chat health`: for images and services without curl.

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Instant;

use comet_chat::config::{HEALTH_ANSWER, HEALTH_PATIENCE};

use crate::options::HealthArgs;

pub fn run(args: &HealthArgs) -> Result<(), Box<dyn Error>> {
    let rest =
        args.url.strip_prefix("http://").ok_or("say http://HOST:PORT: the server itself speaks no TLS")?;
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    if !rest.bytes().all(|byte| byte.is_ascii_graphic()) || host.is_empty() {
        return Err(format!("{:?} is no address of a server", args.url).into());
    }
    let path = format!("{}/health", path.trim_end_matches('/'));
    let answer = ask(host, &path).map_err(|error| format!("{} does not answer: {error}", args.url))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).unwrap_or_default();
    match status {
        "200" => Ok(writeln!(io::stdout(), "{}", body.trim_end())?),
        _ => Err(format!("{} answered {status}: {}", args.url, body.trim_end()).into()),
    }
}

fn ask(host: &str, path: &str) -> io::Result<String> {
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let place = if has_port { host.to_owned() } else { format!("{host}:80") };
    let until = Instant::now() + HEALTH_PATIENCE;
    let left = || {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::Error::from(io::ErrorKind::TimedOut)) } else { Ok(left) }
    };
    let mut failure = io::ErrorKind::NotFound.into();
    for address in place.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, left()?) {
            Ok(mut stream) => {
                stream.set_write_timeout(Some(left()?))?;
                let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
                stream.write_all(request.as_bytes())?;
                let mut answer = Vec::new();
                let mut some = [0; 4096];
                loop {
                    stream.set_read_timeout(Some(left()?))?;
                    match stream.read(&mut some)? {
                        read @ 1.. if answer.len() < HEALTH_ANSWER => answer.extend_from_slice(&some[..read]),
                        _ => return Ok(String::from_utf8_lossy(&answer).into_owned()),
                    }
                }
            }
            Err(error) => failure = error,
        }
    }
    Err(failure)
}
