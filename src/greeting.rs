//! The greeting: where the chat is, and what to try first.

use std::io::{self, Write};
use std::net::SocketAddr;

use comet_chat::address::{self, PublicUrl};
use comet_chat::store::StoreSpec;

/// Prints the greeting on standard output. The first line has the server's real address, which scripts need
/// that asked for port 0.
pub fn greet(
    listening: SocketAddr,
    public: Option<&PublicUrl>,
    engine: &str,
    store: &StoreSpec,
    warning: Option<&str>,
) -> io::Result<()> {
    let own = address::from_here(listening);
    let mut out = io::stdout().lock();
    writeln!(out, "comet-chat: open http://{own}/chat/lobby")?;
    match public {
        Some(public) => writeln!(out, "            from elsewhere {public}/chat/lobby")?,
        None => {
            for other in address::reachable(listening) {
                writeln!(out, "            from elsewhere http://{other}/chat/lobby")?;
            }
        }
    }
    writeln!(out, "\nTry it in two terminals:\n")?;
    writeln!(out, "  curl http://{own}/chat                  # waits up to 10 s for the next message")?;
    writeln!(out, "  curl -d message=hello http://{own}/chat # says something")?;
    writeln!(out, "  curl http://{own}/help                  # says all the rest\n")?;
    writeln!(out, "The {engine} engine; messages are kept in {store}. Ctrl-C ends it.")?;
    out.flush()?;
    if let Some(warning) = warning.filter(|_| !listening.ip().is_loopback()) {
        eprintln!("\ncomet-chat: warning: {warning}\n");
    }
    Ok(())
}
