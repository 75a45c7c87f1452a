//! The toy game keeps the seam's promises itself, so that what the engine's tests find is the
//! engine's.

use determinism_wasm::Play;
use shared::game::{Fate, Game, Setup};
use shared::wire::{Protocol, Rows, Treatment};
use tests::buoys::{BOAT, Buoys, LOG, Log, Pond};

#[test]
fn the_toy_game_keeps_the_promises() {
    Protocol::of::<Buoys>();
    let setup = Setup { settings: Pond::default(), seed: 3, tick_rate: 20 };
    let mut play = Play::<Buoys>::new(setup);
    (0..20).for_each(|player| play.join(player));
    let mut before = Rows::new(Buoys::KINDS);
    let mut sunk = 0;
    for _ in 0..2000 {
        before.clone_from(play.rows());
        play.tick();
        sunk += play.events().len();
        let now = play.rows();
        let mut spawned = Rows::new(Buoys::KINDS);
        for (index, kind) in Buoys::KINDS.iter().enumerate() {
            let table = now.table(index);
            assert!(table.ids().is_sorted_by(|a, b| a < b), "{} ids ascend", kind.name);
            assert!(table.iter().all(|(_, row)| kind.contains(row)), "{} in range", kind.name);
            for (id, row) in table.iter() {
                let Some(old) = before.table(index).find_sorted(id) else { continue };
                let old = before.table(index).row(old);
                let mut after = old.to_vec();
                after[..kind.leads()].copy_from_slice(&row[..kind.leads()]);
                let fate = Buoys::expect(play.rules(), index, id, old, &mut after, &mut spawned);
                if matches!(kind.treatment, Treatment::Static | Treatment::Ballistic) {
                    assert_eq!((&after[..], fate), (row, Fate::Stays));
                }
            }
        }
        for (kind, table) in spawned.tables().iter().enumerate() {
            for (id, row) in table.iter() {
                let index = now.table(kind).find_sorted(id).expect("what is expected is there");
                assert_eq!(now.table(kind).row(index), row);
            }
        }
    }
    assert!(sunk > 10, "only {sunk} boats sank");
    assert_eq!(play.rows().table(BOAT).len(), 20);
    assert!(play.rows().table(LOG).rows::<Log>().any(|(_, log)| log.points > 5));
}
