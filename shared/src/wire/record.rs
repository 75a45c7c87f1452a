//! Whole rows, packed. A field is as wide as its table says, or, where the table has a usual size, an
//! exponential Golomb code of that order, folded when signed: so many bits and one for usual values, a few
//! more for others. What enters a view is packed in two parts, as its place is told by the distance from
//! somebody who is in view as well, and that differs from receiver to receiver.

use super::WireError;
use super::bits::{BitReader, BitWriter, unzigzag, zigzag};
use super::field::{Field, Role};

/// By how many bits a distance within a view is usually shorter than a place.
const NEARER_BITS: u32 = 2;

fn is_place(field: &Field) -> bool {
    matches!(field.role, Role::X | Role::Y)
}

/// Appends `cells`. Panics when a value is out of its field's range: what we send is ours to keep right.
pub fn put(writer: &mut BitWriter<'_>, fields: &[Field], cells: &[i32]) {
    assert_eq!(fields.len(), cells.len(), "a cell per field");
    fields.iter().zip(cells).for_each(|(field, &value)| put_field(writer, field, value));
}

/// Appends all but the place.
pub fn put_placeless(writer: &mut BitWriter<'_>, fields: &[Field], cells: &[i32]) {
    assert_eq!(fields.len(), cells.len(), "a cell per field");
    let all = fields.iter().zip(cells).filter(|(field, _)| !is_place(field));
    all.for_each(|(field, &value)| put_field(writer, field, value));
}

/// Appends the place, as the distance from another one of the same kind if there is one.
#[inline]
pub fn put_place(
    writer: &mut BitWriter<'_>,
    fields: &[Field],
    cells: &[i32],
    near: Option<&[i32]>,
) {
    for (i, field) in fields.iter().enumerate().filter(|(_, field)| is_place(field)) {
        match (near, field.usual) {
            (Some(near), Some(order)) => {
                check(field, cells[i]);
                let distance = zigzag(field.difference(near[i], cells[i]));
                writer.golomb(u32::from(order).saturating_sub(NEARER_BITS), distance);
            }
            _ => put_field(writer, field, cells[i]),
        }
    }
}

/// Panics when a value is out of its field's range: nobody could read it.
#[inline]
pub fn check(field: &Field, value: i32) {
    let range = field.min()..=field.max();
    assert!(range.contains(&value), "{} is {value}, out of {range:?}", field.name);
}

fn put_field(writer: &mut BitWriter<'_>, field: &Field, value: i32) {
    check(field, value);
    match field.usual {
        Some(order) if field.signed => writer.golomb(u32::from(order), zigzag(value)),
        Some(order) => writer.golomb(u32::from(order), value as u32),
        None => put_plain(writer, field, value),
    }
}

/// Takes as many integers as there are fields into `cells`, each within its field's range.
pub fn take(
    reader: &mut BitReader<'_>,
    fields: &[Field],
    cells: &mut [i32],
) -> Result<(), WireError> {
    assert_eq!(fields.len(), cells.len(), "a cell per field");
    for (field, cell) in fields.iter().zip(cells) {
        *cell = take_field(reader, field)?;
    }
    Ok(())
}

/// Takes what [`put_placeless`] and [`put_place`] wrote one behind the other.
pub fn take_near(
    reader: &mut BitReader<'_>,
    fields: &[Field],
    cells: &mut [i32],
    near: Option<&[i32]>,
) -> Result<(), WireError> {
    assert_eq!(fields.len(), cells.len(), "a cell per field");
    for (field, cell) in fields.iter().zip(&mut *cells).filter(|(field, _)| !is_place(field)) {
        *cell = take_field(reader, field)?;
    }
    for (i, field) in fields.iter().enumerate().filter(|(_, field)| is_place(field)) {
        cells[i] = match (near, field.usual) {
            (Some(near), Some(order)) => {
                let order = u32::from(order).saturating_sub(NEARER_BITS);
                in_range(field, field.sum(near[i], unzigzag(reader.golomb(order)?)))?
            }
            _ => take_field(reader, field)?,
        };
    }
    Ok(())
}

