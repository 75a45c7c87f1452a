//! The real binary: it says where it is, serves, and goes with status 0 when told to.

use rusqlite::{Connection, OpenFlags, OptionalExtension};
use server::net::outbox::ConnectionOutbox;
use server::session::{Session, SessionConfig};
use shared::arena::{self, Arena};
use shared::game::{Setup, Tick};
use shared::netcode::client::Client;
use shared::wire::protocol::SUBPROTOCOL;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message, WebSocket};

/// For how long a server that is well may take for an answer, or for its end.
const ANSWER_WAIT: Duration = Duration::from_secs(30);

fn server(flags: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_server"));
    command.args(flags).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The port that a started server says it listens on.
fn port(child: &mut Child) -> u16 {
    port_said(&mut BufReader::new(child.stdout.as_mut().expect("piped")))
}

fn port_said(said: &mut impl BufRead) -> u16 {
    for line in said.lines().map(|line| line.expect("UTF-8")) {
        if let Some((_, rest)) = line.split_once("http://localhost:") {
            return rest.split(' ').next().expect("a port").parse().expect("a number");
        }
    }
    panic!("it ended without saying where it is");
}

fn ask(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    stream.set_read_timeout(Some(ANSWER_WAIT)).expect("a socket");
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer
}

fn failed(flags: &[&str]) -> String {
    let Output { status, stderr, .. } = server(flags).output().expect("it starts");
    assert!(!status.success());
    String::from_utf8(stderr).expect("UTF-8")
}

#[cfg(unix)]
#[test]
fn it_serves_and_stops_with_status_0_at_either_signal() {
    for signal in ["-TERM", "-INT"] {
        let mut child = server(&["--bind", "127.0.0.1:0"]).spawn().expect("it starts");
        let port = port(&mut child);
        assert!(ask(port, "/healthz").ends_with("ok\n"));
        assert!(ask(port, "/").contains("<!doctype html>"));
        Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill");
        let status = child.wait().expect("it ends");
        assert!(status.success(), "{signal}: {status}");
    }
}

#[test]
fn a_taken_port_is_one_sentence() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound").to_string();
    let said = failed(&["--bind", &address]);
    let port = taken.local_addr().expect("bound").port();
    assert!(said.starts_with(&format!("Port {port} is taken by another program")), "{said}");
    assert!(said.contains("--bind 127.0.0.1:"), "{said}");
    assert_eq!(said.trim_end().lines().count(), 1, "{said}");
}

#[test]
fn a_folder_that_cannot_be_made_is_one_sentence() {
    let file = std::env::temp_dir().join(format!("gamekeeper-binary-{}", std::process::id()));
    std::fs::write(&file, "a file").expect("a place for it");
    let folder = file.join("below").display().to_string();
    let said = failed(&["--bind", "127.0.0.1:0", "--log", "error", "--data", &folder]);
    std::fs::remove_file(file).expect("it was there");
    assert!(said.starts_with(&format!("Cannot make the folder {folder}")), "{said}");
    assert_eq!(said.trim_end().lines().count(), 1, "{said}");
}

#[test]
fn flags_out_of_range_are_told_by_name() {
    let said = failed(&["--tick-rate", "200"]);
    assert!(said.contains("--tick-rate") && said.contains("10..=128"), "{said}");
    let said = failed(&["--log", "a=b=c"]);
    assert!(said.contains("--log"), "{said}");
}

/// A file of settings that is gone with the story.
struct Settings(PathBuf);

impl Settings {
    fn new(name: &str, text: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("gamekeeper-{name}-{}.toml", std::process::id()));
        std::fs::write(&path, text).expect("a place for it");
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("UTF-8")
    }
}

impl Drop for Settings {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn check_says_what_is_wrong_and_where() {
    let good = Settings::new("good", "# mine\nround_seconds = 60\n");
    let Output { status, stdout, .. } =
        server(&["check", good.path()]).output().expect("it starts");
    assert!(status.success());
    assert!(String::from_utf8(stdout).expect("UTF-8").contains("makes sense"));
    let bad = Settings::new("bad", "pilot = 3\n\nround_seconds = 1\nadmin_token = \"too short\"\n");
    let said = failed(&["check", bad.path()]);
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines.len(), 2, "{said}");
    assert!(lines[0].ends_with(":1: there is no setting pilot; did you mean pilots?"), "{said}");
    assert!(lines[1].contains(":3: round_seconds: \"1\" does not fit"), "{said}");
    let secret = Settings::new("secret", "admin_token = \"too short\"\n");
    let said = failed(&["check", secret.path()]);
    assert!(said.contains("admin_token") && !said.contains("too short\""), "{said}");
    assert!(!said.contains("\"too short"), "{said}");
}

