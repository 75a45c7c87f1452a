//! For build scripts: makes a game's page and puts it into the program that serves it, so that `cargo run` is all there
//! is to do. Comes in: a package whose module the browser runs (Rust, compiled to WebAssembly here), and files that a
//! browser understands as they are written. Goes out: `$OUT_DIR/page.rs`, an expression of type `server::http::Build`
//! with all files and their compressed forms. When something is missing it stops with one sentence and the command that
//! mends it, and when the package does not compile, with what the compiler said.

pub mod bundle;

use anyhow::{Context, Result, anyhow, bail};
use flate2::{Compression, write::GzEncoder};
use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "wasm32-unknown-unknown";
/// Name of the module's files, whatever package it is of: `client_web.js`, `client_web_bg.wasm`.
const MODULE: &str = "client_web";
/// What a page writes where the folder of this build's assets belongs.
const PLACEHOLDER: &str = "{{assets}}";
/// What stands there for the path below which everything is served: the server knows it when it starts.
const BASE: &str = "{{base}}";
/// The engine's folder `client-web`.
const CLIENT_WEB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
/// What every module is made of, from there on.
const SOURCES: &[&str] = &[
    "src",
    "www",
    "Cargo.toml",
    "../shared/src",
    "../shared/Cargo.toml",
    "../Cargo.toml",
    "../Cargo.lock",
    "../rust-toolchain.toml",
];
/// Files that only a page that names them has.
const NAMED_ONLY: [&str; 3] = ["html", "js", "css"];

/// What a page is made of. Paths are below `client-web/www`, or below a folder that lies over it.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// The package whose module the page loads.
    pub package: &'a str,
    /// Folders whose files take the place of the engine's where they have the same path, later ones that of earlier
    /// ones; as the build script's own package sees them.
    pub over: &'a [&'a str],
    /// What else the module is made of, so that it is made anew when that changes: the package's sources, as the build
    /// script's own package sees them.
    pub sources: &'a [&'a str],
    /// The HTML files; the first one is what players open.
    pub pages: &'a [&'a str],
    /// The modules that these begin with. Each becomes one script with all that it imports.
    pub scripts: &'a [&'a str],
    /// The style sheets that these begin with. Each becomes one with all that it imports.
    pub styles: &'a [&'a str],
}

/// The arena's page, and the operator's.
pub const ARENA: Page<'_> = Page {
    package: "client-web",
    over: &[],
    sources: &[],
    pages: &["index.html", "admin.html"],
    scripts: &["main.js", "admin/main.js"],
    styles: &["page.css", "admin/page.css"],
};

/// The plain page, which shows any game, with the module that `package` makes.
pub const fn plain(package: &str) -> Page<'_> {
    Page {
        package,
        over: &[],
        sources: &[],
        pages: &["plain.html"],
        scripts: &["plain/main.js"],
        styles: &["plain/page.css"],
    }
}

/// Makes `page`, for the build script that calls it; see the head of this file. What went wrong stops the build: Cargo
/// shows what a build script wrote to stderr where it fails, and nowhere else.
pub fn embed(page: &Page<'_>) {
    if let Err(why) = try_embed(page) {
        eprintln!("{why:#}");
        std::process::exit(1);
    }
}

fn try_embed(page: &Page<'_>) -> Result<()> {
    let own = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    add_target()?;
    let wasm = compile(page.package, &own, &target_folder(&out, page.package))?;
    let mut files = bind(&wasm, &out.join("module"))?;
    let module: Vec<_> = files.keys().cloned().collect();
    files.append(&mut written(page, &own)?);
    let script = format!("{MODULE}.js");
    let outside = [script.as_str()];
    let entries: Vec<_> = page.scripts.iter().map(|&entry| (entry, &outside[..])).collect();
    bundle::scripts(&mut files, &entries)?;
    bundle::styles(&mut files, page.styles)?;
    keep_named(&mut files, page, &module);
    fs::write(out.join("page.rs"), expression(files, page.pages, &out.join("page"))?)?;

    // At the end: a build script that failed runs again anyway, and Cargo shows its stdout as well.
    for source in SOURCES {
        println!("cargo::rerun-if-changed={CLIENT_WEB}/{source}");
    }
    for source in page.sources.iter().chain(page.over) {
        println!("cargo::rerun-if-changed={}", own.join(source).display());
    }
    Ok(())
}

