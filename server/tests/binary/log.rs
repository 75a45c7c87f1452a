//! What the binary says while it runs, and that it waits for nobody who should read it.

use super::*;
use std::time::Instant;

#[cfg(unix)]
#[test]
fn the_log_is_text_or_json() {
    for format in ["text", "json"] {
        let flags = ["--bind", "127.0.0.1:0", "--log-format", format];
        let mut child = Served::start(&mut server(&flags));
        ask(port(&mut child), "/%2e%2e");
        tell(&child, "-TERM");
        assert!(child.end().success());
        let mut log = String::new();
        child.stderr.take().expect("piped").read_to_string(&mut log).expect("UTF-8");
        assert!(log.lines().count() >= 2, "{log}");
        for line in log.lines() {
            let parsed = serde_json::from_str::<serde_json::Value>(line);
            match format {
                "json" => {
                    let line = parsed.unwrap_or_else(|why| panic!("{why}: {line}"));
                    assert!(line["at"].is_u64() && line["spans"].is_array(), "{line}");
                }
                // No colours where it is no terminal.
                _ => assert!(line.contains(" INFO ") && !line.contains('\x1b'), "{line}"),
            }
        }
    }
}

#[cfg(not(feature = "otel"))]
#[test]
fn traces_need_a_binary_that_has_them() {
    let said =
        failed(&["--bind", "127.0.0.1:0", "--otel-endpoint", "http://127.0.0.1:4318/v1/traces"]);
    assert!(said.contains("--features otel") && said.trim_end().lines().count() == 1, "{said}");
}

#[cfg(unix)]
#[test]
fn a_server_whose_words_nobody_reads_starts_and_stops_all_the_same() {
    for reads_first in [true, false] {
        let mut child = Served::start(&mut server(&["--bind", "127.0.0.1:0"]));
        let mut said = BufReader::new(child.stdout.take().expect("piped"));
        if reads_first {
            logged(&mut said, "Ctrl-C stops it");
        }
        drop(said);
        let mut log = BufReader::new(child.stderr.take().expect("piped"));
        // From before this on it heeds signals, and after it says where it is.
        logged(&mut log, "are kept in memory");
        tell(&child, "-TERM");
        logged(&mut log, "all sessions have ended");
        let status = child.end();
        assert!(status.success(), "{reads_first}: {status}");
    }
}

#[cfg(target_os = "linux")]
const TOKEN: &str = "operators-token-that-nobody-guesses";

/// The number that a metric without labels has now.
#[cfg(target_os = "linux")]
fn metric(port: u16, name: &str) -> u64 {
    let text = ask(port, "/metrics");
    let number = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    number.unwrap_or_else(|| panic!("no {name} in {text}")).parse().expect("a number")
}

/// Does what the log has a line about, a hundred times, from an address of this machine's own: one alone is told soon that
/// it came too often.
#[cfg(target_os = "linux")]
fn say_much(port: u16, from: u8) {
    use socket2::{Domain, Socket, Type};
    use std::net::SocketAddr;

    let address = |last, port| SocketAddr::from(([127, 0, 0, last], port)).into();
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.bind(&address(from, 0)).expect("an address of this machine");
    socket.connect(&address(1, port)).expect("it listens");
    let mut stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(ANSWER_WAIT)).expect("a socket");
    let act = r#"{"action":"announce","text":"nobody hears it","session":"none"}"#;
    let request = |connection: &str| {
        format!(
            "POST /api/admin/actions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\
             Connection: {connection}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{act}",
            act.len()
        )
    };
    let requests = request("keep-alive").repeat(99) + &request("close");
    stream.write_all(requests.as_bytes()).expect("it reads");
    let mut answers = String::new();
    stream.read_to_string(&mut answers).expect("it answers");
    assert_eq!(answers.matches("HTTP/1.1 404").count(), 100, "{answers}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_log_that_nobody_reads_holds_up_neither_ticks_nor_connections_nor_the_end() {
    const LEFT_OUT: &str = "gamekeeper_log_lines_left_out_total";
    for format in ["text", "json"] {
        // One pipe for both, as a terminal or a journal is.
        let (said, saying) = std::io::pipe().expect("a pipe");
        let mut said = BufReader::new(said);
        let mut command = Command::new(env!("CARGO_BIN_EXE_server"));
        command
            .args(["--bind", "127.0.0.1:0", "--drain-seconds", "0", "--log-format", format])
            .env("GAMEKEEPER_ADMIN_TOKEN", TOKEN)
            .stdout(saying.try_clone().expect("a descriptor"))
            .stderr(saying);
        let mut child = Served::start(&mut command);
        // It has the only ones to write into it.
        drop(command);
        let port = port_said(&mut said);
        let _ann = join(port);
        let mut addresses = 2..=u8::MAX;
        let mut more_than = |before| {
            while metric(port, LEFT_OUT) <= before {
                say_much(port, addresses.next().expect("it says enough before"));
            }
        };
        more_than(0);
        assert!(ask(port, "/healthz").ends_with("ok\n"));
        let ticks = || metric(port, "gamekeeper_ticks_total");
        let before = ticks();
        let start = Instant::now();
        while ticks() <= before {
            assert!(start.elapsed() < ANSWER_WAIT, "no tick any more: {before}");
        }

        // As soon as somebody reads, they are told, in the log's own way.
        let missed = logged(&mut said, "lines of the log were left out");
        let number = |text: &str| text.parse::<u64>().expect("a number");
        let missed = match format {
            "json" => {
                let line: serde_json::Value = serde_json::from_str(&missed).expect("JSON");
                line["fields"]["left_out"].as_u64().expect("a number")
            }
            _ => number(missed.split_once("left_out=").expect("how many").1),
        };
        let all = metric(port, LEFT_OUT);
        assert!((1..=all).contains(&missed), "{missed} of {all}");

        // And the end waits for nobody.
        more_than(all);
        tell(&child, "-TERM");
        let status = child.end();
        assert!(status.success(), "{status}");
    }
}