#[test]
fn a_setting_comes_from_the_flag_before_the_environment_before_the_file() {
    let file = Settings::new("layers", "max_players = 7\ntick_rate = 1\n");
    let check = |flags: &[&str], environment: &[(&str, &str)]| {
        let mut command = server(&[&["--config", file.path()], flags, &["check"]].concat());
        command.envs(environment.iter().copied()).output().expect("it starts")
    };
    // The file's tick rate makes no sense, and a stronger word does not make it right.
    let said = String::from_utf8(check(&["--tick-rate", "30"], &[]).stderr).expect("UTF-8");
    assert!(said.contains(":2: tick_rate"), "{said}");
    std::fs::write(&file.0, "max_players = 7\n").expect("still there");
    let ok = check(&["--max-players", "9"], &[("GAMEKEEPER_MAX_PLAYERS", "nonsense")]);
    // clap asks the environment only where there is no flag.
    assert!(ok.status.success(), "{ok:?}");
    let bad = check(&[], &[("GAMEKEEPER_MAX_PLAYERS", "nonsense")]);
    assert!(String::from_utf8(bad.stderr).expect("UTF-8").contains("nonsense"));
    let strange = check(&[], &[("GAMEKEEPER_MAX_PLAYER", "3")]);
    let said = String::from_utf8(strange.stdout).expect("UTF-8");
    assert!(strange.status.success() && said.contains("did you mean max_players"), "{said}");
}

#[cfg(unix)]
fn tell(child: &Child, signal: &str) {
    Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill");
}

/// Reads the log until a line has this in it.
fn logged(log: &mut impl BufRead, what: &str) -> String {
    let lines = log.lines().map(|line| line.expect("UTF-8"));
    let mut before = String::new();
    for line in lines {
        if line.contains(what) {
            return line;
        }
        before += &line;
        before.push('\n');
    }
    panic!("it ended without {what:?} in its log:\n{before}");
}

#[cfg(unix)]
#[test]
fn a_reload_says_what_it_took_and_what_has_to_wait() {
    let file = Settings::new("reload", "bind = \"127.0.0.1:0\"\nmax_sessions = 1\n");
    let mut child = server(&["--config", file.path()]).spawn().expect("it starts");
    let _ = port(&mut child);
    let mut log = BufReader::new(child.stderr.take().expect("piped"));
    std::fs::write(&file.0, "bind = \"127.0.0.1:1\"\nmax_sessions = 2\nlog = \"debug\"\n")
        .expect("a file");
    tell(&child, "-HUP");
    let taken = logged(&mut log, "settings were read again");
    assert!(
        taken.contains("max_sessions") && taken.contains("log") && !taken.contains("bind"),
        "{taken}"
    );
    let waits = logged(&mut log, "change with the next start");
    assert!(waits.contains("bind"), "{waits}");
    std::fs::write(&file.0, "max_sessions = 0\n").expect("a file");
    tell(&child, "-HUP");
    let refused = logged(&mut log, "the settings stay as they are");
    assert!(refused.contains(":1: max_sessions"), "{refused}");
    tell(&child, "-TERM");
    assert!(child.wait().expect("it ends").success());
}

