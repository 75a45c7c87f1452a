//! Integers in as few bytes as they need: LEB128 (DWARF 5, section 7.6), little end first, seven
//! bits a byte; signed ones folded first (zigzag: 0, -1, 1, -2 … become 0, 1, 2, 3 …).

use super::WireError;

/// Appends `value`: 1 byte below 128, at most 5.
#[inline]
pub fn put(out: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a signed value, zigzag-folded.
#[inline]
pub fn put_signed(out: &mut Vec<u8>, value: i32) {
    put(out, zigzag(value));
}

/// Takes a value off the front of `bytes`.
#[inline]
pub fn take(bytes: &mut &[u8]) -> Result<u32, WireError> {
    let mut value = 0u32;
    for shift in (0..35).step_by(7) {
        let byte = take_byte(bytes)?;
        let part = u32::from(byte & 0x7f);
        if shift == 28 && part > 0x0f {
            return Err(WireError::LongNumber);
        }
        value |= part << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(WireError::LongNumber)
}

/// Takes a signed value off the front of `bytes`.
#[inline]
pub fn take_signed(bytes: &mut &[u8]) -> Result<i32, WireError> {
    take(bytes).map(unzigzag)
}

/// Takes one byte off the front of `bytes`.
#[inline]
pub fn take_byte(bytes: &mut &[u8]) -> Result<u8, WireError> {
    let (&first, rest) = bytes.split_first().ok_or(WireError::Truncated)?;
    *bytes = rest;
    Ok(first)
}

/// Takes `count` bytes off the front of `bytes`.
#[inline]
pub fn take_bytes<'a>(bytes: &mut &'a [u8], count: usize) -> Result<&'a [u8], WireError> {
    let (head, rest) = bytes.split_at_checked(count).ok_or(WireError::Truncated)?;
    *bytes = rest;
    Ok(head)
}

/// Takes a little-endian 32-bit integer off the front of `bytes`.
#[inline]
pub fn take_u32(bytes: &mut &[u8]) -> Result<u32, WireError> {
    let head = take_bytes(bytes, 4)?;
    Ok(u32::from_le_bytes(head.try_into().expect("four bytes")))
}

/// Small magnitudes to small numbers.
#[inline]
pub const fn zigzag(value: i32) -> u32 {
    ((value << 1) ^ (value >> 31)) as u32
}

/// The reverse of [`zigzag`].
#[inline]
pub const fn unzigzag(value: u32) -> i32 {
    (value >> 1) as i32 ^ -((value & 1) as i32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_number_comes_back(value: u32, signed: i32) {
            let mut out = Vec::new();
            put(&mut out, value);
            put_signed(&mut out, signed);
            let mut bytes = &out[..];
            prop_assert_eq!(take(&mut bytes), Ok(value));
            prop_assert_eq!(take_signed(&mut bytes), Ok(signed));
            prop_assert!(bytes.is_empty());
        }

        #[test]
        fn no_bytes_do_harm(bytes: Vec<u8>) {
            let mut rest = &bytes[..];
            while take(&mut rest).is_ok() {}
        }
    }

    #[test]
    fn too_long_is_refused() {
        assert_eq!(take(&mut &[0xff; 5][..]), Err(WireError::LongNumber));
        assert_eq!(take(&mut &[0x80; 9][..]), Err(WireError::LongNumber));
        assert_eq!(take(&mut &[0x80][..]), Err(WireError::Truncated));
    }
}
