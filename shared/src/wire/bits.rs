//! Rows at their tables' widths, packed from the lowest bit of the first byte on, padded with zero
//! bits to a whole byte.

use super::field::Field;
use super::{WireError, varint};

/// Appends `cells` at the widths of `fields`. Panics when a value is out of range: what we send is
/// ours to keep right.
pub fn put(out: &mut Vec<u8>, fields: &[Field], cells: &[i32]) {
    assert_eq!(fields.len(), cells.len(), "a cell per field");
    let mut pending = 0u64;
    let mut filled = 0u32;
    for (field, &value) in fields.iter().zip(cells) {
        assert!(field.contains(value), "{} = {value} is out of its field's range", field.name);
        let bits = (value as u32) & (u32::MAX >> (32 - u32::from(field.bits)));
        pending |= u64::from(bits) << filled;
        filled += u32::from(field.bits);
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
    let mut pending = 0u64;
    let mut filled = 0u32;
    for (field, cell) in fields.iter().zip(cells) {
        let width = u32::from(field.bits);
        while filled < width {
            pending |= u64::from(varint::take_byte(bytes)?) << filled;
            filled += 8;
        }
        let raw = (pending as u32) & (u32::MAX >> (32 - width));
        pending >>= width;
        filled -= width;
        let unused = 32 - width;
        *cell = if field.signed { ((raw << unused) as i32) >> unused } else { raw as i32 };
    }
    if pending != 0 { Err(WireError::OutOfRange) } else { Ok(()) }
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
    ];

    proptest! {
        #[test]
        fn a_row_comes_back(raw in proptest::array::uniform5(any::<i32>())) {
            let cells: Vec<i32> = FIELDS.iter().zip(raw).map(|(f, v)| {
                let span = i64::from(f.max()) - i64::from(f.min()) + 1;
                (i64::from(f.min()) + i64::from(v).rem_euclid(span)) as i32
            }).collect();
            let mut out = Vec::new();
            put(&mut out, FIELDS, &cells);
            prop_assert_eq!(out.len(), 83usize.div_ceil(8));
            let mut back = [0; 5];
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
    }
}
