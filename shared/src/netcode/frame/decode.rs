//! A frame read. Comes in: the receiver's rows of the last tick and the bytes. Goes out: its rows of
//! this one. A frame that is refused leaves nothing behind; the receiver then asks for a keyframe.

use super::{
    COUNT_ORDER, GAP_ORDER, ID_GAP_ORDER, ID_ORDER, Part, Parts, TICK_BITS, TYPE_BITS, TYPE_DELTA,
    TYPE_KEYFRAME, fragment, margin_from_byte,
};
use crate::game::{Game, Tick};
use crate::netcode::going_on::GoingOn;
use crate::wire::bits::BitReader;
use crate::wire::field::FIELDS_MAX;
use crate::wire::{Rows, Treatment, WireError, record};
use serde::{Deserialize, Serialize};

/// What a frame says beside rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decoded {
    /// Of which tick the rows are.
    pub tick: Tick,
    /// Whether it needed no baseline.
    pub keyframe: bool,
    /// How many ticks early the newest input came, if one came since the last frame.
    pub margin: Option<f64>,
    /// How many frames it is: 1, or as many as a message had.
    pub frames: u32,
    /// What its bits were for.
    pub bits: FrameBits,
}

impl Decoded {
    /// What this frame and the one before it, in the same message, tell together.
    pub(crate) fn after(mut self, before: &Self) -> Self {
        self.keyframe |= before.keyframe;
        self.frames += before.frames;
        self.bits.add(&before.bits);
        self
    }
}

/// Bits of a frame, or of many, by what they are for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameBits {
    /// Type, tick, margin, padding.
    pub head: u64,
    /// Which entities are gone.
    pub drops: u64,
    /// Inputs that steer entities, and corrections of these.
    pub steering: u64,
    /// Changes of all other entities.
    pub changes: u64,
    /// Entities that come into view, whole.
    pub enters: u64,
    /// Checksums.
    pub checksum: u64,
}

impl FrameBits {
    /// Adds another frame's.
    pub fn add(&mut self, other: &Self) {
        self.head += other.head;
        self.drops += other.drops;
        self.steering += other.steering;
        self.changes += other.changes;
        self.enters += other.enters;
        self.checksum += other.checksum;
    }
}

/// Tells what the bits since the last call were for.
struct Tally<'a> {
    reader: BitReader<'a>,
    told: usize,
}

impl Tally<'_> {
    fn take(&mut self) -> u64 {
        let bits = self.reader.taken() - self.told;
        self.told = self.reader.taken();
        bits as u64
    }
}

/// Reads the frame at the front of `bytes`, which are then what is behind it. `before` and `before_tick`
/// are what the last frame left; `rows` becomes what this one leaves, also when only
/// the checksum differs; after any other error it holds nothing of use.
pub fn decode<G: Game>(
    rules: &G::Rules,
    going: &mut GoingOn,
    before: &Rows,
    before_tick: Option<Tick>,
    bytes: &mut &[u8],
    rows: &mut Rows,
) -> Result<Decoded, WireError> {
    let mut tally = Tally { reader: BitReader::new(bytes), told: 0 };
    let mut bits = FrameBits::default();
    let kind = tally.reader.take(TYPE_BITS)? as u8;
    let low = tally.reader.take(TICK_BITS)?;
    rows.clear();
    let keyframe = kind == TYPE_KEYFRAME;
    let tick = match kind {
        TYPE_KEYFRAME if low == 0 => tally.reader.take(32)?,
        TYPE_DELTA => {
            let next = before_tick.map(|tick| tick.wrapping_add(1));
            let fits = next.filter(|tick| tick & ((1 << TICK_BITS) - 1) == low);
            fits.ok_or(WireError::WrongTick { expected: low.wrapping_sub(1) as u8 & 31 })?
        }
        _ => return Err(WireError::UnknownType(kind | (low as u8) << TYPE_BITS)),
    };
    let margin = margin_from_byte(tally.reader.take(8)? as u8 as i8);
    bits.head += tally.take();
    if !keyframe {
        rows.clone_from(before);
    }
    let parts = Parts::of(G::KINDS);
    for which in parts.all() {
        if !keyframe {
            going.begin();
            for kind in parts.kinds(which) {
                if !rows.table(kind).is_empty() {
                    take_kind::<G>(rules, going, kind, &mut tally, rows, &mut bits)?;
                }
            }
            going.finish(rows);
        }
        take_enters::<G>(&mut tally.reader, which, rows)?;
        bits.enters += tally.take();
    }
    if tally.reader.flag()? {
        if tally.reader.take(32)? != rows.checksum() {
            return Err(WireError::Checksum);
        }
        bits.checksum += tally.take();
    }
    let rest = tally.reader.finish()?;
    bits.head += (bytes.len() - rest.len()) as u64 * 8 - tally.told as u64;
    *bytes = rest;
    Ok(Decoded { tick, keyframe, margin, frames: 1, bits })
}

