//! Makes the browser's part and puts it into the server's binary, so that `cargo run -p server` is all
//! there is to do. Comes in: `client-web` (Rust, compiled to WebAssembly here) and `client-web/www`.
//! Goes out: `$OUT_DIR/assets.rs`, a table of files with their compressed forms. When something is
//! missing it stops with one sentence and the command that mends it.

mod bundle;

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
/// Name of the module's files: `client_web.js`, `client_web_bg.wasm`.
const MODULE: &str = "client_web";
/// Pages, by what they are called in the table.
const PAGES: [(&str, &str); 2] = [("PAGE", "index.html"), ("ADMIN_PAGE", "admin.html")];
/// What a page writes where the folder of this build's assets belongs.
const PLACEHOLDER: &str = "{{assets}}";
/// What stands there for the path below which everything is served: the server knows it when it starts.
const BASE: &str = "{{base}}";
/// What the module is made of, from the workspace's root on.
const SOURCES: &[&str] = &[
    "client-web/src",
    "client-web/www",
    "client-web/Cargo.toml",
    "shared/src",
    "shared/Cargo.toml",
    "Cargo.toml",
    "Cargo.lock",
    "rust-toolchain.toml",
];

fn main() {
    if let Err(why) = embed() {
        println!("cargo::error={why:#}");
    }
}

fn embed() -> Result<()> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("..");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    println!("cargo::rerun-if-changed=build");
    for source in SOURCES {
        println!("cargo::rerun-if-changed={}", root.join(source).display());
    }

    add_target()?;
    let wasm = compile(&root, &target_folder(&out))?;
    let mut files = bind(&wasm, &out.join("module"))?;
    collect(&root.join("client-web/www"), "", &mut files)?;
    bundle::scripts(
        &mut files,
        &[("main.js", &["client_web.js"]), ("admin/main.js", &["client_web.js"])],
    )?;
    bundle::styles(&mut files, &["page.css", "admin/page.css"])?;
    fs::write(out.join("assets.rs"), table(files, &out.join("assets"))?)?;
    Ok(())
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

/// The module's own target folder, inside the outer one: the two builds never wait for each other.
fn target_folder(out: &Path) -> PathBuf {
    let marked = out.ancestors().find(|folder| folder.join("CACHEDIR.TAG").exists());
    marked.or(out.ancestors().nth(4)).unwrap_or(out).join("web")
}

/// Compiles `client-web` and says where the module is.
fn compile(root: &Path, target: &Path) -> Result<PathBuf> {
    let args = ["build", "--locked", "--profile", "web", "--lib", "--target", TARGET];
    let mut cargo = Command::new(env::var("CARGO")?);
    cargo.args(args).args(["-p", "client-web"]).arg("--target-dir").arg(target).current_dir(root);
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

    let by_hand = format!("cargo {} -p client-web", args.join(" "));
    let done = cargo.output().with_context(|| format!("cargo did not start; try: {by_hand}"))?;
    if !done.status.success() {
        std::io::stderr().write_all(&done.stderr)?;
        bail!("the browser's module did not compile; see why with: {by_hand}");
    }
    Ok(target.join(TARGET).join("web").join(MODULE).with_extension("wasm"))
}

/// Runs wasm-bindgen over the module and reads what it made.
fn bind(wasm: &Path, out: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    remove_folder(out)?;
    let made = wasm_bindgen_cli_support::Bindgen::new()
        .input_path(wasm)
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
        } else if files.insert(path.clone(), fs::read(entry.path())?).is_some() {
            bail!(
                "client-web/www/{path} has the name of a file that wasm-bindgen writes; rename it"
            );
        }
    }
    Ok(())
}

/// Writes the files and their compressed forms into `folder`, and the Rust source that includes them.
fn table(mut files: BTreeMap<String, Vec<u8>>, folder: &Path) -> Result<String> {
    remove_folder(folder)?;
    let mut pages = Vec::new();
    for (name, file) in PAGES {
        let page =
            files.remove(file).with_context(|| format!("client-web/www/{file} is missing"))?;
        pages.push((name, file, page));
    }
    let build = digest(files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())));

    let mut source = format!("/// Names this build's assets.\nstatic BUILD: &str = {build:?};\n");
    fs::create_dir_all(folder)?;
    for (name, file, page) in pages {
        let page = String::from_utf8(page)
            .with_context(|| format!("client-web/www/{file} is not UTF-8"))?;
        let page = page.replace(PLACEHOLDER, &format!("{BASE}/assets/{build}"));
        let file = folder.join(file);
        fs::write(&file, page)?;
        writeln!(source, "/// A page, with {BASE:?} where the base path belongs.")?;
        writeln!(source, "static {name}: &str = include_str!({file:?});")?;
    }
    writeln!(source, "/// What the page loads, in ascending order of paths.")?;
    writeln!(source, "static ASSETS: &[Asset] = &[")?;
    for (path, bytes) in &files {
        writeln!(source, "    {},", asset(path, bytes, folder)?)?;
    }
    source.push_str("];\n");
    Ok(source)
}

/// Writes one file and, where that is smaller, its gzip form; answers its line of the table.
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
        _ => bail!("{path}: add this kind of file to media_type in server/build"),
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
