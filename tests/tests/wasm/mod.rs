//! `determinism-wasm` as a module that Node.js can load. Everything is built into a target folder of its own,
//! so that no lock is waited for.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use wasm_bindgen_cli_support::Bindgen;

const TARGET: &str = "wasm32-unknown-unknown";

/// Where it is built.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("wasm-tests")
}

/// The path of the module, built with a profile.
pub(crate) fn build(profile: &str) -> PathBuf {
    cargo(&["--lib", "--profile", profile, "--target", TARGET]);
    let out = folder().join("node").join(profile);
    let made = Bindgen::new()
        .input_path(folder().join(TARGET).join(profile).join("determinism_wasm.wasm"))
        .nodejs(true)
        .and_then(|bindgen| bindgen.typescript(false).generate(&out));
    made.expect("wasm-bindgen takes what cargo has built");
    out.join("determinism_wasm.js")
}

/// Builds `determinism-wasm`, as these arguments say.
pub(crate) fn cargo(arguments: &[impl AsRef<OsStr>]) {
    let status = Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["build", "--package", "determinism-wasm", "--target-dir"])
        .arg(folder())
        .args(arguments)
        .status()
        .expect("cargo starts");
    assert!(
        status.success(),
        "cargo could not build determinism-wasm; if the target is missing: \
         rustup target add wasm32-unknown-unknown"
    );
}
