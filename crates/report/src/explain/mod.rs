//! Why one person has their score, as a page to read and as rows.

mod attacks;
mod figures;
mod outlook;
mod page;
mod rows;
mod table;

pub(crate) use rows::{columns, rows};
pub(crate) use table::table;
