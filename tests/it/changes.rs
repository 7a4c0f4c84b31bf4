//! Editing and deleting what was said, and answering it.

use serde_json::{Value, json};

use crate::chat::Chat;
use crate::client::{Reply, Request};
use crate::harness::Launch;

on_every_setup![
    an_edit_is_told_in_the_order_and_the_past_shows_the_new_text,
    a_deleted_text_is_gone_and_its_place_stays,
    only_its_sender_changes_a_message,
    what_is_not_there_is_not_changed_and_leaves_nothing,
    of_several_edits_only_the_last_text_is_kept,
    a_change_under_one_id_is_made_once,
    an_answer_names_the_message_that_it_answers,
    who_reads_plain_text_is_not_disturbed,
    changes_stay_when_the_server_is_started_again,
];

on_every_engine![
    a_change_needs_what_it_says,
    changes_come_in_every_form,
    where_names_are_free_the_key_still_tells_whose_it_is
];

const ANNA: &str = "the-secret-key-of-anna";
const MALLORY: &str = "the-secret-key-of-mallory";

/// Anna says something with her key, and its id comes back.
#[track_caller]
fn says(chat: &Chat, text: &str) -> String {
    let said = chat.post().form(&[("message", text), ("name", "anna"), ("key", ANNA)]);
    chat.ask(&said).is(200).cursor()
}

fn edit(chat: &Chat, key: &str, of: &str, text: &str) -> Request {
    chat.post_to("/edit").form(&[("of", of), ("message", text), ("key", key)]).accept("application/json")
}

fn delete(chat: &Chat, key: &str, of: &str) -> Request {
    chat.post_to("/delete").form(&[("of", of), ("key", key)]).accept("application/json")
}

/// What a reader gets who comes from a cursor, without the people who come and go.
#[track_caller]
fn after(chat: &Chat, cursor: &str) -> Vec<Value> {
    let query = format!("?after={cursor}&wait=0&kinds=message,edited,deleted");
    let reply = chat.ask(&chat.get(&query).accept("application/json"));
    if reply.status == 204 { Vec::new() } else { reply.json()["messages"].as_array().unwrap().clone() }
}

#[track_caller]
fn history(chat: &Chat) -> Vec<Value> {
    let reply = chat.ask(&chat.get("/history").accept("application/json")).is(200).json();
    let messages = reply["messages"].as_array().unwrap().iter();
    messages.filter(|message| message["kind"] == "message").cloned().collect()
}

#[track_caller]
fn is_refused(reply: Reply, status: u16, kind: &str) {
    assert_eq!(reply.is(status).json()["type"], format!("urn:comet-chat:{kind}"));
}

fn an_edit_is_told_in_the_order_and_the_past_shows_the_new_text(chat: Chat) {
    let hello = says(&chat, "helo");
    let mut waiting = chat.connect();
    waiting.send(&chat.get(&format!("?after={hello}&wait=60")).accept("application/json"));
    chat.wait_until_waiting(1);
    let edited = chat.ask(&edit(&chat, ANNA, &hello, "hello")).is(200).json();
    assert_eq!(edited["delivered"], 1);
    let heard = waiting.reply().is(200).json();
    let [told] = &after(&chat, &hello)[..] else { panic!("one entry is after it") };
    assert_eq!(heard["messages"], json!([told]));
    assert_eq!(
        (&told["kind"], &told["of"], &told["text"]),
        (&json!("edited"), &json!(hello), &json!("hello"))
    );
    assert_eq!((&told["name"], &told["id"]), (&json!("anna"), &edited["id"]));
    let [shown] = &history(&chat)[..] else { panic!("one message was said") };
    assert_eq!(
        (&shown["id"], &shown["text"], &shown["edited"]),
        (&json!(hello), &json!("hello"), &told["at"])
    );
    // Whoever comes from before it gets it as it is now, from what the room remembers and from the store.
    for cursor in ["oldest", &hello] {
        let all = after(&chat, cursor);
        assert!(all.iter().all(|message| message["text"] == "hello"), "{all:?}");
    }
    let plain = chat.ask(&chat.get("/history"));
    assert!(plain.text().ends_with("anna: hello (edited)\n"), "{:?}", plain.text());
}

