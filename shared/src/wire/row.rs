//! Rows as structs: one declaration gives a struct of integers, its field table and the way between
//! the struct and the engine's slices.

use super::field::Field;

/// A struct that is a row: `FIELDS.len()` integers in table order. Made by [`crate::row!`].
pub trait Row: Copy + Default + PartialEq + core::fmt::Debug + Send + Sync + 'static {
    /// The table, in the order of the integers.
    const FIELDS: &'static [Field];

    /// Reads a row; `cells` has exactly `FIELDS.len()` integers.
    fn read(cells: &[i32]) -> Self;

    /// Writes a row; `cells` has exactly `FIELDS.len()` integers.
    fn write(&self, cells: &mut [i32]);
}

/// Declares a struct of `i32` fields together with its field table.
///
/// ```
/// shared::row! {
///     /// A thing that is somewhere.
///     pub struct Buoy {
///         /// East of the middle, in units.
///         x: x(16, 0.25),
///         /// South of the middle, in units.
///         y: y(16, 0.25),
///         /// How bright, in steps.
///         light: count(4),
///     }
/// }
/// use shared::wire::Row;
/// assert_eq!(Buoy::FIELDS[2].name, "light");
/// assert_eq!(Buoy::read(&[4, 8, 3]), Buoy { x: 4, y: 8, light: 3 });
/// ```
#[macro_export]
macro_rules! row {
    ($(#[$doc:meta])* $vis:vis struct $name:ident {
        $($(#[$field_doc:meta])* $field:ident: $ctor:ident $args:tt),* $(,)?
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        $vis struct $name { $($(#[$field_doc])* pub $field: i32),* }

        impl $crate::wire::Row for $name {
            const FIELDS: &'static [$crate::wire::Field] =
                &[$($crate::row!(@field $field $ctor $args)),*];

            #[inline]
            fn read(cells: &[i32]) -> Self {
                let mut cells = cells.iter();
                let row = Self { $($field: *cells.next().expect("a cell per field")),* };
                debug_assert!(cells.next().is_none(), "as many cells as fields");
                row
            }

            #[inline]
            fn write(&self, cells: &mut [i32]) {
                let mut cells = cells.iter_mut();
                $(*cells.next().expect("a cell per field") = self.$field;)*
                debug_assert!(cells.next().is_none(), "as many cells as fields");
            }
        }
    };
    (@field $field:ident $ctor:ident ($($arg:expr),*)) => {
        $crate::wire::Field::$ctor(stringify!($field) $(, $arg)*)
    };
}
