//! Whole rows, packed: every field at its table's width. A field with a short form is a bit, 0, and so
//! many bits where the value fits these; else a bit, 1, and all.

use super::WireError;
use super::bits::{BitReader, BitWriter};
use super::field::Field;

/// A value's bits at a width; two's complement where it is negative.
const fn low_bits(value: i32, width: u32) -> u64 {
    value as u32 as u64 & ((1u64 << width) - 1)
}

/// The value that so many bits stand for.
const fn value_of(raw: u32, width: u32, signed: bool) -> i32 {
    if signed && width > 0 {
        let unused = 32 - width;
        ((raw << unused) as i32) >> unused
    } else {
        raw as i32
    }
}

/// Appends `cells`. Panics when a value is out of its field's range: what we send is ours to keep right.
pub fn put(writer: &mut BitWriter<'_>, fields: &[Field], cells: &[i32]) {
    assert_eq!(fields.len(), cells.len(), "a cell per field");
    for (field, &value) in fields.iter().zip(cells) {
        assert!(field.contains(value), "{} = {value} is out of its field's range", field.name);
        let mut width = u32::from(field.bits);
        if let Some(short) = field.short.map(u32::from) {
            let bits = low_bits(value, short);
            let fits = value_of(bits as u32, short, field.signed) == value;
            writer.flag(!fits);
            if fits {
                width = short;
            }
        }
        writer.put(low_bits(value, width), width);
    }
}

/// Takes as many integers as there are fields into `cells`. A value that fits its short form and is not in
/// it is refused, so that every row has one spelling.
pub fn take(
    reader: &mut BitReader<'_>,
    fields: &[Field],
    cells: &mut [i32],
) -> Result<(), WireError> {
    assert_eq!(fields.len(), cells.len(), "a cell per field");
    for (field, cell) in fields.iter().zip(cells) {
        let width = u32::from(field.bits);
        let Some(short) = field.short.map(u32::from) else {
            *cell = value_of(reader.take(width)?, width, field.signed);
            continue;
        };
        let is_long = reader.flag()?;
        let width = if is_long { width } else { short };
        *cell = value_of(reader.take(width)?, width, field.signed);
        let fits = value_of(low_bits(*cell, short) as u32, short, field.signed) == *cell;
        if is_long && fits {
            return Err(WireError::OutOfRange);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FIELDS: &[Field] = &[
        Field::signed("a", 23, 1.0).with_short(10),
        Field::count("b", 1),
        Field::signed("c", 16, 1.0),
        Field::count("d", 30),
        Field::angle("e", 12),
        Field::rare("f", 10),
        Field::owner("g"),
    ];

    proptest! {
        #[test]
        fn a_row_comes_back(raw in proptest::array::uniform7(any::<i32>()), small: bool) {
            let mut cells: Vec<i32> = FIELDS.iter().zip(raw).map(|(f, v)| {
                let span = i64::from(f.max()) - i64::from(f.min()) + 1;
                (i64::from(f.min()) + i64::from(v).rem_euclid(span)) as i32
            }).collect();
            if small {
                cells[0] %= 512;
                cells[5] = 0;
                cells[6] &= 0xff;
            }
            let width = |fits: bool, short: u32, long: u32| 1 + if fits { short } else { long };
            let bits = 59
                + width((-512..512).contains(&cells[0]), 10, 23)
                + width(cells[5] == 0, 0, 10)
                + width(cells[6] < 256, 8, 16);
            let mut out = Vec::new();
            let mut writer = BitWriter::new(&mut out);
            put(&mut writer, FIELDS, &cells);
            prop_assert_eq!(writer.finish_words(0), bits);
            let mut back = [0; 7];
            prop_assert_eq!(take(&mut BitReader::new(&out), FIELDS, &mut back), Ok(()));
            prop_assert_eq!(&back[..], &cells[..]);
        }
    }

    #[test]
    fn a_row_has_one_spelling() {
        let rare = &[Field::rare("a", 3)];
        assert_eq!(take(&mut BitReader::new(&[0x01]), rare, &mut [9]), Err(WireError::OutOfRange));
        let place = &[Field::x("x", 6, 1.0)];
        // A bit 1, then -3 in six bits, which three would hold.
        let long = &mut BitReader::new(&[0b111_1011]);
        assert_eq!(take(long, place, &mut [9]), Err(WireError::OutOfRange));
        assert_eq!(take(&mut BitReader::new(&[]), rare, &mut [0]), Err(WireError::Truncated));
    }
}
