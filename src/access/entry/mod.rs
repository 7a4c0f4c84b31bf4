//! Who may enter: a passphrase for all, sessions and invites that follow from it, and tokens for scripts.

mod editions;
mod keys;
mod passphrase;
mod rights;
mod secret;
mod signed;
mod tokens;
mod tries;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use base64::prelude::{BASE64_STANDARD, Engine};

use self::editions::Editions;
use self::keys::{Keys, asked_for};
use self::signed::after;
use self::tokens::Token;
use self::tries::Tries;
use crate::address::PublicUrl;
use crate::clock::Timestamp;
use crate::config::SESSION;
use crate::message::Kind;
use crate::wire::path::LOGIN;
use crate::wire::refusal::{By, NotIn, Refusal, Why};
use crate::wire::request::{Head, Intent, Login};

pub use self::editions::Edition;
pub use self::keys::EntrySpec;

/// Lets in who may enter.
pub struct Entry {
    spec: EntrySpec,
    public: Option<PublicUrl>,
    keys: RwLock<Arc<Keys>>,
    editions: Editions,
    tries: Tries,
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
        Ok(Entry { spec, public, keys, editions: Editions::default(), tries: Tries::default() })
    }

    /// Reads the files again. If one of them has a fault, all stays as it was. Another passphrase ends all sessions
    /// and invites. An error is a sentence.
    pub fn reload(&self) -> Result<(), String> {
        let keys = Arc::new(Keys::read(&self.spec, &self.public)?);
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        if !self.is_open() {
            self.editions.next();
        }
        Ok(())
    }

    /// What the files say now, until they are read again.
    pub fn edition(&self) -> Edition {
        self.editions.now()
    }

    /// What lets in; nothing is needed if everybody may enter.
    pub fn lets_in_by(&self) -> Option<By> {
        let EntrySpec { passphrase, tokens, operators: _ } = &self.spec;
        passphrase.as_ref().map(|_| By::Passphrase).or(tokens.as_ref().map(|_| By::Token))
    }

    fn is_open(&self) -> bool {
        self.lets_in_by().is_none()
    }

    /// Gives what a request asks for, if its sender is in.
    pub fn admit(
        &self,
        head: &Head<'_>,
        parsed: Result<Intent, Refusal>,
        address: Option<IpAddr>,
    ) -> Result<Intent, Refusal> {
        // Who comes by a unix socket is on this machine.
        let address = address.unwrap_or(Ipv4Addr::LOCALHOST.into());
        if self.is_open() {
            return match parsed? {
                Intent::Invite(_) => Err(Refusal::NoInviteNeeded),
                intent if intent.is_for_operators() => self.empowered(head, intent, address),
                intent => Ok(intent),
            };
        }
        let (keys, now) = (self.keys(), Timestamp::now());
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
                token.rights.empower(&mut intent);
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
        let to = login.to.clone();
        let stranger = |why| keys.stranger(head, why, to.clone());
        match (&login.passphrase, &keys.passphrase) {
            (Some(given), Some(passphrase)) => {
                self.attempt(address, stranger, Why::WrongPassphrase, || passphrase.is(given).then_some(()))?;
                login.cookie = Some(keys.session(passphrase, after(now, SESSION), now));
                Ok(login)
            }
            (Some(_), None) => Err(Refusal::NotIn(stranger(Why::Stranger))),
            (None, _) => match self.pass(keys, head, address, now) {
                Ok(_) => Ok(login),
                Err(Refusal::NotIn(not_in)) => Err(Refusal::NotIn(NotIn { to: login.to, ..not_in })),
                Err(refusal) => Err(refusal),
            },
        }
    }

    /// What the files said when they were last read.
    fn keys(&self) -> Arc<Keys> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Where everybody is in, a token only matters for what an operator may do.
    fn empowered(&self, head: &Head<'_>, mut intent: Intent, address: IpAddr) -> Result<Intent, Refusal> {
        let keys = self.keys();
        if let (Some(operators), Some(given)) = (&keys.operators, bearer(head)) {
            // Everybody may say something, with whatever token.
            if matches!(&intent, Intent::Publish(publish) if publish.kind == Kind::Message) {
                operators.find(given).into_iter().for_each(|token| token.rights.empower(&mut intent));
                return Ok(intent);
            }
            let stranger = |why| keys.stranger(head, why, asked_for(head));
            let find = || operators.find(given).cloned();
            self.attempt(address, stranger, Why::WrongToken, find)?.rights.empower(&mut intent);
        }
        Ok(intent)
    }

    /// By what the sender is in.
    fn pass(&self, keys: &Keys, head: &Head<'_>, address: IpAddr, now: Timestamp) -> Result<Pass, Refusal> {
        let stranger = |why| keys.stranger(head, why, asked_for(head));
        let known = || keys.operators.iter().chain(&keys.tokens);
        if let Some(given) = bearer(head)
            && known().next().is_some()
        {
            let find = || known().find_map(|tokens| tokens.find(given)).cloned().map(Pass::Script);
            return self.attempt(address, stranger, Why::WrongToken, find);
        }
        let Some(passphrase) = &keys.passphrase else { return Err(Refusal::NotIn(stranger(Why::Stranger))) };
        if let Some(ends) = passphrase.session_of(head, now) {
            return Ok(Pass::Person { ends, name: String::new() });
        }
        if let Some(credentials) = credentials(head, "Basic") {
            let person = || {
                let (name, given) = basic(credentials)?;
                let ends = after(now, SESSION);
                passphrase.is(&given).then_some(Pass::Person { ends, name })
            };
            return self.attempt(address, stranger, Why::WrongPassphrase, person);
        }
        Err(Refusal::NotIn(stranger(Why::Stranger)))
    }

    /// Tries what was given. A wrong try counts, and after too many of them none is looked at for a while. `stranger`
    /// makes the refusal of somebody who is not in.
    fn attempt<T>(
        &self,
        address: IpAddr,
        stranger: impl Fn(Why) -> NotIn,
        wrong: Why,
        look: impl FnOnce() -> Option<T>,
    ) -> Result<T, Refusal> {
        let now = Instant::now();
        if let Some(wait) = self.tries.wait(address, now) {
            return Err(Refusal::TooManyTries(stranger(Why::Stranger), wait));
        }
        look().ok_or_else(|| {
            if self.tries.was_wrong(address, now) {
                tracing::warn!(%address, "too many wrong tries to come in: this address has to wait");
            }
            Refusal::NotIn(stranger(wrong))
        })
    }
}

/// Whether a stranger may have it too: what the page to log in is made of, and whether the server works. A browser asks
/// for the methods (`OPTIONS`) without saying who it is.
fn is_for_strangers(intent: &Intent) -> bool {
    matches!(intent, Intent::Asset(_) | Intent::Health | Intent::Live | Intent::Options(_))
}

/// What the request gives to be let in, if it gives it by this scheme.
fn credentials<'a>(head: &Head<'a>, scheme: &str) -> Option<&'a str> {
    let (given, credentials) = head.header("Authorization")?.split_once(' ')?;
    given.eq_ignore_ascii_case(scheme).then(|| credentials.trim())
}

/// The token that it gives.
fn bearer<'a>(head: &Head<'a>) -> Option<&'a str> {
    credentials(head, "Bearer")
}

/// The name and the passphrase in HTTP Basic.
fn basic(credentials: &str) -> Option<(String, String)> {
    let text = String::from_utf8(BASE64_STANDARD.decode(credentials).ok()?).ok()?;
    let (name, passphrase) = text.split_once(':')?;
    Some((name.to_owned(), passphrase.to_owned()))
}
