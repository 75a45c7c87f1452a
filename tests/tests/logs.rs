//! What the log has in it, and what it must never have: everything is said at level trace, in one process.

use serde_json::{Value, json};
use server::config::Config;
use server::logging::Logs;
use shared::wire::message::{self, ClientMessage, Hello, ServerMessage};
use shared::wire::{HostSecret, Protocol, Visitor};
use std::fmt::Debug;
use std::sync::Arc;
use tests::buoys::Buoys;
use tests::harness::{Peer, Running, Welcomed, binary, close, frame, hasty};
use tokio::sync::broadcast::Receiver;

const CHAT: &str = "zebras meet at the northern gate";
const LOBBY_CHAT: &str = "giraffes wait in the lobby";
const ADMIN: &str = "operators-token-that-nobody-guesses";

/// Says something in a session, and hears it.
async fn chat(peer: &mut Peer, text: &str) {
    let chat = ClientMessage::Chat { team: false, text: text.into() };
    peer.send(&binary(&message::encode_control(&chat))).await;
    loop {
        let (_, payload) = peer.frame().await.expect("the session speaks");
        if payload.first() == Some(&message::TYPE)
            && let Ok(ServerMessage::Chat { from: Some(_), text: heard, .. }) =
                message::decode(&payload[1..])
        {
            assert_eq!(heard, text);
            return;
        }
    }
}

/// A secret as somebody might write it.
fn spellings(bytes: [u8; 16], secret: impl Debug) -> Vec<String> {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let debug = format!("{bytes:?}");
    let debug = debug.trim_matches(['[', ']']).to_owned();
    // What the type itself shows is meant to be shown.
    assert!(!format!("{secret:?}").contains(&hex) && !format!("{secret:?}").contains(&debug));
    vec![hex.to_uppercase(), hex, debug]
}

fn all(lines: &mut Receiver<Arc<str>>) -> Vec<String> {
    let mut all = Vec::new();
    loop {
        match lines.try_recv() {
            Ok(line) => all.push(line.to_string()),
            Err(tokio::sync::broadcast::error::TryRecvError::Empty) => return all,
            Err(why) => panic!("{why}"),
        }
    }
}

#[tokio::test]
async fn no_secret_and_no_chat_is_in_any_line() {
    let mut config = Config { limits: hasty(), pilots: 0, ..Config::default() };
    config.seeing.log = "trace".into();
    let logs = Logs::install(&config).expect("the only log of this process");
    let mut lines = logs.subscribe();
    let running = Running::start_empty::<Buoys>(&config);

    let settings = json!({ "name": "Hidden", "public": false }).to_string();
    let created = running.post("/api/sessions", &settings).await.expect(201);
    let text = |value: &Value, key: &str| value[key].as_str().expect("text").to_owned();
    let (code, host) = (text(&created, "code"), text(&created, "host_secret"));
    let ticket =
        running.post("/api/tickets", &json!({ "code": code }).to_string()).await.expect(201);
    let play = text(&ticket, "play");
    let (_, ticket) = play.split_once("ticket=").expect("a ticket");

    let secret: [u8; 16] = std::array::from_fn(|n| {
        u8::from_str_radix(&host[2 * n..2 * n + 2], 16).expect("hexadecimal")
    });
    let hello = Hello {
        host: Some(HostSecret(secret)),
        visitor: Visitor([0xa7; 16]),
        ..Hello::new(Protocol::of::<Buoys>().hash, "Ada")
    };
    let Welcomed { mut peer, seat: first, .. } = running.welcome(&play, hello.clone()).await;
    chat(&mut peer, CHAT).await;
    running.post("/api/chat", &json!({ "name": "Bob", "text": LOBBY_CHAT }).to_string()).await;
    drop(peer);
    running.settles_at(0).await;
    let again = Hello { seat: Some(first), ..hello };
    let Welcomed { mut peer, seat: second, .. } =
        running.welcome(&format!("/play/{code}"), again).await;
    let rename = json!({ "action": "rename", "name": "Other" }).to_string();
    running.act(&code, &host, &rename).await.expect(204);
    running.act(&code, &host[1..], &rename).await.problem(403);
    running.ask("GET", "/metrics", &format!("Authorization: Bearer {ADMIN}\r\n"), "").await;
    running.ask("GET", &format!("/play?ticket={ticket}"), "", "").await;
    // Messages with secrets that are refused.
    for bytes in [frame(0x81, CHAT.as_bytes()), binary(&[first.0, second.0].concat())] {
        let mut peer = running.open().await;
        peer.send(&bytes).await;
        peer.closing().await.expect("a code");
        peer.end().await;
    }
    peer.send(&close(1000, CHAT.as_bytes())).await;
    peer.end().await;
    running.settles_at(0).await;
    running.stop().await.expect("a proper end");

    let lines = all(&mut lines);
    assert_eq!(logs.recent().len(), lines.len());
    let plain = code.replace('-', "");
    let mut secrets =
        vec![CHAT.to_owned(), LOBBY_CHAT.into(), ADMIN.into(), code, plain, ticket.into()];
    secrets.extend(spellings(secret, HostSecret(secret)));
    secrets.extend(spellings(first.0, first));
    secrets.extend(spellings(second.0, second));
    secrets.extend(spellings([0xa7; 16], Visitor([0xa7; 16])));
    for line in &lines {
        for secret in &secrets {
            assert!(!line.contains(secret.as_str()), "{secret} is in: {line}");
        }
    }

    // There was something to find: each line says where it belongs.
    let lines: Vec<Value> =
        lines.iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let find = |message: &str| {
        let found =
            lines.iter().find(|line| line["message"].as_str().is_some_and(|m| m.contains(message)));
        found.unwrap_or_else(|| panic!("{message} is in no line of {lines:#?}"))
    };
    let joined = find("joined");
    assert_eq!(
        (&joined["level"], &joined["spans"][0]["name"]),
        (&json!("INFO"), &json!("session"))
    );
    let shown = joined["spans"][0]["code"].as_str().expect("a code");
    assert!(shown.len() == 4 && shown.ends_with(".."), "{shown}");
    let refused = find("refused: This protocol is binary");
    assert_eq!(refused["fields"]["reason"], "unsupported");
    assert_eq!(refused["spans"][0]["name"], "connection");
    assert!(refused["spans"][0]["id"].is_u64() && refused["spans"][0]["peer"].is_string());

    // What gets in is changed while it runs, and nothing else gets in than what is asked for.
    let mut lines = logs.subscribe();
    logs.set_filter("error").expect("a filter");
    tracing::info!("not heard");
    tracing::error!("heard");
    assert!(logs.set_filter("a=b=c").is_err());
    assert_eq!(logs.filter(), "error");
    let heard = all(&mut lines);
    assert!(heard.len() == 1 && heard[0].contains("\"heard\""), "{heard:?}");
    // Spans are around it all the same.
    tracing::error_span!("session", code = "x").in_scope(|| tracing::error!("within"));
    let within_span: Value = serde_json::from_str(&all(&mut lines)[0]).expect("JSON");
    assert_eq!(within_span["spans"][0]["code"], "x");
}
