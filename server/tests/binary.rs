//! The real binary: it says where it is, serves, and goes with status 0 when told to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

fn server(flags: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_server"));
    command.args(flags).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The port that a started server says it listens on.
fn port(child: &mut Child) -> u16 {
    let said = BufReader::new(child.stdout.as_mut().expect("piped")).lines();
    for line in said.map(|line| line.expect("UTF-8")) {
        if let Some((_, rest)) = line.split_once("http://localhost:") {
            return rest.split(' ').next().expect("a port").parse().expect("a number");
        }
    }
    panic!("it ended without saying where it is");
}

fn ask(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
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
        let told = Instant::now();
        Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill");
        let status = child.wait().expect("it ends");
        assert!(status.success(), "{signal}: {status}");
        assert!(told.elapsed() < Duration::from_secs(4), "{signal}: {:?}", told.elapsed());
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