/// Leaves out pages, scripts and style sheets that are neither `page`'s nor the module's: another page's, or bundled.
fn keep_named(files: &mut BTreeMap<String, Vec<u8>>, page: &Page<'_>, module: &[String]) {
    let named = [page.pages, page.scripts, page.styles].concat();
    files.retain(|path, _| {
        let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
        !NAMED_ONLY.contains(&extension) || module.contains(path) || named.contains(&path.as_str())
    });
}

/// The engine's files, with those of the page's own folders over them.
fn written(page: &Page<'_>, own: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    collect(&Path::new(CLIENT_WEB).join("www"), "", &mut files)?;
    for folder in page.over {
        collect(&own.join(folder), "", &mut files)?;
    }
    match files.keys().find(|path| path.starts_with(MODULE)) {
        Some(path) => bail!("{path} has the name of a file that wasm-bindgen writes; rename it"),
        None => Ok(files),
    }
}

/// Installs the standard library for WebAssembly if this toolchain lacks it. `rust-toolchain.toml`
/// asks for it too, but goes unheard where rustup may not install by itself.
fn add_target() -> Result<()> {
    let asked = Command::new(env::var("RUSTC")?).args(["--print", "sysroot"]).output()?;
    let sysroot = PathBuf::from(String::from_utf8(asked.stdout)?.trim());
    if sysroot.join("lib/rustlib").join(TARGET).join("lib").exists() {
        return Ok(());
    }
    println!(
        "cargo::warning=adding the target {TARGET} to this toolchain, for the browser's module"
    );
    let added = Command::new("rustup").args(["target", "add", TARGET]).output();
    if added.is_ok_and(|done| done.status.success()) {
        return Ok(());
    }
    bail!(
        "the browser's module needs Rust's target {TARGET}; add it with: rustup target add {TARGET}"
    )
}

/// The target folder of `package`'s module, inside the outer one: the two builds never wait for each other. No two
/// packages share one. `client-web` is in all of them, its library has the same file name whatever its features are,
/// and Cargo would not notice in one package's build that another's has put its own there.
fn target_folder(out: &Path, package: &str) -> PathBuf {
    let marked = out.ancestors().find(|folder| folder.join("CACHEDIR.TAG").exists());
    marked.or(out.ancestors().nth(4)).unwrap_or(out).join("web").join(package)
}

/// Compiles `package`, which is in the workspace of `own` or among what that uses, and says where the module is.
fn compile(package: &str, own: &Path, target: &Path) -> Result<PathBuf> {
    let mut cargo = Command::new(env::var("CARGO")?);
    // Quiet, so that it says nothing but what is wrong.
    cargo.args(["build", "--quiet", "--locked", "--profile", "web", "--lib", "--target", TARGET]);
    cargo.args(["-p", package]).arg("--target-dir").arg(target).current_dir(own);
    // What the outer build was told is not meant for this one: flags for another target, clippy in
    // the compiler's place, profiles, the outer job server.
    for (name, _) in env::vars_os() {
        let name_text = name.to_string_lossy();
        let kept = ["CARGO_HOME", "CARGO_HTTP_", "CARGO_NET_", "CARGO_REGISTR", "CARGO_TERM_"];
        let from_outside = name_text.starts_with("CARGO") || name_text.starts_with("RUSTC");
        if from_outside && !kept.iter().any(|&prefix| name_text.starts_with(prefix)) {
            cargo.env_remove(&name);
        }
    }
    cargo.env_remove("RUSTFLAGS").env_remove("RUSTDOCFLAGS").env_remove("RUSTDOC");

    let done = cargo.output().context("cargo did not start")?;
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr);
        bail!("the browser's module, {package}, did not compile:\n{said}");
    }
    let name = package.replace('-', "_");
    Ok(target.join(TARGET).join("web").join(name).with_extension("wasm"))
}

