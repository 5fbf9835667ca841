//! What becomes of pages that were taken in.

use std::path::Path;

use af_model::UtcDay;

use crate::atomic::{remove, sync_folder};
use crate::disk;
use crate::error::Error;
use crate::layout::Store;
use crate::lock::WriteLock;

use super::folder::{FeedName, Folder, create_private};
use super::pages::{FileMark, PAGE_END, PagesLock, WaitingPage, page_file};

impl Store {
    /// Removes pages that were taken in, or moves them to `raw/<day>/`. A page that was landed again
    /// after it was listed may hold more than what was taken in: it stays. One that is gone already
    /// is fine.
    ///
    /// In `raw/`, a page of the same name and content is the same; of other content, the page gets a
    /// number behind its name (`live-1-7.2.json.zst`).
    ///
    /// # Errors
    /// When a file cannot be removed or moved.
    pub fn settle_pages(
        &self,
        lock: &WriteLock,
        feed: &FeedName,
        pages: &[WaitingPage],
        keep_raw: Option<UtcDay>,
    ) -> Result<(), Error> {
        lock.guards(self);
        let folder = Folder::of(self, feed)?;
        let log = folder.log();
        if pages.is_empty() || !log.is_dir() {
            return Ok(());
        }
        let raw = keep_raw.map(|day| folder.raw(day));
        if let Some(raw) = &raw {
            create_private(self, raw)?;
        }
        let moment = PagesLock::open(&folder)?;
        for page in pages {
            let name = page_file(&page.stream, page.number)?;
            let path = log.join(&name);
            moment.with(|| {
                if FileMark::of(&path)? != Some(page.file) {
                    return Ok(());
                }
                match &raw {
                    Some(raw) => move_to(raw, &path, &name),
                    None => remove(&path),
                }
            })?;
        }
        // The new names first: after a power cut a page may lie in both folders, never in none.
        if let Some(raw) = &raw {
            sync_folder(raw)?;
        }
        sync_folder(&log)
    }
}

/// Moves a page to where raw pages are kept, unless it lies there already.
fn move_to(raw: &Path, page: &Path, name: &str) -> Result<(), Error> {
    let stem = name.strip_suffix(PAGE_END).unwrap_or(name);
    let mut to = raw.join(name);
    for copy in 2_u32.. {
        if FileMark::of(&to)?.is_none() {
            return disk::rename(page, &to)
                .map_err(|error| Error::io("move into place", &to, &error));
        }
        if have_equal_bytes(page, &to)? {
            break;
        }
        to = raw.join(format!("{stem}.{copy}{PAGE_END}"));
    }
    remove(page)
}

/// Whether two files are the same. Equal text packed by one version of zstd gives equal files.
fn have_equal_bytes(one: &Path, other: &Path) -> Result<bool, Error> {
    let read = |path: &Path| fs_err::read(path).map_err(|error| Error::io("read", path, &error));
    Ok(read(one)? == read(other)?)
}
