//! Names that a trusted proxy tells: it knows who people are, and nobody chooses another name.

use percent_encoding::percent_decode_str;

use super::caller::Caller;
use crate::message::{Invalid, PersonName, Seal};
use crate::wire::refusal::Refusal;
use crate::wire::request::{Head, Intent, is_token};

/// The header in which the proxy tells them, if it does.
#[derive(Debug, Clone, Default)]
pub struct Told {
    header: Option<String>,
}

impl Told {
    /// The header on the command line. An error is a sentence.
    pub fn new(header: Option<&str>, has_proxies: bool) -> Result<Told, String> {
        match header {
            Some(name) if !is_token(name) => Err(format!(
                "--trust-header {name}: this is no name of a header, such as Remote-User or X-Forwarded-User"
            )),
            Some(name) if !has_proxies => Err(format!(
                "--trust-header {name} without --trusted-proxy: name the proxy too, or everybody could send this header"
            )),
            header => Ok(Told { header: header.map(str::to_owned) }),
        }
    }

    /// Has whoever sent this request speak, come and go under the name that the proxy tells, whatever name it
    /// says itself.
    pub fn settle(
        &self,
        head: &Head<'_>,
        caller: &Caller,
        intent: &mut Intent,
        seal: &Seal,
    ) -> Result<(), Refusal> {
        let Some(header) = &self.header else { return Ok(()) };
        if is_about_the_server(intent) {
            return Ok(());
        }
        if !caller.is_by_proxy() {
            return Err(Refusal::NotByProxy);
        }
        let name = name_in(head, header)?;
        // The proxy knows the person, on whatever device: no key is needed.
        intent.vouch(Some(seal.person(&name)));
        match intent {
            // The name that an operator gives is of somebody whom it concerns.
            Intent::Publish(publish) if publish.kind.is_for_operators() => {}
            Intent::Publish(publish) => publish.name = Some(name),
            Intent::Leave(leave) => leave.who.name = name,
            // Who only reads is not made present.
            Intent::Poll(poll) | Intent::Stream(poll) => poll.name = poll.name.is_some().then_some(name),
            Intent::Page(view) => (view.name, view.is_told) = (Some(name), true),
            _ => {}
        }
        Ok(())
    }
}

/// Whether it is about the server and nothing that people say: monitors ask so without the proxy.
fn is_about_the_server(intent: &Intent) -> bool {
    use Intent::{Asset, Description, Health, Help, Live, Login, Metrics, Options};
    matches!(intent, Asset(_) | Description | Health | Help | Live | Login(_) | Metrics(_) | Options(_))
}

/// The name in the header. Letters that are not ASCII are percent-encoded in it.
fn name_in(head: &Head<'_>, header: &str) -> Result<PersonName, Refusal> {
    let mut values = head.header_values(header);
    let (first, second) = (values.next().unwrap_or_default(), values.next());
    if second.is_some() {
        return Err(Refusal::BadName(TWICE));
    }
    let name = percent_decode_str(first).decode_utf8().map_err(|_| Refusal::BadUtf8)?;
    if name.trim().is_empty() {
        return Err(Refusal::NotSignedIn);
    }
    name.trim().parse().map_err(|invalid: Invalid| Refusal::BadName(invalid.0))
}

const TWICE: &str = "the header with the person's name came twice: the proxy must replace the one that a client sends, not add to it";
