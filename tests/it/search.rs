//! Search: what is found, in pages that lead to the end.

use serde_json::{Value, json};

use crate::chat::Chat;
use crate::client::{Reply, Request};
use crate::harness::Launch;
use crate::several::rooms;

on_every_setup![
    what_was_said_is_found_in_every_script_and_nothing_else_is,
    the_present_text_is_found_and_a_deleted_one_is_not,
    pages_lead_to_the_end_and_tell_each_message_once,
    several_rooms_are_searched_in_one_order,
    what_is_forgotten_is_not_found,
    a_search_from_another_past_begins_at_the_end_and_says_so,
];

on_every_engine![a_search_needs_words_and_not_too_many, in_plain_text_it_is_lines_for_people];

/// One page, for a query that stands in the address as it is.
#[track_caller]
fn page(chat: &Chat, query: &str) -> Value {
    chat.ask(&chat.get(&format!("/history?{query}")).accept("application/json")).is(200).json()
}

#[track_caller]
fn found(chat: &Chat, words: &str) -> Vec<String> {
    let words = percent_encoding::utf8_percent_encode(words, percent_encoding::NON_ALPHANUMERIC);
    let page = page(chat, &format!("q={words}"));
    assert_eq!(
        (&page["previous"], &page["since"], &page["gap"]),
        (&Value::Null, &Value::Null, &json!(false))
    );
    texts(&page)
}

fn texts(page: &Value) -> Vec<String> {
    let messages = page["messages"].as_array().expect("messages");
    messages.iter().map(|message| message["text"].as_str().expect("a text").to_owned()).collect()
}

fn what_was_said_is_found_in_every_script_and_nothing_else_is(chat: Chat) {
    let said =
        ["Lunch at noon?", "今天天气很好", "ランチは？", "กินข้าวกัน", "מה שלומך", "مرحبا", "🦀!", "Über uns"];
    for text in said {
        chat.says(text);
    }
    chat.room(&format!("{}-other", chat.name())).says("no lunch here");
    chat.join("lunchtime").says("late");
    for (words, n) in [
        ("LUNCH noon", 0),
        ("天气", 1),
        ("天", 1),
        ("ラン", 2),
        ("ﾗﾝﾁ", 2),
        ("ข้าว", 3),
        ("שלומך", 4),
        ("حبا", 5),
        ("🦀", 6),
        ("uber", 7),
    ] {
        let expected = if words == "天" || n > 0 { vec![said[n]] } else { vec![said[0]] };
        assert_eq!(found(&chat, words), expected, "{words}");
    }
    // Each word counts, in the text or in the name, and that somebody came is nothing that was said.
    assert_eq!(found(&chat, "lunch"), [said[0], "late"]);
    assert_eq!(found(&chat, "lunchtime"), ["late"]);
    assert_eq!(found(&chat, "late lunch"), ["late"]);
    assert!(found(&chat, "lunch tomorrow").is_empty());
    assert!(found(&chat.room("nothing-was-ever-said-here"), "lunch").is_empty());
}

fn the_present_text_is_found_and_a_deleted_one_is_not(chat: Chat) {
    let key = "the-secret-key-of-anna";
    let says = |text: &str| {
        chat.ask(&chat.post().form(&[("message", text), ("name", "anna"), ("key", key)])).is(200).cursor()
    };
    let (edited, deleted) = (says("the meeting is on Monday"), says("my number is 555"));
    chat.says("see you on Monday");
    chat.ask(&chat.post_to("/edit").form(&[
        ("of", &edited),
        ("message", "the meeting is on Friday"),
        ("key", key),
    ]))
    .is(200);
    chat.ask(&chat.post_to("/delete").form(&[("of", &deleted), ("key", key)])).is(200);
    assert_eq!(found(&chat, "monday"), ["see you on Monday"]);
    assert_eq!(found(&chat, "friday"), ["the meeting is on Friday"], "once, and not its edit");
    assert!(found(&chat, "555").is_empty());
    let first = &page(&chat, "q=friday")["messages"][0];
    assert_eq!(
        (&first["id"], &first["kind"], &first["room"]),
        (&json!(edited), &json!("message"), &json!(chat.name()))
    );
}

fn pages_lead_to_the_end_and_tell_each_message_once(chat: Chat) {
    for n in 0..30 {
        chat.says(&format!("word {n}"));
        chat.says("silence");
    }
    let mut query = "q=word&limit=7".to_owned();
    let (mut all, mut pages) = (Vec::new(), 0);
    loop {
        let page = page(&chat, &query);
        let texts = texts(&page);
        assert!(texts.len() <= 7);
        all.splice(..0, texts);
        pages += 1;
        let Some(previous) = page["previous"].as_str() else { break };
        assert!(page["since"].is_string());
        query = format!("q=word&limit=7&before={previous}");
    }
    assert_eq!(all, (0..30).map(|n| format!("word {n}")).collect::<Vec<_>>());
    assert!(pages >= 5);
    // A message of history is a place to search from too.
    let history = page(&chat, "limit=3");
    let oldest = history["messages"][0]["id"].as_str().unwrap();
    assert_eq!(texts(&page(&chat, &format!("q=WORD&limit=2&before={oldest}"))), ["word 27", "word 28"]);
    let link = chat.ask(&chat.get("/history?q=word%209&limit=1")).is(200);
    let target =
        link.expect_header("Link").strip_prefix('<').unwrap().strip_suffix(">; rel=\"prev\"").unwrap();
    assert_eq!(
        texts(&chat.ask(&Request::get(target).accept("application/json")).is(200).json()),
        ["word 19"]
    );
}