/// Runs wasm-bindgen over the module and reads what it made.
fn bind(wasm: &Path, out: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    remove_folder(out)?;
    let made = wasm_bindgen_cli_support::Bindgen::new()
        .input_path(wasm)
        .out_name(MODULE)
        .web(true)
        // As a library it leaves it to the caller to say where the module lies; the page does not.
        .map(|b| b.omit_default_module_path(false).typescript(false))
        .map(|b| b.remove_name_section(true).remove_producers_section(true))
        .and_then(|b| b.generate(out));
    made.map_err(|why| anyhow!("wasm-bindgen refused {}: {why:#}", wasm.display()))?;
    let mut files = BTreeMap::new();
    collect(out, "", &mut files)?;
    Ok(files)
}

/// Reads every file below `folder` but hidden ones.
fn collect(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) -> Result<()> {
    let listed = fs::read_dir(folder)
        .with_context(|| format!("{} cannot be read", folder.display()))?
        .collect::<Result<Vec<_>, _>>()?;
    for entry in listed {
        let name =
            entry.file_name().into_string().map_err(|_| anyhow!("a file's name is not UTF-8"))?;
        if name.starts_with('.') {
            continue;
        }
        let path = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{path}/"), files)?;
        } else {
            files.insert(path, fs::read(entry.path())?);
        }
    }
    Ok(())
}

/// Writes the files and their compressed forms into `folder`; answers the Rust expression that includes them.
fn expression(
    mut files: BTreeMap<String, Vec<u8>>,
    pages: &[&str],
    folder: &Path,
) -> Result<String> {
    remove_folder(folder)?;
    let take = |&file: &&str| -> Result<(String, String)> {
        let page = files.remove(file).with_context(|| format!("there is no {file}"))?;
        let page = String::from_utf8(page).with_context(|| format!("{file} is not UTF-8"))?;
        Ok((file.to_owned(), page))
    };
    let pages = pages.iter().map(take).collect::<Result<Vec<_>>>()?;
    let build = digest(files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())));

    fs::create_dir_all(folder)?;
    let mut source = format!("Build {{\n    name: {build:?},\n    pages: &[\n");
    for (file, page) in pages {
        let page = page.replace(PLACEHOLDER, &format!("{BASE}/assets/{build}"));
        let written = folder.join(&file);
        fs::write(&written, page)?;
        writeln!(source, "        ({file:?}, include_str!({written:?})),")?;
    }
    source.push_str("    ],\n    assets: &[\n");
    for (path, bytes) in &files {
        writeln!(source, "        {},", asset(path, bytes, folder)?)?;
    }
    source.push_str("    ],\n}\n");
    Ok(source)
}

/// Writes one file and, where that is smaller, its gzip form; answers its line.
fn asset(path: &str, bytes: &[u8], folder: &Path) -> Result<String> {
    let file = folder.join(path);
    fs::create_dir_all(file.parent().context("an asset without a folder")?)?;
    fs::write(&file, bytes)?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    let zipped = encoder.finish()?;
    let gzip = if zipped.len() < bytes.len() {
        let file = folder.join(format!("{path}.gz"));
        fs::write(&file, zipped)?;
        format!("Some(include_bytes!({file:?}))")
    } else {
        "None".into()
    };
    let (media, tag) = (media_type(path)?, digest([(path, bytes)]));
    Ok(format!(
        "Asset {{ path: {path:?}, media: {media:?}, tag: \"W/\\\"{tag}\\\"\", \
         plain: include_bytes!({file:?}), gzip: {gzip} }}"
    ))
}