fn take_field(reader: &mut BitReader<'_>, field: &Field) -> Result<i32, WireError> {
    let value = match field.usual {
        Some(order) if field.signed => unzigzag(reader.golomb(u32::from(order))?),
        Some(order) => reader.golomb(u32::from(order))? as i32,
        None => take_plain(reader, field)?,
    };
    in_range(field, value)
}

fn in_range(field: &Field, value: i32) -> Result<i32, WireError> {
    if field.contains(value) { Ok(value) } else { Err(WireError::OutOfRange) }
}

/// Appends a value at its field's width, two's complement.
pub fn put_plain(writer: &mut BitWriter<'_>, field: &Field, value: i32) {
    let width = u32::from(field.bits);
    writer.put(u64::from(value as u32) & ((1 << width) - 1), width);
}

/// Takes a value of its field's width.
pub fn take_plain(reader: &mut BitReader<'_>, field: &Field) -> Result<i32, WireError> {
    let raw = reader.take(u32::from(field.bits))?;
    let unused = 32 - u32::from(field.bits);
    Ok(if field.signed { ((raw << unused) as i32) >> unused } else { raw as i32 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FIELDS: &[Field] = &[
        Field::x("a", 23, 1.0),
        Field::count("b", 1),
        Field::signed("c", 16, 1.0),
        Field::count("d", 30),
        Field::angle("e", 12),
        Field::rare("f", 10),
        Field::owner("g"),
    ];

    proptest! {
        #[test]
        fn a_row_comes_back(
            raw in proptest::array::uniform7(any::<i32>()),
            at in -4_194_304..4_194_304,
            usual: bool,
        ) {
            let mut cells: Vec<i32> = FIELDS.iter().zip(raw).map(|(f, v)| {
                let span = i64::from(f.max()) - i64::from(f.min()) + 1;
                (i64::from(f.min()) + i64::from(v).rem_euclid(span)) as i32
            }).collect();
            if usual {
                cells[0] %= 1 << 19;
                cells[5] = 0;
                cells[6] &= 0xff;
            }
            let mut out = Vec::new();
            let mut writer = BitWriter::new(&mut out);
            put(&mut writer, FIELDS, &cells);
            let bits = writer.finish_words(0);
            prop_assert!(!usual || bits == 21 + 59 + 1 + 9);
            let mut back = [0; 7];
            prop_assert_eq!(take(&mut BitReader::new(&out), FIELDS, &mut back), Ok(()));
            prop_assert_eq!(&back[..], &cells[..]);
            for near in [None, Some(&[at, 0, 0, 0, 0, 0, 0][..])] {
                let mut out = Vec::new();
                let mut writer = BitWriter::new(&mut out);
                put_placeless(&mut writer, FIELDS, &cells);
                put_place(&mut writer, FIELDS, &cells, near);
                writer.finish();
                let mut back = [0; 7];
                prop_assert_eq!(take_near(&mut BitReader::new(&out), FIELDS, &mut back, near), Ok(()));
                prop_assert_eq!(&back[..], &cells[..]);
            }
        }
    }

    #[test]
    #[should_panic(expected = "a is 8192, out of ")]
    fn a_place_out_of_range_is_not_sent_beside_another() {
        let place = &[Field::x("a", 14, 1.0)];
        put_place(&mut BitWriter::new(&mut Vec::new()), place, &[8192], Some(&[8191]));
    }

    #[test]
    fn what_is_out_of_range_is_refused() {
        let rare = &[Field::rare("a", 3)];
        let mut out = Vec::new();
        let mut writer = BitWriter::new(&mut out);
        writer.golomb(0, 8);
        writer.finish();
        assert_eq!(take(&mut BitReader::new(&out), rare, &mut [0]), Err(WireError::OutOfRange));
        assert_eq!(take(&mut BitReader::new(&[]), rare, &mut [0]), Err(WireError::Truncated));
    }
}