/// One kind goes on.
fn take_kind<G: Game>(
    rules: &G::Rules,
    going: &mut GoingOn,
    kind: usize,
    tally: &mut Tally<'_>,
    rows: &mut Rows,
    bits: &mut FrameBits,
) -> Result<(), WireError> {
    let count = rows.table(kind).len();
    let mut dropped = Indices::begin(&mut tally.reader, count)?;
    let mut drops = Vec::new();
    while let Some(index) = dropped.next {
        drops.push(index);
        dropped.go_on(&mut tally.reader)?;
    }
    bits.drops += tally.take();
    let mut drops = drops.into_iter().peekable();
    let treatment = G::KINDS[kind].treatment;
    let mut told = match treatment {
        Treatment::Ballistic | Treatment::Plain => Indices::begin(&mut tally.reader, count)?,
        Treatment::Steered { .. } | Treatment::Static => Indices::NONE,
    };
    let steered = fragment::has_bit_each(&G::KINDS[kind]);
    for index in 0..count {
        if drops.next_if_eq(&index).is_some() {
            going.drop(kind, index);
            continue;
        }
        let by_index = told.next == Some(index);
        let reader = (steered || by_index).then_some(&mut tally.reader);
        step::<G>(rules, going, kind, index, rows, reader)?;
        if by_index {
            told.go_on(&mut tally.reader)?;
        }
    }
    if told.next.is_some() {
        // It names one that is dropped.
        return Err(WireError::BadIndex);
    }
    *(if steered { &mut bits.steering } else { &mut bits.changes }) += tally.take();
    Ok(())
}

/// Takes one row on: by its fragment, if there is one to read, or by the rules alone.
fn step<G: Game>(
    rules: &G::Rules,
    going: &mut GoingOn,
    kind: usize,
    index: usize,
    rows: &mut Rows,
    fragment: Option<&mut BitReader<'_>>,
) -> Result<(), WireError> {
    let spec = &G::KINDS[kind];
    let mut told = (fragment, spec.leads() == 0);
    going.step::<G, _, _>(
        rules,
        (kind, index),
        rows,
        &mut told,
        |(reader, corrected), row| {
            if let Some(reader) = reader
                && spec.leads() > 0
            {
                *corrected = fragment::take_leads(reader, spec, row)?;
            }
            Ok(())
        },
        |(reader, corrected), row| match reader {
            Some(reader) if *corrected => {
                fragment::take_corrections(reader, spec, row).map(|nothing| !nothing)
            }
            _ => Ok(true),
        },
    )
}

fn take_enters<G: Game>(
    reader: &mut BitReader<'_>,
    which: Part,
    rows: &mut Rows,
) -> Result<(), WireError> {
    if !reader.flag()? {
        return Ok(());
    }
    for (kind, spec) in G::KINDS.iter().enumerate().filter(|(_, spec)| which.has(spec)) {
        let mut last: Option<u32> = None;
        for _ in 0..reader.golomb(COUNT_ORDER)? {
            let id = match last {
                None => reader.golomb(ID_ORDER)?,
                Some(last) => reader.golomb(ID_GAP_ORDER)?.saturating_add(last).saturating_add(1),
            };
            last = Some(id);
            let mut row = [0; FIELDS_MAX];
            let (table, row) = (rows.table_mut(kind), &mut row[..spec.fields.len()]);
            let near = (!table.is_empty()).then(|| table.row(0));
            record::take_near(reader, spec.fields, row, near)?;
            table.insert(id, row);
        }
    }
    Ok(())
}

/// Indices that ascend, as a number and distances.
struct Indices {
    /// The one that was read last and not used yet.
    next: Option<usize>,
    left: u32,
    len: usize,
}

impl Indices {
    const NONE: Self = Self { next: None, left: 0, len: 0 };

    fn begin(reader: &mut BitReader<'_>, len: usize) -> Result<Self, WireError> {
        let mut indices = Self { next: None, left: reader.golomb(COUNT_ORDER)?, len };
        indices.advance(reader, 0)?;
        Ok(indices)
    }

    /// The next one has been used.
    fn go_on(&mut self, reader: &mut BitReader<'_>) -> Result<(), WireError> {
        let after = self.next.map_or(0, |index| index + 1);
        self.advance(reader, after)
    }

    fn advance(&mut self, reader: &mut BitReader<'_>, from: usize) -> Result<(), WireError> {
        self.next = None;
        if self.left > 0 {
            self.left -= 1;
            let index = from.saturating_add(reader.golomb(GAP_ORDER)? as usize);
            self.next = Some(index).filter(|&index| index < self.len);
            self.next.ok_or(WireError::BadIndex)?;
        }
        Ok(())
    }
}
