//! Order in a room holds on all instances at once: who was muted or removed on one is so on the others.

use serde_json::Value;

use crate::instances::{Instances, wait_until};
use crate::server::{OPERATOR, Server};

const BOB: &str = "the-secret-key-of-bob";

/// The status, and what was answered in JSON.
fn asks(server: &Server, method: &str, below: &str, headers: &[(&str, &str)], form: &str) -> (u16, Value) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let url = format!("{}/chat/lobby{below}", server.url());
    let mut request =
        ureq::http::Request::builder().method(method).uri(url).header("Accept", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.header("Content-Type", "application/x-www-form-urlencoded").body(form.to_owned());
    let mut answer = agent.run(request.expect("a request")).expect("an answer");
    let text = answer.body_mut().read_to_string().expect("an answer");
    (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or_default())
}

fn bob_says(server: &Server, text: &str) -> u16 {
    asks(server, "POST", "", &[("Chat-Key", BOB)], &format!("name=bob&message={text}")).0
}

fn operate(server: &Server, what: &str, form: &str) {
    let token = format!("Bearer {OPERATOR}");
    let (status, answer) = asks(server, "POST", &format!("/{what}"), &[("Authorization", &token)], form);
    assert_eq!(status, 200, "{answer}");
}

#[test]
fn what_an_operator_decides_on_one_instance_holds_on_all_at_once() {
    let instances = Instances::start(&[]);
    let [first, second, third] = &instances.servers[..] else { panic!("there are three") };
    assert_eq!([bob_says(first, "1"), bob_says(second, "2")], [200, 200]);
    for round in 0..10 {
        // No notice need have come: the store itself refuses.
        operate(first, "mute", "name=bob");
        assert_eq!([bob_says(second, "3"), bob_says(third, "4")], [403, 403], "round {round}");
        operate(second, "allow", "name=bob");
        assert_eq!([bob_says(third, "5"), bob_says(first, "6")], [200, 200], "round {round}");
    }
    operate(third, "slow", "seconds=600");
    assert_eq!([bob_says(first, "7"), bob_says(second, "8")], [429, 429]);
    operate(second, "slow", "seconds=0");
    operate(second, "lock", "notice=closed");
    assert_eq!([bob_says(first, "9"), bob_says(third, "10")], [403, 403]);
    operate(first, "unlock", "");

    // He waits on two of them, and is removed on the third.
    let wait = "?after=latest&wait=60&kinds=message&name=bob";
    let ended = std::thread::scope(|scope| {
        let waits =
            [first, second].map(|server| scope.spawn(|| asks(server, "GET", wait, &[("Chat-Key", BOB)], "")));
        wait_until("bob waits on both", || [first, second].iter().all(|server| waiting(server) == 1));
        operate(third, "remove", "name=bob");
        waits.map(|wait| wait.join().expect("it ends"))
    });
    for (status, problem) in ended {
        assert_eq!((status, &problem["type"]), (403, &Value::from("urn:comet-chat:removed")), "{problem}");
    }
    for server in [first, second, third] {
        assert_eq!(asks(server, "GET", wait, &[("Chat-Key", BOB)], "").0, 403);
        wait_until("bob has left", || {
            asks(server, "GET", "/people", &[], "").1["people"] == serde_json::json!([])
        });
        let (_, about) = asks(server, "GET", "/about", &[], "");
        assert_eq!(about["removed"][0]["name"], "bob");
    }
}

/// How many wait on an instance.
fn waiting(server: &Server) -> usize {
    let mut answer = ureq::get(format!("{}/metrics", server.url())).call().expect("an answer");
    let text = answer.body_mut().read_to_string().expect("figures");
    let line = text.lines().find_map(|line| line.strip_prefix("comet_chat_waiters "));
    line.and_then(|count| count.parse().ok()).expect("a figure")
}
