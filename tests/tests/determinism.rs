//! The same bits everywhere: what this machine computes and what Node.js computes from the same
//! source in wasm32. Both are built optimised, into a target folder of their own, so that no lock is
//! waited for. One test, as both halves need the same builds.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use wasm_bindgen_cli_support::Bindgen;

/// With fewer ships or ticks a wrong sine was seen to pass by luck.
const PLAYERS: &str = "1000";
const TICKS: &str = "10000";
const SEED: &str = "17";

/// Prints what `determinism-wasm` prints, by calling the same functions in wasm.
const SCRIPT: &str = "
    const [module, ...numbers] = process.argv.slice(1);
    const m = require(module);
    if (numbers.length === 0) console.log(m.functions() + '\\n' + m.table());
    else console.log(m.arena(...numbers.map(Number)));
";

#[test]
fn native_and_wasm_compute_the_same() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("wasm-tests");
    let native = build_native(&folder);
    let module = build_wasm(&folder);
    let both = |numbers: &[&str]| {
        let here = start(Command::new(&native).args(numbers));
        let there = start(Command::new("node").args(["-e", SCRIPT]).arg(&module).args(numbers));
        (here(), there())
    };
    let (here, there) = both(&[]);
    assert_eq!(here, there, "sine, cosine, arc tangent or exponential differ in their last bits");
    let (here, there) = both(&[PLAYERS, TICKS, SEED]);
    assert_eq!(here, there, "{PLAYERS} ships part ways within {TICKS} ticks");
}

fn build_native(folder: &Path) -> PathBuf {
    cargo(folder, ["--bin", "determinism-wasm"]);
    folder.join("release").join(format!("determinism-wasm{}", std::env::consts::EXE_SUFFIX))
}

/// The path of a module that Node.js can load.
fn build_wasm(folder: &Path) -> PathBuf {
    let target = "wasm32-unknown-unknown";
    cargo(folder, ["--lib", "--target", target]);
    let out = folder.join("node");
    let made = Bindgen::new()
        .input_path(folder.join(target).join("release/determinism_wasm.wasm"))
        .nodejs(true)
        .and_then(|bindgen| bindgen.typescript(false).generate(&out));
    made.expect("wasm-bindgen takes what cargo has built");
    out.join("determinism_wasm.js")
}

fn cargo(folder: &Path, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) {
    let status = Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["build", "--release", "--package", "determinism-wasm", "--target-dir"])
        .arg(folder)
        .args(arguments)
        .status()
        .expect("cargo starts");
    assert!(
        status.success(),
        "cargo could not build determinism-wasm; if the target is missing: \
         rustup target add wasm32-unknown-unknown"
    );
}

/// Starts a program; the answer waits for what it prints.
fn start(command: &mut Command) -> impl FnOnce() -> String + use<> {
    let program = command.get_program().to_string_lossy().into_owned();
    let child = command.stdout(Stdio::piped()).spawn().unwrap_or_else(|error| {
        panic!(
            "{program} does not start: {error}. This test needs Node.js 18 or later as `node` \
             (on Debian: apt-get install nodejs)"
        )
    });
    move || {
        let output = child.wait_with_output().expect("a program's output can be read");
        assert!(output.status.success(), "{program} ended with {}", output.status);
        String::from_utf8(output.stdout).expect("hashes are text")
    }
}