/// A WebSocket that joins quick play and then says nothing more.
#[cfg(unix)]
fn join(port: u16) -> TcpStream {
    use shared::wire::Protocol;
    use shared::wire::message::{ClientMessage, Hello, encode_control};

    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    let request = format!(
        "GET /play HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("it reads");
    let hello =
        encode_control(&ClientMessage::Hello(Hello::new(Protocol::of::<Arena>().hash, "Ann")));
    // Masked with zeros: the payload as it is.
    let head = [0x82, 0x80 | u8::try_from(hello.len()).expect("a short one"), 0, 0, 0, 0];
    stream.write_all(&[&head[..], &hello].concat()).expect("it reads");
    let mut first = [0; 12];
    stream.read_exact(&mut first).expect("an answer");
    assert_eq!(&first, b"HTTP/1.1 101");
    stream
}

#[cfg(unix)]
#[test]
fn a_player_is_waited_for_and_a_second_signal_ends_it_now() {
    let mut child = server(&["--bind", "127.0.0.1:0", "--log", "info"]).spawn().expect("it starts");
    let port = port(&mut child);
    let mut log = BufReader::new(child.stderr.take().expect("piped"));
    let _ann = join(port);
    logged(&mut log, "joined");
    tell(&child, "-TERM");
    logged(&mut log, "stopping");
    assert!(ask(port, "/readyz").starts_with("HTTP/1.1 503"), "nobody is sent here any more");
    assert!(ask(port, "/healthz").ends_with("ok\n"));
    assert!(child.try_wait().expect("a child").is_none(), "it waits for its player");
    tell(&child, "-TERM");
    let status = child.wait().expect("it ends");
    // An orderly end, which waits, has another.
    assert_eq!(status.code(), Some(1));
}

#[cfg(unix)]
#[test]
fn the_log_is_text_or_json() {
    for format in ["text", "json"] {
        let flags = ["--bind", "127.0.0.1:0", "--log-format", format];
        let mut child = server(&flags).spawn().expect("it starts");
        ask(port(&mut child), "/%2e%2e");
        Command::new("kill").arg(child.id().to_string()).status().expect("kill");
        let Output { status, stderr, .. } = child.wait_with_output().expect("it ends");
        assert!(status.success());
        let log = String::from_utf8(stderr).expect("UTF-8");
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
fn systemd_may_open_the_sockets() {
    use std::os::fd::OwnedFd;
    let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = socket.local_addr().expect("bound").port();
    // The shell puts the socket where systemd would, and becomes the server, as the process that is meant.
    let script = r#"exec 3<&0 </dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" --bind systemd"#;
    let mut child = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_server")])
        .stdin(OwnedFd::from(socket))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    // The kernel holds the connection until the server is there.
    assert!(ask(port, "/healthz").ends_with("ok\n"));
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill");
    assert!(child.wait().expect("it ends").success());

    let said = failed(&["--bind", "systemd"]);
    assert!(said.contains("systemd handed over no socket"), "{said}");
}

#[test]
fn it_says_whether_it_is_well() {
    let mut child = server(&["--bind", "127.0.0.1:0"]).spawn().expect("it starts");
    let port = port(&mut child);
    let bind = format!("127.0.0.1:{port}");
    let health = || server(&["--bind", &bind, "health"]).output().expect("it starts");
    assert!(health().status.success());
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    let Output { status, stderr, .. } = health();
    let said = String::from_utf8(stderr).expect("UTF-8");
    assert!(!status.success() && said.contains("nobody listens"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_server_whose_words_nobody_reads_starts_and_stops_all_the_same() {
    for reads_first in [true, false] {
        let mut child = server(&["--bind", "127.0.0.1:0"]).spawn().expect("it starts");
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
        let status = child.wait().expect("it ends");
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
        let mut child = Command::new(env!("CARGO_BIN_EXE_server"))
            .args(["--bind", "127.0.0.1:0", "--drain-seconds", "0", "--log-format", format])
            .env("GAMEKEEPER_ADMIN_TOKEN", TOKEN)
            .stdout(saying.try_clone().expect("a descriptor"))
            .stderr(saying)
            .spawn()
            .expect("it starts");
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
        let start = Instant::now();
        let status = loop {
            match child.try_wait().expect("a child") {
                Some(status) => break status,
                None => assert!(start.elapsed() < ANSWER_WAIT, "it does not end"),
            }
            std::thread::yield_now();
        };
        assert!(status.success(), "{status}");
    }
}

#[cfg(unix)]
#[test]
fn health_is_asked_as_a_proxy_asks_where_only_that_is_heard() {
    let socket = std::env::temp_dir().join(format!("gamekeeper-{}.sock", std::process::id()));
    let unix = format!("unix:{}", socket.display());
    let trusting = ["--proxy-protocol", "yes", "--trusted-proxies", "127.0.0.1"];
    let bind = format!("127.0.0.1:0,{unix}");
    let mut child =
        server(&[&["--bind", &bind], &trusting[..]].concat()).spawn().expect("it starts");
    let port = port(&mut child).to_string();
    let tcp = format!("127.0.0.1:{port}");
    for bind in [tcp.as_str(), &unix] {
        let asked = server(&[&["--bind", bind], &trusting[..], &["health"]].concat()).output();
        let Output { status, stderr, .. } = asked.expect("it starts");
        assert!(status.success(), "{bind}: {}", String::from_utf8_lossy(&stderr));
    }
    tell(&child, "-TERM");
    assert!(child.wait().expect("it ends").success());
}

#[cfg(unix)]
#[test]
fn threads_have_room_where_the_system_grants_few_files_until_asked() {
    // Each of them has four.
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -Sn 200 && exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_server")])
        .args(["--bind", "127.0.0.1:0", "--max-connections", "1", "--threads", "64"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command.spawn().expect("it starts");
    let port = port(&mut child);
    assert!(ask(port, "/healthz").ends_with("ok\n"));
    tell(&child, "-TERM");
    assert!(child.wait().expect("it ends").success());
}

/// A server's folder that is gone with the story.
struct Data(PathBuf);

impl Data {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("gamekeeper-{name}-{}", std::process::id())))
    }

    /// A server that keeps what it knows there.
    fn serve(&self) -> Child {
        let data = self.0.to_str().expect("UTF-8");
        server(&["--bind", "127.0.0.1:0", "--data", data]).spawn().expect("it starts")
    }

    /// The same file as any other program may read it while the server runs.
    fn read(&self) -> Connection {
        let file = self.0.join("gamekeeper.sqlite3");
        Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("it is there")
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// How many people are in the checkpoint that is kept, and of which tick it is.
fn kept(db: &Connection) -> Option<(usize, Tick)> {
    let state = db.query_row("SELECT state FROM checkpoints", [], |row| row.get(0)).optional();
    let state: Vec<u8> = state.expect("a database that others may read")?;
    let config = SessionConfig::new(Setup::new(arena::Settings::default(), 0, 30));
    let session = Session::<Arena, ConnectionOutbox>::resume(config, &state).expect("it is one");
    Some((session.players(), session.tick_now()))
}

/// Joins quick play, and plays by the rules until something is `done`, which is looked at after every message.
fn play(
    port: u16,
    client: &mut Client<Arena>,
    start: Instant,
    done: impl Fn(&Client<Arena>) -> bool,
) -> WebSocket<TcpStream> {
    let now = || start.elapsed().as_secs_f64() * 1000.0;
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    let url = format!("ws://127.0.0.1:{port}/play");
    let mut request = url.into_client_request().expect("a request");
    let protocol = SUBPROTOCOL.parse().expect("a header");
    request.headers_mut().insert("Sec-WebSocket-Protocol", protocol);
    let (mut socket, _) = tungstenite::client::client(request, stream).expect("a handshake");
    socket.send(Message::Binary(client.hello(now()).into())).expect("it reads");
    while !done(client) {
        if let Message::Binary(bytes) = socket.read().expect("the session speaks") {
            client.receive(&bytes, now()).expect("frames fit");
        }
        client.advance(now());
        while let Some(bytes) = client.outgoing() {
            socket.send(Message::Binary(bytes.into())).expect("it reads");
        }
    }
    socket
}

#[test]
fn a_match_goes_on_where_it_stood_some_seconds_before_the_server_was_killed() {
    let data = Data::new("killed");
    let mut child = data.serve();
    let at = port(&mut child);
    let start = Instant::now();
    let is_in = |client: &Client<Arena>| client.view().is_some();
    // The first number of a session says nothing: anybody has it in a new one.
    let _other = play(at, &mut Client::new("Ben"), start, is_in);
    let mut ann = Client::new("Ann");
    let db = data.read();
    let has_both = |_: &_| kept(&db).is_some_and(|(people, _)| people == 2);
    let _socket = play(at, &mut ann, start, has_both);
    let (_, tick) = kept(&db).expect("it stays");
    let me = ann.me();
    drop(db);
    child.kill().expect("it runs");
    assert!(!child.wait().expect("it ends").success(), "it had no time to keep anything else");

    let mut child = data.serve();
    let _socket = play(port(&mut child), &mut ann, start, is_in);
    assert!(me.is_some() && ann.me() == me, "the same seat: {me:?}, {:?}", ann.me());
    let seen = ann.view().expect("they are in").tick;
    assert!(seen >= tick, "{seen} of {tick}");
    child.kill().expect("it runs");
    child.wait().expect("it ends");
}
