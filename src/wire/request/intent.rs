//! Intents: what a request asks for.

use std::time::Duration;

use super::accept::Exposition;
use super::format::Format;
use super::range::PartAsked;
use super::wait::spread;
use crate::clock::Timestamp;
use crate::config::STREAM_BEAT;
use crate::message::{
    Claim, Cursor, Draft, Holder, Kind, Person, PersonName, RoomName, RoomPatterns, SendId, Upload, Words,
};
use crate::page::Language;
use crate::room::{After, Subscription, Wants};
use crate::store::{Order, Part, Start};

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intent {
    /// Wait for the next messages.
    Poll(Poll),
    /// Wait for messages again and again, on one connection.
    Stream(Poll),
    /// Publish a message, edit or delete one, or change the rules of a room.
    Publish(Publish),
    /// Look at the past, of a room or for some words, or at what is in force there.
    Past(Past),
    /// Look who is in a room.
    People(RoomName),
    /// Leave a room.
    Leave(Leave),
    /// Look which rooms there are.
    Rooms(ListRooms),
    /// Have a private room of one's own.
    NewRoom(NewRoom),
    /// The server's figures, for a monitor.
    Metrics(Exposition),
    /// The web page of a room.
    Page(View),
    /// A file of the web page.
    Asset(Fetch),
    /// A room's address as a QR code.
    Code(View),
    /// Log in, or be let in by an invite.
    Login(Login),
    /// Invite somebody to a room.
    Invite(View),
    /// Whether the server works.
    Health,
    /// Whether the process answers, even if nothing else works.
    Live,
    /// The help in plain text.
    Help,
    /// The description of the wire for programs.
    Description,
    /// What leads to the page of a room: `/`, and several rooms in a browser.
    Elsewhere(RoomName),
    /// `OPTIONS`, with the methods that the address allows.
    Options(&'static str),
}

impl Intent {
    /// Lets it use any name: names are free here, or somebody who knows the person vouches for the name. Without an
    /// author of its own, what is said is by the holder of the key, if there is one.
    pub fn vouch(&mut self, author: Option<Holder>) {
        if let Some(claim) = self.claim().filter(|claim| !claim.is_operator()) {
            *claim = Claim::Vouched(author.or(claim.author()));
        }
    }

    /// Whether an operator may ask for it where others may not.
    pub fn is_for_operators(&self) -> bool {
        matches!(self, Intent::Publish(_) | Intent::Past(Past::About(_)))
    }

    /// Has it be done as the operator's.
    pub fn empower(&mut self) {
        match self {
            Intent::Publish(publish) => publish.claim = Claim::Operator(publish.claim.author()),
            Intent::Past(Past::About(about)) => about.is_operator = true,
            _ => {}
        }
    }

    /// Whether only an operator may have it, and its sender is none.
    pub fn lacks_an_operator(&self) -> bool {
        matches!(self, Intent::Publish(publish) if publish.kind.is_for_operators() && !publish.claim.is_operator())
    }

    /// By what right it is asked for, if that matters.
    fn claim(&mut self) -> Option<&mut Claim> {
        match self {
            Intent::Poll(poll) | Intent::Stream(poll) => Some(&mut poll.claim),
            Intent::Publish(publish) => Some(&mut publish.claim),
            Intent::Leave(leave) => Some(&mut leave.who.claim),
            _ => None,
        }
    }
}

/// A wait for the next messages of a room, or of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Poll {
    /// Where: one room or several, each once.
    pub rooms: Vec<RoomName>,
    /// From where on in each of them.
    pub after: Vec<After>,
    /// Whether the client has a cursor or asks for one. If not, this is the protocol of 2008: the next message
    /// from now on, or 404.
    pub follows: bool,
    /// Start with the newest messages, so many, in the place of `after`.
    pub last: Option<usize>,
    /// Which messages, and how many of them: in one reply, or in all of a stream.
    pub wants: Wants,
    /// How long.
    pub hold: Duration,
    /// How long the client asked for by `Prefer`; then the reply confirms it.
    pub preferred: Option<Duration>,
    /// Who.
    pub name: Option<PersonName>,
    /// By what right.
    pub claim: Claim,
    /// In which of the rooms this person is present, if not in all.
    pub present: Option<Vec<RoomName>>,
    /// How to answer.
    pub format: Format,
    /// The parameters that `next` repeats: `&wait=5&name=anna&limit=9`, or nothing.
    pub kept: String,
}

