//! A connection's socket, between hyper and the kernel: it measures time, and notes what comes.

use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::Buf;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;

use super::connections::Connection;
use super::deadline::Deadline;
use super::entrance::Stream;
use super::response::render_head;
use super::simple::Simple;
use crate::config::{HEAD_TIMEOUT, LINGER, LINGER_BYTES, SEND_TIMEOUT, SILENCE, SIMPLE_MAX};
use crate::wire::reply::Reply;

/// A connection, with its time-outs.
pub struct Socket {
    stream: Stream,
    connection: Arc<Connection>,
    /// The client sends nothing more.
    ended: bool,
    /// How many requests had come when `heading` and `silence` were last set.
    requests: u64,
    /// Whether the head of a request must come: it has begun, or the connection is new.
    heading: bool,
    /// What has come of that head, in case hyper refuses it.
    head: Vec<u8>,
    /// What was read already, and is to be read again.
    ahead: Vec<u8>,
    /// When the head, or the next request, must have come.
    silence: Deadline,
    /// When the client must have taken more of the reply.
    sending: Deadline,
}

/// What comes on a connection.
pub enum Next {
    /// A simple request, which is read, and its body.
    Simple(Vec<u8>),
    /// Another request. hyper is to read it, from its beginning.
    Other,
    /// Nothing any more.
    End,
}

impl Socket {
    /// A connection that was just accepted.
    pub fn new(stream: Stream, connection: Arc<Connection>) -> Socket {
        Socket {
            stream,
            connection,
            ended: false,
            requests: 0,
            heading: true,
            head: Vec::new(),
            ahead: Vec::new(),
            silence: Deadline::default(),
            sending: Deadline::default(),
        }
    }

    /// Reads what comes first of the next request: all of it, if it is simple and suits.
    pub async fn next(&mut self, simple: &mut Simple, suits: impl Fn(&str) -> bool) -> io::Result<Next> {
        let mut take = |bytes: &[u8]| match simple.take(bytes) {
            Some(body) if suits(simple.target()) => Ok(body),
            _ => Err(bytes.to_vec()),
        };
        Ok(match poll_fn(|cx| self.read_piece(cx, &mut take)).await? {
            Ok(body) => Next::Simple(body),
            Err(bytes) if bytes.is_empty() => Next::End,
            Err(bytes) => {
                self.read_again(bytes);
                Next::Other
            }
        })
    }

    /// Notes what comes behind the request that is being answered.
    pub fn watch(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if self.ahead.is_empty()
            && let Poll::Ready(piece) = self.read_piece(cx, <[u8]>::to_vec)
        {
            self.ahead = piece?;
        }
        Ok(())
    }

    fn read_piece<T>(&mut self, cx: &mut Context<'_>, take: impl FnOnce(&[u8]) -> T) -> Poll<io::Result<T>> {
        let mut space = [const { MaybeUninit::uninit() }; SIMPLE_MAX];
        let mut buffer = ReadBuf::uninit(&mut space);
        ready!(self.read(cx, &mut buffer))?;
        Poll::Ready(Ok(take(buffer.filled())))
    }

    /// Has these bytes read again, before all that comes.
    pub fn read_again(&mut self, bytes: impl Into<Vec<u8>>) {
        let mut bytes = bytes.into();
        bytes.append(&mut self.ahead);
        self.ahead = bytes;
        self.head = Vec::new();
    }

    /// Sends a reply.
    pub async fn send(&mut self, reply: &Reply, close: bool) -> io::Result<()> {
        let head = render_head(reply, close);
        self.write_all_buf(&mut Buf::chain(head.as_bytes(), &*reply.body)).await?;
        self.flush().await
    }

    /// What has come of the request that hyper refused.
    pub fn refused_head(&self) -> &[u8] {
        &self.head
    }

    /// Sends a last reply to a request that nobody has received.
    pub async fn refuse(&mut self, reply: &[u8]) {
        // If the client does not take it, nothing is lost.
        let _ = timeout(SEND_TIMEOUT, self.stream.write_all(reply)).await;
    }

    /// Closes the connection when hyper has done with it.
    pub async fn close(mut self) {
        if self.connection.client().is_cut() || self.connection.client().takes_nothing() {
            // A reset, so that the kernel drops at once what it holds for this client.
            let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
            return;
        }
        if self.ended || self.stream.shutdown().await.is_err() {
            return;
        }
        let rest = &mut self.stream.take(LINGER_BYTES);
        // It does not matter how this ends.
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
        let before = buffer.filled().len();
        ready!(this.read(cx, buffer))?;
        if !this.connection.stage().answering {
            this.head.extend_from_slice(&buffer.filled()[before..]);
        }
        Poll::Ready(Ok(()))
    }
}

impl Socket {
    /// Reads what has come, and notes what that is: the beginning of a request, or something behind one.
    fn read(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let stage = self.connection.stage();
        if stage.requests != self.requests {
            self.requests = stage.requests;
            self.heading = false;
            self.head = Vec::new();
            self.silence.clear();
        }
        if !stage.answering && self.connection.client().takes_nothing() {
            // A client that does not read its replies may not send more requests. When it has read them, the task
            // goes on here.
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        match self.receive(cx, buffer) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending if stage.answering => {
                self.connection.mark_quiet();
                return Poll::Pending;
            }
            Poll::Pending => {
                let patience = if self.heading { HEAD_TIMEOUT } else { SILENCE };
                ready!(self.silence.poll(patience, cx));
                return Poll::Ready(Err(ErrorKind::TimedOut.into()));
            }
        }
        if !stage.answering {
            if !self.heading {
                self.heading = true;
                self.silence.clear();
            }
            return Poll::Ready(Ok(()));
        }
        if buffer.filled().len() == before {
            // hyper would drop the request. But a client that sends nothing more may still listen.
            self.connection.mark_ended();
            return Poll::Pending;
        }
        self.connection.mark_followed();
        Poll::Ready(Ok(()))
    }

    /// Takes what is there to read; nothing is the end.
    fn receive(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.ahead.is_empty() {
            let length = self.ahead.len().min(buffer.remaining());
            buffer.put_slice(&self.ahead[..length]);
            self.ahead = self.ahead.split_off(length);
        } else if !self.ended {
            let before = buffer.filled().len();
            ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
            self.ended = buffer.filled().len() == before;
        }
        Poll::Ready(Ok(()))
    }

    fn written(
        &mut self,
        written: Poll<io::Result<usize>>,
        pieces: &[io::IoSlice<'_>],
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let client = self.connection.client();
        if written.is_pending() {
            client.mark_stuck(cx.waker());
        }
        if client.is_cut() {
            return Poll::Ready(Err(ErrorKind::ConnectionAborted.into()));
        }
        let written = match written {
            Poll::Pending => {
                ready!(self.sending.poll(SEND_TIMEOUT, cx));
                // The kernel reports room only when a third of its buffer is free. A slow reader may have made
                // less room: if something fits, the client reads.
                SockRef::from(&self.stream).send_vectored(pieces).map_err(|error| match error.kind() {
                    ErrorKind::WouldBlock => ErrorKind::TimedOut.into(),
                    _ => error,
                })
            }
            Poll::Ready(written) => written,
        };
        if written.is_ok() {
            self.sending.clear();
            client.mark_taking();
        }
        Poll::Ready(written)
    }
}

/// If hyper writes while no reply is owed, it refuses a head, with an empty reply. That is thrown away, and we
/// send a reply with a reason.
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
        this.connection.mark_flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // `close` does that.
        Poll::Ready(Ok(()))
    }
}
