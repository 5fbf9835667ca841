//! Rows with their numbers.

use super::values::NONE;
use crate::columns::rows::{Rows, row_number};

/// With at least one row in so many, a number is kept for every row of the batch.
const MANY_SHARE: usize = 8;

/// The numbers of some rows.
pub(super) enum NumberedRows {
    /// By row; [`NONE`] where there is none.
    All(Vec<u32>),
    /// Rows, ascending, each with its number.
    Some(Vec<(u32, u32)>),
}

impl NumberedRows {
    /// Asks for the number of each row, ascending; [`NONE`] if it has none.
    pub(super) fn of(count: usize, rows: &Rows, mut number: impl FnMut(usize) -> u32) -> Self {
        if rows.is_share(MANY_SHARE) {
            let mut all = vec![NONE; count];
            for row in rows.iter() {
                all[row] = number(row);
            }
            return Self::All(all);
        }
        let rows = rows.iter().map(|row| (row_number(row), number(row)));
        Self::Some(rows.filter(|(_, number)| *number != NONE).collect())
    }

    /// The row's number; [`NONE`] if it has none.
    pub(super) fn number(&self, row: u32) -> u32 {
        match self {
            Self::All(all) => all[row as usize],
            Self::Some(some) => {
                let place = some.binary_search_by_key(&row, |(row, _)| *row);
                place.map_or(NONE, |place| some[place].1)
            }
        }
    }

    /// To be asked about rows that ascend.
    pub(super) fn ascending(&self) -> impl FnMut(u32) -> u32 {
        let mut rest: &[(u32, u32)] = match self {
            Self::All(_) => &[],
            Self::Some(some) => some,
        };
        move |row| {
            if let Self::All(all) = self {
                return all[row as usize];
            }
            while let Some(&(first, number)) = rest.first()
                && first <= row
            {
                if first == row {
                    return number;
                }
                rest = &rest[1..];
            }
            NONE
        }
    }
}
