//! What scripts rely on: the program's exit status, one sentence when it cannot begin, and the report's
//! file.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Command, Output};

fn bots(flags: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_client-bot"));
    program.args(flags).output().expect("the program was built")
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// An address where nobody listens: a port that was ours a moment ago.
fn deserted() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("bound")
}

#[test]
fn nobody_listening_is_one_sentence_and_status_2() {
    let address = deserted();
    let output = bots(&["--url", &format!("http://{address}")]);
    assert_eq!(output.status.code(), Some(2));
    let expected = format!(
        "client-bot: ws://{address}/play: nobody listens there; is the server running, and on that \
         port?\n"
    );
    assert_eq!(said(&output), expected);
    assert!(output.stdout.is_empty(), "{output:?}");
}

#[test]
fn flags_that_make_no_sense_are_status_2() {
    for (flags, part) in [
        (&["--url", "ftp://host"][..], "is expected, not ftp://"),
        (&["--bots", "none"], "--bots"),
        (&["--bots", "100", "--ramp", "1", "--duration", "5s"], "--duration ends before"),
        (&["--json", "/no/such/folder/report.json"], "/no/such/folder/report.json"),
        (&["--html", "/no/such/folder/report.html"], "/no/such/folder/report.html"),
        (&["--profile", "0:5", "--bots", "3"], "cannot be used with"),
        (&["--require", "frame_age.p98<1ms"], "did you mean frame_age.p9"),
        (&["compare", "/no/such/a.json", "/no/such/b.json"], "/no/such/a.json"),
    ] {
        let output = bots(flags);
        assert_eq!(output.status.code(), Some(2), "{flags:?}");
        assert!(said(&output).contains(part), "{flags:?}: {}", said(&output));
    }
}

#[test]
fn the_names_for_requirements_are_listed_without_a_server() {
    let output = bots(&["--require", "help"]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(text, client_bot::figures::list());
}

#[test]
fn who_hangs_up_on_the_first_bot_is_no_server() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    let stranger = std::thread::spawn(move || drop(listener.accept()));
    let output = bots(&["--url", &address.to_string(), "--metrics", "none"]);
    stranger.join().expect("it only accepts");
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("hung up"), "{}", said(&output));
}

/// A server that lets nobody in: it reads each hello and says that there is no room.
async fn doorkeeper(listener: tokio::net::TcpListener) {
    use futures_util::{SinkExt, StreamExt};
    use tokio_tungstenite::tungstenite::Message;
    use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
    use tokio_tungstenite::tungstenite::protocol::CloseFrame;

    loop {
        let (stream, _) = listener.accept().await.expect("a bot");
        #[expect(clippy::result_large_err, reason = "tungstenite's callbacks return this type")]
        let agree = |request: &Request, mut response: Response| {
            let wanted = request.headers()["Sec-WebSocket-Protocol"].clone();
            response.headers_mut().insert("Sec-WebSocket-Protocol", wanted);
            Ok(response)
        };
        let socket = tokio_tungstenite::accept_hdr_async(stream, agree).await;
        let mut socket = socket.expect("a handshake");
        let hello = socket.next().await.expect("a hello").expect("a message");
        // Whoever only looked whether a server is there says goodbye.
        if hello.is_binary() {
            let frame = CloseFrame { code: 1013.into(), reason: "Full,\u{1b}[2J as ever.".into() };
            socket.send(Message::Close(Some(frame))).await.expect("the bot listens");
        }
        while let Some(Ok(_)) = socket.next().await {}
    }
}

/// What bots with these flags say of such a server, and their report as JSON in a file of this name.
async fn turned_away(file: &str, more: &[&str]) -> (Output, serde_json::Value) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = listener.local_addr().expect("bound").to_string();
    let doorkeeper = tokio::spawn(doorkeeper(listener));
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(file);
    let json = file.to_str().expect("UTF-8");
    let flags =
        [&["--url", &url, "--bots", "3", "--metrics", "none", "--json", json], more].concat();
    let flags: Vec<_> = flags.into_iter().map(str::to_owned).collect();
    let run = move || bots(&flags.iter().map(String::as_str).collect::<Vec<_>>());
    let output = tokio::task::spawn_blocking(run).await.expect("it ran");
    doorkeeper.abort();
    let json = std::fs::read_to_string(&file).expect("the report's file");
    (output, serde_json::from_str(&json).expect("JSON"))
}

#[tokio::test]
async fn bots_that_are_turned_away_are_status_1_and_the_report_says_why() {
    let (output, json) = turned_away("turned_away.json", &[]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let report = String::from_utf8(output.stdout).expect("UTF-8");
    let reason = "3 failed, close code 1013 (try_later): Full,[2J as ever.";
    assert!(report.contains(reason), "{report}");
    assert!(report.ends_with("It did not go well: 3 of 3 bots were not let in.\n"), "{report}");
    assert_eq!(json["ok"], false);
    assert_eq!(json["reasons"][0]["code"], 1013);
    assert_eq!(json["bots"]["failed"], 3);
}

#[tokio::test]
async fn several_processes_make_one_report() {
    let (output, json) = turned_away("parts.json", &["--processes", "2"]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let report = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(report.contains("3 failed, close code 1013"), "{report}");
    assert_eq!(json["bots"]["set_out"], 3, "{report}");
    assert_eq!(json["bots"]["failed"], 3, "{report}");
    assert_eq!(json["behaviours"][0]["bots"], 3, "{report}");
}
