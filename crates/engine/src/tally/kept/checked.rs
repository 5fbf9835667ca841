//! Pieces of bytes that are checked while they are read.

use std::io::{Error, ErrorKind, Read, Result};
use std::ops::Range;
use std::sync::Arc;

use af_store::Aside;

use super::{HASH_BYTES, HEAD_BYTES, LENGTH_BYTES, PIECES, Piece};

/// Bytes that are hashed together: as many as BLAKE3 works on side by side.
const LEAF: usize = 16 << 10;

/// Bytes that may have changed since they were written, as pieces.
#[derive(Debug)]
pub(super) struct Checked {
    aside: Aside,
    pieces: [Range<u64>; PIECES],
    /// Of every leaf; none when the bytes cannot have changed.
    hashes: Arc<[[u8; HASH_BYTES]]>,
}

impl Checked {
    /// `None` when the head or the hashes are not what was written.
    pub(super) fn open(aside: Aside) -> Option<Self> {
        let mut head = [0; HEAD_BYTES];
        aside
            .read(0..HEAD_BYTES as u64)
            .read_exact(&mut head)
            .ok()?;
        let (said, lengths) = head.split_at(HASH_BYTES);
        let (lengths, _) = lengths.as_chunks::<LENGTH_BYTES>();
        let mut end = HEAD_BYTES as u64;
        let mut pieces = [const { 0..0 }; PIECES];
        for (piece, length) in pieces.iter_mut().zip(lengths) {
            let start = end;
            end = start.checked_add(u64::from_le_bytes(*length))?;
            *piece = start..end;
        }
        let mut table = Vec::new();
        aside.read(end..u64::MAX).read_to_end(&mut table).ok()?;
        if hash_of_head(&head, &table) != said {
            return None;
        }
        let (hashes, _) = table.as_chunks::<HASH_BYTES>();
        Some(Self {
            aside,
            pieces,
            hashes: hashes.into(),
        })
    }

    /// Whether a change would be noticed.
    pub(super) fn have_hashes(&self) -> bool {
        !self.hashes.is_empty()
    }

    pub(super) fn read(&self, piece: Piece) -> CheckedReader {
        CheckedReader {
            aside: self.aside.clone(),
            hashes: Arc::clone(&self.hashes),
            left: self.pieces[piece as usize].clone(),
            end: self.pieces[PIECES - 1].end,
            leaf: Vec::new(),
        }
    }
}

/// Closes bytes of which the pieces follow an empty head.
pub(super) fn close(mut bytes: Vec<u8>, lengths: [usize; PIECES], with_hashes: bool) -> Vec<u8> {
    let places = bytes[HASH_BYTES..HEAD_BYTES].chunks_exact_mut(LENGTH_BYTES);
    for (place, length) in places.zip(lengths) {
        place.copy_from_slice(&(length as u64).to_le_bytes());
    }
    let leaves = bytes[HEAD_BYTES..].chunks(LEAF).filter(|_| with_hashes);
    let table: Vec<u8> = leaves
        .flat_map(|leaf| *blake3::hash(leaf).as_bytes())
        .collect();
    let hash = hash_of_head(&bytes[..HEAD_BYTES], &table);
    bytes[..HASH_BYTES].copy_from_slice(&hash);
    bytes.extend(table);
    bytes
}

fn hash_of_head(head: &[u8], table: &[u8]) -> [u8; HASH_BYTES] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&head[HASH_BYTES..]).update(table);
    *hasher.finalize().as_bytes()
}

/// Reads a piece. Of bytes that may have changed nothing is handed on unchecked.
#[derive(Debug)]
pub(super) struct CheckedReader {
    aside: Aside,
    hashes: Arc<[[u8; HASH_BYTES]]>,
    /// What of the piece was not handed on yet.
    left: Range<u64>,
    /// Where all pieces end.
    end: u64,
    /// The leaf in which `left` begins, if part of it was asked for.
    leaf: Vec<u8>,
}

impl CheckedReader {
    /// Reads whole leaves where `left` begins and checks them.
    fn fill(&self, leaves: &mut [u8]) -> Result<()> {
        let start = self.left.start - self.place_in_leaf() as u64;
        let end = start + leaves.len() as u64;
        self.aside.read(start..end).read_exact(leaves)?;
        let first = usize::try_from(start - HEAD_BYTES as u64).map_err(Error::other)? / LEAF;
        let said = self.hashes.get(first..).unwrap_or_default();
        let mut found = leaves.chunks(LEAF).zip(said);
        let is_right = leaves.len().div_ceil(LEAF) <= said.len()
            && found.all(|(leaf, said)| blake3::hash(leaf).as_bytes() == said);
        if is_right {
            Ok(())
        } else {
            Err(Error::new(ErrorKind::InvalidData, "not what was written"))
        }
    }

