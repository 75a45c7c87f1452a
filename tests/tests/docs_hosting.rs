//! What `docs/hosting.md` says of settings is what the code has.

use server::config::{self, RESTART};
use std::fmt::Write as _;

const PAGE: &str = include_str!("../../docs/hosting.md");
const BEGIN: &str = "belongs here -->\n";
const END: &str = "<!-- end of settings -->";

/// All settings, as the page has them.
fn expected() -> String {
    let (mut text, mut section) = (String::new(), String::new());
    for arg in config::settings().get_arguments() {
        let heading = arg.get_help_heading().expect("every setting is in a group");
        if heading != section {
            section = heading.to_owned();
            write!(
                text,
                "\n### {section}\n\n| setting | default | value | |\n| --- | --- | --- | --- |\n"
            )
            .expect("a string has room");
        }
        let defaults: Vec<_> =
            arg.get_default_values().iter().map(|v| v.to_string_lossy()).collect();
        let default =
            if defaults.is_empty() { "–".into() } else { format!("`{}`", defaults.join(",")) };
        let names = arg.get_value_names().expect("every setting has a value");
        let value = names[0].replace('|', " or ");
        let help = arg.get_long_help().or(arg.get_help()).expect("every setting is described");
        let help = help.to_string().replace("\n\n", " ").replace('|', "\\|");
        let end = if help.ends_with('.') { "" } else { "." };
        let restart = if RESTART.contains(&arg.get_id().as_str()) { " *restart*" } else { "" };
        writeln!(text, "| `{}` | {default} | {value} | {help}{end}{restart} |", arg.get_id())
            .expect("a string has room");
    }
    text + "\n"
}

#[test]
fn the_page_has_every_setting() {
    let (_, rest) = PAGE.split_once(BEGIN).expect("the mark");
    let (there, _) = rest.split_once(END).expect("the other mark");
    let expected = expected();
    assert!(there == expected, "docs/hosting.md should have between its marks:\n{expected}");
}
