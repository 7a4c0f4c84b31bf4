//! Who may enter: a passphrase for all, sessions and invites that follow from it, and tokens for scripts.

mod passphrase;
mod rights;
mod secret;
mod signed;
mod tokens;
mod tries;

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use base64::prelude::{BASE64_STANDARD, Engine};

use self::passphrase::Passphrase;
use self::signed::{Leave, after};
use self::tokens::{Token, Tokens};
use self::tries::Tries;
use super::caller::Caller;
use crate::address::PublicUrl;
use crate::clock::Timestamp;
use crate::config::{INVITE, SESSION};
use crate::message::PersonName;
use crate::wire::path::LOGIN;
use crate::wire::refusal::{By, NotIn, Refusal, SESSION_COOKIE, Why};
use crate::wire::request::{Head, Intent, Invite, Login, fields};

/// The files that say who may enter. Without any, everybody may.
#[derive(Debug, Clone, Default)]
pub struct EntrySpec {
    /// The passphrase, in the first line of a file.
    pub passphrase: Option<PathBuf>,
    /// Tokens for scripts.
    pub tokens: Option<PathBuf>,
}

/// Lets in who may enter.
pub struct Entry {
    spec: EntrySpec,
    public: Option<PublicUrl>,
    keys: RwLock<Arc<Keys>>,
    tries: Tries,
}

/// What lets in. If both are missing, everybody is in.
struct Keys {
    passphrase: Option<Passphrase>,
    tokens: Option<Tokens>,
    /// How browsers see the server: sessions are for that address.
    public: Option<PublicUrl>,
}

/// Who is in, and by what.
enum Pass {
    /// The passphrase, until when, and perhaps a name.
    Person { ends: Timestamp, name: String },
    /// A token.
    Script(Arc<Token>),
}

impl Entry {
    /// Reads the files. An error is a sentence.
    pub fn new(spec: EntrySpec, public: Option<PublicUrl>) -> Result<Entry, String> {
        let keys = RwLock::new(Arc::new(Keys::read(&spec, &public)?));
        Ok(Entry { spec, public, keys, tries: Tries::default() })
    }

    /// Reads the files again. If one of them has a fault, all stays as it was. Another passphrase ends all sessions
    /// and invites. An error is a sentence.
    pub fn reload(&self) -> Result<(), String> {
        let keys = Arc::new(Keys::read(&self.spec, &self.public)?);
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    /// Whether everybody may enter.
    pub fn is_open(&self) -> bool {
        self.spec.passphrase.is_none() && self.spec.tokens.is_none()
    }

    /// Gives what a request asks for, if its sender is in.
    pub fn admit(
        &self,
        head: &Head<'_>,
        parsed: Result<Intent, Refusal>,
        caller: &Caller,
    ) -> Result<Intent, Refusal> {
        if self.is_open() {
            let needs_none = matches!(parsed, Ok(Intent::Invite(_)));
            return if needs_none { Err(Refusal::NoInviteNeeded) } else { parsed };
        }
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner).clone();
        // Who comes by a unix socket is on this machine.
        let (address, now) = (caller.address().unwrap_or(Ipv4Addr::LOCALHOST.into()), Timestamp::now());
        if let Some(login) = keys.invited(head, now)? {
            return Ok(Intent::Login(login));
        }
        let intent = match parsed {
            Ok(Intent::Login(login)) => {
                return self.login(&keys, head, login, address, now).map(Intent::Login);
            }
            Ok(intent) if is_for_strangers(&intent) => return Ok(intent),
            // Who logs in must be told what is malformed.
            Err(refusal) if head.path_and_query().0 == LOGIN => return Err(refusal),
            intent => intent,
        };
        let pass = self.pass(&keys, head, address, now)?;
        let mut intent = intent?;
        match pass {
            Pass::Person { ends, name } => keys.equip(&mut intent, ends, &name, now)?,
            Pass::Script(token) => {
                tracing::debug!(token.label, "a script comes in");
                token.rights.permit(&mut intent)?;
            }
        }
        Ok(intent)
    }

