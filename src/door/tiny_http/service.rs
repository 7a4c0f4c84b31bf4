//! The service behind this door: whatever answers requests, on a thread that may block.

use std::io;

use super::connections::Visit;
use super::events::EventWriter;
use crate::door::answer;
use crate::wire::refusal::Refusal;
use crate::wire::request::Head;

/// What the door calls.
pub trait Service: Send + Sync + 'static {
    /// Answers one request.
    fn answer(&self, head: &Head<'_>, body: &[u8], visit: &Visit) -> Result<Answer, Refusal>;

    /// Ends every wait, now and from now on: the server closes.
    fn close(&self);

    /// Waits until all is stored and ended. It is called once nothing is in flight.
    fn join(&self);
}

/// What the service makes of a request.
pub type Answer = answer::Answer<Stream>;

/// Sends events until the client is gone, or there are no more.
pub type Stream = Box<dyn FnOnce(&Visit, &mut EventWriter) -> io::Result<()> + Send>;
