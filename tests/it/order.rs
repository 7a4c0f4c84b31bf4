//! The topic of a room, and order in it: muting, removing, slow mode and locks.

use serde_json::{Value, json};

use crate::chat::Chat;
use crate::client::{Reply, Request};
use crate::entry::{bearer, file, with_file};
use crate::harness::{Launch, wait_until};
use crate::server::Server;

on_every_setup![
    who_is_muted_reads_on_and_does_not_speak,
    who_is_removed_is_not_there,
    slow_mode_and_a_lock_hold_for_all_but_the_operator,
    rules_outlive_what_is_kept_and_a_restart,
];

on_every_engine![a_topic_is_one_line_that_anybody_sets, only_an_operator_decides];

const TOKEN: &str = "operator-0123456789";
const BOB: &str = "the-secret-key-of-bob";

fn with_operator(launch: Launch) -> (Server, tempfile::NamedTempFile) {
    let operators = file(&format!("{TOKEN} *\n"));
    (with_file(launch, "--operators-file", &operators).start(), operators)
}

/// What the operator asks for.
fn operate(chat: &Chat, what: &str, fields: &[(&str, &str)]) -> Reply {
    let id = format!("{what}-{}", fastrand::u64(..));
    let request = chat.post_to(&format!("/{what}")).form(fields).accept("application/json");
    chat.ask(&bearer(request, TOKEN).header("Idempotency-Key", &id))
}

fn says(chat: &Chat, name: &str, text: &str) -> Reply {
    let key = format!("the-secret-key-of-{name}");
    let form = [("message", text), ("name", name), ("key", key.as_str())];
    chat.ask(&chat.post().form(&form).accept("application/json"))
}

#[track_caller]
fn is_refused(reply: Reply, status: u16, kind: &str) -> Reply {
    let reply = reply.is(status);
    assert_eq!(reply.json()["type"], format!("urn:comet-chat:{kind}"));
    reply
}

#[track_caller]
fn about(chat: &Chat) -> Value {
    chat.ask(&chat.get("/about").accept("application/json")).is(200).json()
}

/// The entries that changed the rules: their kinds, whom they concern, and for how long.
#[track_caller]
fn told(chat: &Chat) -> Vec<(String, Value, Value)> {
    let kinds = "kinds=topic,muted,removed,allowed,slowed,locked,unlocked";
    let reply = chat.ask(&chat.get(&format!("?after=oldest&wait=0&{kinds}")).accept("application/json"));
    let entries = reply.is(200).json()["messages"].as_array().unwrap().clone();
    let told = |entry: &Value| {
        let kind = entry["kind"].as_str().unwrap().to_owned();
        assert!(kind == "topic" || entry["operator"] == true, "{entry}");
        (kind, entry["name"].clone(), entry["seconds"].clone())
    };
    entries.iter().map(told).collect()
}

fn who_is_muted_reads_on_and_does_not_speak(launch: Launch) {
    let (server, _operators) = with_operator(launch);
    let chat = server.chat();
    let said = chat.post().form(&[("message", "spam"), ("name", "bob"), ("key", BOB), ("id", "1")]);
    let spam = chat.ask(&said).is(200).cursor();
    let mut waiting = chat.connect();
    waiting.send(&chat.get("?after=latest&name=bob&wait=60&kinds=muted").header("Chat-Key", BOB));
    let mut seed = chat.waits("?wait=60");
    chat.wait_until_waiting(2);
    operate(&chat, "mute", &[("name", "bob")]).is(200);
    let heard = waiting.reply().is(200);
    assert_eq!((heard.text(), heard.expect_header("Chat-Kind")), ("the operator muted bob", "muted"));

    assert!(is_refused(says(&chat, "bob", "more"), 403, "muted").text().contains("you can read on"));
    // The key is that of the same person, and a name in other letters is the same name.
    let alias = chat.post().form(&[("message", "more"), ("name", "robert"), ("key", BOB)]);
    is_refused(chat.ask(&alias.accept("application/json")), 403, "muted");
    chat.ask(&chat.leave("bob").header("Chat-Key", BOB)).is(200);
    let alike = chat.post().form(&[("message", "more"), ("name", "B\u{43e}b")]).accept("application/json");
    is_refused(chat.ask(&alike), 403, "muted");
    let edit = chat.post_to("/edit").form(&[("of", spam.as_str()), ("message", "more"), ("key", BOB)]);
    is_refused(chat.ask(&edit.accept("application/json")), 403, "muted");
    let topic = chat.post_to("/topic").form(&[("topic", "more"), ("name", "bob"), ("key", BOB)]);
    is_refused(chat.ask(&topic.accept("application/json")), 403, "muted");
    // What he said before is said, and he may take it back.
    assert_eq!(chat.ask(&said).is(200).cursor(), spam);
    chat.ask(&chat.post_to("/delete").form(&[("of", spam.as_str()), ("key", BOB)])).is(200);
    says(&chat, "anna", "peace").is(200);
    // Who reads plain text is not disturbed.
    assert_eq!(seed.reply().is(200).text(), "peace");
    let muted = json!([{"name": "bob", "until": null}]);
    assert_eq!(about(&chat)["muted"], muted);

    operate(&chat, "allow", &[("name", "bob")]).is(200);
    says(&chat, "bob", "sorry").is(200);
    operate(&chat, "mute", &[("name", "bob"), ("for", "600")]).is(200);
    is_refused(says(&chat, "bob", "more"), 403, "muted");
    assert!(about(&chat)["muted"][0]["until"].is_string());
    operate(&chat, "mute", &[("name", "bob"), ("for", "1")]).is(200);
    wait_until("bob may speak again", || says(&chat, "bob", "thanks").status == 200);
    assert_eq!(about(&chat)["muted"], json!([]));
    let bob = json!("bob");
    let all = [("muted", Value::Null), ("allowed", Value::Null), ("muted", json!(600)), ("muted", json!(1))];
    assert_eq!(told(&chat), all.map(|(kind, seconds)| (kind.to_owned(), bob.clone(), seconds)));
}