impl Poll {
    /// Whether it is a wait in more than one room.
    pub fn is_in_several(&self) -> bool {
        self.rooms.len() > 1
    }

    /// Who waits.
    fn who(&self) -> Option<Person> {
        self.name.clone().map(|name| Person { name, claim: self.claim })
    }

    /// In which of the rooms the person is present.
    pub fn present_in(&self) -> &[RoomName] {
        self.present.as_ref().unwrap_or(&self.rooms)
    }

    /// What it asks a room for, in which the person is present.
    pub fn subscription(&self, after: After) -> Subscription {
        Subscription { after, wants: self.wants, who: self.who() }
    }

    /// What it asks one of several rooms for. The person may not be present there.
    pub fn subscription_in(&self, room: &RoomName, after: After) -> Subscription {
        let who = self.who().filter(|_| self.present_in().contains(room));
        Subscription { who, ..self.subscription(after) }
    }

    /// Where the person is to be present, if that is in more than one of these rooms: each is asked first whether it
    /// admits the person. So a refusal by one leaves nothing behind in the others.
    pub fn present_in_several<'a, R>(&self, rooms: &'a [R]) -> impl Iterator<Item = (&'a R, Person)> {
        let who = self.who().filter(|_| self.present_in().len() > 1);
        let places = self.rooms.iter().zip(rooms).filter(|(room, _)| self.present_in().contains(room));
        places.filter_map(move |(_, room)| Some((room, who.clone()?)))
    }

    /// Whether one who waits so long changes nothing: it only looks what there is.
    pub fn only_looks(&self, hold: Duration) -> bool {
        hold.is_zero() && self.name.is_none()
    }

    /// After what time without a message a stream sends its next beat.
    pub fn beat(&self) -> Duration {
        spread(STREAM_BEAT)
    }
}

/// A request for a part of a room's past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// Where.
    pub room: RoomName,
    /// Which part.
    pub part: Part,
    /// At most this many messages.
    pub limit: usize,
    /// How to answer.
    pub format: Format,
}

impl History {
    /// How many messages to read. If the part is what came last, one more shows whether there is an older one.
    pub fn reads(&self) -> usize {
        self.limit + usize::from(matches!(self.part, Part::Newest | Part::Before(_)))
    }
}

/// A look at the past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Past {
    /// At a part of it.
    Part(History),
    /// For what was said in some words.
    Search(Search),
    /// At what is in force: the topic, and what the operator has decided.
    About(About),
    /// At the file of a message.
    File(FileAsked),
}

impl Past {
    /// Of which rooms.
    pub fn rooms(&self) -> &[RoomName] {
        match self {
            Past::Part(history) => std::slice::from_ref(&history.room),
            Past::Search(search) => &search.rooms,
            Past::About(about) => std::slice::from_ref(&about.room),
            Past::File(asked) => std::slice::from_ref(&asked.room),
        }
    }
}

/// A look at the rules of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Which room.
    pub room: RoomName,
    /// Whether its operator asks.
    pub is_operator: bool,
    /// How to answer.
    pub format: Format,
}

/// A private room that somebody wants to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRoom {
    /// The room, by a name that nobody else knows, and how its address is seen.
    pub view: View,
    /// How to answer.
    pub format: Format,
}

/// A request for the file of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileAsked {
    /// Where.
    pub room: RoomName,
    /// The message.
    pub of: Cursor,
    /// The versions that the client has: `If-None-Match`.
    pub known: Known,
    /// The part of it that is enough: `Range`.
    pub part: Option<PartAsked>,
}

