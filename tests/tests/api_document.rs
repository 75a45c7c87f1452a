//! The API is what its document says: every operation answers as described, and nothing is there that is not
//! described. Everything is asked twice, once so that it goes well and once so that it does not.

use jsonschema::{Validator, options};
use serde_json::{Value, json};
use server::code::SessionCode;
use server::config::Config;
use server::session::recording::Recorded;
use std::collections::{BTreeMap, BTreeSet};
use tests::buoys::Buoys;
use tests::harness::{Running, hasty};
use tests::http::{Answer, result_of_nobody};

/// What the whole document says.
struct Document(Value);

impl Document {
    /// Paths with their methods.
    fn operations(&self) -> BTreeSet<(String, String)> {
        let paths = self.0["paths"].as_object().expect("paths");
        let methods =
            |item: &Value| item.as_object().expect("methods").keys().cloned().collect::<Vec<_>>();
        let each = paths.iter().flat_map(|(path, item)| {
            methods(item).into_iter().map(|method| (method.to_uppercase(), path.clone()))
        });
        each.collect()
    }

    /// A schema of the document, with all that it refers to.
    fn validator(&self, schema: &Value) -> Validator {
        let mut schema = schema.clone();
        schema["components"] = self.0["components"].clone();
        options().build(&schema).expect("a schema that makes sense")
    }

    /// Whether an answer is one of those described.
    fn check(&self, method: &str, path: &str, answer: &Answer) {
        let operation = &self.0["paths"][path][method.to_lowercase()];
        let response = &operation["responses"][answer.status.to_string()];
        let what = format!("{method} {path}: {}", answer.status);
        assert!(response.is_object(), "{what} is not described: {}", answer.body);
        let Some(content) = response["content"].as_object() else {
            assert!(answer.body.is_empty(), "{what} has a body: {}", answer.body);
            return;
        };
        let media = answer.header("content-type").expect("a media type");
        assert!(content.contains_key(media), "{what}: {media} is not described");
        for name in response["headers"].as_object().into_iter().flat_map(|headers| headers.keys()) {
            assert!(answer.header(&name.to_lowercase()).is_some(), "{what} lacks {name}");
        }
        if media.ends_with("json") {
            let (validator, body) = (self.validator(&content[media]["schema"]), answer.json());
            let faults: Vec<_> =
                validator.iter_errors(&body).map(|fault| fault.to_string()).collect();
            assert!(faults.is_empty(), "{what}: {faults:?} in {body}");
        }
    }
}

async fn start() -> (Running, Document) {
    let config = Config { limits: hasty(), pilots: 0, ..Config::default() };
    let running = Running::start_empty::<Buoys>(&config);
    let document = Document(running.get("/api/openapi.json").await.expect(200));
    (running, document)
}

/// Bodies with which each POST goes well, and with which it does not.
fn bodies(code: &str, secret: &str) -> BTreeMap<&'static str, (String, Value, Value)> {
    let host = format!("Authorization: Bearer {secret}\r\n");
    let create = json!({"name": "x", "pilots": {"always": 0}, "seed": 7, "mode": "teams"});
    let action = json!({"action": "rename", "name": "y"});
    BTreeMap::from([
        ("/api/sessions", (String::new(), create, json!({"name": 1}))),
        ("/api/tickets", (String::new(), json!({"code": code}), json!({"kode": 1}))),
        ("/api/sessions/{code}/actions", (host, action, json!({"action": "?"}))),
        ("/api/chat", (String::new(), json!({"name": "x", "text": "y"}), json!({"name": "x"}))),
    ])
}

