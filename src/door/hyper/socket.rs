//! A connection's socket, between hyper and the kernel: it keeps time, and sees what comes when.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until, timeout};

use super::connections::Connection;
use super::{HEAD_TIMEOUT, SEND_TIMEOUT, SILENCE};

/// How long a connection that we close may go on sending, so that it reads our last reply first: a
/// kernel that still gets data for a closed socket tells the client to forget what it has not read.
const LINGER: Duration = Duration::from_secs(1);

/// The most bytes that are read and thrown away meanwhile.
const LINGER_BYTES: u64 = 1024 * 1024;

/// A TCP stream.
pub struct Socket {
    stream: TcpStream,
    connection: Arc<Connection>,
    /// The client sends nothing more.
    ended: bool,
    /// How many requests had come when `heading` and `silence` were last set.
    requests: u64,
    /// Whether the head of a request is awaited, and not just the next request: it has begun, or the
    /// connection is new.
    heading: bool,
    /// What has come of it, for the case that hyper does not understand it.
    head: Vec<u8>,
    /// By when that must have come.
    silence: Deadline,
    /// By when something more of the reply on its way must have left.
    sending: Deadline,
}

/// A point in time at which patience ends. It costs a timer only where something is waited for.
#[derive(Default)]
struct Deadline {
    at: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Socket {
    /// A connection that was just accepted.
    pub fn new(stream: TcpStream, connection: Arc<Connection>) -> Socket {
        Socket {
            stream,
            connection,
            ended: false,
            requests: 0,
            heading: true,
            head: Vec::new(),
            silence: Deadline::default(),
            sending: Deadline::default(),
        }
    }

    /// What has come of the request that hyper refused.
    pub fn refused_head(&self) -> &[u8] {
        &self.head
    }

    /// Sends a last reply past hyper.
    pub async fn refuse(&mut self, reply: &[u8]) {
        // Who does not take it does without.
        let _ = timeout(SEND_TIMEOUT, self.stream.write_all(reply)).await;
    }

    /// Closes the connection when hyper has done with it.
    pub async fn close(mut self) {
        if self.connection.client().is_cut() || self.connection.client().takes_nothing() {
            // The kernel forgets what it holds for it, too, for it would keep that for a while.
            let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
            return;
        }
        if self.ended || self.stream.shutdown().await.is_err() {
            return;
        }
        let rest = &mut self.stream.take(LINGER_BYTES);
        // Nothing depends on how it went.
        let _ = timeout(LINGER, tokio::io::copy(rest, &mut tokio::io::sink())).await;
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let stage = this.connection.stage();
        if stage.requests != this.requests {
            this.requests = stage.requests;
            this.heading = false;
            this.head = Vec::new();
            this.silence.clear();
        }
        if !stage.answering && this.connection.client().takes_nothing() {
            // Who does not read replies is not asked for more requests.
            this.connection.reads_later(cx.waker());
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        if !this.ended {
            match Pin::new(&mut this.stream).poll_read(cx, buffer) {
                Poll::Ready(Ok(())) => this.ended = buffer.filled().len() == before,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending if stage.answering => {
                    this.connection.is_quiet(cx.waker());
                    return Poll::Pending;
                }
                Poll::Pending => {
                    let patience = if this.heading { HEAD_TIMEOUT } else { SILENCE };
                    ready!(this.silence.poll(patience, cx));
                    return Poll::Ready(Err(ErrorKind::TimedOut.into()));
                }
            }
        }
        if !stage.answering {
            if !this.heading {
                this.heading = true;
                this.silence.clear();
            }
            this.head.extend_from_slice(&buffer.filled()[before..]);
            return Poll::Ready(Ok(()));
        }
        if this.ended {
            // hyper would drop the request. But who has said all that it wants to say may still listen.
            this.connection.has_ended(cx.waker());
            return Poll::Pending;
        }
        this.connection.is_followed();
        Poll::Ready(Ok(()))
    }
}

impl Socket {
    fn written(
        &mut self,
        written: Poll<io::Result<usize>>,
        pieces: &[io::IoSlice<'_>],
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let client = self.connection.client();
        if written.is_pending() {
            client.is_stuck(cx.waker());
        }
        if client.is_cut() {
            return Poll::Ready(Err(ErrorKind::ConnectionAborted.into()));
        }
        let written = match written {
            Poll::Pending => {
                ready!(self.sending.poll(SEND_TIMEOUT, cx));
                // The kernel says that it takes more when a third of its buffer is free, and a slow reader
                // may have made less room than that: what there is shows that it reads.
                SockRef::from(&self.stream).send_vectored(pieces).map_err(|error| match error.kind() {
                    ErrorKind::WouldBlock => ErrorKind::TimedOut.into(),
                    _ => error,
                })
            }
            Poll::Ready(written) => written,
        };
        if written.is_ok() {
            self.sending.clear();
            client.takes();
        }
        Poll::Ready(written)
    }
}

/// What hyper says without having been asked is its refusal of what it did not understand: an empty
/// reply. It goes nowhere; we say it again, in words.
impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if !this.connection.is_owed_a_reply() {
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.written(written, &[io::IoSlice::new(bytes)], cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if !this.connection.is_owed_a_reply() {
            return Poll::Ready(Ok(pieces.iter().map(|piece| piece.len()).sum()));
        }
        let written = Pin::new(&mut this.stream).poll_write_vectored(cx, pieces);
        this.written(written, pieces, cx)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(Pin::new(&mut this.stream).poll_flush(cx))?;
        this.connection.is_flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // That is left to `close`.
        Poll::Ready(Ok(()))
    }
}

impl Deadline {
    fn clear(&mut self) {
        self.at = None;
    }

    /// Ready when this patience has ended, counted from the first poll since it was cleared.
    fn poll(&mut self, patience: Duration, cx: &mut Context<'_>) -> Poll<()> {
        let at = *self.at.get_or_insert_with(|| Instant::now() + patience);
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if timer.deadline() != at {
            timer.as_mut().reset(at);
        }
        timer.as_mut().poll(cx)
    }
}

/// The clock of these tests is stopped: it goes on to the next timer whenever there is nothing to do.
#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::net::SocketAddr;
    use std::sync::Mutex;

    use tokio::runtime::Builder;
    use tokio::time::sleep;

    use super::super::{Door, bind, handlers};
    use super::*;
    use crate::door::budget::Budget;
    use crate::nonblocking::Server;
    use crate::nonblocking::room::Rooms;
    use crate::store::{self, Keep, StoreSpec};
    use crate::wire::origin::Hosts;

    /// The text in the room, in bytes: more than the kernels of both sides hold.
    const MEBIBYTE: usize = 1024 * 1024;

    const HISTORY: &str = "GET /chat/history-of-much/history?limit=500 HTTP/1.1\r\nHost: localhost\r\n\r\n";

    /// Runs a client against a door of its own.
    fn serve<F: Future<Output = ()>>(client: impl FnOnce(SocketAddr) -> F) {
        let runtime = Builder::new_current_thread().enable_all().start_paused(true).build();
        runtime.expect("a runtime").block_on(async {
            let listener = bind(([127, 0, 0, 1], 0).into()).expect("a port");
            let address = listener.local_addr().expect("it is bound");
            let door = Door::new(listener, Budget { connections: 100, waiters: 90 }).expect("a door");
            let store =
                store::open(&StoreSpec::Memory, Keep { messages: 1_000, age: None }).expect("a store");
            let (rooms, hosts, owed) = (Rooms::new(store), Hosts::default(), Mutex::default());
            let server = Arc::new(Server { door, rooms, lan: None, hosts, owed });
            let accepting = tokio::spawn(handlers::receive(server));
            client(address).await;
            accepting.abort();
        });
    }

    async fn connect(address: SocketAddr) -> TcpStream {
        TcpStream::connect(address).await.expect("a connection")
    }

    fn post(room: &str, text: &str) -> String {
        let length = text.len();
        format!(
            "POST /chat/{room} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n\
             Content-Length: {length}\r\n\r\n{text}"
        )
    }

    /// Fills the room that [`HISTORY`] asks for.
    async fn say_much(address: SocketAddr) {
        let mut client = connect(address).await;
        for _ in 0..MEBIBYTE / 60_000 {
            let said = post("history-of-much", &"x".repeat(60_000));
            client.write_all(said.as_bytes()).await.expect("it is taken");
            let mut reply = [0; 4_096];
            let length = client.read(&mut reply).await.expect("a reply");
            assert!(reply[..length].starts_with(b"HTTP/1.1 200 "));
        }
    }

    /// A connection that was silent after one POST or one poll stood for ever: hyper does not look for what
    /// comes behind a reply before it is woken, and nobody else knew the time.
    #[test]
    fn who_is_silent_after_a_reply_is_cut_off_in_time() {
        serve(|address| async move {
            say_much(address).await;
            let waits = "GET /chat/a?wait=1 HTTP/1.1\r\nHost: localhost\r\n\r\n";
            let looks = "GET /chat/a?wait=0&after=latest HTTP/1.1\r\nHost: localhost\r\n\r\n";
            let help = "HEAD /help HTTP/1.1\r\nHost: localhost\r\n\r\n";
            for request in [&*post("a", "hello"), looks, waits, help, HISTORY, &looks.repeat(3)] {
                let mut client = connect(address).await;
                client.write_all(request.as_bytes()).await.expect("it is taken");
                let (mut buffer, mut heard) = (vec![0; 64 * 1024], Instant::now());
                loop {
                    let read = timeout(SILENCE * 3, client.read(&mut buffer)).await;
                    let read = read.unwrap_or_else(|_| panic!("still open, long after {request:?}"));
                    if read.expect("the connection's end") == 0 {
                        break;
                    }
                    heard = Instant::now();
                }
                let silent = heard.elapsed();
                let in_time = SILENCE..SILENCE + Duration::from_secs(1);
                assert!(in_time.contains(&silent), "{silent:?} after {request:?}");
            }
        });
    }

    /// Reads the page at a steady speed, in bytes a second; says how many bytes came before the end.
    async fn read_slowly(address: SocketAddr, speed: usize) -> usize {
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(32 * 1024).expect("an option");
        let mut client = socket.connect(address).await.expect("a connection");
        client.write_all(HISTORY.as_bytes()).await.expect("it is taken");
        let (mut buffer, mut all) = (vec![0; speed], 0);
        loop {
            sleep(Duration::from_secs(1)).await;
            match client.try_read(&mut buffer) {
                Ok(0) => return all,
                Ok(length) => all += length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => return all,
            }
            if all > MEBIBYTE / 60_000 * 60_000 {
                return all;
            }
        }
    }

    /// A page of 1 MiB was cut off after 13.7 s at 60 KB/s, and again at each new try: all of it had to be
    /// with the kernel within 10 s.
    #[test]
    fn who_reads_slowly_gets_it_all() {
        serve(|address| async move {
            say_much(address).await;
            for speed in [200_000, 60_000, 20_000, 6_000] {
                let all = read_slowly(address, speed).await;
                assert!(all > MEBIBYTE / 60_000 * 60_000, "{all} bytes at {speed} a second");
            }
        });
    }

    #[test]
    fn who_reads_no_more_is_cut_off_in_time() {
        serve(|address| async move {
            say_much(address).await;
            let mut client = connect(address).await;
            SockRef::from(&client).set_recv_buffer_size(4_096).expect("an option");
            client.write_all(HISTORY.as_bytes()).await.expect("it is taken");
            let start = Instant::now();
            // The connection is reset when the server has given up.
            while client.write_all(b"\r\n").await.is_ok() {
                sleep(Duration::from_secs(1)).await;
                assert!(start.elapsed() < SEND_TIMEOUT * 2, "it is still there");
            }
            assert!(start.elapsed() >= SEND_TIMEOUT, "it had {:?}", start.elapsed());
        });
    }
}
