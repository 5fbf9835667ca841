//! What is kept beside the counts: of what they were made.

use std::collections::{BTreeMap, BTreeSet};

use af_count::{Counted, KeyStates};
use af_model::manifest::FileEntry;
use af_model::{HexHash, UtcDay, UtcMillis};
use af_store::{Store, WriteLock};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::tally::Cut;

/// Rises when the same signals are counted otherwise, or kept otherwise.
const SHAPE: u32 = 4;

pub(super) const INDEX: &str = "index.json";
pub(super) const PEOPLE: &str = "people";

/// Tenant, kind and id of what is retracted.
pub(super) type Targets = BTreeSet<(String, String, String)>;

/// Of what the kept counts were made.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Index {
    shape: u32,
    /// What was known when they were made.
    pub(super) known_at: UtcMillis,
    /// Hash of what every key stood for.
    pub(super) people: String,
    pub(super) retracted: Targets,
    pub(super) days: BTreeMap<UtcDay, Day>,
}

/// Of what the counts of a day were made.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Day {
    pub(super) files: Vec<FileEntry>,
    /// The latest signal.
    latest: Option<UtcMillis>,
    /// When the last of its signals became known.
    latest_ingested: Option<UtcMillis>,
}

impl Day {
    /// What the counts of a day say; `None` when a later cut would count its signals otherwise.
    pub(super) fn settled(files: &[FileEntry], counted: &Counted) -> Option<Self> {
        let is_settled = counted.tenants.values().all(|counts| {
            let account = counts.account;
            account.future == 0 && account.not_yet_known == 0 && account.too_old == 0
        });
        let tenants = counted.tenants.values();
        let feeds = tenants.flat_map(|counts| counts.feeds.values());
        is_settled.then(|| Self {
            files: files.to_vec(),
            latest: feeds.filter_map(|feed| feed.last).max(),
            latest_ingested: counted.latest_ingested,
        })
    }

    /// Whether all of it was past and known at a cut.
    pub(super) fn is_past(&self, cut: Cut) -> bool {
        self.latest <= Some(cut.as_of) && self.latest_ingested <= Some(cut.known_at)
    }

    /// The name under which the counts know of what they were made.
    pub(super) fn id(&self) -> String {
        let checksums = self.files.iter().map(|file| file.blake3.as_str());
        HexHash::of_parts(checksums).to_string()
    }
}

/// The name under which the counts of a day are kept.
pub(super) fn name_of(day: UtcDay) -> String {
    format!("{day}.arrow")
}

impl Index {
    /// Of counts that are made now.
    pub(super) fn new(known_at: UtcMillis, people: String, retracted: Targets) -> Self {
        Self {
            shape: SHAPE,
            known_at,
            people,
            retracted,
            days: BTreeMap::new(),
        }
    }

    /// Reads the index; one that cannot be understood is as good as none.
    pub(super) fn read(store: &Store) -> Result<Self, Error> {
        let bytes = store.read_counts(INDEX)?;
        let index = bytes.and_then(|bytes| serde_json::from_slice::<Self>(&bytes).ok());
        Ok(index
            .filter(|index| index.shape == SHAPE)
            .unwrap_or_default())
    }

    /// Writes the index, and the people if others are kept so far. People come first: an index that does
    /// not fit them is an index of nothing.
    pub(super) fn write(
        &self,
        people_before: &str,
        store: &Store,
        lock: &WriteLock,
        states: &KeyStates,
    ) -> Result<(), Error> {
        if self.days.is_empty() && !store.counts_cache_dir().is_dir() {
            return Ok(());
        }
        if people_before != self.people {
            store.keep_counts(lock, PEOPLE, &state_bytes(states))?;
        }
        let text = serde_json::to_string_pretty(self).expect("names and numbers are always JSON");
        if store.read_counts(INDEX)?.as_deref() != Some(text.as_bytes()) {
            store.keep_counts(lock, INDEX, text.as_bytes())?;
        }
        Ok(())
    }

    /// Removes what the index does not name.
    pub(super) fn remove_others(&self, store: &Store, lock: &WriteLock) -> Result<(), Error> {
        let is_named = |name: &str| {
            let mut days = self.days.keys();
            name == INDEX || name == PEOPLE || days.any(|day| *name == name_of(*day))
        };
        store.keep_only_counts(lock, is_named)?;
        Ok(())
    }
}

/// What is written in `people`: pairs of eight bytes each.
fn state_bytes(states: &KeyStates) -> Vec<u8> {
    let pairs = states.iter().flat_map(|&(key, state)| [key, state]);
    pairs.flat_map(u64::to_le_bytes).collect()
}

/// Names what every key stands for.
pub(super) fn state_hash(states: &KeyStates) -> String {
    blake3::hash(&state_bytes(states)).to_hex().to_string()
}

/// Reads what every key stood for; `None` when it is not there or something else.
pub(super) fn read_people(store: &Store, hash: &str) -> Result<Option<KeyStates>, Error> {
    let Some(bytes) = store.read_counts(PEOPLE)? else {
        return Ok(None);
    };
    if *blake3::hash(&bytes).to_hex() != *hash {
        return Ok(None);
    }
    let (words, _) = bytes.as_chunks::<8>();
    let (pairs, _) = words.as_chunks::<2>();
    let pair = |[key, state]: &[[u8; 8]; 2]| (u64::from_le_bytes(*key), u64::from_le_bytes(*state));
    Ok(Some(pairs.iter().map(pair).collect()))
}
