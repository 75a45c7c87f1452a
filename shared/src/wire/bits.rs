//! Rows at their tables' widths, packed from the lowest bit of the first byte on, padded with zero
//! bits to a whole byte. A rare field is one bit, 0, while it is 0; else a bit, 1, and its value. An owner
//! is a bit, 0, and 8 bits where these do; else a bit, 1, and all.

use super::field::{Field, Role};
use super::{WireError, varint};

/// Bits that a value has when it is in its short form, behind the bit that says so; `None` for a field
/// without one.
const fn short_bits(field: &Field) -> Option<u32> {
    match field.role {
        Role::Owner => Some(8),
        _ if field.rare => Some(0),
        _ => None,
    }
}

/// Appends `cells` at the widths of `fields`. Panics when a value is out of range: what we send is
/// ours to keep right.
pub fn put(out: &mut Vec<u8>, fields: &[Field], cells: &[i32]) {
    assert_eq!(fields.len(), cells.len(), "a cell per field");
    let mut pending = 0u64;
    let mut filled = 0u32;
    for (field, &value) in fields.iter().zip(cells) {
        assert!(field.contains(value), "{} = {value} is out of its field's range", field.name);
        let mut bits = u64::from((value as u32) & (u32::MAX >> (32 - u32::from(field.bits))));
        let mut width = u32::from(field.bits);
        if let Some(short) = short_bits(field) {
            let fits = bits >> short == 0;
            (bits, width) = if fits { (bits << 1, short + 1) } else { (bits << 1 | 1, width + 1) };
        }
        pending |= bits << filled;
        filled += width;
        while filled >= 8 {
            out.push(pending as u8);
            pending >>= 8;
            filled -= 8;
        }
    }
    if filled > 0 {
        out.push(pending as u8);
    }
}

/// Takes as many integers as there are fields off the front of `bytes` into `cells`. Padding must be
/// zero, so that every row has one spelling.
pub fn take(bytes: &mut &[u8], fields: &[Field], cells: &mut [i32]) -> Result<(), WireError> {
    assert_eq!(fields.len(), cells.len(), "a cell per field");
    let mut reader = Reader { bytes, pending: 0, filled: 0 };
    for (field, cell) in fields.iter().zip(cells) {
        let width = u32::from(field.bits);
        let short = match short_bits(field) {
            Some(short) if reader.take(1)? == 0 => {
                *cell = reader.take(short)? as i32;
                continue;
            }
            short => short,
        };
        let (raw, unused) = (reader.take(width)?, 32 - width);
        if short.is_some_and(|short| raw >> short == 0) {
            // It would have fitted the short form, and every row has one spelling.
            return Err(WireError::OutOfRange);
        }
        *cell = if field.signed { ((raw << unused) as i32) >> unused } else { raw as i32 };
    }
    if reader.pending != 0 { Err(WireError::OutOfRange) } else { Ok(()) }
}

/// Bits off the front of bytes.
struct Reader<'a, 'b> {
    bytes: &'a mut &'b [u8],
    pending: u64,
    filled: u32,
}

impl Reader<'_, '_> {
    fn take(&mut self, width: u32) -> Result<u32, WireError> {
        if width == 0 {
            return Ok(0);
        }
        while self.filled < width {
            self.pending |= u64::from(varint::take_byte(self.bytes)?) << self.filled;
            self.filled += 8;
        }
        let raw = (self.pending as u32) & (u32::MAX >> (32 - width));
        self.pending >>= width;
        self.filled -= width;
        Ok(raw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FIELDS: &[Field] = &[
        Field::x("a", 23, 1.0),
        Field::count("b", 1),
        Field::signed("c", 16, 1.0),
        Field::count("d", 31),
        Field::angle("e", 12),
        Field::rare("f", 10),
        Field::owner("g"),
    ];

    proptest! {
        #[test]
        fn a_row_comes_back(raw in proptest::array::uniform7(any::<i32>()), idle: bool) {
            let cells: Vec<i32> = FIELDS.iter().zip(raw).map(|(f, v)| {
                let span = i64::from(f.max()) - i64::from(f.min()) + 1;
                (i64::from(f.min()) + i64::from(v).rem_euclid(span)) as i32
            }).collect();
            let mut cells = cells;
            if idle {
                cells[5] = 0;
            }
            if idle {
                cells[6] &= 0xff;
            }
            let rare = if cells[5] == 0 { 1 } else { 11 } + if cells[6] < 256 { 9 } else { 17 };
            let mut out = Vec::new();
            put(&mut out, FIELDS, &cells);
            prop_assert_eq!(out.len(), (83usize + rare).div_ceil(8));
            let mut back = [0; 7];
            let mut bytes = &out[..];
            prop_assert_eq!(take(&mut bytes, FIELDS, &mut back), Ok(()));
            prop_assert_eq!(&back[..], &cells[..]);
            prop_assert!(bytes.is_empty());
        }
    }

    #[test]
    fn padding_has_one_spelling() {
        let fields = &[Field::count("a", 3)];
        assert_eq!(take(&mut &[0x0f][..], fields, &mut [0]), Err(WireError::OutOfRange));
        assert_eq!(take(&mut &[][..], fields, &mut [0]), Err(WireError::Truncated));
        let rare = &[Field::rare("a", 3)];
        assert_eq!(take(&mut &[0x01][..], rare, &mut [9]), Err(WireError::OutOfRange));
    }
}