fn who_is_removed_is_not_there(launch: Launch) {
    let (server, _operators) = with_operator(launch);
    let chat = server.chat();
    let other = chat.room(&format!("{}-2", chat.name()));
    let waits = |chat: &Chat, query: &str| {
        chat.get(&format!("?after=latest&wait=60{query}")).accept("application/json")
    };
    let as_bob = |request: Request| request.header("Chat-Key", BOB);
    let mut connections = [chat.connect(), chat.connect(), chat.connect()];
    connections[0].send(&as_bob(waits(&chat, "&name=bob&kinds=message")));
    connections[1].send(&as_bob(waits(&chat, "&name=bob&kinds=message")));
    connections[2].send(&waits(&chat, "&name=anna&kinds=removed"));
    chat.wait_until_waiting(3);
    wait_until("both are there", || chat.people() == ["anna", "bob"]);
    let seen = chat.cursor();
    operate(&chat, "remove", &[("name", "bob"), ("for", "600")]).is(200);
    let [one, another, anna] = &mut connections;
    for connection in [one, another] {
        assert!(is_refused(connection.reply(), 403, "removed").text().contains(" until 20"));
    }
    let heard = anna.reply().is(200).json();
    assert_eq!(
        (&heard["messages"][0]["kind"], &heard["messages"][0]["seconds"]),
        (&json!("removed"), &json!(600))
    );
    wait_until("bob has left", || chat.people() == ["anna"]);
    is_refused(chat.ask(&as_bob(waits(&chat, "&name=bob"))), 403, "removed");
    is_refused(chat.ask(&as_bob(waits(&chat, "&name=robert"))), 403, "removed");
    is_refused(chat.ask(&as_bob(waits(&chat, "&name=bob").accept("text/event-stream"))), 403, "removed");
    let rooms = format!("/chat/{},{}?after=latest&wait=60&name=bob", chat.name(), other.name());
    is_refused(chat.ask(&as_bob(Request::get(&rooms).accept("application/json"))), 403, "removed");
    is_refused(says(&chat, "bob", "let me in"), 403, "removed");
    assert_eq!((chat.people(), other.people()), (vec!["anna".to_owned()], Vec::new()));
    // Elsewhere he may be.
    says(&other, "bob", "here").is(200);
    let kinds = |entry: &Value| entry["kind"].as_str().unwrap().to_owned();
    let after = chat.ask(&chat.get(&format!("?after={seen}&wait=0")).accept("application/json")).json();
    let after: Vec<String> = after["messages"].as_array().unwrap().iter().map(kinds).collect();
    assert_eq!(after, ["removed", "left"], "what is refused leaves nothing");
    operate(&chat, "allow", &[("name", "bob")]).is(200);
    says(&chat, "bob", "back").is(200);
    assert_eq!(chat.people(), ["anna", "bob"]);
}