fn a_deleted_text_is_gone_and_its_place_stays(chat: Chat) {
    let before = says(&chat, "before");
    let secret = says(&chat, "secret");
    chat.ask(&edit(&chat, ANNA, &secret, "more secret")).is(200);
    says(&chat, "behind");
    chat.ask(&delete(&chat, ANNA, &secret)).is(200);
    let all = after(&chat, "oldest");
    let kinds: Vec<&str> = all.iter().map(|message| message["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["message", "message", "edited", "message", "deleted"]);
    assert!(!json!(all).to_string().contains("secret"), "{all:?}");
    assert_eq!((&all[1]["id"], &all[1]["deleted"]), (&json!(secret), &all[4]["at"]));
    assert_eq!((&all[4]["of"], &all[4]["text"]), (&json!(secret), &json!("")));
    assert_eq!(after(&chat, &before)[0], all[1], "cursors stay right");
    assert_eq!(history(&chat).len(), 3);
    let plain = chat.ask(&chat.get("/history"));
    assert!(plain.text().contains("anna: (deleted)\n"), "{:?}", plain.text());
    is_refused(chat.ask(&edit(&chat, ANNA, &secret, "back again")), 404, "no-message");
    is_refused(chat.ask(&delete(&chat, ANNA, &secret)), 404, "no-message");
}

fn only_its_sender_changes_a_message(chat: Chat) {
    let hers = says(&chat, "mine");
    let nobody_s = chat.ask(&chat.post().form(&[("message", "nobody's"), ("name", "bob")])).is(200).cursor();
    for (key, of) in [(MALLORY, &hers), (MALLORY, &nobody_s), (ANNA, &nobody_s)] {
        is_refused(chat.ask(&edit(&chat, key, of, "stolen")), 403, "not-yours");
        is_refused(chat.ask(&delete(&chat, key, of)), 403, "not-yours");
    }
    // Without a key, and under her name.
    let form = [("of", hers.as_str()), ("message", "stolen"), ("name", "anna")];
    is_refused(chat.ask(&chat.post_to("/edit").form(&form).accept("application/json")), 403, "not-yours");
    let texts: Vec<Value> = history(&chat).iter().map(|message| message["text"].clone()).collect();
    assert_eq!(texts, ["mine", "nobody's"]);
    assert_eq!(after(&chat, &nobody_s), Vec::<Value>::new(), "what is refused leaves nothing");
    // It is hers whatever she is called now.
    chat.ask(&chat.leave("anna").header("Chat-Key", ANNA)).is(200);
    let form = [("of", hers.as_str()), ("message", "still mine"), ("name", "annabel")];
    chat.ask(&chat.post_to("/edit").form(&form).header("Chat-Key", ANNA)).is(200);
    assert_eq!(history(&chat)[0]["text"], "still mine");
    assert_eq!(after(&chat, &nobody_s)[0]["name"], "anna", "a change bears the name that the message has");
}

fn what_is_not_there_is_not_changed_and_leaves_nothing(chat: Chat) {
    let empty = chat.room(&format!("{}-2", chat.name()));
    let elsewhere = says(&chat, "in another room");
    for of in ["00000001-1-00000001", elsewhere.as_str()] {
        is_refused(chat.ask(&edit(&empty, ANNA, of, "hi")), 404, "no-message");
        is_refused(chat.ask(&delete(&empty, ANNA, of)), 404, "no-message");
    }
    let rooms = chat.ask(&Request::get("/rooms?limit=500").accept("application/json")).json();
    let rooms = rooms["rooms"].as_array().unwrap();
    assert!(!rooms.iter().any(|room| room["room"] == empty.name() && room["latest"] != Value::Null));
    assert_eq!(after(&empty, "oldest"), Vec::<Value>::new());
    // What is no message has no text to change.
    let joined = chat.ask(&chat.get("?after=oldest&wait=0&kinds=joined").accept("application/json")).json();
    let joined = joined["messages"][0]["id"].as_str().unwrap().to_owned();
    is_refused(chat.ask(&edit(&chat, ANNA, &joined, "hi")), 404, "no-message");
}

fn of_several_edits_only_the_last_text_is_kept(chat: Chat) {
    let hello = says(&chat, "one");
    for text in ["two", "three"] {
        chat.ask(&edit(&chat, ANNA, &hello, text)).is(200);
    }
    let texts: Vec<Value> = after(&chat, "oldest").iter().map(|message| message["text"].clone()).collect();
    assert_eq!(texts, ["three", "", "three"]);
}

fn a_change_under_one_id_is_made_once(chat: Chat) {
    let hello = says(&chat, "helo");
    let change = |text| {
        let form = [("of", hello.as_str()), ("message", text), ("key", ANNA), ("id", "change-1")];
        chat.post_to("/edit").form(&form).accept("application/json")
    };
    let first = chat.ask(&change("hello")).is(200).json();
    assert_eq!(chat.ask(&change("hello")).is(200).json()["id"], first["id"]);
    is_refused(chat.ask(&change("hullo")), 422, "id-reused");
    let said = chat.post().form(&[("message", "hello"), ("key", ANNA), ("id", "change-1")]);
    is_refused(chat.ask(&said.accept("application/json")), 422, "id-reused");
    assert_eq!(after(&chat, &hello).len(), 1);
}

fn an_answer_names_the_message_that_it_answers(chat: Chat) {
    let question = says(&chat, "who comes?");
    let form = [("message", "I do"), ("reply_to", question.as_str())];
    chat.ask(&chat.post().form(&form)).is(200);
    chat.ask(&chat.post().json(json!({"message": "I too", "reply_to": question}))).is(200);
    chat.ask(&chat.post_to(&format!("?reply_to={question}")).text("and I")).is(200);
    chat.ask(&chat.post().json(json!({"message": "no answer", "reply_to": null}))).is(200);
    let said = after(&chat, &question);
    let answered: Vec<&Value> = said.iter().map(|message| &message["reply_to"]).collect();
    assert_eq!(answered, [&json!(question), &json!(question), &json!(question), &Value::Null]);
    assert_eq!(history(&chat)[1]["reply_to"], json!(question));
    // Deleted, it is answered nevertheless; of another life of the store, it is nothing.
    chat.ask(&delete(&chat, ANNA, &question)).is(200);
    assert_eq!(history(&chat)[1]["reply_to"], json!(question));
    let other = chat.post().form(&[("message", "hm"), ("reply_to", "00000001-1-00000001")]);
    chat.ask(&other).is(200);
    assert_eq!(history(&chat).last().unwrap()["reply_to"], Value::Null);
}

fn who_reads_plain_text_is_not_disturbed(chat: Chat) {
    let hello = says(&chat, "helo");
    let mut seed = chat.waits("?wait=60");
    let mut follower = chat.connect();
    follower.send(&chat.get(&format!("?after={hello}&wait=60")));
    chat.wait_until_waiting(2);
    chat.ask(&edit(&chat, ANNA, &hello, "hello")).is(200);
    chat.ask(&delete(&chat, ANNA, &hello)).is(200);
    says(&chat, "next");
    assert_eq!(seed.reply().is(200).text(), "next");
    assert_eq!(follower.reply().is(200).text(), "next");
    // Whoever asks for changes gets them in plain text too.
    let asked = chat.ask(&chat.get(&format!("?after={hello}&wait=0&kinds=deleted"))).is(200);
    assert_eq!((asked.text(), asked.expect_header("Chat-Kind")), ("anna deleted", "deleted"));
    assert_eq!(asked.expect_header("Chat-Of"), hello);
}

fn changes_stay_when_the_server_is_started_again(launch: Launch) {
    let launch = launch.with_a_home();
    let again = launch.again();
    let has_memory = launch.setup.store == "memory:";
    let chat = Chat::on(launch.start().into());
    let hello = says(&chat, "helo");
    let secret = says(&chat, "secret");
    chat.ask(&edit(&chat, ANNA, &hello, "hello")).is(200);
    chat.ask(&delete(&chat, ANNA, &secret)).is(200);
    let before = after(&chat, "oldest");
    let name = chat.name().to_owned();
    drop(chat);
    if has_memory {
        return;
    }
    let server = Chat::on(again.start().into());
    let chat = server.room(&name);
    assert_eq!(after(&chat, "oldest"), before);
    let finds = |words: &str| {
        let search = chat.get(&format!("/history?q={words}")).accept("application/json");
        chat.ask(&search).is(200).json()["messages"].as_array().expect("messages").len()
    };
    assert_eq!((finds("hello"), finds("helo"), finds("secret")), (1, 0, 0));
    chat.ask(&edit(&chat, ANNA, &hello, "hello again")).is(200);
    is_refused(chat.ask(&delete(&chat, ANNA, &secret)), 404, "no-message");
}

fn a_change_needs_what_it_says(chat: Chat) {
    let hello = says(&chat, "hello");
    for request in [
        chat.post_to("/edit").form(&[("message", "hi"), ("key", ANNA)]),
        chat.post_to("/delete").form(&[("key", ANNA)]),
        chat.post_to("/delete").json(json!({"key": ANNA})),
    ] {
        is_refused(chat.ask(&request.accept("application/json").breaking_the_rules()), 400, "bad-form");
    }
    let no_cursor = edit(&chat, ANNA, "yesterday", "hi").breaking_the_rules();
    is_refused(chat.ask(&no_cursor), 400, "bad-cursor");
    is_refused(chat.ask(&edit(&chat, ANNA, &hello, " \u{200b}").breaking_the_rules()), 400, "empty-message");
    chat.ask(&chat.get("/edit")).is(405);
    let text = chat.post_to(&format!("/edit?of={hello}")).text("by text").header("Chat-Key", ANNA);
    chat.ask(&text).is(200);
    // A browser without scripts is sent back to the page.
    let form = chat.post_to("/edit").form(&[("of", &hello), ("message", "by a form"), ("key", ANNA)]);
    let back = chat.ask(&form.accept("text/html")).is(303);
    assert!(back.expect_header("Location").starts_with("/chat/"));
    chat.ask(&chat.post_to("/delete").json(json!({"of": hello, "key": ANNA}))).is(200);
    assert_eq!(history(&chat).len(), 1);
}

fn changes_come_in_every_form(chat: Chat) {
    let hello = says(&chat, "hello");
    let edit = chat.post_to("/edit").json(json!({"of": hello, "message": "one"}));
    let first = edit.clone().header("Chat-Key", ANNA).header("Idempotency-Key", "edit-1");
    let first = chat.ask(&first).is(200).cursor();
    let again = chat.post_to(&format!("/edit?of={hello}&id=edit-1")).text("one").header("Chat-Key", ANNA);
    assert_eq!(chat.ask(&again).is(200).cursor(), first);
    assert!(chat.ask(&edit).is(403).text().contains("not yours"));
    let delete =
        |query: &str| chat.post_to(&format!("/delete?of={hello}{query}")).text("").header("Chat-Key", ANNA);
    let gone = chat.ask(&delete("&id=delete-1")).is(200).cursor();
    let again = delete("").header("Idempotency-Key", "delete-1");
    assert_eq!(chat.ask(&again).is(200).cursor(), gone);
    assert!(chat.ask(&delete("")).is(404).text().contains("no such message"));
    chat.ask(&Request::post(&format!("/chat?reply_to={hello}")).text("to another room")).is(200);
}

fn where_names_are_free_the_key_still_tells_whose_it_is(launch: Launch) {
    let chat = Chat::on(launch.with_flag("--names", "free").start().into());
    let hello = says(&chat, "hello");
    is_refused(chat.ask(&delete(&chat, MALLORY, &hello)), 403, "not-yours");
    chat.ask(&delete(&chat, ANNA, &hello)).is(200);
}
