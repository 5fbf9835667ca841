//! One row for each (tenant, source, signal id), whatever day, file or order it came in.

use std::cmp::Ordering;

use rayon::prelude::*;

use crate::class::{Classes, place};
use crate::interner::{Names, Symbol};
use crate::record::put_text;
use crate::rows::{Chunk, RowView};

/// Drops all rows but the one that counts of every signal, and counts the others in their classes.
///
/// The earliest `ingested_at` is kept, null being the earliest of all, then the smallest content
/// hash. So what is known later never changes what was kept before.
pub(crate) fn drop_duplicates(chunks: &mut [Chunk], classes: &mut Classes, names: &Names) {
    for loser in losers(chunks, classes, names) {
        let chunk = &mut chunks[loser.at.chunk as usize];
        let class = classes.get_mut(chunk.view(loser.at.row as usize).class_id());
        class.account.duplicate += 1;
        class.conflicts += u64::from(loser.is_conflict);
        chunk.drop_row(loser.at.row as usize);
    }
}

/// Where a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct At {
    pub(crate) chunk: u32,
    pub(crate) row: u32,
}

impl At {
    pub(crate) fn new(chunk: usize, row: usize) -> Self {
        let narrow =
            |index| u32::try_from(index).expect("chunks and their rows are fewer than 2^32");
        Self {
            chunk: narrow(chunk),
            row: narrow(row),
        }
    }

    pub(crate) fn view(self, chunks: &[Chunk]) -> RowView<'_> {
        chunks[self.chunk as usize].view(self.row as usize)
    }
}

struct Loser {
    at: At,
    /// Whether it differs from the kept row in anything but `ingested_at`.
    is_conflict: bool,
}

fn losers(chunks: &[Chunk], classes: &Classes, names: &Names) -> Vec<Loser> {
    let mut rows: Vec<(u64, At)> = chunks
        .par_iter()
        .enumerate()
        .flat_map_iter(|(chunk, of)| {
            let rows = of.rows.iter().enumerate();
            rows.map(move |(row, stored)| (stored.key_hash, At::new(chunk, row)))
        })
        .collect();
    rows.par_sort_unstable();
    rows.par_chunk_by(|left, right| left.0 == right.0)
        .filter(|equal_hashes| equal_hashes.len() > 1)
        .flat_map_iter(|equal_hashes| {
            // Equal hashes are not yet equal keys: whoever names signals may look for collisions.
            let mut views: Vec<(At, RowView<'_>)> = equal_hashes
                .iter()
                .map(|&(_, at)| (at, at.view(chunks)))
                .collect();
            views.sort_by(|(_, left), (_, right)| {
                key_order(*left, *right, classes)
                    .then_with(|| left.row().ingested_at.cmp(&right.row().ingested_at))
            });
            views
                .chunk_by(|(_, left), (_, right)| key_order(*left, *right, classes).is_eq())
                .flat_map(|copies| losers_of(copies, classes, names))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// All but one of the copies of one signal, which are sorted by `ingested_at`.
fn losers_of(copies: &[(At, RowView<'_>)], classes: &Classes, names: &Names) -> Vec<Loser> {
    let Some(&(first_at, first)) = copies.first().filter(|_| copies.len() > 1) else {
        return Vec::new();
    };
    let ties = copies
        .iter()
        .take_while(|(_, copy)| copy.row().ingested_at == first.row().ingested_at);
    let (winner_at, winner) = if ties.clone().all(|(_, copy)| same_content(*copy, first)) {
        (first_at, first)
    } else {
        *ties
            .min_by_key(|(_, copy)| content_hash(*copy, classes, names))
            .expect("the first copy ties with itself")
    };
    copies
        .iter()
        .filter(|(at, _)| *at != winner_at)
        .map(|(at, copy)| Loser {
            at: *at,
            is_conflict: !same_content(*copy, winner),
        })
        .collect()
}

fn key_order(left: RowView<'_>, right: RowView<'_>, classes: &Classes) -> Ordering {
    let key = |view: RowView<'_>| -> (Symbol, Symbol) {
        let class = classes.get(view.class_id());
        (class.key[place::TENANT], class.key[place::SOURCE])
    };
    key(left)
        .cmp(&key(right))
        .then_with(|| left.signal_uid().cmp(right.signal_uid()))
}

/// Whether two rows agree in every column but `ingested_at`.
fn same_content(left: RowView<'_>, right: RowView<'_>) -> bool {
    left.class_id() == right.class_id()
        && left.row().time == right.row().time
        && left.subject_texts() == right.subject_texts()
        && left.texts() == right.texts()
}

/// 256 bits over every column but `ingested_at`, the same on every machine.
fn content_hash(view: RowView<'_>, classes: &Classes, names: &Names) -> [u8; 32] {
    let mut content = Vec::new();
    for &symbol in &classes.get(view.class_id()).key {
        put_text(&mut content, names.get(symbol).map(|name| &**name));
    }
    content.extend_from_slice(&view.row().time.to_le_bytes());
    content.extend_from_slice(view.subject_texts());
    content.extend_from_slice(view.texts());
    *blake3::hash(&content).as_bytes()
}