fn slow_mode_and_a_lock_hold_for_all_but_the_operator(launch: Launch) {
    let (server, _operators) = with_operator(launch);
    let chat = server.chat();
    says(&chat, "anna", "one").is(200);
    operate(&chat, "slow", &[("seconds", "600")]).is(200);
    says(&chat, "bob", "one").is(200);
    for name in ["anna", "bob"] {
        let slow = is_refused(says(&chat, name, "two"), 429, "slow");
        let after: u64 = slow.expect_header("Retry-After").parse().unwrap();
        assert!((500..=600).contains(&after) && slow.text().contains("slow mode"), "{slow:?}");
    }
    let nobody = chat.post().form(&[("message", "without a name")]).accept("application/json");
    chat.ask(&nobody).is(200);
    is_refused(chat.ask(&nobody), 429, "slow");
    let operator = bearer(chat.post().form(&[("message", "calm down"), ("name", "boss")]), TOKEN);
    chat.ask(&operator).is(200);
    chat.ask(&operator).is(200);
    operate(&chat, "slow", &[("seconds", "0")]).is(200);
    says(&chat, "bob", "two").is(200);

    operate(&chat, "lock", &[("notice", "The game is on.\nBack at ten.")]).is(200);
    let locked = is_refused(says(&chat, "bob", "three"), 403, "locked");
    assert!(locked.json()["detail"].as_str().unwrap().ends_with(": The game is on.\nBack at ten."));
    let topic = chat.post_to("/topic").form(&[("topic", "mine")]).accept("application/json");
    is_refused(chat.ask(&topic), 403, "locked");
    chat.ask(&bearer(topic, TOKEN)).is(200);
    chat.ask(&operator).is(200);
    // Who reads, reads, and who comes is there.
    chat.ask(&chat.get("?last=1&name=carl")).is(200);
    wait_until("carl is there", || chat.people().contains(&"carl".to_owned()));
    let found = about(&chat);
    assert_eq!(
        (&found["locked"]["text"], &found["slow"]),
        (&json!("The game is on.\nBack at ten."), &json!(0))
    );
    let plain = chat.ask(&chat.get("/about")).is(200);
    assert!(plain.text().contains(" the operator set the topic: mine\n"), "{}", plain.text());
    let page = chat.ask(&chat.get("").accept("text/html")).is(200);
    assert!(page.text().contains("The game is on."), "a browser without scripts sees why");
    operate(&chat, "unlock", &[]).is(200);
    says(&chat, "bob", "three").is(200);
    let told: Vec<String> = told(&chat).into_iter().map(|(kind, ..)| kind).collect();
    assert_eq!(told, ["slowed", "slowed", "locked", "topic", "unlocked"]);
    let past = chat.ask(&chat.get("/history").accept("application/json")).json().to_string();
    assert!(past.contains("\"locked\"") && past.contains("\"slowed\""), "the past has them: {past}");
}

fn rules_outlive_what_is_kept_and_a_restart(launch: Launch) {
    let launch = launch.with_a_home().with_flag("--keep", "2");
    let has_memory = launch.setup.store == "memory:";
    let operators = file(&format!("{TOKEN} *\n"));
    let launch = with_file(launch, "--operators-file", &operators);
    let again = launch.again();
    let chat = Chat::on(launch.start().into());
    says(&chat, "bob", "spam").is(200);
    says(&chat, "carl", "spam").is(200);
    chat.ask(&chat.post_to("/topic").form(&[("topic", "tea"), ("name", "anna")])).is(200);
    operate(&chat, "mute", &[("name", "bob")]).is(200);
    operate(&chat, "remove", &[("name", "carl"), ("for", "600")]).is(200);
    for text in ["one", "two", "three"] {
        says(&chat, "anna", text).is(200);
    }
    operate(&chat, "lock", &[("notice", "closed")]).is(200);
    let before = about(&chat);
    assert_eq!(before["topic"]["text"], "tea");
    let oldest = chat.ask(&chat.get("?after=oldest&wait=0&kinds=topic,muted").accept("application/json"));
    assert_eq!(oldest.status, 204, "the entries themselves are forgotten");
    let name = chat.name().to_owned();
    let chat = match has_memory {
        true => chat,
        false => {
            drop(chat);
            Chat::on(again.start().into()).room(&name)
        }
    };
    assert_eq!(about(&chat), before);
    is_refused(says(&chat, "bob", "spam"), 403, "muted");
    is_refused(says(&chat, "anna", "spam"), 403, "locked");
    let wait = chat.get("?after=latest&name=carl&wait=60").accept("application/json");
    is_refused(chat.ask(&wait), 403, "removed");
    let page = chat.ask(&chat.get("").accept("text/html")).is(200);
    assert!(page.text().contains("tea") && page.text().contains("closed"));
}