fn several_rooms_are_searched_in_one_order(chat: Chat) {
    let (rooms, together) = rooms(&chat, 3);
    for n in 0..12 {
        rooms[n % 2].says(&format!("word {n}"));
    }
    let whole = page(&together, "q=word");
    let expected: Vec<String> = (0..12).map(|n| format!("word {n}")).collect();
    // Within one millisecond the rooms have no order.
    let mut sorted = texts(&whole);
    sorted.sort_by_key(|text| text[5..].parse::<u32>().unwrap());
    assert_eq!(sorted, expected);
    assert_eq!(whole["previous"], Value::Null);
    let names: Vec<&str> = rooms.iter().map(Chat::name).collect();
    assert_eq!(whole["rooms"], json!(names));
    assert!(whole["messages"].as_array().unwrap().iter().all(|message| {
        let n: usize = message["text"].as_str().unwrap()[5..].parse().unwrap();
        message["room"] == names[n % 2]
    }));
    for limit in [1, 2, 5] {
        let mut query = format!("q=word&limit={limit}");
        let mut all = Vec::new();
        loop {
            let page = page(&together, &query);
            all.splice(..0, texts(&page));
            let Some(previous) = page["previous"].as_str() else { break };
            query = format!("q=word&limit={limit}&before={previous}");
        }
        assert_eq!(all, texts(&whole), "{limit} at a time");
    }
}

fn what_is_forgotten_is_not_found(launch: Launch) {
    let server = launch.with_flag("--keep", "5").start();
    let chat = server.chat();
    for n in 0..12 {
        chat.says(&format!("word {n}"));
    }
    assert_eq!(found(&chat, "word"), (7..12).map(|n| format!("word {n}")).collect::<Vec<_>>());
}

fn a_search_from_another_past_begins_at_the_end_and_says_so(chat: Chat) {
    chat.says("word");
    let reply = chat.ask(&chat.get("/history?q=word&before=00000000-7").accept("application/json")).is(200);
    assert_eq!(reply.expect_header("Chat-Gap"), "true");
    assert_eq!((texts(&reply.json()), &reply.json()["gap"]), (vec!["word".to_owned()], &json!(true)));
}

#[track_caller]
fn is_refused(reply: Reply, kind: &str) {
    assert_eq!(reply.is(400).json()["type"], format!("urn:comet-chat:{kind}"));
}

fn a_search_needs_words_and_not_too_many(chat: Chat) {
    let asks = |query: &str| chat.ask(&chat.get(&format!("/history?{query}")).accept("application/json"));
    let many = (0..17).map(|n| format!("w{n}")).collect::<Vec<_>>().join("+");
    for words in ["", "+", "%09%0A", "%CC%81", &many, &"x".repeat(401)] {
        is_refused(asks(&format!("q={words}")), "bad-query");
    }
    asks(&format!("q={}", "x".repeat(400))).is(200);
    is_refused(asks("q=%FF"), "bad-utf8");
    is_refused(asks("q=a&limit=0"), "bad-limit");
    is_refused(asks("q=a&limit=501"), "bad-limit");
    is_refused(asks("q=a&before=yesterday"), "bad-cursor");
    let (_, both) = rooms(&chat, 2);
    let asks = |query: &str| chat.ask(&both.get(&format!("/history?{query}")).accept("application/json"));
    for before in ["oldest", "latest", "0123abcd-4", "0123abcd~01234567-4"] {
        is_refused(asks(&format!("q=a&before={before}")), "bad-cursor");
    }
    is_refused(asks("limit=5"), "one-room");
    let (_, many) = rooms(&chat, 33);
    let asks = many.get("/history?q=a").accept("application/json");
    is_refused(chat.ask(&asks), "too-many-asked");
}

fn in_plain_text_it_is_lines_for_people(chat: Chat) {
    let (rooms, both) = rooms(&chat, 2);
    rooms[0].says("one word\nand another");
    rooms[1].says("two words");
    let alone = chat.ask(&rooms[0].get("/history?q=word")).is(200);
    assert!(alone.text().ends_with(" somebody: one word\n    and another\n"), "{}", alone.text());
    let lines = chat.ask(&both.get("/history?q=words")).is(200);
    assert!(lines.text().starts_with(&format!("{} 2", rooms[1].name())), "{}", lines.text());
}
