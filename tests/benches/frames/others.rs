//! Two plain ways of sending the same views, to compare with.

use shared::game::Tick;
use shared::wire::bits::zigzag;
use shared::wire::{Rows, message};

/// The obvious way: the whole view in bincode.
pub(crate) fn whole_view(tick: Tick, rows: &Rows) -> Vec<u8> {
    let tables: Vec<Vec<(u32, &[i32])>> =
        rows.tables().iter().map(|table| table.iter().collect()).collect();
    message::encode(&(tick, tables))
}

/// The usual way: for each entity a mask of the fields that changed and their differences as varints;
/// new ones whole, gone ones by id.
pub(crate) fn varint_difference(before: Option<&Rows>, now: &Rows) -> Vec<u8> {
    let mut out = vec![0; 3];
    for (kind, table) in now.tables().iter().enumerate() {
        let old = before.map(|rows| rows.table(kind));
        for (index, (id, row)) in table.iter().enumerate() {
            let same = old.filter(|old| old.ids().get(index) == Some(&id)).map(|_| index);
            let place = same.or_else(|| old.and_then(|old| old.find(id)));
            let zeros = [0; 31];
            let base = match (old, place) {
                (Some(old), Some(place)) => old.row(place),
                _ => &zeros[..row.len()],
            };
            let mask = (0..row.len()).fold(0, |mask, i| mask | u32::from(base[i] != row[i]) << i);
            if mask == 0 {
                continue;
            }
            leb128(&mut out, if place.is_some() { index as u32 } else { id });
            leb128(&mut out, mask);
            for i in (0..row.len()).filter(|i| mask & 1 << i != 0) {
                leb128(&mut out, zigzag(row[i].wrapping_sub(base[i])));
            }
        }
        let gone =
            old.into_iter().flat_map(|old| old.ids()).filter(|id| table.find(**id).is_none());
        gone.for_each(|&id| leb128(&mut out, id));
    }
    out
}

/// An integer in as few bytes as it needs, seven bits a byte (DWARF 5, section 7.6).
fn leb128(out: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
