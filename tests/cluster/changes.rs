//! What is edited or deleted on one instance is so on all of them, and in what each of them remembers.

use serde_json::{Value, json};

use crate::instances::{Instances, wait_until};
use crate::server::Server;

const ANNA: &str = "the-secret-key-of-anna";

/// Asks an instance for something in the lobby, and gives the answer.
fn posts(server: &Server, below: &str, form: &[(&str, &str)]) -> Value {
    let url = format!("{}/chat/lobby{below}", server.url());
    let posted = ureq::post(url).header("Accept", "application/json").header("Chat-Key", ANNA);
    let mut answer = posted.send_form(form.iter().copied()).expect("it is accepted");
    serde_json::from_str(&answer.body_mut().read_to_string().expect("an answer")).expect("JSON")
}

/// All messages of the lobby, with their texts.
fn texts(server: &Server) -> Vec<Value> {
    read(server, "?after=oldest&wait=0&kinds=message")
}

/// The texts that are found on an instance.
fn found(server: &Server, words: &str) -> Vec<Value> {
    read(server, &format!("/history?q={words}"))
}

fn read(server: &Server, what: &str) -> Vec<Value> {
    let url = format!("{}/chat/lobby{what}", server.url());
    let mut answer = ureq::get(url).header("Accept", "application/json").call().expect("an answer");
    let text = answer.body_mut().read_to_string().expect("an answer");
    let answer: Value = serde_json::from_str(&text).expect("JSON");
    answer["messages"].as_array().expect("messages").iter().map(|message| message["text"].clone()).collect()
}

#[test]
fn a_change_on_one_instance_holds_on_all() {
    let mut instances = Instances::start(&[]);
    let said: Vec<String> = ["helo", "secret"]
        .iter()
        .map(|text| posts(&instances.servers[0], "", &[("message", text)])["id"].as_str().unwrap().to_owned())
        .collect();
    // Their rooms are awake now, and remember what was said.
    for server in &instances.servers {
        posts(server, "", &[("message", "here")]);
        wait_until("all of it is there", || texts(server)[..2] == ["helo", "secret"]);
    }
    posts(&instances.servers[1], "/edit", &[("of", &said[0]), ("message", "hello")]);
    posts(&instances.servers[2], "/delete", &[("of", &said[1])]);
    for server in &instances.servers {
        wait_until("it is as it is now", || texts(server)[..2] == ["hello", ""]);
        assert_eq!(found(server, "hello"), ["hello"]);
        assert!(found(server, "helo").is_empty() && found(server, "secret").is_empty());
    }
    // One that has ended was not needed for that.
    instances.servers[2].dies();
    instances.servers[2].starts_again();
    assert_eq!(
        texts(&instances.servers[2]),
        json!(["hello", "", "here", "here", "here"]).as_array().unwrap()[..]
    );
}

/// The file at a path, as an instance has it.
fn file(server: &Server, path: &str) -> Option<Vec<u8>> {
    let agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
    let mut answer = agent.get(format!("{}{path}", server.url())).call().expect("an answer");
    (answer.status() == 200).then(|| answer.body_mut().read_to_vec().expect("all of the file"))
}

#[test]
fn a_file_that_comes_to_one_instance_is_on_all_and_goes_with_its_message() {
    let mut instances = Instances::start(&[]);
    let content: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let mut body =
        b"--X\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.bin\"\r\n\r\n".to_vec();
    body.extend_from_slice(&content);
    body.extend_from_slice(b"\r\n--X--\r\n");
    let posted = ureq::post(format!("{}/chat/lobby", instances.servers[0].url()))
        .header("Accept", "application/json")
        .header("Chat-Key", ANNA)
        .header("Content-Type", "multipart/form-data; boundary=X");
    let mut answer = posted.send(&body[..]).expect("it is accepted");
    let answer = answer.body_mut().read_to_string().expect("an answer");
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    let id = answer["id"].as_str().expect("an id");
    let path = format!("/chat/lobby/file/{id}/x.bin");
    for server in &instances.servers {
        assert!(file(server, &path).expect("it is there") == content);
    }
    // One that is killed was not needed for it.
    instances.servers[0].dies();
    assert!(file(&instances.servers[1], &path).expect("it is there") == content);
    instances.servers[0].starts_again();
    posts(&instances.servers[2], "/delete", &[("of", id)]);
    for server in &instances.servers {
        assert_eq!(file(server, &path), None);
    }
}
