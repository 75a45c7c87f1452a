//! Bits, packed from the lowest of the first byte on. Comes in: integers and how many bits each has, or a
//! guess how large it is. Goes out: bytes, and the reverse.
//!
//! Numbers without a fixed width are exponential Golomb codes (ITU-T H.264, section 9.1, with the order k
//! as in Wikipedia's "Exponential-Golomb coding"): `value + 2^k` in binary, behind as many zeros as it has
//! bits beyond k + 1. Small ones are short: below 2^k it is k + 1 bits.

use super::WireError;

/// The most bits one call may write or read.
const WIDTH_MAX: u32 = 64;
/// Numbers coded without a fixed width stay below this, so that a code fits one word.
pub const GOLOMB_MAX: u32 = 1 << 31;

/// Appends bits to bytes. What does not fill a byte is written by [`BitWriter::finish`].
#[derive(Debug)]
pub struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    pending: u64,
    filled: u32,
}

impl<'a> BitWriter<'a> {
    /// Begins at the next whole byte of `out`.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, pending: 0, filled: 0 }
    }

    /// Appends the low `width` bits, at most 64, of `value`, which has no others.
    #[inline]
    pub fn put(&mut self, value: u64, width: u32) {
        debug_assert!(width <= WIDTH_MAX && (width == 64 || value >> width == 0));
        self.pending |= value << self.filled;
        let filled = self.filled + width;
        if filled < 64 {
            self.filled = filled;
            return;
        }
        self.out.extend_from_slice(&self.pending.to_le_bytes());
        self.filled = filled - 64;
        // Of the last value as many bits are left as did not fit; all did when none is.
        self.pending = if self.filled == 0 { 0 } else { value >> (width - self.filled) };
    }

    /// Appends one bit.
    #[inline]
    pub fn flag(&mut self, flag: bool) {
        self.put(u64::from(flag), 1);
    }

    /// Appends a number below [`GOLOMB_MAX`] that is likely to have `order` bits or fewer.
    #[inline]
    pub fn golomb(&mut self, order: u32, value: u32) {
        debug_assert!(value < GOLOMB_MAX);
        let shifted = u64::from(value) + (1 << order);
        let zeros = 63 - shifted.leading_zeros() - order;
        let below = shifted & ((1 << (zeros + order)) - 1);
        self.put((below << 1 | 1) << zeros, 2 * zeros + order + 1);
    }

    /// Appends the first `count` bits of `bits`, whose length is a multiple of 8 bytes.
    #[inline]
    pub fn append(&mut self, bits: &[u8], count: u32) {
        let mut left = count;
        for word in bits.as_chunks::<8>().0 {
            let word = u64::from_le_bytes(*word);
            self.put(word, left.min(64));
            left = left.saturating_sub(64);
            if left == 0 {
                break;
            }
        }
    }

    /// Writes what is left, padded with zeros to a whole byte.
    pub fn finish(self) {
        let bytes = self.filled.div_ceil(8) as usize;
        self.out.extend_from_slice(&self.pending.to_le_bytes()[..bytes]);
    }

    /// Writes what is left, padded with zeros to a multiple of 8 bytes, for [`BitWriter::append`]; returns
    /// how many bits these were.
    pub fn finish_words(self, start: usize) -> u32 {
        let bits = (self.out.len() - start) as u32 * 8 + self.filled;
        if self.filled > 0 {
            self.out.extend_from_slice(&self.pending.to_le_bytes());
        }
        bits
    }
}

/// Takes bits off the front of bytes.
#[derive(Debug)]
pub struct BitReader<'a> {
    bytes: &'a [u8],
    /// How many bits were taken.
    at: usize,
}

impl<'a> BitReader<'a> {
    /// Reads from the first byte on.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How many bits were taken so far.
    pub fn taken(&self) -> usize {
        self.at
    }

    /// The next `width` bits, at most 32.
    #[inline]
    pub fn take(&mut self, width: u32) -> Result<u32, WireError> {
        debug_assert!(width <= 32);
        let end = self.at + width as usize;
        if end > self.bytes.len() * 8 {
            return Err(WireError::Truncated);
        }
        let rest = &self.bytes[self.at / 8..];
        let word =
            rest.first_chunk().map_or_else(|| short_word(rest), |word| u64::from_le_bytes(*word));
        let value = (word >> (self.at % 8)) & ((1 << width) - 1);
        self.at = end;
        Ok(value as u32)
    }

