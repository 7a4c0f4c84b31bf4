//! What the command line says of where the server is reached, and how the outside sees it.

use std::env;
use std::error::Error;

use clap::Args;
use comet_chat::address::{Listen, PublicUrl};
use comet_chat::door::listen::{self, Farewell, Listener, Prepare};
use listenfd::ListenFd;
use socket2::Socket;

/// How a program calls the sockets that it hands over to its successor.
pub const PREDECESSOR: &str = "comet-chat-predecessor";

#[derive(Args)]
#[command(next_help_heading = "Where the server is reached")]
pub struct ListenOptions {
    /// Where to listen; may be given several times. 127.0.0.1 is for this machine only, 0.0.0.0 for all who can reach
    /// it, and port 0 takes a free one. localhost:PORT is both families of addresses. unix:PATH is for a proxy on this
    /// machine, with mode 660, or as unix:PATH?mode=666 says. Sockets that systemd hands over (LISTEN_FDS) are used
    /// in the place of all these
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    listen: Vec<Listen>,

    /// How the outside sees the server behind a proxy, such as https://chat.example.org/talk: scheme, host, port and
    /// what every path begins with. Its host is then one of the server's names. The proxy may take the prefix off a
    /// request or leave it
    #[arg(long, value_name = "URL")]
    pub public_url: Option<PublicUrl>,
}

impl ListenOptions {
    /// How to take leave of the listeners: whoever handed them over has them too, unless that was this program.
    pub fn farewell(&self) -> Farewell {
        let is_from_predecessor =
            env::var("LISTEN_FDNAMES").is_ok_and(|names| names.starts_with(PREDECESSOR));
        match env::var_os("LISTEN_FDS") {
            Some(_) if !is_from_predecessor => Farewell::HandOver,
            _ => Farewell::Close,
        }
    }

    /// Listens at all these places, or takes the sockets that were handed over.
    pub fn open(&self, prepare: Prepare) -> Result<Vec<Listener>, Box<dyn Error>> {
        let mut handed = take(prepare)?;
        if !handed.is_empty() {
            if self.farewell() == Farewell::Close {
                // The program before this one has made the files.
                handed.iter_mut().try_for_each(Listener::own_file)?;
            }
            return Ok(handed);
        }
        let mut open = Vec::new();
        for place in &self.listen {
            let here = listen::open(place, prepare);
            open.extend(here.map_err(|error| format!("can't listen on {place}: {error}"))?);
        }
        Ok(open)
    }
}

/// Takes the sockets that were handed over, if there are any: by systemd, or by whoever speaks as it does.
fn take(prepare: Prepare) -> Result<Vec<Listener>, Box<dyn Error>> {
    let mut handed = ListenFd::from_env();
    let mut taken = Vec::new();
    for at in 0..handed.len() {
        let wrong = |error: &dyn std::fmt::Display| {
            format!("the socket {at} that was handed over (LISTEN_FDS) can't be used: {error}")
        };
        let socket = match handed.take_tcp_listener(at) {
            Ok(Some(listener)) => Socket::from(listener),
            _ => match handed.take_unix_listener(at) {
                Ok(Some(listener)) => Socket::from(listener),
                Ok(None) => continue,
                Err(error) => return Err(wrong(&error).into()),
            },
        };
        taken.push(listen::take(socket, prepare).map_err(|error| wrong(&error))?);
    }
    Ok(taken)
}