#[tokio::test]
async fn every_operation_answers_as_the_document_says() {
    let (running, document) = start().await;
    let created = running.post("/api/sessions", "{}").await.expect(201);
    let text = |key: &str| created[key].as_str().expect("text").to_owned();
    let bodies = bodies(&text("code"), &text("host_secret"));
    let operations = document.operations();
    assert_eq!(operations.len(), 15, "{operations:?}");
    let (played, store) = (SessionCode::random(), &running.server.common.store);
    store.record(played, Recorded::Begins(b"chapter".to_vec()), u64::MAX);
    store.keep(played, result_of_nobody());
    let results = running.get("/api/results").await.expect(200);
    let recording = results["results"][0]["recording"].as_str().expect("it was recorded");
    for (method, path) in &operations {
        let known = path.replace("{code}", &text("code")).replace("{id}", recording);
        let unknown = path.replace("{code}", "00000-00000").replace("{id}", "0123456789abcdef");
        if method == "POST" {
            let (headers, good, bad) =
                bodies.get(path.as_str()).unwrap_or_else(|| panic!("{path}"));
            let request = &document.0["paths"][path]["post"]["requestBody"];
            let schema = &request["content"]["application/json"]["schema"];
            let validator = document.validator(schema);
            assert!(validator.is_valid(good) && !validator.is_valid(bad), "{path}");
            let headers = format!("Content-Type: application/json\r\n{headers}");
            for (path_to_ask, body, well) in [
                (&known, good.to_string(), true),
                (&known, bad.to_string(), false),
                (&known, "no JSON".to_owned(), false),
                (&known, " ".repeat(17 << 10), false),
            ] {
                let answer = running.ask("POST", path_to_ask, &headers, &body).await;
                document.check(method, path, &answer);
                assert_eq!(answer.status < 300, well, "{path}: {answer:?}");
            }
            let untyped = running.ask("POST", &known, "", "{}").await;
            assert_eq!(untyped.status, 415);
            document.check(method, path, &untyped);
            let foreign = format!("{headers}Origin: http://evil.test\r\n");
            let foreign = running.ask("POST", &known, &foreign, &good.to_string()).await;
            assert_eq!(foreign.status, 403);
            document.check(method, path, &foreign);
        } else if path.ends_with("/events") {
            // Its body has no end; what is in it is another test's.
            running.listen().await;
        } else {
            let answer = running.get(&known).await;
            assert_eq!(answer.status, 200, "{path}");
            document.check(method, path, &answer);
        }
        if unknown != known {
            let answer = running.ask(
                method,
                &unknown,
                "Content-Type: application/json\r\n",
                r#"{"action":"end"}"#,
            );
            let answer = if method == "GET" { running.get(&unknown).await } else { answer.await };
            assert_eq!(answer.status, 404, "{path}");
            document.check(method, path, &answer);
        }
    }
    running.stop().await.unwrap();
}

#[tokio::test]
async fn nothing_is_there_that_is_not_described() {
    let (running, document) = start().await;
    let operations = document.operations();
    let paths: BTreeSet<_> = operations.iter().map(|(_, path)| path.clone()).collect();
    for path in &paths {
        let asked = path.replace("{code}", "00000-00000");
        // The server says itself what can be done at a path.
        let answer = running.ask("DELETE", &asked, "", "").await;
        answer.problem(405);
        let allowed = answer.header("allow").expect("what is allowed").to_uppercase();
        let mut allowed: BTreeSet<_> = allowed.split(',').collect();
        assert!(!allowed.contains("GET") || allowed.remove("HEAD"), "{path}: {allowed:?}");
        let described = operations.iter().filter(|(_, at)| at == path);
        let described: BTreeSet<_> = described.map(|(method, _)| method.as_str()).collect();
        assert_eq!(allowed, described, "{path}");
    }
    running.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_sent_has_no_more_and_no_less_than_is_described() {
    let (running, document) = start().await;
    let created = running.post("/api/sessions", "{}").await.expect(201);
    let code = created["code"].as_str().expect("a code");
    let found = running.get(&format!("/api/sessions/{code}")).await.expect(200);
    let schemas = &document.0["components"]["schemas"];
    let keys = |value: &Value| {
        value.as_object().expect("an object").keys().cloned().collect::<BTreeSet<_>>()
    };
    assert_eq!(keys(&found["settings"]), keys(&schemas["SessionSettings"]["properties"]));
    let mut info = keys(&schemas["Status"]["properties"]);
    info.insert("code".to_owned());
    assert_eq!(keys(&found["session"]), info);
    // Its settings, sent back, are the same settings.
    let again = running.post("/api/sessions", &found["settings"].to_string()).await.expect(201);
    let again = again["code"].as_str().expect("a code");
    let again = running.get(&format!("/api/sessions/{again}")).await.expect(200);
    assert_eq!(again["settings"], found["settings"]);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn the_protocol_is_the_games() {
    let (running, _) = start().await;
    let spoken = running.get("/api/protocol").await.expect(200);
    let hash = shared::wire::Protocol::of::<Buoys>().hash;
    assert_eq!(spoken["hash"], format!("0x{hash:016x}"));
    assert_eq!(spoken["subprotocol"], shared::wire::protocol::SUBPROTOCOL);
    running.stop().await.unwrap();
}
