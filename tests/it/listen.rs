//! Where the server listens: at several places at once, by a Unix socket, and by sockets that were handed over.

use std::fs;
use std::io;
use std::net::{Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread;

use tempfile::TempDir;

use crate::chat::Chat;
use crate::client::Connection;
use crate::harness::Launch;
use crate::raw;
use crate::server::Server;

on_every_engine![
    it_listens_at_several_places_at_once,
    by_a_unix_socket_the_chat_works,
    by_a_unix_socket_a_request_behind_a_wait_ends_it,
    by_a_unix_socket_nothing_is_read_behind_a_body_that_was_refused,
    by_a_unix_socket_a_client_that_leaves_frees_its_place,
    only_who_may_open_the_socket_s_file_is_let_in,
    the_socket_s_file_is_removed_at_the_end_and_replaced_after_a_kill,
    a_socket_on_which_somebody_listens_is_left_to_them,
    sockets_that_were_handed_over_are_used_in_the_place_of_others,
    what_was_handed_over_must_listen,
];

/// A server that listens by a Unix socket as well.
struct ByUnix {
    server: Server,
    path: PathBuf,
    _directory: TempDir,
}

impl ByUnix {
    fn start(launch: Launch) -> ByUnix {
        let directory = TempDir::new().expect("a directory");
        let path = directory.path().join("chat.sock");
        let server = launch.with_flag("--listen", &format!("unix:{}", path.display())).start();
        ByUnix { server, path, _directory: directory }
    }

    /// A room that is reached by the Unix socket.
    fn chat(&self) -> Chat {
        Chat::at(forwarded(&self.path))
    }
}

/// An address at which connections are passed on to a Unix socket, so that every client of this suite can come by one.
fn forwarded(path: &Path) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let path = path.to_owned();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = UnixStream::connect(&path) else { continue };
            pass_on(client, server).expect("two threads");
        }
    });
    address
}

fn pass_on(client: TcpStream, server: UnixStream) -> io::Result<()> {
    let (mut up, mut into_server) = (client.try_clone()?, server.try_clone()?);
    let (mut down, mut into_client) = (server, client);
    thread::spawn(move || {
        let _ = io::copy(&mut up, &mut into_server);
        let _ = into_server.shutdown(Shutdown::Write);
    });
    thread::spawn(move || {
        let _ = io::copy(&mut down, &mut into_client);
        let _ = into_client.shutdown(Shutdown::Both);
    });
    Ok(())
}

fn it_listens_at_several_places_at_once(launch: Launch) {
    let has_v6 = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok();
    let launch = launch.with_flag("--listen", "127.0.0.1:0").with_flag("--listen", "localhost:0");
    let ByUnix { server, path, _directory } =
        ByUnix::start(if has_v6 { launch.with_flag("--listen", "[::1]:0") } else { launch });
    let addresses = server.addresses();
    assert_eq!(addresses.len(), if has_v6 { 5 } else { 3 }, "{addresses:?}");
    assert_eq!(server.lines_with(&format!("unix:{}", path.display())), 1);
    let name = Chat::at(addresses[0]).name().to_owned();
    let mut doors: Vec<Chat> = addresses.into_iter().map(|address| Chat::at(address).room(&name)).collect();
    doors.push(Chat::at(forwarded(&path)).room(&name));
    let mut followers: Vec<_> = doors.iter().map(Chat::follower).collect();
    let texts: Vec<String> = (0..doors.len()).map(|n| format!("by door {n}")).collect();
    for (door, text) in doors.iter().zip(&texts) {
        door.says(text);
    }
    for follower in &mut followers {
        assert_eq!(follower.hears(texts.len()), texts);
    }
}

fn by_a_unix_socket_the_chat_works(launch: Launch) {
    let by_unix = ByUnix::start(launch);
    let chat = by_unix.chat();
    let mut waits = chat.waits("?wait=30");
    chat.says_to(1, "by a file");
    assert_eq!(waits.reply().is(200).text(), "by a file");
    let mut events = chat.events("?after=latest", &[]);
    // The first event only says where the stream begins.
    events.next();
    let long = "x".repeat(60_000);
    for text in ["as it happens", &long] {
        chat.says(text);
        assert_eq!(events.next().message()["text"], text);
    }
    let mut followers: Vec<_> = (0..20).map(|_| chat.follower()).collect();
    let texts: Vec<String> = (0..20).map(|n| format!("message {n}")).collect();
    texts.iter().for_each(|text| drop(chat.says(text)));
    for follower in &mut followers {
        assert_eq!(follower.hears(texts.len()), texts);
    }
}

