//! Pages as received: landed by whoever fetches, listed by whoever takes them in.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use crate::atomic::{Access, write_atomically};
use crate::disk;
use crate::error::{Error, ErrorKind};
use crate::layout::{Store, check_name, entries};

use super::folder::{FeedName, Folder};
use super::open::Feed;

/// How the name of a page ends.
pub(super) const PAGE_END: &str = ".json.zst";

/// As other zstd files of a store: a tenth of the text at little cost.
const LEVEL: i32 = 3;

/// A page that waits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WaitingPage {
    /// The stream it belongs to, e.g. `live-1` or `day-2026-11-20`.
    pub stream: String,
    /// Its number in the stream, from 1.
    pub number: u64,
    /// The file.
    pub path: PathBuf,
    /// Its size as it lies there.
    pub bytes: u64,
    /// Which file it was when it was listed.
    pub(super) file: FileMark,
}

/// What tells a file from another one of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FileMark {
    inode: u64,
    bytes: u64,
    modified: Option<SystemTime>,
}

impl FileMark {
    /// The mark of the file at a path; `None` when nothing is there.
    pub(super) fn of(path: &Path) -> Result<Option<Self>, Error> {
        let found = match fs_err::symlink_metadata(path) {
            Ok(found) => found,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("look at", path, &error)),
        };
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(&found);
        #[cfg(not(unix))]
        let inode = 0;
        Ok(found.is_file().then(|| Self {
            inode,
            bytes: found.len(),
            modified: found.modified().ok(),
        }))
    }
}

/// Keeps a page from being replaced in the moment in which another process removes it.
#[derive(Debug)]
pub(super) struct PagesLock(Mutex<disk::File>);

impl PagesLock {
    pub(super) fn open(folder: &Folder) -> Result<Self, Error> {
        let path = folder.pages_lock();
        let file = disk::File::open_or_create(&path, Access::Owner)
            .map_err(|error| Error::io("open", &path, &error))?;
        Ok(Self(Mutex::new(file)))
    }

    /// Waits for the lock, which nobody holds for longer than one page takes.
    pub(super) fn with<T>(&self, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let file = file.inner();
        file.lock()
            .map_err(|error| Error::io("lock", file.path(), &error))?;
        let done = work();
        // A lock that cannot be given back ends with the file handle.
        let _ = file.unlock();
        done
    }
}

/// The name of a page's file.
pub(super) fn page_file(stream: &str, number: u64) -> Result<String, Error> {
    check_name(stream)?;
    Ok(format!("{stream}-{number}{PAGE_END}"))
}

/// The stream and number that a file is named by, if it is named as a page is.
fn page_named(file: &str) -> Option<(&str, u64)> {
    let (stream, digits) = file.strip_suffix(PAGE_END)?.rsplit_once('-')?;
    let number: u64 = digits.parse().ok()?;
    // Only the one spelling that we write: `live-1-007` is somebody else's.
    (number.to_string() == digits && check_name(stream).is_ok()).then_some((stream, number))
}

impl Feed {
    /// Lands one page, compressed and synced; one of the same stream and number is replaced.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn land(&self, stream: &str, number: u64, body: &[u8]) -> Result<(), Error> {
        let path = self.folder.log().join(page_file(stream, number)?);
        let packed = pack(body)
            .map_err(|error| Error::at(ErrorKind::Io, "pack", &path, error.to_string()))?;
        self.pages
            .with(|| write_atomically(&self.folder.tmp(), &path, &packed, Access::Owner))
    }

    /// The greatest number of a page of this stream that still waits; none if none does.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn last_waiting(&self, stream: &str) -> Result<Option<u64>, Error> {
        let names = entries(&self.folder.log())?;
        Ok(names
            .iter()
            .filter_map(|name| page_named(name))
            .filter(|&(found, _)| found == stream)
            .map(|(_, number)| number)
            .max())
    }
}

impl Store {
    /// The pages that wait, sorted by stream and number. Pages landed meanwhile may be missing.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn waiting_pages(&self, feed: &FeedName) -> Result<Vec<WaitingPage>, Error> {
        let log = Folder::of(self, feed)?.log();
        let mut pages = Vec::new();
        for name in entries(&log)? {
            let Some((stream, number)) = page_named(&name) else {
                continue;
            };
            let path = log.join(&name);
            // One that somebody removed since it was listed waits no more.
            if let Some(file) = FileMark::of(&path)? {
                pages.push(WaitingPage {
                    stream: stream.to_owned(),
                    number,
                    bytes: file.bytes,
                    path,
                    file,
                });
            }
        }
        pages.sort_unstable();
        Ok(pages)
    }
}

/// Compresses a page, with a checksum over its content.
fn pack(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = packer(Vec::new())?;
    encoder.set_pledged_src_size(Some(body.len() as u64))?;
    std::io::Write::write_all(&mut encoder, body)?;
    encoder.finish()
}

/// Compresses what is written to it into `to`, with a checksum.
pub(super) fn packer<W: std::io::Write>(
    to: W,
) -> std::io::Result<zstd::stream::write::Encoder<'static, W>> {
    let mut encoder = zstd::stream::write::Encoder::new(to, LEVEL)?;
    encoder.include_checksum(true)?;
    Ok(encoder)
}
