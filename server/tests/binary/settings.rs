//! Settings from flags, the environment and a file, and what is said of those that make no sense.

use super::*;
use std::path::PathBuf;

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
#[test]
fn a_reload_says_what_it_took_and_what_has_to_wait() {
    let file = Settings::new("reload", "bind = \"127.0.0.1:0\"\n");
    let mut child = Served::start(&mut server(&["--config", file.path()]));
    let port = port(&mut child);
    let mut log = BufReader::new(child.stderr.take().expect("piped"));
    let usual = |what: &str| ask(port, "/api/settings").contains(what);
    assert!(usual("\"tick_rate\":30"));
    std::fs::write(&file.0, "bind = \"127.0.0.1:1\"\ntick_rate = 20\nlog = \"debug\"\n")
        .expect("a file");
    tell(&child, "-HUP");
    let taken = logged(&mut log, "settings were read again");
    assert!(
        taken.contains("tick_rate") && taken.contains("log") && !taken.contains("bind"),
        "{taken}"
    );
    let waits = logged(&mut log, "change with the next start");
    assert!(waits.contains("bind"), "{waits}");
    assert!(usual("\"tick_rate\":20"), "and it is so");
    std::fs::write(&file.0, "max_sessions = 0\n").expect("a file");
    tell(&child, "-HUP");
    let refused = logged(&mut log, "the settings stay as they are");
    assert!(refused.contains(":1: max_sessions"), "{refused}");
    assert!(usual("\"tick_rate\":20"), "as it was");
    tell(&child, "-TERM");
    assert!(child.end().success());
}
