//! The handlers: a task for each connection, which answers its requests one after the other.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::task::Poll;
use std::time::Instant;

use futures_util::future::{Either, select};
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::sleep;

use super::body::{Gone, RequestBody};
use super::connections::Connection;
use super::door::Door;
use super::entrance::Stream;
use super::exchange::{Answered, exchange};
use super::head::HeadText;
use super::held::Client;
use super::response::{send, start};
use super::service::Service;
use super::simple::Simple;
use super::socket::{Next, Socket};
use super::unread::refuse_unread;
use crate::config::{ACCEPT_PAUSES, HEAD_LINES_MAX, HEAD_MAX};
use crate::door::answer::Ready;
use crate::door::pace::Pace;
use crate::log::Entry;
use crate::metrics::METRICS;
use crate::wire::request::Head;

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

/// Answers what comes on a connection.
///
/// **Fault:** hyper makes two buffers of 8 KiB for each connection, and has no option for their size; who waits keeps
/// them. **Cure:** a simple request, as most are, is read and answered here. hyper is there for all else, and only while it
/// has something to do.
async fn serve(
    door: Arc<Door<impl Service>>,
    stream: Stream,
    peer: Option<SocketAddr>,
    _place: OwnedSemaphorePermit,
) {
    let connection = Arc::new(Connection::new(Client::at(peer.map(|peer| peer.ip())), door.counts.clone()));
    let mut socket = Socket::new(stream, connection.clone());
    let mut simple = Simple::default();
    let broken = loop {
        let goes_on = match socket.next(&mut simple, |target| !door.service.may_stream(target)).await {
            Ok(Next::Simple(body)) => {
                answer(&door, &connection, &mut socket, simple.head(), body, peer).await
            }
            Ok(Next::Other) => answer_by_hyper(&door, &connection, &mut socket, peer).await,
            Ok(Next::End) => Ok(false),
            Err(error) => Err(error),
        };
        match goes_on {
            Ok(true) => {}
            Ok(false) => break None,
            Err(error) => break Some(error),
        }
    };
    if let Some(error) = broken {
        tracing::debug!(%error, "a connection broke");
    }
    socket.close().await;
}

/// Answers a simple request. Gives whether the connection goes on.
async fn answer(
    door: &Door<impl Service>,
    connection: &Arc<Connection>,
    socket: &mut Socket,
    head: Head<'_>,
    body: Vec<u8>,
    peer: Option<SocketAddr>,
) -> io::Result<bool> {
    let mut entry = Entry::begin(head.method, door.service.local(head.target), peer);
    let Answered { ready, close, visit } = {
        let mut answering =
            pin!(exchange(door, connection.arrive(), Ok(head), RequestBody::Whole(body), &mut entry));
        poll_fn(|cx| match socket.watch(cx) {
            Ok(()) => answering.as_mut().poll(cx).map_err(io::Error::other),
            Err(error) => Poll::Ready(Err(error)),
        })
        .await?
    };
    let Ready::Reply(reply) = ready else { return Err(io::Error::other("a stream that was not foreseen")) };
    entry.answered(reply.status);
    drop(visit);
    socket.send(&reply, close).await?;
    Ok(!close)
}

/// Has hyper read a request and send its answer. Gives whether the connection goes on.
async fn answer_by_hyper<S: Service>(
    door: &Arc<Door<S>>,
    connection: &Arc<Connection>,
    socket: &mut Socket,
    peer: Option<SocketAddr>,
) -> io::Result<bool> {
    let requests = connection.stage().requests;
    // After a last reply hyper may still have the rest of a body before it.
    let ends = AtomicBool::new(false);
    let ends = &ends;
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
            let head = head.as_ref().map(HeadText::head);
            let Answered { ready, close, visit } =
                exchange(&door, visit, head, RequestBody::ToRead(body), &mut entry).await?;
            ends.fetch_or(close, Relaxed);
            let response = match ready {
                Ready::Reply(reply) => send(reply, visit, close),
                Ready::Stream(head, stream) => start(head, stream, visit),
            };
            entry.answered(response.status().as_u16());
            Ok::<_, Gone>(response)
        }
    });
    let mut serving = http1::Builder::new()
        .max_headers(HEAD_LINES_MAX)
        .max_buf_size(HEAD_MAX)
        .title_case_headers(true)
        // The socket keeps time.
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(&mut *socket), service);
    let served = poll_fn(|cx| match Pin::new(&mut serving).poll(cx) {
        Poll::Pending if connection.stage().is_idle_after(requests) => Poll::Ready(None),
        polled => polled.map(Some),
    });
    match served.await {
        None => {
            let read = serving.into_parts().read_buf;
            socket.read_again(read);
            Ok(!ends.load(Relaxed))
        }
        Some(Ok(())) => Ok(false),
        Some(Err(error)) => {
            drop(serving);
            if error.is_parse() {
                let reply = refuse_unread(&door.service, socket.refused_head(), peer);
                socket.refuse(&reply).await;
            }
            Err(io::Error::other(error))
        }
    }
}