fn by_a_unix_socket_a_request_behind_a_wait_ends_it(launch: Launch) {
    let by_unix = ByUnix::start(launch);
    let chat = by_unix.chat();
    let mut connection = chat.connect();
    connection.send(&chat.get("?after=latest&wait=60"));
    connection.send(&chat.post().text("behind it"));
    connection.reply().is(204);
    connection.reply().is(200);
}

/// The second request stood in the body of the first.
fn by_a_unix_socket_nothing_is_read_behind_a_body_that_was_refused(launch: Launch) {
    let by_unix = ByUnix::start(launch);
    let chat = by_unix.chat();
    let start = chat.cursor();
    let mut connection = chat.connect();
    let hidden = chat.post().text("hidden").bytes();
    let mut bytes = raw::post(&chat, "Content-Length: 5\r\nContent-Length: 6", "");
    bytes.extend_from_slice(&hidden);
    connection.send_bytes(&bytes);
    connection.reply().is(400);
    let next = connection.try_reply();
    assert!(next.is_err(), "something else was answered: {next:?}");
    assert_eq!(chat.cursor(), start, "what stood in the body was carried out");
}

fn by_a_unix_socket_a_client_that_leaves_frees_its_place(launch: Launch) {
    let by_unix = ByUnix::start(launch);
    let chat = by_unix.chat();
    let waits = chat.waits("?after=latest&wait=60");
    chat.wait_until_waiting(1);
    drop(waits);
    chat.wait_until_waiting(0);
}

/// Where one engine passes a Unix socket's bytes on to a port of its own, nobody else is answered there.
fn only_who_may_open_the_socket_s_file_is_let_in(launch: Launch) {
    let by_unix = ByUnix::start(launch);
    let mode = fs::metadata(&by_unix.path).expect("the file").permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    let chat = by_unix.chat();
    let start = chat.cursor();
    let own = by_unix.server.address();
    let others = by_unix.server.listens_at().into_iter().filter(|address| *address != own);
    let mut strangers: Vec<Connection> = others.map(Connection::open).collect();
    for stranger in &mut strangers {
        stranger.send(&chat.post().text("by the back door"));
    }
    chat.says("by the front door");
    assert!(!strangers.iter().any(Connection::has_something), "a stranger was answered");
    let mut follower = chat.follower_from(&start);
    assert_eq!(follower.follow_until(1)[0].text, "by the front door");
}

fn the_socket_s_file_is_removed_at_the_end_and_replaced_after_a_kill(launch: Launch) {
    let again = launch.again();
    let ByUnix { mut server, path, _directory } = ByUnix::start(launch);
    let place = format!("unix:{}?mode=600", path.display());
    server.signal("KILL");
    server.exits();
    assert!(path.exists(), "nobody could remove it");
    let mut server = again.with_flag("--listen", &place).start();
    assert_eq!(fs::metadata(&path).expect("the file").permissions().mode() & 0o777, 0o600);
    Chat::at(forwarded(&path)).says("it is replaced");
    server.signal("TERM");
    assert!(server.exits().success());
    assert!(!path.exists());
}

fn a_socket_on_which_somebody_listens_is_left_to_them(launch: Launch) {
    let again = launch.again();
    let by_unix = ByUnix::start(launch);
    let place = format!("unix:{}", by_unix.path.display());
    let said = again.with_flag("--listen", &place).refuses();
    assert!(said.contains(&format!("can't listen on {place}")), "{said}");
    by_unix.chat().says("the first one still listens");
}

fn sockets_that_were_handed_over_are_used_in_the_place_of_others(launch: Launch) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let by_tcp = launch.again().with_socket(listener.into()).start();
    assert_eq!(by_tcp.addresses(), [address], "it listens there alone");
    by_tcp.chat().says("by a port that was handed over");

    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("handed.sock");
    let listener = UnixListener::bind(&path).expect("a socket");
    let mut by_unix = launch.with_socket(listener.into()).start();
    Chat::at(forwarded(&path)).says("by a socket that was handed over");
    by_unix.signal("TERM");
    assert!(by_unix.exits().success());
    assert!(path.exists(), "it belongs to whoever handed it over");
}

fn what_was_handed_over_must_listen(launch: Launch) {
    let pair = UnixStream::pair().expect("two sockets");
    let said = launch.with_socket(pair.0.into()).refuses();
    assert!(said.contains("LISTEN_FDS"), "{said}");
}
