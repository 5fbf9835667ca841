//! What keeps a store small, lawful and quick: [`compact`], [`purge`] and [`erase`].
//!
//! All three may be killed at any instant and run again; all three say beforehand what they would
//! do. `Barred` is their memory: it keeps what was purged or erased from coming back with the next
//! export, and [`note_removed`] lets the accounts of a snapshot say what left the store.

use std::path::PathBuf;

use af_store::{Partitioned, Store};

use crate::error::Error;

mod barred;
pub mod compact;
pub mod erase;
pub mod purge;
mod removed;

pub(crate) use barred::{Barred, Judgement, leave_out_erased};
pub use removed::note_removed;

/// All files of a table, of every day.
fn day_files(store: &Store, kind: Partitioned) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for day in store.days(kind)? {
        files.append(&mut store.day_files(kind, day)?);
    }
    Ok(files)
}
