//! Signals as compact rows, one chunk at a time.

use std::ops::Range;

use af_model::HexHash;

use crate::class::ClassKey;
use crate::people::{Decision, Subject};
use crate::record::Reader;

/// The subject of a row that was dropped as a duplicate.
const DROPPED: u32 = u32::MAX;

/// One signal that keeps the contract.
pub(crate) struct Row {
    /// Milliseconds.
    pub(crate) time: i64,
    /// Milliseconds; null is the earliest of all.
    pub(crate) ingested_at: i64,
    /// Hash of (tenant, source, signal id).
    pub(crate) key_hash: u64,
    /// Where the row's texts start; they end where those of the next row start.
    pub(crate) text: usize,
    /// Position in the chunk's classes.
    pub(crate) class: u32,
    /// Position in the chunk's subjects.
    pub(crate) subject: u32,
}

/// One distinct subject of a chunk.
pub(crate) struct StoredSubject {
    pub(crate) text: Range<usize>,
    /// Whom it means; at the time of the first row that named it, unless steady.
    pub(crate) decision: Decision,
    /// Its keyed hash, if some of its signals may end unmatched.
    pub(crate) hash: Option<HexHash>,
}

/// A class as one chunk saw it.
pub(crate) struct StoredClass {
    /// Symbols of the chunk until it is adopted.
    pub(crate) key: ClassKey,
    pub(crate) read: u64,
    pub(crate) not_yet_known: u64,
    pub(crate) quarantined: u64,
}

/// The rows of some batches. Everything but `names` and the symbols in `classes` is final.
pub(crate) struct Chunk {
    pub(crate) rows: Vec<Row>,
    pub(crate) texts: Vec<u8>,
    pub(crate) subjects: Vec<StoredSubject>,
    pub(crate) subject_texts: Vec<u8>,
    pub(crate) classes: Vec<StoredClass>,
    /// The chunk's own names; emptied when the chunk is adopted.
    pub(crate) names: Vec<String>,
    /// Input-wide class by the chunk's class; filled when the chunk is adopted.
    pub(crate) class_ids: Vec<u32>,
}

/// One row with everything that belongs to it.
#[derive(Clone, Copy)]
pub(crate) struct RowView<'c> {
    chunk: &'c Chunk,
    index: usize,
}

impl Chunk {
    /// The row at `index`.
    pub(crate) fn view(&self, index: usize) -> RowView<'_> {
        RowView { chunk: self, index }
    }

    /// Takes a duplicate out of everything that follows.
    pub(crate) fn drop_row(&mut self, index: usize) {
        self.rows[index].subject = DROPPED;
    }

    /// All rows that were not dropped.
    pub(crate) fn kept(&self) -> impl Iterator<Item = RowView<'_>> {
        (0..self.rows.len())
            .filter(|&index| self.rows[index].subject != DROPPED)
            .map(|index| self.view(index))
    }
}

impl<'c> RowView<'c> {
    pub(crate) fn row(self) -> &'c Row {
        &self.chunk.rows[self.index]
    }

    pub(crate) fn index(self) -> usize {
        self.index
    }

    /// The input-wide class.
    pub(crate) fn class_id(self) -> u32 {
        self.chunk.class_ids[self.row().class as usize]
    }

    /// The row's own texts as written.
    pub(crate) fn texts(self) -> &'c [u8] {
        let end = self
            .chunk
            .rows
            .get(self.index + 1)
            .map_or(self.chunk.texts.len(), |next| next.text);
        &self.chunk.texts[self.row().text..end]
    }

    pub(crate) fn signal_uid(self) -> &'c [u8] {
        Reader(self.texts())
            .text()
            .expect("only signals with an id become rows")
    }

    /// The incident, unless the signal is its own.
    pub(crate) fn incident_uid(self) -> Option<&'c [u8]> {
        let mut reader = Reader(self.texts());
        let _signal_uid = reader.text();
        reader
            .text()
            .filter(|incident| !incident.trim_ascii().is_empty())
    }

    pub(crate) fn event_uids(self) -> impl Iterator<Item = &'c [u8]> {
        let mut reader = Reader(self.texts());
        let _signal_uid = reader.text();
        let _incident_uid = reader.text();
        reader.list()
    }

    pub(crate) fn subject(self) -> &'c StoredSubject {
        &self.chunk.subjects[self.row().subject as usize]
    }

    /// The subject's four texts as written.
    pub(crate) fn subject_texts(self) -> &'c [u8] {
        &self.chunk.subject_texts[self.subject().text.clone()]
    }

    /// The subject's columns.
    pub(crate) fn subject_columns(self) -> Subject<'c> {
        let mut reader = Reader(self.subject_texts());
        let mut next = || {
            reader
                .text()
                .map(|text| std::str::from_utf8(text).expect("the buffer holds whole texts"))
        };
        Subject {
            subject_ref: next(),
            uid: next(),
            login: next(),
            email: next(),
        }
    }
}
