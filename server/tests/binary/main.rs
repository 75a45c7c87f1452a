//! The real binary: it says where it is, serves, and goes with status 0 when told to.

mod killed;
mod log;
mod settings;

use shared::arena::Arena;
use shared::wire::protocol::SUBPROTOCOL;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::ops::{Deref, DerefMut};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

/// For how long a server that is well may take for an answer, or for its end.
const ANSWER_WAIT: Duration = Duration::from_secs(30);

/// A server that runs, and is killed with the test that started it.
struct Served(Child);

impl Served {
    fn start(command: &mut Command) -> Self {
        Self(command.spawn().expect("it starts"))
    }

    /// Waits for its end, for [`ANSWER_WAIT`].
    fn end(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().expect("a child") {
                return status;
            }
            assert!(start.elapsed() < ANSWER_WAIT, "it does not end");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Deref for Served {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.0
    }
}

impl DerefMut for Served {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

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
        let mut child = Served::start(&mut server(&["--bind", "127.0.0.1:0"]));
        let port = port(&mut child);
        assert!(ask(port, "/healthz").ends_with("ok\n"));
        assert!(ask(port, "/").contains("<!doctype html>"));
        tell(&child, signal);
        let status = child.end();
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
    let mut child = Served::start(&mut server(&["--bind", "127.0.0.1:0", "--log", "info"]));
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
    let status = child.end();
    // An orderly end, which waits, has another.
    assert_eq!(status.code(), Some(1));
}

#[cfg(unix)]
#[test]
fn systemd_may_open_the_sockets() {
    use std::os::fd::OwnedFd;
    let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = socket.local_addr().expect("bound").port();
    // The shell puts the socket where systemd would, and becomes the server, as the process that is meant.
    let script = r#"exec 3<&0 </dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" --bind systemd"#;
    let mut command = Command::new("sh");
    command
        .args(["-c", script, env!("CARGO_BIN_EXE_server")])
        .stdin(OwnedFd::from(socket))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = Served::start(&mut command);
    // The kernel holds the connection until the server is there.
    assert!(ask(port, "/healthz").ends_with("ok\n"));
    tell(&child, "-TERM");
    assert!(child.end().success());

    let said = failed(&["--bind", "systemd"]);
    assert!(said.contains("systemd handed over no socket"), "{said}");
}

#[test]
fn it_says_whether_it_is_well() {
    let mut child = Served::start(&mut server(&["--bind", "127.0.0.1:0"]));
    let port = port(&mut child);
    let bind = format!("127.0.0.1:{port}");
    let health = || server(&["--bind", &bind, "health"]).output().expect("it starts");
    assert!(health().status.success());
    child.kill().expect("it runs");
    child.end();
    let Output { status, stderr, .. } = health();
    let said = String::from_utf8(stderr).expect("UTF-8");
    assert!(!status.success() && said.contains("nobody listens"), "{said}");
}

#[cfg(unix)]
#[test]
fn health_is_asked_as_a_proxy_asks_where_only_that_is_heard() {
    let socket = std::env::temp_dir().join(format!("gamekeeper-{}.sock", std::process::id()));
    let unix = format!("unix:{}", socket.display());
    let trusting = ["--proxy-protocol", "yes", "--trusted-proxies", "127.0.0.1"];
    let bind = format!("127.0.0.1:0,{unix}");
    let mut child = Served::start(&mut server(&[&["--bind", &bind], &trusting[..]].concat()));
    let port = port(&mut child).to_string();
    let tcp = format!("127.0.0.1:{port}");
    for bind in [tcp.as_str(), &unix] {
        let asked = server(&[&["--bind", bind], &trusting[..], &["health"]].concat()).output();
        let Output { status, stderr, .. } = asked.expect("it starts");
        assert!(status.success(), "{bind}: {}", String::from_utf8_lossy(&stderr));
    }
    tell(&child, "-TERM");
    assert!(child.end().success());
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
    let mut child = Served::start(&mut command);
    let port = port(&mut child);
    assert!(ask(port, "/healthz").ends_with("ok\n"));
    tell(&child, "-TERM");
    assert!(child.end().success());
}
