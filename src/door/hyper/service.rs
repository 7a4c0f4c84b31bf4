//! The service behind this door: it answers requests, in tasks that never block.

use std::io;
use std::net::IpAddr;

use futures_util::future::BoxFuture;

use super::connections::Visit;
use super::events::EventWriter;
use crate::access::Caller;
use crate::door::answer;
use crate::wire::refusal::Refusal;
use crate::wire::reply::Reply;
use crate::wire::request::Head;

/// What the door calls.
pub trait Service: Send + Sync + 'static {
    /// Says who sent a request. The peer is the connection's other end.
    fn caller(&self, head: &Head<'_>, peer: Option<IpAddr>) -> Caller;

    /// Answers one request. If the client leaves meanwhile, the future is dropped.
    fn answer(
        &self,
        head: &Head<'_>,
        body: &[u8],
        visit: &Visit,
    ) -> impl Future<Output = Result<Answer, Refusal>> + Send;

    /// Whether what is asked for there may be a stream, even if its `Accept` does not ask for one.
    fn may_stream(&self, target: &str) -> bool;

    /// Refuses a request of which the head tells enough, before a long body is read.
    fn foresee(&self, head: &Head<'_>, caller: &Caller) -> Result<(), Refusal>;

    /// The most bytes that a file may have which comes with a message; 0 if none are taken.
    fn upload_limit(&self) -> usize;

    /// A path and query as the server names them, for the log: without what a proxy puts before them.
    fn local<'a>(&self, target: &'a str) -> &'a str;

    /// What every address begins with in a browser's view: empty, or `/talk`.
    fn prefix(&self) -> &str;

    /// Adds to a reply what every reply has. Without a head, the request had none that could be read.
    fn dress(&self, head: Option<&Head<'_>>, reply: &mut Reply);

    /// The server closes: ends every wait, also those to come.
    fn close(&self);

    /// Waits until everything is stored. The door calls this when no request is in flight.
    fn join(&self) -> impl Future<Output = ()> + Send;
}

/// What the service makes of a request.
pub type Answer = answer::Answer<Stream>;

/// Sends events until there are no more. If the client leaves, the future is dropped.
pub type Stream =
    Box<dyn for<'a> FnOnce(&'a Visit, &'a mut EventWriter) -> BoxFuture<'a, io::Result<()>> + Send>;
