//! The part of a frame about one entity that goes on. Comes in: its row of the last tick, of this one,
//! and what the rules alone would have made of it. Goes out: nothing at all when they agree, else a
//! few bytes.
//!
//! ```text
//! steered kinds                                 all others
//! u8  bits 0-5: difference of the first lead,   corrections
//!         zigzag; 63: what is above follows as a varint
//!     bit 6: corrections follow
//!     bit 7: the other leads follow
//! [difference of the first lead]
//! [bits of the other leads that changed, one
//!     lead above the other, as one varint]
//! [corrections]
//!
//! corrections
//!     varint  bit 0: what the rules would spawn is not there
//!             bit 1 + i: the i-th field after the leads is not what was expected
//!     signed varint for each such field: truth minus expectation
//! ```

use crate::wire::{Field, Kind, WireError, varint};

const LEAD_ESCAPE: u32 = 63;
const HAS_CORRECTIONS: u8 = 1 << 6;
const HAS_MORE_LEADS: u8 = 1 << 7;
const SPAWNS_NOTHING: u32 = 1;

/// Appends the fragment of an entity; nothing when nothing differs. `expected` is the row that
/// `before` becomes by the rules under `after`'s leads. True when the fragment is needed.
pub fn put(
    out: &mut Vec<u8>,
    kind: &Kind,
    before: &[i32],
    after: &[i32],
    expected: &[i32],
    spawns_nothing: bool,
) -> bool {
    let leads = kind.leads();
    let mask = correction_mask(&kind.fields[leads..], &expected[leads..], &after[leads..])
        | if spawns_nothing { SPAWNS_NOTHING } else { 0 };
    if leads == 0 {
        if mask != 0 {
            put_corrections(out, kind, expected, after, mask);
        }
        return mask != 0;
    }
    let first = varint::zigzag(kind.fields[0].difference(before[0], after[0]));
    let others = before[1..leads] != after[1..leads];
    if first == 0 && !others && mask == 0 {
        return false;
    }
    out.push(
        first.min(LEAD_ESCAPE) as u8
            | if mask != 0 { HAS_CORRECTIONS } else { 0 }
            | if others { HAS_MORE_LEADS } else { 0 },
    );
    if first >= LEAD_ESCAPE {
        varint::put(out, first - LEAD_ESCAPE);
    }
    if others {
        let mut changed = 0;
        let mut shift = 0;
        for (i, field) in kind.fields[..leads].iter().enumerate().skip(1) {
            changed |= ((before[i] ^ after[i]) as u32 & width(field)) << shift;
            shift += u32::from(field.bits);
        }
        varint::put(out, changed);
    }
    if mask != 0 {
        put_corrections(out, kind, expected, after, mask);
    }
    true
}

fn correction_mask(fields: &[Field], expected: &[i32], truth: &[i32]) -> u32 {
    debug_assert_eq!(fields.len(), truth.len());
    expected
        .iter()
        .zip(truth)
        .enumerate()
        .fold(0, |mask, (i, (e, t))| if e == t { mask } else { mask | 2 << i })
}

fn put_corrections(out: &mut Vec<u8>, kind: &Kind, expected: &[i32], truth: &[i32], mask: u32) {
    varint::put(out, mask);
    for i in kind.leads()..kind.fields.len() {
        if mask & (2 << (i - kind.leads())) != 0 {
            varint::put_signed(out, kind.fields[i].difference(expected[i], truth[i]));
        }
    }
}