    /// How far into its leaf `left` begins.
    fn place_in_leaf(&self) -> usize {
        usize::try_from((self.left.start - HEAD_BYTES as u64) % LEAF as u64)
            .expect("less than a leaf")
    }
}

impl Read for CheckedReader {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        let left = usize::try_from(self.left.end - self.left.start).unwrap_or(usize::MAX);
        let wanted = into.len().min(left);
        if wanted == 0 {
            return Ok(0);
        }
        let into = &mut into[..wanted];
        let within = self.place_in_leaf();
        let read = if self.hashes.is_empty() {
            self.aside.read(self.left.clone()).read(into)?
        } else if within == 0 && wanted >= LEAF {
            // What is asked for is read to where it goes.
            let whole = wanted / LEAF * LEAF;
            self.fill(&mut into[..whole])?;
            whole
        } else {
            if within == 0 || self.leaf.is_empty() {
                let start = self.left.start - within as u64;
                let bytes = (self.end - start).min(LEAF as u64);
                let mut leaf = std::mem::take(&mut self.leaf);
                leaf.resize(usize::try_from(bytes).map_err(Error::other)?, 0);
                self.fill(&mut leaf)?;
                self.leaf = leaf;
            }
            let rest = &self.leaf[within..];
            let read = rest.len().min(wanted);
            into[..read].copy_from_slice(&rest[..read]);
            read
        };
        self.left.start += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use af_store::Shelf;

    fn bytes_of(lengths: [usize; PIECES], with_hashes: bool) -> Vec<u8> {
        let mut bytes = vec![0; HEAD_BYTES];
        let all: usize = lengths.iter().sum();
        bytes.extend((0..all).map(|at| u8::try_from(at % 251).unwrap()));
        close(bytes, lengths, with_hashes)
    }

    fn open(bytes: Vec<u8>) -> Option<Checked> {
        let shelf = Shelf::new(std::path::Path::new("."), usize::MAX);
        Checked::open(shelf.put(bytes).unwrap())
    }

    const ALL: [Piece; PIECES] = [
        Piece::Blocks,
        Piece::Details,
        Piece::Unmatched,
        Piece::Tenants,
        Piece::Feeds,
        Piece::Kinds,
        Piece::Names,
    ];

    /// A piece, asked for in steps of some bytes.
    fn read(pieces: &Checked, piece: Piece, step: usize) -> Result<Vec<u8>> {
        let mut reader = pieces.read(piece);
        let mut all = Vec::new();
        let mut chunk = vec![0; step];
        loop {
            match reader.read(&mut chunk)? {
                0 => return Ok(all),
                read => all.extend(&chunk[..read]),
            }
        }
    }

    const LENGTHS: [usize; PIECES] = [40_000, 3, 0, LEAF, 2 * LEAF + 5, 7, 100];

    #[test]
    fn pieces_come_back_however_they_are_asked_for() {
        for with_hashes in [false, true] {
            let bytes = bytes_of(LENGTHS, with_hashes);
            let pieces = open(bytes.clone()).unwrap();
            assert_eq!(pieces.have_hashes(), with_hashes);
            for step in [1, 7, LEAF - 1, LEAF, 3 * LEAF + 11] {
                let mut start = HEAD_BYTES;
                for (piece, length) in ALL.into_iter().zip(LENGTHS) {
                    let whole = &bytes[start..start + length];
                    assert_eq!(read(&pieces, piece, step).unwrap(), whole);
                    start += length;
                }
            }
        }
    }

    #[test]
    fn a_changed_byte_is_never_handed_on() {
        let bytes = bytes_of(LENGTHS, true);
        for place in (0..bytes.len()).step_by(997).chain([bytes.len() - 1]) {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            let Some(pieces) = open(changed) else {
                continue;
            };
            let mut start = HEAD_BYTES;
            let mut is_found = false;
            for (piece, length) in ALL.into_iter().zip(LENGTHS) {
                for step in [64, 4 * LEAF] {
                    match read(&pieces, piece, step) {
                        Ok(found) => assert_eq!(found, bytes[start..start + length]),
                        Err(_) => is_found = true,
                    }
                }
                start += length;
            }
            assert!(is_found, "byte {place}");
        }
        for length in [0, 10, HEAD_BYTES, bytes.len() - 1] {
            assert!(open(bytes[..length].to_vec()).is_none());
        }
    }
}
