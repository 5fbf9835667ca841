//! Signals that left their batch: everything that is counted of each, packed one behind the other.
//!
//! A record is a head of fixed size, a [tail](tail) and texts. What every signal is asked is in its head and
//! becomes a [`Row`]; the tail tells whom it means and how long its texts are, and is read when one of them is
//! wanted. Records are made and read by one process: ids of tenants, kinds and people are those of its count.

mod tail;

use std::io::{self, Read, Write};

use crate::part::{Row, View};
use crate::people::Resolution;
use tail::Numbers;

pub(crate) use tail::Tails;

/// Bytes of a head: two instants, a hash, two ids.
const HEAD: usize = 32;

/// Records of signals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records {
    /// Heads and tails.
    figures: Vec<u8>,
    texts: String,
    rows: usize,
}

/// One of them.
pub(crate) struct Record<'r> {
    /// It does not yet say where tail and texts are.
    pub(crate) row: Row,
    tail: &'r [u8],
    texts: &'r str,
}

impl Record<'_> {
    /// The person it means.
    pub(crate) fn person(&self) -> Option<u32> {
        tail::person(self.tail)
    }
}

impl Records {
    /// How many signals there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How many bytes they take.
    pub fn bytes(&self) -> usize {
        self.figures.len() + self.texts.len()
    }

    /// Forgets all signals and keeps the memory for others.
    pub fn clear(&mut self) {
        self.figures.clear();
        self.texts.clear();
        self.rows = 0;
    }

    /// An empty one, with room for so many times what is here.
    #[must_use]
    pub fn room_for(&self, times: usize) -> Self {
        Self {
            figures: Vec::with_capacity(self.figures.len().saturating_mul(times)),
            texts: String::with_capacity(self.texts.len().saturating_mul(times)),
            rows: 0,
        }
    }

    /// Whether others find room without more memory.
    pub fn has_room_for(&self, others: &Self) -> bool {
        self.figures.capacity() - self.figures.len() >= others.figures.len()
            && self.texts.capacity() - self.texts.len() >= others.texts.len()
    }

    /// Appends others.
    pub fn append(&mut self, others: &Self) {
        self.figures.extend_from_slice(&others.figures);
        self.texts.push_str(&others.texts);
        self.rows += others.rows;
    }

    /// Writes all of them in one piece.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write(&self, into: &mut impl Write) -> io::Result<()> {
        let lengths = [self.rows, self.figures.len(), self.texts.len()];
        let lengths = lengths.map(|length| (length as u64).to_le_bytes());
        into.write_all(lengths.as_flattened())?;
        into.write_all(&self.figures)?;
        into.write_all(self.texts.as_bytes())
    }

    /// Reads what one call of [`Records::write`] wrote, in place of what is here; `false` at the end.
    ///
    /// # Errors
    /// When it cannot be read, or ends within.
    pub fn read(&mut self, from: &mut impl Read) -> io::Result<bool> {
        self.clear();
        let mut lengths = Vec::with_capacity(24);
        from.by_ref().take(24).read_to_end(&mut lengths)?;
        if lengths.is_empty() {
            return Ok(false);
        }
        let ends_within = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let length = |number: usize| {
            let bytes = lengths.get(8 * number..)?.first_chunk()?;
            Some(u64::from_le_bytes(*bytes))
        };
        let [Some(rows), Some(figures), Some(texts)] = [0, 1, 2].map(length) else {
            return Err(ends_within());
        };
        self.rows = usize::try_from(rows).map_err(io::Error::other)?;
        from.by_ref().take(figures).read_to_end(&mut self.figures)?;
        from.by_ref().take(texts).read_to_string(&mut self.texts)?;
        let lengths = [self.figures.len() as u64, self.texts.len() as u64];
        if lengths == [figures, texts] {
            Ok(true)
        } else {
            Err(ends_within())
        }
    }

    /// Appends a signal whose tenant and kind have the ids of the whole input.
    pub(crate) fn push(&mut self, view: View<'_>, resolution: Resolution) {
        let row = view.row;
        let mut head = [0; HEAD];
        head[..8].copy_from_slice(&row.time.to_le_bytes());
        head[8..16].copy_from_slice(&row.ingested_at.to_le_bytes());
        head[16..24].copy_from_slice(&row.key_hash.to_le_bytes());
        head[24..28].copy_from_slice(&row.tenant.to_le_bytes());
        head[28..].copy_from_slice(&row.kind.to_le_bytes());
        self.figures.extend_from_slice(&head);
        tail::write(view, resolution, &mut self.figures, &mut self.texts);
        self.rows += 1;
    }

    /// One record after the other; `None` in place of what is none, and of what is left at the end.
    pub(crate) fn each(&self) -> impl Iterator<Item = Option<Record<'_>>> {
        let (mut figures, mut texts) = (&*self.figures, &*self.texts);
        (0..=self.rows).filter_map(move |number| {
            if number == self.rows {
                let is_end = figures.is_empty() && texts.is_empty();
                return (!is_end).then_some(None);
            }
            Some(first(&mut figures, &mut texts))
        })
    }
}

/// Takes the first of some records.
fn first<'r>(figures: &mut &'r [u8], texts: &mut &'r str) -> Option<Record<'r>> {
    let (head, tail) = figures.split_first_chunk::<HEAD>()?;
    let mut numbers = Numbers(tail);
    let text_bytes = tail::text_bytes(&mut numbers)?;
    let rest = numbers.0;
    let (of_record, other_texts) = texts.split_at_checked(text_bytes)?;
    let long = |from: usize| head[from..].first_chunk().copied();
    let short = |from: usize| head[from..].first_chunk().copied();
    let record = Record {
        row: Row {
            time: i64::from_le_bytes(long(0)?),
            ingested_at: i64::from_le_bytes(long(8)?),
            key_hash: u64::from_le_bytes(long(16)?),
            tenant: u32::from_le_bytes(short(24)?),
            kind: u32::from_le_bytes(short(28)?),
            subject: 0,
            cell: 0,
        },
        tail: &tail[..tail.len() - rest.len()],
        texts: of_record,
    };
    (*figures, *texts) = (rest, other_texts);
    Some(record)
}

#[cfg(test)]
mod tests;
