//! A frame read. Comes in: the receiver's rows of the last tick and the bytes. Goes out: its rows of
//! this one. A frame that is refused leaves nothing behind; the receiver then asks for a keyframe.

use super::{TYPE_DELTA, TYPE_KEYFRAME, TYPE_MASK, fragment, margin_from_byte, section};
use crate::game::{Game, Tick};
use crate::netcode::going_on::GoingOn;
use crate::wire::field::FIELDS_MAX;
use crate::wire::{Rows, Treatment, WireError, bits, varint};

/// What a frame says beside rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decoded {
    /// Of which tick the rows are.
    pub tick: Tick,
    /// Whether it needed no baseline.
    pub keyframe: bool,
    /// How many ticks early the newest input came, if one came since the last frame.
    pub margin: Option<f64>,
    /// What its bytes were for.
    pub bytes: FrameBytes,
}

/// Bytes of a frame, or of many, by what they are for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameBytes {
    /// Type, tick, margin.
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

impl FrameBytes {
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

/// Bytes taken since `left` were left; `left` follows.
fn taken(left: &mut usize, bytes: &[u8]) -> u64 {
    let count = *left - bytes.len();
    *left = bytes.len();
    count as u64
}

/// Reads a frame. `before` and `before_tick` are what the last frame left; `rows` becomes what this one
/// leaves, and holds nothing of use after an error.
pub fn decode<G: Game>(
    rules: &G::Rules,
    before: &Rows,
    before_tick: Option<Tick>,
    frame: &[u8],
    rows: &mut Rows,
) -> Result<Decoded, WireError> {
    let mut bytes = frame;
    let head = varint::take_byte(&mut bytes)?;
    let keyframe = match head & TYPE_MASK {
        TYPE_DELTA => false,
        TYPE_KEYFRAME => true,
        other => return Err(WireError::UnknownType(other)),
    };
    if head & section::UNUSED != 0 || keyframe && head & (section::DROPS | section::CHANGES) != 0 {
        return Err(WireError::UnknownType(head));
    }
    rows.clear();
    let tick = if keyframe {
        varint::take_u32(&mut bytes)?
    } else {
        let low = varint::take_byte(&mut bytes)?;
        let next = before_tick.map(|t| t.wrapping_add(1)).filter(|&t| t as u8 == low);
        next.ok_or(WireError::WrongTick { expected: low.wrapping_sub(1) })?
    };
    let margin = margin_from_byte(varint::take_byte(&mut bytes)? as i8);
    let mut left = frame.len();
    let mut tally = FrameBytes { head: taken(&mut left, bytes), ..FrameBytes::default() };
    if !keyframe {
        rows.clone_from(before);
        take_drops(head, &mut bytes, rows)?;
        tally.drops = taken(&mut left, bytes);
        let mut going = GoingOn::<G>::new(rules);
        take_steering(&mut going, &mut bytes, rows)?;
        tally.steering = taken(&mut left, bytes);
        take_changes(&mut going, head, &mut bytes, rows)?;
        tally.changes = taken(&mut left, bytes);
        going.finish(rows);
    }
    if head & section::ENTERS != 0 {
        take_enters::<G>(&mut bytes, rows)?;
        tally.enters = taken(&mut left, bytes);
    }
    if head & section::CHECKSUM != 0 {
        if varint::take_u32(&mut bytes)? != rows.checksum() {
            return Err(WireError::Checksum);
        }
        tally.checksum = taken(&mut left, bytes);
    }
    if !bytes.is_empty() {
        return Err(WireError::Trailing);
    }
    Ok(Decoded { tick, keyframe, margin, bytes: tally })
}

fn take_drops(head: u8, bytes: &mut &[u8], rows: &mut Rows) -> Result<(), WireError> {
    if head & section::DROPS == 0 {
        return Ok(());
    }
    let set = take_kinds(bytes, rows)?;
    let mut indices = Vec::new();
    for kind in kinds_of(set) {
        let table = rows.table_mut(kind);
        let count = varint::take(bytes)? as usize;
        indices.clear();
        let mut gaps = Gaps::new(table.len());
        for _ in 0..count {
            indices.push(gaps.take(bytes)?);
        }
        indices.iter().rev().for_each(|&index| table.swap_remove(index));
    }
    Ok(())
}

fn is_steered<G: Game>(kind: usize) -> bool {
    matches!(G::KINDS[kind].treatment, Treatment::Steered { .. })
}

/// Steered kinds: a mask, and a fragment for each bit in it.
fn take_steering<G: Game>(
    going: &mut GoingOn<'_, G>,
    bytes: &mut &[u8],
    rows: &mut Rows,
) -> Result<(), WireError> {
    for kind in (0..G::KINDS.len()).filter(|&k| is_steered::<G>(k)) {
        let count = rows.table(kind).len();
        let mask = varint::take_bytes(bytes, count.div_ceil(8))?;
        for index in 0..count {
            let told = mask[index / 8] & 1 << (index % 8) != 0;
            step(going, kind, index, rows, told.then_some(&mut *bytes))?;
        }
        let unused = |&last: &u8| !count.is_multiple_of(8) && last >> (count % 8) != 0;
        if mask.last().is_some_and(unused) {
            return Err(WireError::BadIndex);
        }
    }
    Ok(())
}

/// All other kinds: those that changed by index, the rest by the rules alone.
fn take_changes<G: Game>(
    going: &mut GoingOn<'_, G>,
    head: u8,
    bytes: &mut &[u8],
    rows: &mut Rows,
) -> Result<(), WireError> {
    let set = if head & section::CHANGES != 0 { take_kinds(bytes, rows)? } else { 0 };
    if kinds_of(set).any(is_steered::<G>) {
        return Err(WireError::BadIndex);
    }
    for kind in (0..G::KINDS.len()).filter(|&k| !is_steered::<G>(k)) {
        let count = rows.table(kind).len();
        let mut left = if set & 1 << kind != 0 { varint::take(bytes)? as usize } else { 0 };
        let mut gaps = Gaps::new(count);
        let mut told = if left > 0 { Some(gaps.take(bytes)?) } else { None };
        for index in 0..count {
            if told == Some(index) {
                step(going, kind, index, rows, Some(bytes))?;
                left -= 1;
                told = if left > 0 { Some(gaps.take(bytes)?) } else { None };
            } else {
                step(going, kind, index, rows, None)?;
            }
        }
    }
    Ok(())
}

/// Takes one row on: by its fragment at the front of `bytes`, or by the rules alone.
fn step<G: Game>(
    going: &mut GoingOn<'_, G>,
    kind: usize,
    index: usize,
    rows: &mut Rows,
    fragment: Option<&mut &[u8]>,
) -> Result<(), WireError> {
    let spec = &G::KINDS[kind];
    let mut told = (fragment, false);
    going.step(
        kind,
        index,
        rows,
        &mut told,
        |(fragment, corrected), row| {
            if let Some(bytes) = fragment {
                *corrected = fragment::take_leads(bytes, spec, row)?;
            }
            Ok(())
        },
        |(fragment, corrected), row| match fragment {
            Some(bytes) if *corrected => {
                fragment::take_corrections(bytes, spec, row).map(|nothing| !nothing)
            }
            _ => Ok(true),
        },
    )
}

fn take_enters<G: Game>(bytes: &mut &[u8], rows: &mut Rows) -> Result<(), WireError> {
    let set = take_kinds(bytes, rows)?;
    for kind in kinds_of(set) {
        let fields = G::KINDS[kind].fields;
        for _ in 0..varint::take(bytes)? {
            let id = varint::take(bytes)?;
            let mut row = [0; FIELDS_MAX];
            bits::take(bytes, fields, &mut row[..fields.len()])?;
            rows.table_mut(kind).push(id, &row[..fields.len()]);
        }
    }
    Ok(())
}

/// Indices that ascend, as distances.
struct Gaps {
    next: usize,
    len: usize,
}

impl Gaps {
    fn new(len: usize) -> Self {
        Self { next: 0, len }
    }

    fn take(&mut self, bytes: &mut &[u8]) -> Result<usize, WireError> {
        let index = self.next.saturating_add(varint::take(bytes)? as usize);
        if index >= self.len {
            return Err(WireError::BadIndex);
        }
        self.next = index + 1;
        Ok(index)
    }
}

fn take_kinds(bytes: &mut &[u8], rows: &Rows) -> Result<u8, WireError> {
    let set = varint::take_byte(bytes)?;
    if u32::from(set) >> rows.tables().len() != 0 { Err(WireError::BadIndex) } else { Ok(set) }
}

fn kinds_of(set: u8) -> impl Iterator<Item = usize> {
    (0..8).filter(move |kind| set & 1 << kind != 0)
}
