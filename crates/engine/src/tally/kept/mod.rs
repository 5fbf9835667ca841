//! What was counted of whole days, as bytes: they outlive the run in a store's cache, and wait outside
//! of memory until their tenant is scored.
//!
//! ```text
//! 32 bytes   BLAKE3 of the rest of the head and of the hashes at the end
//!  8 bytes   length of each piece, little endian
//! pieces     blocks      Arrow: what figures are made of
//!            details     Arrow: the signals behind each block
//!            unmatched   Arrow: signals of nobody
//!            tenants     Arrow: accounts, and how many rows of the above each tenant has
//!            feeds       Arrow: what was heard of each component of each tenant
//!            kinds       Arrow: what blocks have in common
//!            names       JSON: what the numbers in the pieces mean
//! hashes     BLAKE3 of every 16 KiB of the pieces; none for bytes that end with the run
//! ```
//!
//! Rows are sorted by tenant, so that a tenant can be read after the other. Bytes are checked when they
//! are read, so nothing is read only for that. People are written by their ids, because positions change
//! with every directory.

use std::io::Read;
use std::ops::Range;
use std::sync::Arc;

use af_model::UtcMillis;
use af_model::accounting::SignalAccount;
use af_store::Aside;
use arrow::array::{Array, StringArray, UInt64Array};
use arrow::compute::concat_batches;
use arrow::datatypes::Schema;
use serde::{Deserialize, Serialize};

mod checked;
mod numbers;
mod read;
mod stream;
mod sums;
mod tables;
mod write;

pub(super) use read::{Cursor, SharedNames};
pub(super) use write::Writer;

use checked::Checked;
use tables::Columns as _;

/// The pieces, in their order.
#[derive(Clone, Copy)]
enum Piece {
    Blocks,
    Details,
    Unmatched,
    Tenants,
    Feeds,
    Kinds,
    Names,
}

const PIECES: usize = 7;

const HASH_BYTES: usize = 32;
const LENGTH_BYTES: usize = 8;
const HEAD_BYTES: usize = HASH_BYTES + PIECES * LENGTH_BYTES;

/// What the numbers in the pieces mean.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Names {
    /// Of what the counts were made.
    id: String,
    latest_ingested: Option<UtcMillis>,
    texts: Vec<String>,
    /// Lists of texts.
    lists: Vec<Vec<u32>>,
}

/// What was counted of whole days; the bulk of it is read when it is asked for.
#[derive(Debug)]
pub(super) struct Kept {
    pieces: Checked,
    names: Names,
    tenants: Tenants,
}

impl Kept {
    /// What a [`Writer`] made. `None` when they are other bytes.
    pub(super) fn open(aside: Aside) -> Option<Self> {
        let pieces = Checked::open(aside)?;
        let mut text = Vec::new();
        pieces.read(Piece::Names).read_to_end(&mut text).ok()?;
        let names: Names = serde_json::from_slice(&text).ok()?;
        let mut listed = names.lists.iter().flatten();
        if listed.any(|&number| number as usize >= names.texts.len()) {
            return None;
        }
        let tenants = Tenants::read(&pieces)?;
        Some(Self {
            pieces,
            names,
            tenants,
        })
    }

    /// As [`Kept::open`], for bytes that something may have happened to since, and that were made under
    /// an id.
    pub(super) fn open_made_of(aside: Aside, id: &str) -> Option<Self> {
        Self::open(aside).filter(|kept| kept.pieces.have_hashes() && kept.names.id == id)
    }

    /// Whether there is anything besides what [`Kept::add_sums`] says.
    pub(super) fn has_rows(&self) -> bool {
        let ends = [&self.tenants.blocks, &self.tenants.unmatched];
        ends.iter()
            .any(|ends| ends.iter().next_back().flatten() > Some(0))
    }
}

/// Accounts, and which rows of blocks and of signals of nobody are whose.
#[derive(Debug)]
struct Tenants {
    /// Ascending.
    names: StringArray,
    account: [UInt64Array; SignalAccount::NUMBERS],
    conflicts: UInt64Array,
    /// Where the rows of each end; they begin where those of the one before end.
    blocks: UInt64Array,
    unmatched: UInt64Array,
}

impl Tenants {
    fn read(pieces: &Checked) -> Option<Self> {
        let batches = stream::all(pieces, Piece::Tenants)?;
        let schema = Schema::new(tables::Tenants::fields());
        let table = concat_batches(&Arc::new(schema), &batches).ok()?;
        let numbers = |name| stream::u64s(&table, name).cloned();
        let account: Option<Vec<_>> = SignalAccount::NAMES.into_iter().map(numbers).collect();
        Some(Self {
            names: stream::texts(&table, "name")?.clone(),
            account: account?.try_into().ok()?,
            conflicts: numbers("conflicts")?,
            blocks: numbers("blocks_end")?,
            unmatched: numbers("unmatched_end")?,
        })
    }

    fn blocks_of(&self, tenant: &str) -> Range<u64> {
        self.rows_of(tenant, &self.blocks)
    }

    fn unmatched_of(&self, tenant: &str) -> Range<u64> {
        self.rows_of(tenant, &self.unmatched)
    }

    fn rows_of(&self, tenant: &str, ends: &UInt64Array) -> Range<u64> {
        let (mut from, mut to) = (0, self.names.len());
        while from < to {
            let middle = from.midpoint(to);
            if self.names.value(middle) < tenant {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        if from == self.names.len() || self.names.value(from) != tenant {
            return 0..0;
        }
        let start = from.checked_sub(1).map_or(0, |before| ends.value(before));
        start..ends.value(from)
    }
}
