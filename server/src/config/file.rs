//! A file of settings. Comes in: TOML. Goes out: each setting as the text that its flag would be given, with its
//! line; or every mistake in the file at once, each with its line.

use clap::{Arg, Command};
use core::fmt;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Names less like each other than this, from 0 to 1, are no slips of the finger.
const ALIKE_MIN: f64 = 0.75;

/// One setting of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileSetting {
    /// As in clap and in the file.
    pub(super) key: String,
    /// As its flag would be given it.
    pub(super) text: String,
    /// From 1.
    pub(super) line: usize,
}

/// What is wrong with a file.
#[derive(Debug)]
pub struct FileErrors {
    /// The file.
    pub path: PathBuf,
    /// Each with its line, from 1; without one what concerns the whole file.
    pub errors: Vec<(Option<usize>, String)>,
}

impl fmt::Display for FileErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (line, error)) in self.errors.iter().enumerate() {
            let end = if number + 1 < self.errors.len() { "\n" } else { "" };
            match line {
                Some(line) => write!(f, "{}:{line}: {error}{end}", self.path.display())?,
                None => write!(f, "{}: {error}{end}", self.path.display())?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for FileErrors {}

/// Reads the file at `path`; `settings` has every setting as an argument.
pub(super) fn read(path: &Path, settings: &Command) -> Result<Vec<FileSetting>, FileErrors> {
    match std::fs::read_to_string(path) {
        Ok(text) => {
            parse(&text, settings).map_err(|errors| FileErrors { path: path.to_owned(), errors })
        }
        Err(error) => {
            let errors = vec![(None, format!("cannot be read: {error}"))];
            Err(FileErrors { path: path.to_owned(), errors })
        }
    }
}

fn parse(text: &str, settings: &Command) -> Result<Vec<FileSetting>, Vec<(Option<usize>, String)>> {
    let line_at = |byte: usize| 1 + text[..byte].matches('\n').count();
    let table = DeTable::parse(text).map_err(|error| {
        let line = error.span().map(|span| line_at(span.start));
        vec![(line, error.message().trim().to_owned())]
    })?;
    let (mut found, mut errors) = (Vec::new(), Vec::new());
    for (key, value) in table.get_ref() {
        let line = line_at(key.span().start);
        match setting(key.get_ref(), value, settings) {
            Ok(None) => {}
            Ok(Some(text)) => {
                found.push(FileSetting { key: key.get_ref().to_string(), text, line })
            }
            Err(error) => errors.push((Some(line), error)),
        }
    }
    found.sort_by_key(|setting| setting.line);
    errors.sort_by_key(|(line, _)| *line);
    if errors.is_empty() { Ok(found) } else { Err(errors) }
}

/// The text that the flag would be given, checked as the flag's would be; `None` for an empty list, which is as good as no
/// such line.
fn setting(
    key: &str,
    value: &Spanned<DeValue<'_>>,
    settings: &Command,
) -> Result<Option<String>, String> {
    let arg = settings.get_arguments().find(|arg| arg.get_id() == key);
    let arg = arg.ok_or_else(|| unknown(key, settings))?;
    if value.get_ref().as_array().is_some_and(|items| items.is_empty()) {
        return Ok(None);
    }
    let text = as_flag(value.get_ref()).ok_or_else(|| {
        format!("{key} has no parts of its own: write {key} = and its value, and no further table")
    })?;
    let flag = format!("--{}={text}", arg.get_long().expect("every setting has a flag"));
    match settings.clone().try_get_matches_from(["gamekeeper", &flag]) {
        Ok(_) => Ok(Some(text)),
        Err(error) => Err(why(key, &text, arg, &error)),
    }
}

/// What is wrong with a value, in one line; of what is secret not even the value.
fn why(key: &str, text: &str, arg: &Arg, error: &clap::Error) -> String {
    use std::error::Error;
    let value = if arg.is_hide_env_values_set() { "the value" } else { &format!("{text:?}") };
    match error.source() {
        Some(reason) => format!("{key}: {value} does not fit: {reason}"),
        None => format!("{key}: {value} does not fit"),
    }
}

/// Says that there is no such setting, and which was perhaps meant.
pub(super) fn unknown(key: &str, settings: &Command) -> String {
    let alike = |name: &str| strsim::jaro_winkler(&key.replace('-', "_"), name);
    let names = settings.get_arguments().map(|arg| arg.get_id().as_str());
    let nearest = names.max_by(|a, b| alike(a).total_cmp(&alike(b)));
    match nearest.filter(|name| alike(name) >= ALIKE_MIN) {
        Some(name) => format!("there is no setting {key}; did you mean {name}?"),
        None => format!("there is no setting {key}; gamekeeper --help lists them all"),
    }
}

/// A value as text; `None` for tables and lists of them.
fn as_flag(value: &DeValue<'_>) -> Option<String> {
    Some(match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(items) => {
            let items = items.iter().map(|item| as_flag(item.get_ref()));
            items.collect::<Option<Vec<_>>>()?.join(",")
        }
        DeValue::Table(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{FileMode, settings};

    fn errors(text: &str) -> Vec<String> {
        let path = Path::new("x.toml").to_owned();
        let errors = FileErrors { path, errors: parse(text, &settings()).unwrap_err() };
        errors.to_string().lines().map(str::to_owned).collect()
    }

    #[test]
    fn values_become_what_flags_take() {
        let text = "# a comment\nround_seconds = 0\n\nopen_sessions = false\n\
                    origin = [\"https://a.example\", \"http://b.example:81\"]\n";
        let found = parse(text, &settings()).unwrap();
        let found: Vec<_> = found.iter().map(|s| (&*s.key, &*s.text, s.line)).collect();
        assert_eq!(
            found,
            [
                ("round_seconds", "0", 2),
                ("open_sessions", "no", 4),
                ("origin", "https://a.example,http://b.example:81", 5)
            ]
        );
    }

    #[test]
    fn an_empty_list_is_as_good_as_no_line() {
        assert_eq!(parse("origin = []\ntrusted_proxies = []\n", &settings()).unwrap(), []);
        assert!(errors("orign = []")[0].ends_with("did you mean origin?"));
    }

    #[test]
    fn permissions_may_be_a_number_as_toml_writes_them() {
        for mode in ["0o640", "640", "\"640\""] {
            let found = parse(&format!("unix_mode = {mode}"), &settings()).unwrap();
            let mode: FileMode = found[0].text.parse().unwrap();
            assert_eq!(mode, FileMode(0o640));
        }
    }

    #[test]
    fn every_mistake_is_told_with_its_line() {
        let told = errors("tick_rat = 30\n\ntick_rate = 9\n[limits]\nmax_connections = 3\n");
        assert_eq!(told.len(), 3, "{told:?}");
        assert_eq!(told[0], "x.toml:1: there is no setting tick_rat; did you mean tick_rate?");
        assert!(told[1].starts_with("x.toml:3: tick_rate: \"9\" does not fit: "), "{}", told[1]);
        assert!(told[2].starts_with("x.toml:4: there is no setting limits"), "{}", told[2]);
    }

    #[test]
    fn what_is_no_toml_is_told_with_its_line() {
        let told = errors("tick_rate = 30\nbind = \n");
        assert!(told[0].starts_with("x.toml:2: "), "{told:?}");
        assert!(errors("tick_rate = 30\ntick_rate = 31\n")[0].starts_with("x.toml:2: "));
    }

    #[test]
    fn nothing_is_suggested_that_is_not_alike() {
        assert!(!errors("zzz = 1")[0].contains("did you mean"));
        assert!(errors("tick-rate = 30")[0].ends_with("did you mean tick_rate?"));
    }
}
