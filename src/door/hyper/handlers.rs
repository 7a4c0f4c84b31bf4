//! The handlers: a task for each connection, which answers its requests one after the other.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use futures_util::future::{Either, select};
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::sleep;

use super::body::Gone;
use super::connections::Connection;
use super::door::Door;
use super::entrance::Stream;
use super::exchange::exchange;
use super::head::HeadText;
use super::held::Client;
use super::service::Service;
use super::socket::Socket;
use super::unread::refuse_unread;
use crate::config::{ACCEPT_PAUSES, HEAD_LINES_MAX, HEAD_MAX};
use crate::door::pace::Pace;
use crate::log::Entry;
use crate::metrics::METRICS;

/// Accepts connections at one of the entrances until the door closes.
pub async fn receive(door: Arc<Door<impl Service>>, entrance: usize) {
    let mut pace = Pace::new(ACCEPT_PAUSES.0, ACCEPT_PAUSES.1);
    // If there is no place, new clients wait in the kernel's backlog.
    while let Ok(place) = door.places.clone().acquire_owned().await {
        let accept = pin!(door.entrances[entrance].accept());
        let accepted = match select(accept, pin!(door.left.acquire())).await {
            Either::Left((accepted, _)) => accepted,
            Either::Right(_) => return,
        };
        match accepted {
            Ok((stream, peer)) => {
                tokio::spawn(serve(door.clone(), stream, peer, place));
            }
            Err(_) if door.is_closing() => return,
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                METRICS.revivals.inc();
                let failure = pace.fails(Instant::now());
                if let Some(times) = failure.times {
                    tracing::warn!(%error, times, "no connection could be accepted");
                }
                sleep(failure.pause).await;
            }
        }
    }
}

/// Whether only this connection failed, because it was gone before it was accepted.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn serve(
    door: Arc<Door<impl Service>>,
    stream: Stream,
    peer: Option<SocketAddr>,
    _place: OwnedSemaphorePermit,
) {
    let connection = Arc::new(Connection::new(Client::at(peer.map(|peer| peer.ip())), door.counts.clone()));
    let mut socket = Socket::new(stream, connection.clone());
    let service = service_fn(|request: Request<Incoming>| {
        let path = door.service.local(request.uri().path());
        let mut entry = Entry::begin(request.method().as_str(), path, peer);
        // Here and not in the future below: hyper reads on before it polls that.
        let visit = connection.arrive();
        let (parts, body) = request.into_parts();
        let head = HeadText::copy(&parts);
        drop(parts);
        let door = door.clone();
        async move {
            let answer = exchange(door, visit, head, body, &mut entry).await?;
            entry.answered(answer.status().as_u16());
            Ok::<_, Gone>(answer)
        }
    });
    let served = http1::Builder::new()
        .max_headers(HEAD_LINES_MAX)
        .max_buf_size(HEAD_MAX)
        .title_case_headers(true)
        // The socket keeps time.
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(&mut socket), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection broke");
        if error.is_parse() {
            let reply = refuse_unread(&door.service, socket.refused_head(), peer);
            socket.refuse(&reply).await;
        }
    }
    socket.close().await;
}
