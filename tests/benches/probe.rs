use server::session::interest::Interest;
use shared::arena::{Arena, Settings, rows::*};
use shared::game::*;
use shared::netcode::frame::*;
use shared::wire::bits::zigzag;
use shared::wire::*;
use std::collections::BTreeMap;
fn main() {
    let settings = Settings { size: 3600, ..Settings::default() };
    let setup = Setup::new(settings, 2026, 30);
    let rules = Arena::rules(&setup).unwrap();
    let mut game = Arena::new(&setup, &rules);
    let mut brains: Vec<<Arena as Game>::Brain> = (0..100u64)
        .map(|n| {
            game.join(&rules, PlayerId(n as u16));
            Brain::new(n + 1)
        })
        .collect();
    let mut changes = Changes::new(Arena::KINDS);
    let mut interest = Interest::new(Arena::KINDS);
    let mut before = Rows::new(Arena::KINDS);
    let mut hist: BTreeMap<u32, u64> = BTreeMap::new();
    let (mut told, mut others, mut ctrl, mut lag, mut n) = (0u64, 0u64, 0u64, 0u64, 0u64);
    let mut masks: BTreeMap<u32, u64> = BTreeMap::new();
    let mut fieldbits: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    let mut ev = vec![];
    for tick in 1..=450u32 {
        let cmds: Vec<_> = brains
            .iter_mut()
            .enumerate()
            .map(|(i, b)| {
                let id = PlayerId(i as u16);
                let mut rows = Rows::new(Arena::KINDS);
                interest.sight(id, game.view(id)).offer(&mut |k, s| {
                    rows.table_mut(k).push(changes.id(k, s), changes.row(k, s));
                });
                let input = if tick > 1 {
                    b.think(&rules, &View { tick, me: id, rows: &rows })
                } else {
                    Default::default()
                };
                Command { player: id, input }
            })
            .collect();
        game.step(&rules, &cmds, &mut ev);
        ev.clear();
        changes.advance::<Arena>(tick, &rules, |r| game.publish(r));
        interest.rebuild(&changes);
        if tick > 150 {
            for (id, row) in changes.now().table(SHIP).iter() {
                let Some(i) = before.table(SHIP).find_sorted(id) else { continue };
                let old = before.table(SHIP).row(i);
                n += 1;
                let z = zigzag(Ship::FIELDS[0].difference(old[0], row[0]));
                *hist.entry(if z == 0 { 0 } else { 32 - z.leading_zeros() }).or_default() += 1;
                if old[1] != row[1] {
                    ctrl += 1
                }
                if old[2] != row[2] {
                    lag += 1
                }
                if old[1..3] != row[1..3] {
                    others += 1
                }
                let mut e = row.to_vec();
                e.copy_from_slice(old);
                e[..3].copy_from_slice(&row[..3]);
                let mut sp = Rows::new(Arena::KINDS);
                Arena::expect(&rules, SHIP, id, old, &mut e, &mut sp);
                let mut mask = 0;
                for f in 3..row.len() {
                    if e[f] != row[f] {
                        mask |= 1 << (f - 3);
                        let z = zigzag(Ship::FIELDS[f].difference(e[f], row[f]));
                        let x = fieldbits.entry(Ship::FIELDS[f].name).or_default();
                        x.0 += 1;
                        x.1 += u64::from(32 - z.leading_zeros());
                    }
                }
                if mask != 0 {
                    *masks.entry(mask).or_default() += 1;
                }
                if old[..3] != row[..3] || mask != 0 {
                    told += 1
                }
            }
        }
        before = changes.now().clone();
    }
    let nf = n as f64;
    println!(
        "ships ticks {n} told {:.3} others {:.3} ctrl {:.3} lag {:.3}",
        told as f64 / nf,
        others as f64 / nf,
        ctrl as f64 / nf,
        lag as f64 / nf
    );
    for (b, c) in &hist {
        println!("aim bits {b}: {:.4}", *c as f64 / nf);
    }
    let total: u64 = masks.values().sum();
    println!("corrected {:.4}", total as f64 / nf);
    let mut m: Vec<_> = masks.into_iter().collect();
    m.sort_by_key(|x| std::cmp::Reverse(x.1));
    for (mask, c) in m.iter().take(12) {
        println!("mask {mask:b}: {:.4}", *c as f64 / nf);
    }
    for (f, (c, b)) in fieldbits {
        println!("{f}: {:.4} mean bits {:.1}", c as f64 / nf, b as f64 / c as f64);
    }
}
