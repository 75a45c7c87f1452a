//! The same bits everywhere: what this machine computes and what Node.js computes from the same
//! source in wasm32. Both are built optimised. One test, as both halves need the same builds.

mod wasm;

use std::path::PathBuf;
use std::process::{Command, Stdio};

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
    let native = build_native();
    let module = wasm::build("release");
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

fn build_native() -> PathBuf {
    wasm::cargo(&["--bin", "determinism-wasm", "--profile", "release"]);
    let name = format!("determinism-wasm{}", std::env::consts::EXE_SUFFIX);
    wasm::folder().join("release").join(name)
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