fn media_type(path: &str) -> Result<&'static str> {
    Ok(match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "webmanifest") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("wasm") => "application/wasm",
        _ => bail!("{path}: add this kind of file to media_type in client-web/page"),
    })
}

/// Sixteen letters that change when a name or a byte does.
fn digest<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> String {
    let mut hasher = DefaultHasher::new();
    files.into_iter().for_each(|file| file.hash(&mut hasher));
    format!("{:016x}", hasher.finish())
}

fn remove_folder(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("{} stays", folder.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_over_takes_the_place_of_ours() {
        let own = env::temp_dir().join(format!("gamekeeper-page-{}", std::process::id()));
        fs::create_dir_all(own.join("www/plain")).expect("a folder");
        fs::write(own.join("www/plain/draw.js"), "// mine").expect("a file");
        fs::write(own.join("www/boat.svg"), "<svg/>").expect("a file");
        let page = Page { over: &["www"], ..plain("mine") };
        let files = written(&page, &own).expect("both folders can be read");
        assert_eq!(files["plain/draw.js"], b"// mine");
        assert_eq!(files["boat.svg"], b"<svg/>");
        assert!(files["plain/main.js"].len() > 1000, "ours, where there is no other");
        fs::write(own.join("www/client_web.js"), "").expect("a file");
        let refused = written(&page, &own).expect_err("the module's own name");
        assert!(refused.to_string().contains("client_web.js"), "{refused}");
        fs::remove_dir_all(own).expect("it can be removed");
    }

    #[test]
    fn what_does_not_compile_is_told_in_the_compilers_words() {
        let own = env::temp_dir().join(format!("gamekeeper-module-{}", std::process::id()));
        fs::create_dir_all(own.join("src")).expect("a folder");
        let manifest = "[workspace]\n[package]\nname = \"mine\"\nedition = \"2024\"\n\
            [lib]\ncrate-type = [\"cdylib\"]\n[profile.web]\ninherits = \"release\"";
        let lock = "version = 4\n[[package]]\nname = \"mine\"\nversion = \"0.0.0\"";
        let rules = "pub fn step() { let boats = ; }";
        for (file, text) in [("Cargo.toml", manifest), ("Cargo.lock", lock), ("src/lib.rs", rules)]
        {
            fs::write(own.join(file), text).expect("a file");
        }
        let told = compile("mine", &own, &own.join("target")).expect_err("no Rust").to_string();
        assert!(told.contains("expected expression") && told.contains("lib.rs:1"), "{told}");
        fs::write(own.join("src/lib.rs"), "pub fn step() {}").expect("a file");
        let wasm = compile("mine", &own, &own.join("target")).expect("Rust");
        assert!(wasm.exists(), "{}", wasm.display());
        fs::remove_dir_all(own).expect("it can be removed");
    }

    #[test]
    fn no_two_packages_share_a_target_folder() {
        let out = Path::new("/game/target/debug/build/mine-0123456789abcdef/out");
        assert_eq!(target_folder(out, "mine"), Path::new("/game/target/web/mine"));
        assert_ne!(target_folder(out, "mine"), target_folder(out, ARENA.package));
    }

    #[test]
    fn only_what_a_page_names_is_in_it() {
        let text = |text: &str| text.as_bytes().to_vec();
        let mut files = BTreeMap::from([
            ("client_web.js".to_owned(), text("module")),
            ("plain.html".to_owned(), text("<a href=\"{{assets}}/plain/main.js\">")),
            ("plain/main.js".to_owned(), text("entry")),
            ("main.js".to_owned(), text("another page's")),
            ("icon.svg".to_owned(), text("<svg/>")),
        ]);
        keep_named(&mut files, &plain("mine"), &["client_web.js".to_owned()]);
        let kept: Vec<_> = files.keys().map(String::as_str).collect();
        assert_eq!(kept, ["client_web.js", "icon.svg", "plain.html", "plain/main.js"]);
    }
}
