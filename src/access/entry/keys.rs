//! What lets in at present: the passphrase and the tokens, as the files had them.

use std::path::PathBuf;

use super::passphrase::Passphrase;
use super::signed::{Leave, after};
use super::tokens::Tokens;
use crate::address::PublicUrl;
use crate::clock::Timestamp;
use crate::config::INVITE;
use crate::message::PersonName;
use crate::wire::refusal::{By, NotIn, Refusal, SESSION_COOKIE, Why};
use crate::wire::request::{Head, Intent, Invite, Login, fields};

/// The files that say who may enter. Without any, everybody may.
#[derive(Debug, Clone, Default)]
pub struct EntrySpec {
    /// The passphrase, in the first line of a file.
    pub passphrase: Option<PathBuf>,
    /// Tokens for scripts.
    pub tokens: Option<PathBuf>,
    /// Tokens of operators, which keep nobody out.
    pub operators: Option<PathBuf>,
}

/// What lets in. Without a passphrase and tokens of scripts everybody is in.
pub struct Keys {
    pub passphrase: Option<Passphrase>,
    pub tokens: Option<Tokens>,
    pub operators: Option<Tokens>,
    /// How browsers see the server: sessions are for that address.
    public: Option<PublicUrl>,
}

impl Keys {
    /// Reads the files. An error is a sentence.
    pub fn read(spec: &EntrySpec, public: &Option<PublicUrl>) -> Result<Keys, String> {
        Ok(Keys {
            passphrase: spec.passphrase.as_deref().map(Passphrase::read).transpose()?,
            tokens: spec.tokens.as_deref().map(Tokens::read).transpose()?,
            operators: spec.operators.as_deref().map(Tokens::read_operators).transpose()?,
            public: public.clone(),
        })
    }

    /// What every path begins with.
    fn prefix(&self) -> &str {
        self.public.as_ref().map_or("", PublicUrl::prefix)
    }

    /// The cookie of a session.
    pub fn session(&self, passphrase: &Passphrase, ends: Timestamp, now: Timestamp) -> String {
        let (session, age) = (passphrase.key.sign(Leave::Session, ends), now.until(ends).as_secs());
        let path = if self.prefix().is_empty() { "/" } else { self.prefix() };
        let secure = if self.public.as_ref().is_some_and(PublicUrl::is_https) { "; Secure" } else { "" };
        format!("{SESSION_COOKIE}={session}; Path={path}; Max-Age={age}; HttpOnly; SameSite=Lax{secure}")
    }

    /// The refusal of somebody who is not in.
    pub fn stranger(&self, head: &Head<'_>, why: Why, to: String) -> NotIn {
        let by = if self.passphrase.is_some() { By::Passphrase } else { By::Token };
        // Every browser says that it is Mozilla. Over plain HTTP it says nothing else of itself.
        let is_mozilla = head.header("User-Agent").is_some_and(|agent| agent.starts_with("Mozilla/"));
        let browser = is_mozilla || head.header("Sec-Fetch-Mode").is_some();
        NotIn { why, by, to: Login::to(Some(to), None).to, prefix: self.prefix().to_owned(), browser }
    }

    /// Lets somebody in who has an invite: a browser is sent on to the address without it.
    pub fn invited(&self, head: &Head<'_>, now: Timestamp) -> Result<Option<Login>, Refusal> {
        let (path, query) = head.path_and_query();
        let Some(passphrase) = &self.passphrase else { return Ok(None) };
        if !matches!(head.method, "GET" | "HEAD") || !path.starts_with("/chat") {
            return Ok(None);
        }
        // A malformed query is refused later.
        let Ok([Some(token)]) = fields(query, ["invite"]) else { return Ok(None) };
        let mut login = Login::to(Some(asked_for(head)), None);
        let session = passphrase.session_of(head, now);
        match (passphrase.key.read(Leave::Invite, &token, now), session) {
            (Some(ends), session) if session.is_none_or(|session| session < ends) => {
                login.cookie = Some(self.session(passphrase, ends, now));
                Ok(Some(login))
            }
            (_, Some(_)) => Ok(Some(login)),
            (_, None) => Err(Refusal::NotIn(self.stranger(head, Why::NoInvite, login.to))),
        }
    }

    /// Adds to a request what its sender has: a name, and the invites that he may give.
    pub fn equip(
        &self,
        intent: &mut Intent,
        ends: Timestamp,
        name: &str,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let own_name = match intent {
            Intent::Publish(publish) => Some(&mut publish.name),
            Intent::Poll(poll) | Intent::Stream(poll) if !poll.hold.is_zero() => Some(&mut poll.name),
            _ => None,
        };
        if let Some(own_name @ None) = own_name
            && !name.trim().is_empty()
        {
            *own_name = Some(name.parse::<PersonName>().map_err(|error| Refusal::BadName(error.0))?);
        }
        if let (Intent::Page(view) | Intent::Code(view) | Intent::Invite(view), Some(passphrase)) =
            (intent, &self.passphrase)
        {
            // Nobody invites for longer than he is in himself.
            let ends = ends.min(after(now, INVITE));
            view.invite = Some(Invite { token: passphrase.key.sign(Leave::Invite, ends), ends });
        }
        Ok(())
    }
}

impl Passphrase {
    /// When the sender's session ends, if there is one. There may be several cookies of one name: of other paths,
    /// or of another server on another port.
    pub fn session_of(&self, head: &Head<'_>, now: Timestamp) -> Option<Timestamp> {
        let pairs = head.header_values("Cookie").flat_map(|value| value.split(';'));
        let ours = pairs.filter_map(|pair| pair.trim().strip_prefix(SESSION_COOKIE)?.strip_prefix('='));
        ours.filter_map(|session| self.key.read(Leave::Session, session, now)).max()
    }
}

/// The address that was asked for, without an invite; the room's page, where a form was sent.
pub fn asked_for(head: &Head<'_>) -> String {
    let (path, query) = head.path_and_query();
    let kept = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("invite="));
    let query = kept.collect::<Vec<_>>().join("&");
    if query.is_empty() || head.method == "POST" { path.to_owned() } else { format!("{path}?{query}") }
}
