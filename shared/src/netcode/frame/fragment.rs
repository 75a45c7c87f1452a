//! The part of a frame about one entity that goes on. Comes in: its row of the last tick, of this one,
//! and what the rules alone would have made of it. Goes out: a few bits.
//!
//! ```text
//! steered kinds                                  all others
//! one of                                         corrections
//!     1 LEAD                      aimed on
//!     0 0                         as the rules alone have it
//!     0 1 0 LEAD OTHERS           something else is steered, too
//!     0 1 1 1 LEAD OTHERS corrections
//!     0 1 1 0 LEAD corrections
//!
//! LEAD    g4  difference of the first lead, folded
//! OTHERS  g0  mask of the other leads that changed, less 1; then the values of these
//!
//! corrections
//!     g5  mask. bit i: the i-th field after the leads is not what was expected; the bit above the last
//!         field's: what the rules would spawn is not there
//!     gN  for each such field: truth minus expectation, folded; N is 5/8 of the field's bits
//! ```
//!
//! gN is an exponential Golomb code of order N ([`BitWriter::golomb`]).

use crate::wire::bits::{BitReader, BitWriter, unzigzag, zigzag};
use crate::wire::{Field, Kind, Treatment, WireError, record};

/// The first lead's difference takes least bits below 2 to the power of this. Of the orders 2 to 5 this one
/// is best for aims of the arena's brains, at 5.2 bits a change.
const LEAD_ORDER: u32 = 4;
/// Mostly the first of the other leads is the one that changed.
const OTHERS_ORDER: u32 = 0;
/// Masks of the first so many fields take least bits.
const MASK_ORDER: u32 = 5;

/// Whether entities of the kind are told about by a bit each, rather than by index.
pub fn has_bit_each(kind: &Kind) -> bool {
    matches!(kind.treatment, Treatment::Steered { .. })
}

/// Appends the fragment of an entity, whose `id` is for the panic where a value is out of its field's range. `expected` is the row that `before` becomes by the rules under
/// `after`'s leads. False when nothing differs; then there is nothing, or for a steered kind
/// two bits that say so.
pub fn put(
    writer: &mut BitWriter<'_>,
    kind: &Kind,
    id: u32,
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
            put_corrections(writer, (kind, id), fields, expected, after, mask);
        }
        return mask != 0;
    }
    let changed = (1..leads).fold(0, |set, i| set | u32::from(before[i] != after[i]) << (i - 1));
    let given = kind.fields[..leads].iter().zip(after);
    given.for_each(|(field, &value)| kind.check(id, field, value));
    let lead = zigzag(kind.fields[0].difference(before[0], after[0]));
    if changed == 0 && mask == 0 {
        writer.flag(lead != 0);
        if lead == 0 {
            writer.flag(false);
        } else {
            writer.golomb(LEAD_ORDER, lead);
        }
        return lead != 0;
    }
    writer.put(0b10, 2);
    writer.flag(mask != 0);
    if mask != 0 {
        writer.flag(changed != 0);
    }
    writer.golomb(LEAD_ORDER, lead);
    if changed != 0 {
        writer.golomb(OTHERS_ORDER, changed - 1);
        for (i, field) in kind.fields[..leads].iter().enumerate().skip(1) {
            if changed & 1 << (i - 1) != 0 {
                record::put_plain(writer, field, after[i]);
            }
        }
    }
    if mask != 0 {
        put_corrections(writer, (kind, id), fields, &expected[leads..], &after[leads..], mask);
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
    (kind, id): (&Kind, u32),
    fields: &[Field],
    expected: &[i32],
    truth: &[i32],
    mask: u32,
) {
    writer.golomb(MASK_ORDER, mask);
    for (i, field) in fields.iter().enumerate().filter(|(i, _)| mask & 1 << i != 0) {
        kind.check(id, field, truth[i]);
        writer.golomb(order(field), zigzag(field.difference(expected[i], truth[i])));
    }
}

fn order(field: &Field) -> u32 {
    u32::from(field.bits) * 5 / 8
}

/// Reads the leads of a steered kind's fragment into `row`, which holds the row of the last tick. True when
/// corrections follow.
pub fn take_leads(
    reader: &mut BitReader<'_>,
    kind: &Kind,
    row: &mut [i32],
) -> Result<bool, WireError> {
    let leads = kind.leads();
    let only_first = reader.flag()?;
    if !only_first && !reader.flag()? {
        return Ok(false);
    }
    let corrected = !only_first && reader.flag()?;
    let others = !only_first && (!corrected || reader.flag()?);
    set(&kind.fields[0], &mut row[0], unzigzag(reader.golomb(LEAD_ORDER)?))?;
    if others {
        let changed = reader.golomb(OTHERS_ORDER)? + 1;
        if changed >> (leads - 1) != 0 {
            return Err(WireError::BadIndex);
        }
        for (i, field) in kind.fields[..leads].iter().enumerate().skip(1) {
            if changed & 1 << (i - 1) != 0 {
                row[i] = record::take_plain(reader, field)?;
            }
        }
    }
    Ok(corrected)
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
            let told = put(&mut writer, &kind, 7, &before, &after, &expected, nothing);
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
            prop_assert!(told || bits <= 2);
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
