//! Every decoder against bytes that nobody sane would send: those in the corpus, and honest ones spoilt in
//! thousands of ways. What must hold is in `src/fuzzing`; `tests/run --fuzz` looks for more with libFuzzer.

use allocation_counter::measure;
use shared::game::{Game, Setup};
use shared::netcode::conditions::Conditions;
use shared::netcode::history::History;
use shared::wire::WireError;
use shared::wire::message::{self, CLIENT_CLAIM_BYTES_MAX, CONTROL_BYTES_MAX, ServerMessage};
use std::fs;
use tests::fuzzing::mutate::Mutator;
use tests::fuzzing::seeds::{Seed, corpus_folder};
use tests::fuzzing::{Targets, http};
use tests::with_every_game;
use tests::world::World;

with_every_game! {
    client_messages,
    server_messages,
    frames,
    a_refused_frame_changes_nothing,
}

/// Of the mutations and the recorded session.
const SEED: u64 = 77;
/// Spoilt inputs for each quick target.
const SPOILT: usize = 20_000;
/// Spoilt inputs for the target that builds a client for each.
const SPOILT_SESSIONS: usize = 4000;

/// Bytes that an error's words may take, beside what is set aside for what a message says will come.
const WORDS_BYTES: u64 = 4096;

/// Gives a target its honest inputs, what is in its corpus, and `spoilt` spoilt ones; checks that it takes
/// the honest ones but for `refused`, and that spoiling leaves some that it takes and some that it does not.
fn bombard(
    name: &str,
    seeds: Vec<Seed>,
    refused: &[&str],
    spoilt: usize,
    target: impl Fn(&[u8]) -> bool,
) {
    for (seed, bytes) in &seeds {
        assert_eq!(target(bytes), !refused.contains(&&seed[..]), "{name}: {seed}");
    }
    let mut inputs: Vec<_> = seeds.into_iter().map(|(_, bytes)| bytes).collect();
    inputs.extend(corpus(name));
    for bytes in &inputs {
        let _ = target(bytes);
    }
    let mut mutator = Mutator::new(SEED);
    let taken = (0..spoilt).filter(|_| target(&mutator.spoil(&inputs))).count();
    println!("{name}: {taken} of {spoilt} spoilt inputs were taken");
    assert!((spoilt / 100..spoilt).contains(&taken), "{taken} of {spoilt}");
}

/// What is in a target's corpus.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = corpus_folder(target);
    let files = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    files.iter().map(|file| fs::read(file).expect("readable")).collect()
}

fn client_messages<G: Game>() {
    let targets = Targets::<G>::new();
    let seeds = targets.client_message_seeds();
    bombard("client_message", seeds, &[], SPOILT, |bytes| targets.client_message(bytes));
}

fn server_messages<G: Game>() {
    let targets = Targets::<G>::new();
    let seeds = targets.server_message_seeds();
    let target = |bytes: &[u8]| targets.server_message(bytes);
    bombard("server_message", seeds, &[], SPOILT_SESSIONS, target);
}

fn frames<G: Game>() {
    let targets = Targets::<G>::new();
    bombard("frame", targets.frame_seeds(), &[], SPOILT, |bytes| targets.frame(bytes));
}

#[test]
fn requests() {
    bombard("http", http::seeds(), &http::TURNED_DOWN, SPOILT, http::requests);
}

fn a_refused_frame_changes_nothing<G: Game>() {
    let setup = Setup::new(G::Settings::default(), SEED, 30);
    let rules = G::rules(&setup).expect("default settings");
    let mut world = World::<G>::new(SEED, 12);
    let guest = world.join("guest", Conditions::default());
    world.guests[guest].records = true;
    world.run(4000.0);
    let recorded = core::mem::take(&mut world.guests[guest].recorded);
    let frames: Vec<_> = recorded.into_iter().filter(|m| m[0] != message::TYPE).collect();
    assert!(frames.len() > 100);
    let mut history = History::new(G::KINDS);
    for pair in frames.windows(2) {
        history.take::<G>(&rules, &pair[0]).expect("as sent");
        let before = history.newest().map(|(tick, rows)| (tick, rows.clone()));
        let whole = &pair[1];
        for cut in 0..whole.len() {
            assert!(history.take::<G>(&rules, &whole[..cut]).is_err(), "a part is no frame");
        }
        assert_eq!(history.newest().map(|(tick, rows)| (tick, rows.clone())), before);
    }
    // What stands behind a frame would have to be another one; the frame itself counts.
    let last = frames.last().expect("many");
    let (before, _) = history.newest().expect("taken");
    let longer: Vec<u8> = last.iter().copied().chain([0]).collect();
    assert_eq!(history.take::<G>(&rules, &longer), Err(WireError::UnknownType(0)));
    assert_eq!(history.newest().map(|(tick, _)| tick), Some(before + 1));
}

#[test]
fn control_messages_claim_no_memory() {
    // Lengths as bytes, names, lists and nested lists would claim them.
    for power in [16, 20, 24, 30, 36, 48, 62] {
        let length = [&[0xfd][..], &(1_u64 << power).to_le_bytes()].concat();
        for head in 0..16u8 {
            for filler in 0..20 {
                let mut bytes = vec![head];
                bytes.extend(core::iter::repeat_n(1u8, filler));
                bytes.extend(&length);
                // More than a seat's token takes: where one is due, the claim is just sixteen legal bytes, and
                // what is refused is what is left over.
                bytes.extend([0; 32]);
                let decoded: [(usize, &dyn Fn() -> bool); 2] = [
                    (CLIENT_CLAIM_BYTES_MAX, &|| message::decode_client_message(&bytes).is_ok()),
                    (CONTROL_BYTES_MAX, &|| message::decode::<ServerMessage>(&bytes).is_ok()),
                ];
                for (most, decoded) in decoded {
                    let claimed = measure(|| assert!(!decoded()));
                    let most = most as u64 + WORDS_BYTES;
                    assert!(claimed.bytes_max <= most, "2^{power} at {head}: {claimed:?}");
                }
            }
        }
    }
}
