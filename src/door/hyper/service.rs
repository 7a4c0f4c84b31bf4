//! The service behind this door: whatever answers requests, in a task that never blocks.

use std::io;

use futures_util::future::BoxFuture;

use super::connections::Visit;
use super::events::EventWriter;
use crate::door::answer;
use crate::wire::refusal::Refusal;
use crate::wire::request::Head;

/// What the door calls.
pub trait Service: Send + Sync + 'static {
    /// Answers one request. If the client is gone meanwhile, this ends in the middle.
    fn answer(
        &self,
        head: &Head<'_>,
        body: &[u8],
        visit: &Visit,
    ) -> impl Future<Output = Result<Answer, Refusal>> + Send;

    /// Ends every wait, now and from now on: the server closes.
    fn close(&self);

    /// Waits until all is stored and ended. It is called once nothing is in flight.
    fn join(&self) -> impl Future<Output = ()> + Send;
}

/// What the service makes of a request.
pub type Answer = answer::Answer<Stream>;

/// Sends events until there are no more. If the client is gone, this ends in the middle.
pub type Stream =
    Box<dyn for<'a> FnOnce(&'a Visit, &'a mut EventWriter) -> BoxFuture<'a, io::Result<()>> + Send>;
