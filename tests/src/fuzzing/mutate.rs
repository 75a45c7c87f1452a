//! Spoils honest bytes, from a seed: what libFuzzer does without end, for a test that ends.

use rand::{Rng, RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use shared::wire::bits::BitWriter;

/// Changes to one input, at most.
const CHANGES_MAX: u32 = 4;
/// Bytes that are inserted at once, at most.
const INSERTED_MAX: usize = 16;
/// Numbers on which decoders trip.
const NUMBERS: [u32; 8] = [0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x7fff_ffff];

/// A source of spoilt inputs.
pub struct Mutator {
    dice: Pcg64Mcg,
}

impl Mutator {
    /// All of it follows from `seed`.
    pub fn new(seed: u64) -> Self {
        Self { dice: Pcg64Mcg::seed_from_u64(seed) }
    }

    /// One of `seeds`, spoilt.
    pub fn spoil(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = seeds[self.dice.random_range(0..seeds.len())].clone();
        for _ in 0..self.dice.random_range(1..=CHANGES_MAX) {
            let other = &seeds[self.dice.random_range(0..seeds.len())];
            self.change(&mut bytes, other);
        }
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        let at = self.dice.random_range(0..=bytes.len());
        match self.dice.random_range(0..7) {
            0 => bytes.truncate(at),
            1 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << self.dice.random_range(0..8);
                }
            }
            2 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = self.dice.random();
                }
            }
            3 => {
                let mut number = Vec::new();
                let mut writer = BitWriter::new(&mut number);
                let order = self.dice.random_range(0..8);
                writer.golomb(order, NUMBERS[self.dice.random_range(0..NUMBERS.len())]);
                writer.finish();
                bytes.splice(at..at, number);
            }
            4 => {
                let mut noise = vec![0; self.dice.random_range(1..=INSERTED_MAX)];
                self.dice.fill_bytes(&mut noise);
                bytes.splice(at..at, noise);
            }
            5 => {
                // A part goes, or comes twice.
                let end = (at + self.dice.random_range(1..=INSERTED_MAX)).min(bytes.len());
                let part: Vec<u8> = bytes.drain(at..end).collect();
                if self.dice.random() {
                    bytes.splice(at..at, part.repeat(2));
                }
            }
            _ => {
                // The head of this one, and the tail of another.
                bytes.truncate(at);
                bytes.extend(&other[self.dice.random_range(0..=other.len())..]);
            }
        }
    }
}
