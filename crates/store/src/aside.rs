//! Bytes that a run puts aside while it works: in memory as long as they are few, then in files without
//! a name, which end with the process whatever ends it.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::Error;

/// Where a run puts bytes aside.
#[derive(Debug)]
pub struct Shelf {
    folder: PathBuf,
    in_memory: usize,
    held: AtomicUsize,
}

impl Shelf {
    /// Holds up to `in_memory` bytes in memory. Files lie in the folder or, where that is not there yet,
    /// in the nearest one above that is: on the disk that the results go to.
    pub fn new(folder: &Path, in_memory: usize) -> Self {
        let mut nearest = folder;
        while !nearest.is_dir() {
            match nearest.parent() {
                Some(above) => nearest = above,
                None => break,
            }
        }
        let here = nearest.as_os_str().is_empty();
        Self {
            folder: if here { Path::new(".") } else { nearest }.to_owned(),
            in_memory,
            held: AtomicUsize::new(0),
        }
    }

    /// How many bytes are held in memory at most.
    pub fn in_memory(&self) -> usize {
        self.in_memory
    }

    /// Puts bytes aside.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn put(&self, bytes: Vec<u8>) -> Result<Aside, Error> {
        let before = self.held.fetch_add(bytes.len(), Ordering::Relaxed);
        if before.saturating_add(bytes.len()) <= self.in_memory {
            return Ok(Aside(Place::Memory(Arc::new(bytes))));
        }
        self.held.fetch_sub(bytes.len(), Ordering::Relaxed);
        let mut file = self.file()?;
        file.write_all(&bytes)
            .map_err(|error| Error::io("write", &self.folder, &error))?;
        Ok(Aside::of_file(file))
    }

    /// An empty file without a name.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn file(&self) -> Result<File, Error> {
        tempfile::tempfile_in(&self.folder)
            .map_err(|error| Error::io("write a temporary file to", &self.folder, &error))
    }
}

/// Bytes that were put aside. Several readers may read them at a time.
#[derive(Clone, Debug)]
pub struct Aside(Place);

#[derive(Clone, Debug)]
enum Place {
    Memory(Arc<Vec<u8>>),
    File(Arc<Mutex<File>>),
}

impl Aside {
    /// The bytes of a file that nobody else reads through the same handle.
    pub fn of_file(file: File) -> Self {
        Self(Place::File(Arc::new(Mutex::new(file))))
    }

    /// Reads a range of them, and less where they end before.
    pub fn read(&self, range: Range<u64>) -> AsideReader {
        AsideReader {
            place: self.0.clone(),
            range,
        }
    }
}

/// Reads a range of bytes that were put aside. Each read costs a lock; wrap it into a buffer.
#[derive(Debug)]
pub struct AsideReader {
    place: Place,
    range: Range<u64>,
}

impl Read for AsideReader {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let left = self.range.end.saturating_sub(self.range.start);
        let wanted = into.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let into = &mut into[..wanted];
        let read = match &self.place {
            Place::Memory(bytes) => {
                let start = usize::try_from(self.range.start).unwrap_or(usize::MAX);
                bytes.get(start..).unwrap_or_default().read(into)?
            }
            Place::File(file) => {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                file.seek(SeekFrom::Start(self.range.start))?;
                file.read(into)?
            }
        };
        self.range.start += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_aside_is_read_wherever_it_lies() {
        let folder = tempfile::tempdir().unwrap();
        // The second does not fit into memory any more.
        let shelf = Shelf::new(&folder.path().join("not/there/yet"), 10);
        let asides = [b"0123456789", b"abcdefghij"].map(|bytes| shelf.put(bytes.to_vec()));
        let [first, second] = asides.map(Result::unwrap);
        assert!(matches!(first.0, Place::Memory(_)) && matches!(second.0, Place::File(_)));
        for (aside, all) in [(first, "0123456789"), (second, "abcdefghij")] {
            let text = |range| std::io::read_to_string(aside.read(range)).unwrap();
            assert_eq!(text(0..10), all);
            assert_eq!(text(2..5), all[2..5]);
            assert_eq!(text(8..u64::MAX), all[8..]);
            assert_eq!(text(20..30), "");
            // Side by side.
            let (mut one, mut two) = (aside.read(0..10), aside.read(5..10));
            let mut bytes = [0; 4];
            one.read_exact(&mut bytes).unwrap();
            two.read_exact(&mut bytes).unwrap();
            assert_eq!(bytes, all.as_bytes()[5..9]);
            one.read_exact(&mut bytes).unwrap();
            assert_eq!(bytes, all.as_bytes()[4..8]);
        }
        let left: Vec<_> = fs_err::read_dir(folder.path()).unwrap().collect();
        assert!(left.is_empty(), "files have no name");
    }
}
