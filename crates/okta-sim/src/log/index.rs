//! Where events lie, in one order: a file of fixed records, so that memory does not grow with them.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

/// Bytes of a record in the file.
const SIZE: usize = 32;

/// Records that are read at once.
const CHUNK: u64 = 512;

/// Which instant orders the events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// When they happened: bounded queries.
    Published,
    /// When they came to be seen: polling.
    Persisted,
}

/// A place in an order: the instant and a number that separates equal ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) millis: i64,
    pub(crate) number: u64,
}

impl Position {
    /// Before everything of an instant.
    pub(crate) fn before(millis: i64) -> Self {
        Self {
            millis: millis.saturating_sub(1),
            number: u64::MAX,
        }
    }
}

/// Where one event lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) published: i64,
    pub(crate) persisted: i64,
    pub(crate) offset: u64,
    pub(crate) length: u32,
}

impl Record {
    pub(crate) fn key(&self, order: Order) -> i64 {
        match order {
            Order::Published => self.published,
            Order::Persisted => self.persisted,
        }
    }

    fn to_bytes(self) -> [u8; SIZE] {
        let mut bytes = [0; SIZE];
        bytes[..8].copy_from_slice(&self.published.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.persisted.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.offset.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.length.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Self {
        let eight = |at: usize| {
            let part: [u8; 8] = bytes[at..at + 8].try_into().expect("eight bytes");
            part
        };
        Self {
            published: i64::from_le_bytes(eight(0)),
            persisted: i64::from_le_bytes(eight(8)),
            offset: u64::from_le_bytes(eight(16)),
            length: u32::from_le_bytes(bytes[24..28].try_into().expect("four bytes")),
        }
    }
}

/// An index being written. Its count is that of the records a reader may look at.
#[derive(Debug)]
pub(crate) struct IndexWriter {
    file: BufWriter<File>,
    pub(crate) count: u64,
}

impl IndexWriter {
    /// Starts an index in a file of its own.
    pub(crate) fn create(path: &Path, order: Order) -> io::Result<(Self, Index)> {
        let file = open(path)?;
        let reader = file.try_clone()?;
        let writer = Self {
            file: BufWriter::with_capacity(1 << 16, file),
            count: 0,
        };
        let index = Index {
            file: reader,
            order,
        };
        Ok((writer, index))
    }

    pub(crate) fn push(&mut self, record: Record) -> io::Result<()> {
        self.file.write_all(&record.to_bytes())?;
        self.count += 1;
        Ok(())
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A file to be filled anew. Nothing in it outlives the simulator, so nobody syncs it.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)
}

/// An index to read. How many records there are is the caller's to know.
#[derive(Debug)]
pub(crate) struct Index {
    file: File,
    order: Order,
}

impl Index {
    /// Some records, from the n-th on.
    fn read(&self, from: u64, count: u64) -> io::Result<Vec<Record>> {
        let count = usize::try_from(count).expect("a chunk");
        let mut bytes = vec![0; count * SIZE];
        self.file.read_exact_at(&mut bytes, from * SIZE as u64)?;
        Ok(bytes.chunks_exact(SIZE).map(Record::from_bytes).collect())
    }

    /// The number of the first record behind a position, of so many.
    pub(crate) fn behind(&self, position: Position, count: u64) -> io::Result<u64> {
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = u64::midpoint(low, high);
            let record = self.read(middle, 1)?[0];
            let at = Position {
                millis: record.key(self.order),
                number: middle,
            };
            if at > position {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok(low)
    }

    /// The records from a number on, upwards; stops at the count.
    pub(crate) fn forward(&self, from: u64, count: u64) -> Walk<'_> {
        Walk {
            index: self,
            next: from,
            end: count,
            backward: false,
            chunk: Vec::new().into_iter(),
        }
    }

    /// The records before a number, downwards.
    pub(crate) fn backward(&self, before: u64) -> Walk<'_> {
        Walk {
            index: self,
            next: before,
            end: 0,
            backward: true,
            chunk: Vec::new().into_iter(),
        }
    }
}

/// Records one after the other, read in chunks.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    index: &'a Index,
    next: u64,
    end: u64,
    backward: bool,
    chunk: std::vec::IntoIter<(u64, Record)>,
}

impl Walk<'_> {
    pub(crate) fn step(&mut self) -> io::Result<Option<(Position, Record)>> {
        if self.chunk.len() == 0 {
            let (from, count) = if self.backward {
                let count = CHUNK.min(self.next);
                (self.next - count, count)
            } else {
                (self.next, CHUNK.min(self.end.saturating_sub(self.next)))
            };
            if count == 0 {
                return Ok(None);
            }
            let mut chunk: Vec<(u64, Record)> =
                (from..).zip(self.index.read(from, count)?).collect();
            if self.backward {
                chunk.reverse();
                self.next = from;
            } else {
                self.next = from + count;
            }
            self.chunk = chunk.into_iter();
        }
        Ok(self.chunk.next().map(|(number, record)| {
            let millis = record.key(self.index.order);
            (Position { millis, number }, record)
        }))
    }
}