/// Reads the leads of a fragment into `row`, which holds the row of the last tick. True when
/// corrections follow.
pub fn take_leads(bytes: &mut &[u8], kind: &Kind, row: &mut [i32]) -> Result<bool, WireError> {
    let leads = kind.leads();
    if leads == 0 {
        return Ok(true);
    }
    let head = varint::take_byte(bytes)?;
    let mut first = u32::from(head) & LEAD_ESCAPE;
    if first == LEAD_ESCAPE {
        first = varint::take(bytes)?.saturating_add(LEAD_ESCAPE);
    }
    set(&kind.fields[0], &mut row[0], varint::unzigzag(first))?;
    if head & HAS_MORE_LEADS != 0 {
        let mut changed = u64::from(varint::take(bytes)?);
        for (field, cell) in kind.fields[..leads].iter().zip(row).skip(1) {
            let raw = (*cell as u32 ^ changed as u32) & width(field);
            let unused = 32 - u32::from(field.bits);
            *cell = if field.signed { ((raw << unused) as i32) >> unused } else { raw as i32 };
            changed >>= field.bits;
        }
        if changed != 0 {
            return Err(WireError::OutOfRange);
        }
    }
    Ok(head & HAS_CORRECTIONS != 0)
}

/// The bits that a field's values have.
const fn width(field: &Field) -> u32 {
    u32::MAX >> (32 - field.bits as u32)
}

/// Reads corrections into `row`, which holds the expectation. True when what the rules would spawn
/// is not there.
pub fn take_corrections(
    bytes: &mut &[u8],
    kind: &Kind,
    row: &mut [i32],
) -> Result<bool, WireError> {
    let mask = varint::take(bytes)?;
    let leads = kind.leads();
    if u64::from(mask) >> (kind.fields.len() - leads + 1) != 0 {
        return Err(WireError::BadIndex);
    }
    for (i, (field, cell)) in kind.fields[leads..].iter().zip(&mut row[leads..]).enumerate() {
        if mask & (2 << i) != 0 {
            set(field, cell, varint::take_signed(bytes)?)?;
        }
    }
    Ok(mask & SPAWNS_NOTHING != 0)
}

fn set(field: &Field, cell: &mut i32, difference: i32) -> Result<(), WireError> {
    *cell = field.sum(*cell, difference);
    if field.contains(*cell) { Ok(()) } else { Err(WireError::OutOfRange) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Treatment;
    use proptest::prelude::*;

    const FIELDS: &[Field] = &[
        Field::angle("aim", 12),
        Field::count("keys", 7),
        Field::x("x", 23, 1.0),
        Field::count("hp", 7),
    ];

    fn kind(leads: u8) -> Kind {
        let treatment = if leads == 0 { Treatment::Plain } else { Treatment::Steered { leads } };
        Kind { name: "k", fields: FIELDS, treatment, private: false }
    }

    fn row() -> impl Strategy<Value = [i32; 4]> {
        (0..4096, 0..128, -4_194_304..4_194_304, 0..128).prop_map(|(a, b, c, d)| [a, b, c, d])
    }

    proptest! {
        #[test]
        fn a_fragment_comes_back(
            leads in 0u8..=3, before in row(), after in row(), guess in row(),
            same: bool, nothing: bool,
        ) {
            let kind = kind(leads);
            let mut expected = if same { after } else { guess };
            expected[..leads as usize].copy_from_slice(&after[..leads as usize]);
            let mut out = Vec::new();
            if !put(&mut out, &kind, &before, &after, &expected, nothing) {
                prop_assert!(out.is_empty() && expected == after && !nothing);
                return Ok(());
            }
            let mut bytes = &out[..];
            let mut row = before;
            let corrected = take_leads(&mut bytes, &kind, &mut row)?;
            prop_assert_eq!(&row[..leads as usize], &after[..leads as usize]);
            row = expected;
            let spawned_nothing = corrected && take_corrections(&mut bytes, &kind, &mut row)?;
            prop_assert_eq!(row, after);
            prop_assert_eq!(spawned_nothing, nothing);
            prop_assert!(bytes.is_empty());
        }

        #[test]
        fn no_bytes_do_harm(leads in 0u8..=3, start in row(), bytes: Vec<u8>) {
            let (kind, mut row, mut rest) = (kind(leads), start, &bytes[..]);
            if take_leads(&mut rest, &kind, &mut row) == Ok(true)
                && take_corrections(&mut rest, &kind, &mut row).is_ok()
            {
                prop_assert!(kind.contains(&row));
            }
        }
    }
}