    /// The next bit.
    #[inline]
    pub fn flag(&mut self) -> Result<bool, WireError> {
        self.take(1).map(|bit| bit != 0)
    }

    /// The next number of [`BitWriter::golomb`]'s.
    pub fn golomb(&mut self, order: u32) -> Result<u32, WireError> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
            if zeros + order > 31 {
                return Err(WireError::LongNumber);
            }
        }
        let below = self.take(zeros + order)?;
        let value = (u64::from(below) | 1 << (zeros + order)) - (1 << order);
        u32::try_from(value).ok().filter(|&v| v < GOLOMB_MAX).ok_or(WireError::LongNumber)
    }

    /// The bytes behind the one that was read last; what is left of that has to be zero.
    pub fn finish(mut self) -> Result<&'a [u8], WireError> {
        let padding = (8 - self.at % 8) % 8;
        if self.take(padding as u32)? != 0 {
            return Err(WireError::OutOfRange);
        }
        Ok(&self.bytes[self.at / 8..])
    }
}

/// Up to eight bytes, little end first.
fn short_word(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte))
}

/// Small magnitudes to small numbers: 0, -1, 1, -2 … become 0, 1, 2, 3 …
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

    #[derive(Clone, Debug)]
    enum Part {
        Bits(u32, u32),
        Golomb(u32, u32),
        Copied(Vec<u8>, u32),
    }

    fn part() -> impl Strategy<Value = Part> {
        prop_oneof![
            (0u32..=32, any::<u32>()).prop_map(|(width, v)| Part::Bits(
                width,
                (u64::from(v) & ((1 << width) - 1)) as u32
            )),
            (0u32..=13, 0..GOLOMB_MAX).prop_map(|(order, v)| Part::Golomb(order, v)),
            (0u32..=13, 0..5000u32).prop_map(|(order, v)| Part::Golomb(order, v)),
            (proptest::collection::vec(any::<u8>(), 8..33), 1u32..64).prop_map(|(bytes, less)| {
                let mut out = Vec::new();
                let mut writer = BitWriter::new(&mut out);
                bytes.iter().for_each(|&byte| writer.put(u64::from(byte), 8));
                writer.put(u64::from(less) & 1, 1);
                let count = writer.finish_words(0);
                Part::Copied(out, count)
            }),
        ]
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(parts in proptest::collection::vec(part(), 0..40), tail: u8) {
            let mut out = vec![7];
            let mut writer = BitWriter::new(&mut out);
            for part in &parts {
                match part {
                    Part::Bits(width, value) => writer.put(u64::from(*value), *width),
                    Part::Golomb(order, value) => writer.golomb(*order, *value),
                    Part::Copied(bytes, count) => writer.append(bytes, *count),
                }
            }
            writer.finish();
            out.push(tail);
            let mut reader = BitReader::new(&out[1..]);
            for part in &parts {
                match part {
                    Part::Bits(width, value) => prop_assert_eq!(reader.take(*width)?, *value),
                    Part::Golomb(order, value) => prop_assert_eq!(reader.golomb(*order)?, *value),
                    Part::Copied(bytes, count) => {
                        let mut again = BitReader::new(bytes);
                        for _ in 0..*count {
                            prop_assert_eq!(reader.flag()?, again.flag()?);
                        }
                    }
                }
            }
            prop_assert_eq!(reader.finish()?, &[tail][..]);
        }

        #[test]
        fn no_bytes_do_harm(bytes: Vec<u8>, orders in proptest::collection::vec(0u32..14, 0..50)) {
            let mut reader = BitReader::new(&bytes);
            for order in orders {
                if reader.golomb(order).is_err() {
                    break;
                }
            }
            let _ = reader.finish();
        }

        #[test]
        fn folding_comes_back(value: i32) {
            prop_assert_eq!(unzigzag(zigzag(value)), value);
        }
    }

    #[test]
    fn small_numbers_are_short() {
        for (order, value, bits) in [(0, 0, 1), (0, 1, 3), (3, 7, 4), (3, 8, 6), (12, 4095, 13)] {
            let mut out = Vec::new();
            let mut writer = BitWriter::new(&mut out);
            writer.golomb(order, value);
            assert_eq!(writer.finish_words(0), bits, "{order} {value}");
        }
    }

    #[test]
    fn padding_has_one_spelling() {
        let mut reader = BitReader::new(&[0x0f]);
        assert_eq!(reader.take(3), Ok(7));
        assert_eq!(reader.finish(), Err(WireError::OutOfRange));
    }
}