/// A search in a room, or in several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// Where: one room or several, each once.
    pub rooms: Vec<RoomName>,
    /// What for.
    pub words: Words,
    /// From where on back in each of the rooms.
    pub starts: Vec<Start>,
    /// At most this many messages, of all rooms together.
    pub limit: usize,
    /// How to answer.
    pub format: Format,
    /// The parameters that the address of the next page repeats: `q=lunch&limit=20`.
    pub kept: String,
}

/// A message to a room, or a change of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publish {
    /// Where.
    pub room: RoomName,
    /// What kind of entry it becomes.
    pub kind: Kind,
    /// Who.
    pub name: Option<PersonName>,
    /// By what right.
    pub claim: Claim,
    /// What.
    pub text: String,
    /// The message that it answers or changes.
    pub of: Option<Cursor>,
    /// The file that comes with it.
    pub file: Option<Upload>,
    /// The sender's own name for it.
    pub send_id: Option<SendId>,
    /// How to answer.
    pub format: Format,
}

impl Publish {
    /// What is to be stored of it.
    pub fn draft(&self) -> Draft {
        // A change bears the name that the message has.
        let name = self.name.clone().filter(|_| !self.kind.is_change());
        let said = Draft::said(name, self.claim, &self.text, self.send_id.clone());
        Draft { kind: self.kind, of: self.of, file: self.file.clone(), ..said }
    }
}

/// A room that is opened in a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Where.
    pub room: RoomName,
    /// In which language.
    pub language: Language,
    /// The name in the form, for a browser without scripts.
    pub name: Option<PersonName>,
    /// Whether a proxy has told this name, and nobody can change it.
    pub is_told: bool,
    /// Whether only the list of messages is wanted, for a frame in a page without scripts.
    pub backlog: bool,
    /// Whether the browser has the files of the page.
    pub has_files: bool,
    /// The name by which the browser reached this server: `Host`.
    pub host: Option<String>,
    /// Scheme, host and port in the browser's address bar, as the page's script says.
    pub origin: Option<String>,
    /// What lets others in who are given the room's address, if it takes anything.
    pub invite: Option<Invite>,
}

/// What lets somebody in for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    /// The value of the parameter `invite`.
    pub token: String,
    /// Until when.
    pub ends: Timestamp,
}

/// Somebody comes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// What was given as the passphrase.
    pub passphrase: Option<String>,
    /// Where the browser goes then: a path of this server.
    pub to: String,
    /// The cookie of the session, if one begins.
    pub cookie: Option<String>,
}

impl Login {
    /// Nobody is let in yet. A browser that is sent to another site, by a link that names it, goes to the lobby.
    pub fn to(to: Option<String>, passphrase: Option<String>) -> Login {
        let is_here = |to: &String| {
            let path = to.strip_prefix('/');
            path.is_some_and(|path| {
                !path.starts_with(['/', '\\']) && to.bytes().all(|b| b.is_ascii_graphic())
            })
        };
        Login { passphrase, to: to.filter(is_here).unwrap_or_else(|| "/".to_owned()), cookie: None }
    }
}

/// A file of the web page, and which versions of it the browser has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// Its name under `/page/`.
    pub name: String,
    /// Whether the browser accepts gzip.
    pub gzip: bool,
    /// The versions that the browser has: `If-None-Match`.
    pub known: Known,
}

/// The versions of something that a client has; `*` is any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known(pub Vec<String>);

impl Known {
    /// Whether it has this version. A proxy may have weakened its tag.
    pub fn has(&self, etag: &str) -> bool {
        self.0.iter().any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == etag)
    }
}

/// A request for a part of the list of rooms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListRooms {
    /// In what order.
    pub order: Order,
    /// Only these, for one who may read no others.
    pub among: Option<RoomPatterns>,
    /// The part begins after this room.
    pub after: Option<RoomName>,
    /// At most this many rooms.
    pub limit: usize,
    /// How to answer.
    pub format: Format,
}

/// A person leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leave {
    /// Where.
    pub room: RoomName,
    /// Who.
    pub who: Person,
    /// How long to wait before it: the person who comes back within this time never left.
    pub wait: Duration,
}
