//! Values that stand in a column as JSON.

use rusqlite::Row;
use rusqlite::types::Type;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What is written into the column.
pub(super) fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("plain values")
}

/// What stands in it.
///
/// # Errors
/// [`rusqlite::Error::FromSqlConversionFailure`] where it is not JSON of such a value.
pub(super) fn read<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}
