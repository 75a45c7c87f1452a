//! What `docs/load-testing.md` names is what there is.

use clap::CommandFactory;
use client_bot::behaviour::Behaviour;
use client_bot::config::Config;
use client_bot::figures;
use client_bot::network::Preset;

const PAGE: &str = include_str!("../../docs/load-testing.md");

#[test]
fn the_page_has_every_flag_and_no_other() {
    let command = Config::command();
    // What is hidden is for the program itself.
    let shown = command.get_arguments().filter(|arg| !arg.is_hide_set());
    let flags: Vec<_> = shown.filter_map(|arg| arg.get_long()).collect();
    for flag in &flags {
        assert!(PAGE.contains(&format!("| `--{flag}")), "--{flag} has no line");
    }
    for line in PAGE.lines().filter_map(|line| line.strip_prefix("| `--")) {
        let named = line.split(['`', ' ']).next().expect("a first word");
        assert!(flags.contains(&named), "there is no --{named}");
    }
}

#[test]
fn the_page_has_every_name() {
    assert!(PAGE.contains(&figures::list()), "the list of names should be:\n{}", figures::list());
    for name in Behaviour::ALL.map(Behaviour::name) {
        assert!(PAGE.contains(&format!("| `{name}` |")), "{name} has no line");
    }
    for name in Preset::ALL.map(Preset::name) {
        assert!(PAGE.contains(&format!("`{name}`")), "{name}");
    }
}
