//! What a playing client sends every tick.
//!
//! ```text
//! u8  1            the message's type
//! u32 tick         the tick that the input is for, little end first
//! u8  decoded      low byte of the newest tick whose frame the client has decoded
//! ..  fields       the input's fields, packed as `wire::record` does
//! ```

use super::bits::{BitReader, BitWriter};
use super::field::{Field, INPUT_FIELDS_MAX};
use super::{WireError, record};
use crate::game::Tick;

/// First byte of an input message.
pub const TYPE: u8 = 1;

/// One player's input for one tick, as integers that are within their table's ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputMessage {
    /// The tick it is for.
    pub tick: Tick,
    /// Low byte of the newest tick that the sender has decoded.
    pub decoded: u8,
    fields: [i32; INPUT_FIELDS_MAX],
    len: u8,
}

impl InputMessage {
    /// An input of `fields` for `tick`. Panics with more than [`INPUT_FIELDS_MAX`] fields.
    pub fn new(tick: Tick, decoded: u8, fields: &[i32]) -> Self {
        let mut all = [0; INPUT_FIELDS_MAX];
        all[..fields.len()].copy_from_slice(fields);
        Self { tick, decoded, fields: all, len: fields.len() as u8 }
    }

    /// The input's integers, in table order.
    pub fn fields(&self) -> &[i32] {
        &self.fields[..usize::from(self.len)]
    }

    /// Writes the whole message. Panics when a field is out of its range.
    pub fn encode(&self, table: &[Field], out: &mut Vec<u8>) {
        out.push(TYPE);
        out.extend_from_slice(&self.tick.to_le_bytes());
        out.push(self.decoded);
        let mut writer = BitWriter::new(out);
        record::put(&mut writer, table, self.fields());
        writer.finish();
    }

    /// Reads what follows the type byte; the message must end with it.
    pub fn decode(bytes: &[u8], table: &[Field]) -> Result<Self, WireError> {
        let mut reader = BitReader::new(bytes);
        let tick = reader.take(32)?;
        let decoded = reader.take(8)? as u8;
        let mut fields = [0; INPUT_FIELDS_MAX];
        record::take(&mut reader, table, &mut fields[..table.len()])?;
        if !reader.finish()?.is_empty() {
            return Err(WireError::Trailing);
        }
        Ok(Self { tick, decoded, fields, len: table.len() as u8 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TABLE: &[Field] = &[Field::angle("aim", 12), Field::count("keys", 7)];

    proptest! {
        #[test]
        fn an_input_comes_back(tick: u32, decoded: u8, aim in 0..4096, keys in 0..128) {
            let sent = InputMessage::new(tick, decoded, &[aim, keys]);
            let mut bytes = Vec::new();
            sent.encode(TABLE, &mut bytes);
            prop_assert_eq!(bytes[0], TYPE);
            prop_assert_eq!(InputMessage::decode(&bytes[1..], TABLE), Ok(sent));
        }

        #[test]
        fn no_bytes_do_harm(bytes: Vec<u8>) {
            let _ = InputMessage::decode(&bytes, TABLE);
        }
    }
}
