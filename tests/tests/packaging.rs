//! What `deploy/` says is true of the program: its flags, variables, paths and waits. Whether the files do what
//! they are for is in `reach_front.rs` (nginx, Caddy) and, here, with systemd's own tools. Whether the program needs any
//! other file is in `src/bin/installed.rs`.

use clap::{CommandFactory, Parser};
use server::config::{Cli, Config, StoppingConfig};
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;
use tests::front::deployed;
use tests::reach::Folder;

/// For how long goodbyes and the disk may take after the drain.
const GOODBYES: Duration = Duration::from_secs(10);

/// The rest of each line that begins so.
fn lines<'a>(file: &'a str, begin: &str) -> Vec<&'a str> {
    let lines = file.lines().map(str::trim);
    lines.filter_map(|line| line.strip_prefix(begin)).map(str::trim).collect()
}

/// Whether the program takes these words, the first of which is itself.
fn parses(words: &[String]) {
    Cli::try_parse_from(words).unwrap_or_else(|why| panic!("{words:?}: {why}"));
}

/// What stands in a JSON list of words, as Dockerfiles have them.
fn words(list: &str) -> Vec<String> {
    serde_json::from_str(list).unwrap_or_else(|why| panic!("{list}: {why}"))
}

/// A setting of that name exists.
fn known(variable: &str) {
    let cli = Cli::command();
    let is = |arg: &clap::Arg| arg.get_env().is_some_and(|env| env == variable);
    assert!(cli.get_arguments().any(is), "{variable} means nothing");
}

/// Longer than the server takes to stop.
fn long_enough(seconds: &str) {
    let seconds: u64 = seconds.trim_end_matches('s').parse().expect("seconds");
    let drain = Duration::from_secs(StoppingConfig::DRAIN_SECONDS.into());
    assert!(Duration::from_secs(seconds) >= drain + GOODBYES, "{seconds} s are too short");
}

#[test]
fn the_dockerfile_names_what_there_is() {
    let file = deployed("Dockerfile");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let copies = lines(&file, "COPY ");
    let binary = "--from=build /src/target/release/server /usr/local/bin/gamekeeper";
    assert!(copies.contains(&". .") && copies.contains(&binary), "{copies:?}");
    let ignored = std::fs::read_to_string(root.join(".dockerignore")).expect("it is there");
    for needed in ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", "client-web", "shared"] {
        assert!(root.join(needed).exists(), "{needed}");
        assert!(!ignored.lines().any(|line| line == needed), "{needed} has to be copied");
    }
    let entry = words(lines(&file, "ENTRYPOINT ")[0]);
    assert_eq!(entry, ["/usr/local/bin/gamekeeper"]);
    parses(&entry);
    let health = lines(&file, "HEALTHCHECK ")[0];
    let (_, health) = health.split_once("CMD ").expect("a command");
    parses(&words(health));
    for variable in lines(&file, "ENV ") {
        known(variable.split('=').next().expect("a name"));
    }
    let user = lines(&file, "USER ")[0];
    assert!(user.split(':').all(|id| id.parse::<u32>().is_ok_and(|id| id > 0)), "{user}");
    let volume = lines(&file, "VOLUME ")[0];
    assert!(copies.iter().any(|copy| copy.contains("--chown=65532") && copy.ends_with(volume)));
    assert_eq!(lines(&file, "EXPOSE "), ["8080"]);
    assert_eq!(Config::default().reach.bind[0].to_string(), "0.0.0.0:8080");
}

#[test]
fn the_compose_file_names_what_there_is() {
    let file = deployed("compose.yaml");
    for line in lines(&file, "GAMEKEEPER_") {
        let (name, value) = line.split_once(": ").expect("a value");
        known(&format!("GAMEKEEPER_{name}"));
        let flag = name.to_lowercase().replace('_', "-");
        parses(&["gamekeeper".into(), format!("--{flag}={value}")]);
    }
    long_enough(lines(&file, "stop_grace_period: ")[0]);
    assert_eq!(lines(&file, "dockerfile: "), ["deploy/Dockerfile"]);
}

#[test]
fn systemd_is_content_with_the_units() {
    let service = deployed("gamekeeper.service");
    let start = lines(&service, "ExecStart=")[0].replace("${STATE_DIRECTORY}", "/var/lib/x");
    parses(&start.split(' ').map(str::to_owned).collect::<Vec<_>>());
    long_enough(lines(&service, "TimeoutStopSec=")[0]);
    // It is in @resources, and without it threads cannot give way to lanes; the last word counts.
    assert_eq!(lines(&service, "SystemCallFilter=").last(), Some(&"setpriority"));
    let socket = deployed("gamekeeper.socket");
    assert_eq!(lines(&socket, "ListenStream="), ["[::]:8080"]);

    // Where the program will be installed there is nothing yet.
    let folder = Folder::new();
    let here = service.replace("ExecStart=/usr/local/bin/gamekeeper", "ExecStart=/bin/true");
    assert_ne!(here, service);
    let service = folder.write("gamekeeper.service", &here);
    let socket = folder.write("gamekeeper.socket", &socket);
    let analyze = |words: &[&str], files: &[&Path]| {
        let mut command = Command::new("systemd-analyze");
        let Output { status, stdout, stderr } = command
            .args(words)
            .args(files)
            .output()
            .expect("systemd-analyze starts; on Debian: apt-get install systemd");
        let said =
            String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr);
        assert!(status.success(), "{words:?}: {said}");
        said
    };
    let said = analyze(&["verify"], &[&service, &socket]);
    assert!(!said.contains("gamekeeper"), "{said}");
    analyze(&["security", "--offline=yes", "--threshold=12"], &[&service]);
}
