//! Makes one script of the page's modules, and one style sheet of its parts: over HTTP/1.1 with its few
//! connections seventy files cost a dozen round trips before anything can be seen. Comes in: files as they
//! are written, which browsers understand as they are. Goes out: the same code in one file each.
//!
//! No bundler of JavaScript's own world is used, since `cargo` is to be all that building needs. What is
//! understood here is what our modules are written in, and nothing else; anything else stops the build:
//! `import { a, b as c } from './file.js';` and `export` before `function`, `async function`, `class` or
//! `const NAME`, each at the start of a line. A module becomes a function that is called once, after those
//! that it imports.

use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Files by path.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Replaces each entry module, and all that it imports, by one script of its name; modules in the list beside it stay as
/// they are and are imported by it. Two entries may import the same module: each script has its own.
pub fn scripts(files: &mut Files, entries: &[(&str, &[&str])]) -> Result<()> {
    let mut made = Vec::new();
    for &(entry, outside) in entries {
        let mut bundle = Bundle {
            files,
            entry,
            outside,
            head: Vec::new(),
            body: String::new(),
            done: Vec::new(),
        };
        bundle.add(entry, &mut Vec::new())?;
        let Bundle { head, body, done, .. } = bundle;
        made.push((entry, format!("{}\n{body}", head.join("\n")), done));
    }
    for path in made.iter().flat_map(|(_, _, done)| done) {
        files.remove(path);
    }
    files
        .extend(made.into_iter().map(|(entry, script, _)| (entry.to_owned(), script.into_bytes())));
    Ok(())
}

/// Replaces each style sheet, and those that it imports, by one of its name.
pub fn styles(files: &mut Files, entries: &[&str]) -> Result<()> {
    let (mut made, mut done) = (Vec::new(), Vec::new());
    for &entry in entries {
        let mut all = String::new();
        for line in text(files, entry)?.lines() {
            let part = line.strip_prefix("@import '").and_then(|rest| rest.strip_suffix("';"));
            let Some(part) = part else {
                writeln!(all, "{line}")?;
                continue;
            };
            let part = beside(entry, part)?;
            all += &text(files, &part)?;
            done.push(part);
        }
        made.push((entry.to_owned(), all.into_bytes()));
    }
    done.iter().for_each(|part| drop(files.remove(part)));
    files.extend(made);
    Ok(())
}

fn text(files: &Files, path: &str) -> Result<String> {
    let bytes = files.get(path).with_context(|| format!("there is no {path}"))?;
    String::from_utf8(bytes.clone()).with_context(|| format!("{path} is not UTF-8"))
}

struct Bundle<'a> {
    files: &'a Files,
    entry: &'a str,
    outside: &'a [&'a str],
    /// Imports from outside.
    head: Vec<String>,
    body: String,
    /// Modules that are in it.
    done: Vec<String>,
}

impl Bundle<'_> {
    /// Adds the module at `path` behind those that it imports; `way` leads to it.
    fn add(&mut self, path: &str, way: &mut Vec<String>) -> Result<()> {
        if self.done.iter().any(|done| done == path) {
            return Ok(());
        }
        if way.iter().any(|on_it| on_it == path) {
            bail!("{path} imports itself by way of {}", way.join(", "));
        }
        way.push(path.to_owned());
        let (mut code, mut exports) = (String::new(), Vec::new());
        for (number, line) in text(self.files, path)?.lines().enumerate() {
            let line = self
                .line(path, line, &mut exports, way)
                .with_context(|| format!("{path}, line {}", number + 1))?;
            writeln!(code, "{line}")?;
        }
        way.pop();
        let (name, exports) = (variable(path), exports.join(", "));
        writeln!(self.body, "const {name} = (() => {{\n{code}return {{ {exports} }};\n}})();")?;
        self.done.push(path.to_owned());
        Ok(())
    }

    /// One line of a module, as it stands in the bundle.
    fn line(
        &mut self,
        path: &str,
        line: &str,
        exports: &mut Vec<String>,
        way: &mut Vec<String>,
    ) -> Result<String> {
        if let Some(import) = line.strip_prefix("import ") {
            let (names, from) = import
                .strip_suffix("';")
                .and_then(|import| import.split_once(" from '"))
                .context("an import is written in one line, as: import { a } from './b.js';")?;
            let from = beside(path, from)?;
            if self.outside.contains(&from.as_str()) {
                let top = if self.entry.contains('/') { "../" } else { "./" };
                self.head.push(format!("import {names} from '{top}{from}';"));
                return Ok(String::new());
            }
            if !names.starts_with('{') {
                bail!("only names in braces are imported from our own modules");
            }
            self.add(&from, way)?;
            return Ok(format!("const {} = {};", names.replace(" as ", ": "), variable(&from)));
        }
        if line.contains("import(") || line.contains("import.meta") && !self.may_ask_where(path) {
            bail!("a module of a bundle has no address of its own");
        }
        let Some(export) = line.strip_prefix("export ") else { return Ok(line.to_owned()) };
        let kinds = ["async function ", "function ", "class ", "const "];
        let named = kinds.iter().find_map(|kind| export.strip_prefix(kind)).unwrap_or_default();
        let letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let name = named.split(|c| !letter(c)).next().unwrap_or_default();
        if name.is_empty() {
            bail!("what is exported is a function, a class or a const with a name: {line}");
        }
        exports.push(name.to_owned());
        Ok(export.to_owned())
    }

    /// Whether a module lies where the bundle will lie.
    fn may_ask_where(&self, path: &str) -> bool {
        folder(path) == folder(self.entry)
    }
}

/// The folder that `path` is in, `None` where it is in none.
fn folder(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(folder, _)| folder)
}

/// The path of `from`, as `path` imports it.
fn beside(path: &str, from: &str) -> Result<String> {
    match (from.strip_prefix("./"), from.strip_prefix("../"), folder(path)) {
        (Some(file), _, Some(folder)) => Ok(format!("{folder}/{file}")),
        (Some(file), _, None) => Ok(file.to_owned()),
        (_, Some(file), Some(folder)) if !folder.contains('/') => Ok(file.to_owned()),
        _ => bail!("{from} lies elsewhere"),
    }
}

/// What holds a module's exports.
fn variable(path: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    format!("${}", path.trim_end_matches(".js").chars().map(plain).collect::<String>())
}
