#![no_main]
use libfuzzer_sys::fuzz_target;
use shared::arena::Arena;
use std::sync::LazyLock;
use tests::fuzzing::Targets;

static TARGETS: LazyLock<Targets<Arena>> = LazyLock::new(Targets::new);

fuzz_target!(|bytes: &[u8]| {
    TARGETS.frame(bytes);
});
