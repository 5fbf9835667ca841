//! What was counted of whole days, as bytes: they outlive the run in a store's cache, and wait outside
//! of memory until their tenant is scored.
//!
//! ```text
//! 32 bytes   BLAKE3 of all that follows
//! 8 bytes    length of the next piece, little endian
//! Arrow      blocks, as a stream
//! 8 bytes    length of the next piece, little endian
//! Arrow      signals of nobody, as a stream
//! 8 bytes    length of the next piece, little endian
//! JSON       accounts and feeds of every tenant, and what the numbers in the streams mean
//! ```
//!
//! Both streams are sorted by tenant, so that a tenant can be read after the other. People are written by
//! their ids, because positions change with every directory.

use std::collections::BTreeMap;
use std::io::Read;
use std::ops::Range;

use af_count::{Counted, Feed, TenantCounts};
use af_model::accounting::SignalAccount;
use af_model::{Level, UtcMillis};
use af_store::Aside;
use serde::{Deserialize, Serialize};

mod read;
mod write;

pub(super) use read::{Cursor, SharedNames};
pub(super) use write::Writer;

const HASH_BYTES: usize = 32;
const LENGTH_BYTES: usize = 8;

/// How many bytes are hashed at a time.
const CHUNK: usize = 1 << 16;

/// What counts say besides blocks and unmatched signals, and what the numbers in these mean.
#[derive(Debug, Serialize, Deserialize)]
struct About {
    id: String,
    latest_ingested: Option<UtcMillis>,
    /// In the order of their names.
    tenants: Vec<AboutTenant>,
    /// Everything else that is written as a number.
    names: Vec<String>,
    /// Lists of rules, by their names.
    rules: Vec<Vec<u32>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct AboutTenant {
    name: String,
    /// Of those that have rows, in the order of their names.
    number: Option<u32>,
    account: SignalAccount,
    conflicts: u64,
    feeds: BTreeMap<String, Feed>,
    blocks: usize,
}

/// What was counted of whole days; the bulk of it is read when it is asked for.
#[derive(Debug)]
pub(super) struct Kept {
    about: About,
    aside: Aside,
    unmatched: Range<u64>,
    blocks: Range<u64>,
}

impl Kept {
    /// What a [`Writer`] made. `None` when they are other bytes.
    pub(super) fn open(aside: Aside) -> Option<Self> {
        let blocks = piece(&aside, HASH_BYTES as u64)?;
        let unmatched = piece(&aside, blocks.end)?;
        let about = piece(&aside, unmatched.end)?;
        let mut text = Vec::new();
        aside.read(about).read_to_end(&mut text).ok()?;
        let about: About = serde_json::from_slice(&text).ok()?;
        Some(Self {
            about,
            aside,
            unmatched,
            blocks,
        })
    }

    /// As [`Kept::open`], for bytes that something may have happened to since, and that were made under
    /// an id.
    pub(super) fn open_checked(aside: Aside, id: &str) -> Option<Self> {
        let mut said = [0; HASH_BYTES];
        aside
            .read(0..HASH_BYTES as u64)
            .read_exact(&mut said)
            .ok()?;
        let mut hasher = blake3::Hasher::new();
        let mut rest = aside.read(HASH_BYTES as u64..u64::MAX);
        let mut chunk = vec![0; CHUNK];
        loop {
            match rest.read(&mut chunk).ok()? {
                0 => break,
                read => hasher.update(&chunk[..read]),
            };
        }
        if *hasher.finalize().as_bytes() != said {
            return None;
        }
        Self::open(aside).filter(|kept| kept.about.id == id)
    }

    /// All but blocks and signals of nobody.
    pub(super) fn sums(&self) -> Counted {
        let tenants = self.about.tenants.iter().map(|tenant| {
            let counts = TenantCounts {
                account: tenant.account,
                conflicts: tenant.conflicts,
                feeds: tenant.feeds.clone(),
                ..TenantCounts::default()
            };
            (tenant.name.clone(), counts)
        });
        Counted {
            tenants: tenants.collect(),
            latest_ingested: self.about.latest_ingested,
        }
    }
}

/// Where a piece lies whose length stands at a place.
fn piece(aside: &Aside, at: u64) -> Option<Range<u64>> {
    let mut length = [0; LENGTH_BYTES];
    let start = at + LENGTH_BYTES as u64;
    aside.read(at..start).read_exact(&mut length).ok()?;
    let end = start.checked_add(u64::from_le_bytes(length))?;
    Some(start..end)
}

fn narrow(count: usize) -> u32 {
    u32::try_from(count).expect("fewer than 2^32 names fit into memory")
}

fn level_of(slot: u32) -> Option<Level> {
    let levels = [Level::Critical, Level::High, Level::Medium, Level::Low];
    levels
        .into_iter()
        .find(|level| narrow(level.slot()) == slot)
}
