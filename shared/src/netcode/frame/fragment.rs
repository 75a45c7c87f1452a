//! The part of a frame about one entity that goes on. Comes in: its row of the last tick, of this one,
//! and what the rules alone would have made of it. Goes out: a few bits.
//!
//! ```text
//! steered kinds                                 all others
//! 1   0: as the rules alone have it, that's all corrections
//!     1: what follows
//! g3  difference of the first lead, folded
//! 1   the other leads follow
//! [for each of them: 1, and if set its value]
//! 1   corrections follow
//! [corrections]
//!
//! corrections
//!     g5  mask. bit i: the i-th field after the leads is not what was expected; the bit above the last
//!         field's: what the rules would spawn is not there
//!     gN  for each such field: truth minus expectation, folded; N is half of the field's bits
//! ```
//!
//! gN is an exponential Golomb code of order N ([`BitWriter::golomb`]).

use crate::wire::bits::{BitReader, BitWriter, unzigzag, zigzag};
use crate::wire::{Field, Kind, Treatment, WireError};

/// The first lead is coded for differences of half of 2 to the power of this. With the arena's brains, orders 3 and 4 give
/// the fewest bits for an aim.
const LEAD_ORDER: u32 = 3;
/// Masks are coded for the first so many fields.
const MASK_ORDER: u32 = 5;

/// Whether entities of the kind are told about by a bit each, rather than by index.
pub fn has_bit_each(kind: &Kind) -> bool {
    matches!(kind.treatment, Treatment::Steered { .. })
}

/// Appends the fragment of an entity. `expected` is the row that `before` becomes by the rules under
/// `after`'s leads. False when nothing differs; then there is nothing, or for a steered kind a 0.
pub fn put(
    writer: &mut BitWriter<'_>,
    kind: &Kind,
    before: &[i32],
    after: &[i32],
    expected: &[i32],
    spawns_nothing: bool,
) -> bool {
    let leads = kind.leads();
    let fields = &kind.fields[leads..];
    let mask = correction_mask(&expected[leads..], &after[leads..])
        | u32::from(spawns_nothing) << fields.len();
    if leads == 0 {
        if mask != 0 {
            put_corrections(writer, fields, expected, after, mask);
        }
        return mask != 0;
    }
    let told = before[..leads] != after[..leads] || mask != 0;
    writer.flag(told);
    if !told {
        return false;
    }
    writer.golomb(LEAD_ORDER, zigzag(kind.fields[0].difference(before[0], after[0])));
    let others = before[1..leads] != after[1..leads];
    writer.flag(others);
    if others {
        for (i, field) in kind.fields[..leads].iter().enumerate().skip(1) {
            let changed = before[i] != after[i];
            writer.flag(changed);
            if changed {
                let width = u32::from(field.bits);
                writer.put(u64::from(after[i] as u32) & ((1 << width) - 1), width);
            }
        }
    }
    writer.flag(mask != 0);
    if mask != 0 {
        put_corrections(writer, fields, &expected[leads..], &after[leads..], mask);
    }
    true
}

fn correction_mask(expected: &[i32], truth: &[i32]) -> u32 {
    let differ = expected.iter().zip(truth).enumerate();
    differ.fold(0, |mask, (i, (e, t))| mask | u32::from(e != t) << i)
}

/// `expected` and `truth` are of `fields` alone.
fn put_corrections(
    writer: &mut BitWriter<'_>,
    fields: &[Field],
    expected: &[i32],
    truth: &[i32],
    mask: u32,
) {
    writer.golomb(MASK_ORDER, mask);
    for (i, field) in fields.iter().enumerate().filter(|(i, _)| mask & 1 << i != 0) {
        writer.golomb(order(field), zigzag(field.difference(expected[i], truth[i])));
    }
}

fn order(field: &Field) -> u32 {
    u32::from(field.bits) / 2
}

/// Reads the leads of a steered kind's fragment into `row`, which holds the row of the last tick. True when
/// corrections follow.
pub fn take_leads(
    reader: &mut BitReader<'_>,
    kind: &Kind,
    row: &mut [i32],
) -> Result<bool, WireError> {
    if !reader.flag()? {
        return Ok(false);
    }
    set(&kind.fields[0], &mut row[0], unzigzag(reader.golomb(LEAD_ORDER)?))?;
    if reader.flag()? {
        for (field, cell) in kind.fields[..kind.leads()].iter().zip(row).skip(1) {
            if reader.flag()? {
                let unused = 32 - u32::from(field.bits);
                let raw = reader.take(u32::from(field.bits))?;
                *cell = if field.signed { ((raw << unused) as i32) >> unused } else { raw as i32 };
            }
        }
    }
    reader.flag()
}

/// Reads corrections into `row`, which holds the expectation. True when what the rules would spawn
/// is not there.
pub fn take_corrections(
    reader: &mut BitReader<'_>,
    kind: &Kind,
    row: &mut [i32],
) -> Result<bool, WireError> {
    let leads = kind.leads();
    let fields = &kind.fields[leads..];
    let mask = reader.golomb(MASK_ORDER)?;
    if mask >> fields.len() > 1 {
        return Err(WireError::BadIndex);
    }
    for (i, (field, cell)) in fields.iter().zip(&mut row[leads..]).enumerate() {
        if mask & 1 << i != 0 {
            set(field, cell, unzigzag(reader.golomb(order(field))?))?;
        }
    }
    Ok(mask >> fields.len() != 0)
}

fn set(field: &Field, cell: &mut i32, difference: i32) -> Result<(), WireError> {
    *cell = field.sum(*cell, difference);
    if field.contains(*cell) { Ok(()) } else { Err(WireError::OutOfRange) }
}

#[cfg(test)]
mod tests {
    use super::*;
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
            same: bool, still: bool, nothing: bool,
        ) {
            let kind = kind(leads);
            let mut after = after;
            if still {
                after[..leads as usize].copy_from_slice(&before[..leads as usize]);
            }
            let mut expected = if same { after } else { guess };
            expected[..leads as usize].copy_from_slice(&after[..leads as usize]);
            let mut out = Vec::new();
            let mut writer = BitWriter::new(&mut out);
            let told = put(&mut writer, &kind, &before, &after, &expected, nothing);
            let bits = writer.finish_words(0);
            let mut reader = BitReader::new(&out);
            let mut row = before;
            let corrected = if leads == 0 { told } else { take_leads(&mut reader, &kind, &mut row)? };
            prop_assert_eq!(&row[..leads as usize], &after[..leads as usize]);
            row = expected;
            let spawned_nothing = corrected && take_corrections(&mut reader, &kind, &mut row)?;
            prop_assert_eq!(row, after);
            prop_assert_eq!(spawned_nothing, nothing);
            prop_assert_eq!(reader.taken(), bits as usize);
            prop_assert!(told || bits <= 1);
        }

        #[test]
        fn no_bytes_do_harm(leads in 1u8..=3, start in row(), bytes: Vec<u8>) {
            let (kind, mut row, mut reader) = (kind(leads), start, BitReader::new(&bytes));
            if take_leads(&mut reader, &kind, &mut row) == Ok(true)
                && take_corrections(&mut reader, &kind, &mut row).is_ok()
            {
                prop_assert!(kind.contains(&row));
            }
        }
    }
}
