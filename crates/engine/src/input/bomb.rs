//! A guard against files that are small on disk and endless when they are decompressed.

use std::fmt;
use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many times larger than its file a stream may become. Event logs, whose every event has an
/// id of its own, shrink to a twentieth or a hundredth.
pub const MAX_EXPANSION: u64 = 1_000;

/// So many decompressed bytes are always allowed, however small the file.
pub const FREE_BYTES: u64 = 256 << 20;

/// The stream became too large for its file.
#[derive(Debug)]
pub(super) struct Bomb;

impl fmt::Display for Bomb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "it becomes more than {MAX_EXPANSION} times its size when it is decompressed"
        )
    }
}

impl std::error::Error for Bomb {}

/// Counts the compressed bytes that a decoder took.
pub(super) struct Counted<R> {
    inner: R,
    taken: Arc<AtomicU64>,
}

impl<R> Counted<R> {
    pub(super) fn new(inner: R) -> (Self, Arc<AtomicU64>) {
        let taken = Arc::new(AtomicU64::new(0));
        let counted = Self {
            inner,
            taken: Arc::clone(&taken),
        };
        (counted, taken)
    }
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.taken.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.taken.fetch_add(amount as u64, Ordering::Relaxed);
        self.inner.consume(amount);
    }
}

/// A decoder that stops when it has given more than its input can be worth.
pub(super) struct Guarded<D> {
    decoder: D,
    taken: Arc<AtomicU64>,
    given: u64,
}

impl<D> Guarded<D> {
    pub(super) fn new(decoder: D, taken: Arc<AtomicU64>) -> Self {
        Self {
            decoder,
            taken,
            given: 0,
        }
    }
}

impl<D: Read> Read for Guarded<D> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = MAX_EXPANSION.saturating_mul(self.taken.load(Ordering::Relaxed));
        let most = FREE_BYTES.max(most);
        if self.given > most {
            return Err(io::Error::other(Bomb));
        }
        let read = self.decoder.read(buffer)?;
        self.given += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grows_without_end_is_stopped_and_what_does_not_is_not() {
        let (mut counted, taken) = Counted::new(&[0_u8; 4096][..]);
        let mut guarded = Guarded::new(io::repeat(b' '), Arc::clone(&taken));
        let mut buffer = vec![0; 1 << 20];
        let mut given = 0_u64;
        let error = loop {
            match guarded.read(&mut buffer) {
                Ok(read) => given += read as u64,
                Err(error) => break error,
            }
        };
        assert!(error.get_ref().unwrap().is::<Bomb>());
        assert!((FREE_BYTES..FREE_BYTES + (2 << 20)).contains(&given));
        // More of the file allows more of the stream: 300,000 bytes are worth 300 MB.
        taken.store(300_000, Ordering::Relaxed);
        assert!(guarded.read(&mut buffer).is_ok());
        taken.store(0, Ordering::Relaxed);
        assert_eq!(counted.fill_buf().unwrap().len(), 4096);
        counted.consume(96);
        assert_eq!(counted.read(&mut [0; 1000]).unwrap(), 1000);
        assert_eq!(taken.load(Ordering::Relaxed), 1096);
    }
}