    /// Lets a browser in that gives the passphrase, or is in already.
    fn login(
        &self,
        keys: &Keys,
        head: &Head<'_>,
        mut login: Login,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<Login, Refusal> {
        let stranger = keys.stranger(head, Why::Stranger, login.to.clone());
        match (&login.passphrase, &keys.passphrase) {
            (Some(given), Some(passphrase)) => {
                self.attempt(address, &stranger, Why::WrongPassphrase, || {
                    passphrase.is(given).then_some(())
                })?;
                login.cookie = Some(keys.session(passphrase, after(now, SESSION), now));
                Ok(login)
            }
            (Some(_), None) => Err(Refusal::NotIn(stranger)),
            (None, _) => match self.pass(keys, head, address, now) {
                Ok(_) => Ok(login),
                Err(Refusal::NotIn(not_in)) => Err(Refusal::NotIn(NotIn { to: login.to, ..not_in })),
                Err(refusal) => Err(refusal),
            },
        }
    }

    /// By what the sender is in.
    fn pass(&self, keys: &Keys, head: &Head<'_>, address: IpAddr, now: Timestamp) -> Result<Pass, Refusal> {
        let stranger = keys.stranger(head, Why::Stranger, asked_for(head));
        let given = head.header("Authorization").and_then(|value| value.split_once(' '));
        if let (Some((scheme, token)), Some(tokens)) = (given, &keys.tokens)
            && scheme.eq_ignore_ascii_case("Bearer")
        {
            let find = || tokens.find(token.trim()).cloned().map(Pass::Script);
            return self.attempt(address, &stranger, Why::WrongToken, find);
        }
        let Some(passphrase) = &keys.passphrase else { return Err(Refusal::NotIn(stranger)) };
        if let Some(ends) = passphrase.session_of(head, now) {
            return Ok(Pass::Person { ends, name: String::new() });
        }
        if let Some((scheme, credentials)) = given
            && scheme.eq_ignore_ascii_case("Basic")
        {
            let person = || {
                let (name, given) = basic(credentials.trim())?;
                let ends = after(now, SESSION);
                passphrase.is(&given).then_some(Pass::Person { ends, name })
            };
            return self.attempt(address, &stranger, Why::WrongPassphrase, person);
        }
        Err(Refusal::NotIn(stranger))
    }

    /// Tries what was given. A wrong try counts, and after too many of them none is looked at for a while.
    fn attempt<T>(
        &self,
        address: IpAddr,
        stranger: &NotIn,
        wrong: Why,
        look: impl FnOnce() -> Option<T>,
    ) -> Result<T, Refusal> {
        let now = Instant::now();
        if let Some(wait) = self.tries.wait(address, now) {
            return Err(Refusal::TooManyTries(stranger.clone(), wait));
        }
        look().ok_or_else(|| {
            if self.tries.was_wrong(address, now) {
                tracing::warn!(%address, "too many wrong tries to come in: this address has to wait");
            }
            Refusal::NotIn(NotIn { why: wrong, ..stranger.clone() })
        })
    }
}

impl Keys {
    fn read(spec: &EntrySpec, public: &Option<PublicUrl>) -> Result<Keys, String> {
        Ok(Keys {
            passphrase: spec.passphrase.as_deref().map(Passphrase::read).transpose()?,
            tokens: spec.tokens.as_deref().map(Tokens::read).transpose()?,
            public: public.clone(),
        })
    }

    /// What every path begins with.
    fn prefix(&self) -> &str {
        self.public.as_ref().map_or("", PublicUrl::prefix)
    }

    /// The cookie of a session.
    fn session(&self, passphrase: &Passphrase, ends: Timestamp, now: Timestamp) -> String {
        let (session, age) = (passphrase.key.sign(Leave::Session, ends), now.until(ends).as_secs());
        let path = if self.prefix().is_empty() { "/" } else { self.prefix() };
        let secure = if self.public.as_ref().is_some_and(PublicUrl::is_https) { "; Secure" } else { "" };
        format!("{SESSION_COOKIE}={session}; Path={path}; Max-Age={age}; HttpOnly; SameSite=Lax{secure}")
    }

    /// The refusal of somebody who is not in.
    fn stranger(&self, head: &Head<'_>, why: Why, to: String) -> NotIn {
        let by = if self.passphrase.is_some() { By::Passphrase } else { By::Token };
        // Every browser says that it is Mozilla. Over plain HTTP it says nothing else of itself.
        let is_mozilla = head.header("User-Agent").is_some_and(|agent| agent.starts_with("Mozilla/"));
        let browser = is_mozilla || head.header("Sec-Fetch-Mode").is_some();
        NotIn { why, by, to: Login::to(Some(to), None).to, prefix: self.prefix().to_owned(), browser }
    }

    /// Lets somebody in who has an invite: a browser is sent on to the address without it.
    fn invited(&self, head: &Head<'_>, now: Timestamp) -> Result<Option<Login>, Refusal> {
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
    fn equip(&self, intent: &mut Intent, ends: Timestamp, name: &str, now: Timestamp) -> Result<(), Refusal> {
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
    fn session_of(&self, head: &Head<'_>, now: Timestamp) -> Option<Timestamp> {
        let pairs = head.header_values("Cookie").flat_map(|value| value.split(';'));
        let ours = pairs.filter_map(|pair| pair.trim().strip_prefix(SESSION_COOKIE)?.strip_prefix('='));
        ours.filter_map(|session| self.key.read(Leave::Session, session, now)).max()
    }
}

/// Whether a stranger may have it too: what the page to log in is made of, and whether the server works. A browser asks
/// for the methods (`OPTIONS`) without saying who it is.
fn is_for_strangers(intent: &Intent) -> bool {
    matches!(intent, Intent::Asset(_) | Intent::Health | Intent::Live | Intent::Options(_))
}

/// The address that was asked for, without an invite; the room's page, where a form was sent.
fn asked_for(head: &Head<'_>) -> String {
    let (path, query) = head.path_and_query();
    let kept = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("invite="));
    let query = kept.collect::<Vec<_>>().join("&");
    if query.is_empty() || head.method == "POST" { path.to_owned() } else { format!("{path}?{query}") }
}

/// The name and the passphrase in HTTP Basic.
fn basic(credentials: &str) -> Option<(String, String)> {
    let text = String::from_utf8(BASE64_STANDARD.decode(credentials).ok()?).ok()?;
    let (name, passphrase) = text.split_once(':')?;
    Some((name.to_owned(), passphrase.to_owned()))
}