fn a_topic_is_one_line_that_anybody_sets(chat: Chat) {
    let set = |topic: &str| chat.post_to("/topic").form(&[("topic", topic), ("name", "anna"), ("id", "1")]);
    let first = chat.ask(&set(" Lunch at noon ")).is(200).cursor();
    assert_eq!(chat.ask(&set(" Lunch at noon ")).is(200).cursor(), first);
    is_refused(chat.ask(&set("later").accept("application/json")), 422, "id-reused");
    let found = about(&chat);
    assert_eq!((&found["topic"]["text"], &found["topic"]["name"]), (&json!("Lunch at noon"), &json!("anna")));
    assert_eq!((&found["private"], &found["operator"]), (&json!(false), &json!(false)));
    let json = chat.post_to("/topic").json(json!({"topic": "Lunch at one", "name": "anna"}));
    chat.ask(&json.header("Chat-Key", "the-secret-key-of-anna").header("Idempotency-Key", "2")).is(200);
    // It is hers now.
    let form = [("topic", "mine"), ("name", "anna"), ("key", "the-secret-key-of-mallory")];
    is_refused(chat.ask(&chat.post_to("/topic").form(&form).accept("application/json")), 409, "name-taken");
    let plain = chat.ask(&chat.get("?after=oldest&wait=0&kinds=topic"));
    assert_eq!(plain.is(200).text(), "anna set the topic: Lunch at noon");
    let history = chat.ask(&chat.get("/history")).is(200);
    assert!(history.text().ends_with(" anna set the topic: Lunch at one\n"), "{}", history.text());
    for bad in ["two\nlines", &"x".repeat(201), "\u{200b}", "\u{7}"] {
        let reply = chat.ask(&set(bad).accept("application/json"));
        is_refused(reply, 400, "bad-form");
    }
    chat.ask(&chat.post_to("/topic").form(&[("name", "anna")])).is(400);
    chat.ask(&chat.post_to("/topic").text("tea").breaking_the_rules()).is(415);
    let back =
        chat.ask(&chat.post_to("/topic").form(&[("topic", &"ü".repeat(200))]).accept("text/html")).is(303);
    assert!(back.expect_header("Location").starts_with("/chat/"));
    chat.ask(&chat.post_to("/topic").form(&[("topic", "")])).is(200);
    assert_eq!(about(&chat)["topic"], Value::Null);
    let nobody = chat.ask(&chat.get("?last=1&wait=0&kinds=topic"));
    assert_eq!(nobody.is(200).text(), "somebody took the topic away");
}

fn only_an_operator_decides(launch: Launch) {
    let operators = file(&format!("{TOKEN} lobby,talk-*\n"));
    let chat = Chat::on(with_file(launch, "--operators-file", &operators).start().into());
    let (here, elsewhere) = (chat.room("talk-1"), chat.room("work"));
    says(&here, "bob", "hi").is(200);
    let all = [
        ("mute", json!({"name": "bob", "for": 60})),
        ("remove", json!({"name": "bob", "for": "60"})),
        ("allow", json!({"name": "bob"})),
        ("slow", json!({"seconds": 5})),
        ("lock", json!({"notice": null})),
        ("unlock", json!({})),
    ];
    for (what, body) in &all {
        let request =
            |chat: &Chat| chat.post_to(&format!("/{what}")).json(body.clone()).accept("application/json");
        is_refused(chat.ask(&request(&here)), 403, "not-operator");
        is_refused(chat.ask(&bearer(request(&elsewhere), TOKEN)), 403, "not-operator");
        is_refused(chat.ask(&bearer(request(&here), "operator-9876543210")), 401, "not-in");
    }
    assert_eq!(told_nothing(&here), 0, "what is refused leaves nothing");
    for (what, body) in &all {
        let request = chat.room("talk-1").post_to(&format!("/{what}")).json(body.clone());
        chat.ask(&bearer(request, TOKEN)).is(200);
        chat.ask(&here.get(&format!("/{what}"))).is(405);
    }
    for (what, fields) in [
        ("mute", &[][..]),
        ("mute", &[("name", "bob"), ("for", "0")]),
        ("mute", &[("name", "bob"), ("for", "forever")]),
        ("remove", &[("name", " ")]),
        ("allow", &[]),
        ("slow", &[]),
        ("slow", &[("seconds", "3601")]),
        ("slow", &[("seconds", "-1")]),
        ("lock", &[("notice", &*"x".repeat(1001))]),
    ] {
        is_refused(operate(&here, what, fields), 400, "bad-form");
    }
    // A browser is asked whether the token is good before it keeps it.
    let about = |chat: &Chat| chat.get("/about").accept("application/json");
    assert_eq!(chat.ask(&bearer(about(&here), TOKEN)).is(200).json()["operator"], true);
    assert_eq!(chat.ask(&bearer(about(&elsewhere), TOKEN)).is(200).json()["operator"], false);
    chat.ask(&bearer(about(&here), "operator-9876543210")).is(401);
    for n in 0..200 {
        operate(&here, "mute", &[("name", &format!("troll {n}"))]).is(200);
    }
    is_refused(operate(&here, "mute", &[("name", "one more")]), 409, "too-many-barred");
    operate(&here, "remove", &[("name", "troll 7")]).is(200);
}

fn told_nothing(chat: &Chat) -> usize {
    let reply = chat.ask(
        &chat
            .get("?after=oldest&wait=0&kinds=muted,removed,allowed,slowed,locked,unlocked")
            .accept("application/json"),
    );
    if reply.status == 204 { 0 } else { reply.json()["messages"].as_array().unwrap().len() }
}
