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
    ] {
        let output = bots(flags);
        assert_eq!(output.status.code(), Some(2), "{flags:?}");
        assert!(said(&output).contains(part), "{flags:?}: {}", said(&output));
    }
}

#[test]
fn who_hangs_up_on_the_first_bot_is_no_server() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    let stranger = std::thread::spawn(move || drop(listener.accept()));
    let output = bots(&["--url", &address.to_string()]);
    stranger.join().expect("it only accepts");
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("hung up"), "{}", said(&output));
}

#[tokio::test]
async fn bots_that_are_turned_away_are_status_1_and_the_report_says_why() {
    use futures_util::{SinkExt, StreamExt};
    use tokio_tungstenite::tungstenite::Message;
    use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
    use tokio_tungstenite::tungstenite::protocol::CloseFrame;

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let doorkeeper = tokio::spawn(async move {
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
            assert!(hello.is_binary());
            let frame = CloseFrame { code: 1013.into(), reason: "Full,\u{1b}[2J as ever.".into() };
            socket.send(Message::Close(Some(frame))).await.expect("the bot listens");
            while let Some(Ok(_)) = socket.next().await {}
        }
    });

    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("turned_away.json");
    let url = address.to_string();
    let json = file.to_str().expect("UTF-8").to_owned();
    let flags = ["--url", &url, "--bots", "3", "--metrics", "none", "--json", &json];
    let flags = flags.map(str::to_owned);
    let running = tokio::task::spawn_blocking(move || bots(&flags.each_ref().map(String::as_str)));
    let output = running.await.expect("it ran");
    doorkeeper.abort();

    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let report = String::from_utf8(output.stdout).expect("UTF-8");
    let reason = "3 failed, close code 1013 (try_later): Full,[2J as ever.";
    assert!(report.contains(reason), "{report}");
    assert!(report.ends_with("It did not go well: 3 of 3 bots were not let in.\n"), "{report}");
    let json = std::fs::read_to_string(&file).expect("the report's file");
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["ok"], false);
    assert_eq!(json["reasons"][0]["code"], 1013);
    assert_eq!(json["bots"]["failed"], 3);
}
