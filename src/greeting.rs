//! The greeting: where the chat is, and what to try first.

use std::io::{self, Write};
use std::net::SocketAddr;

use comet_chat::access::Access;
use comet_chat::address;
use comet_chat::door::listen::Listener;
use comet_chat::store::StoreSpec;
use comet_chat::wire::path::BACKSTAGE;
use comet_chat::wire::refusal::By;

/// Prints the greeting on standard output. Its first lines have the server's real addresses, which scripts need
/// that asked for port 0.
pub fn greet(
    listeners: &[Listener],
    access: &Access,
    engine: &str,
    store: &StoreSpec,
    warning: Option<&str>,
) -> io::Result<()> {
    let addresses: Vec<SocketAddr> = listeners.iter().filter_map(Listener::address).collect();
    let own = addresses.iter().map(|address| format!("http://{}", address::from_here(*address)));
    let paths = listeners.iter().filter_map(Listener::path);
    let mut out = io::stdout().lock();
    let mut begin = "comet-chat: open ";
    for own in own.clone() {
        writeln!(out, "{begin}{own}/chat/lobby")?;
        begin = "              or ";
    }
    for path in paths.clone() {
        writeln!(out, "{begin}unix:{}", path.display())?;
        begin = "              or ";
    }
    match access.public() {
        Some(public) => writeln!(out, "            from elsewhere {public}/chat/lobby")?,
        None => {
            for other in addresses.iter().flat_map(|address| address::reachable(*address)) {
                writeln!(out, "            from elsewhere http://{other}/chat/lobby")?;
            }
        }
    }
    let by_unix = || paths.map(|path| format!("--unix-socket {} http://localhost", path.display()));
    let try_it = own.clone().next().or_else(|| by_unix().next()).unwrap_or_default();
    let try_it = match access.lets_in_by() {
        None => try_it,
        Some(By::Passphrase) => format!("-u NAME:PASSPHRASE {try_it}"),
        Some(By::Token) => format!("-H 'Authorization: Bearer TOKEN' {try_it}"),
    };
    writeln!(out, "\nTry it in two terminals:\n")?;
    writeln!(out, "  curl {try_it}/chat                  # waits up to 10 s for the next message")?;
    writeln!(out, "  curl -d message=hello {try_it}/chat # says something")?;
    writeln!(out, "  curl {try_it}/help                  # says all the rest\n")?;
    if let Some(own) = own.clone().next().filter(|_| access.has_backstage()) {
        writeln!(out, "The lesson: open {own}{BACKSTAGE} in a browser on this machine.")?;
    }
    writeln!(out, "The {engine} engine; messages are kept in {store}. Ctrl-C ends it.")?;
    out.flush()?;
    if let Some(warning) = warning.filter(|_| addresses.iter().any(|address| !address.ip().is_loopback())) {
        eprintln!("\ncomet-chat: warning: {warning}\n");
    }
    Ok(())
}
