//! What an erasure and a purge need of a feed: its files one by one, written anew or removed.

use std::io::Write;
use std::path::{Path, PathBuf};

use af_model::UtcDay;

use crate::atomic::{
    Access, Staged, move_into_place, remove, sync_folder, unique, write_atomically,
};
use crate::disk;
use crate::error::Error;
use crate::layout::{Store, check_name, entries};
use crate::lock::WriteLock;

use super::folder::{FeedName, Folder};
use super::lines::step_file;
use super::open::Feed;
use super::pages::{PAGE_END, packer};

/// How the name of a step's file ends.
const STEP_END: &str = ".ndjson.zst";

impl Store {
    /// The days of ingest of which raw pages are kept, ascending.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn raw_days(&self, feed: &FeedName) -> Result<Vec<UtcDay>, Error> {
        let raw = Folder::of(self, feed)?.path().join("raw");
        let names = entries(&raw)?;
        let days = names.iter().filter_map(|name| {
            let day = UtcDay::parse(name).ok()?;
            // Only the one spelling that we write.
            (day.to_string() == *name).then_some(day)
        });
        Ok(days.collect())
    }

    /// The raw pages of one day of ingest, sorted by name.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn raw_pages(&self, feed: &FeedName, day: UtcDay) -> Result<Vec<PathBuf>, Error> {
        let folder = Folder::of(self, feed)?.raw(day);
        let mut names = entries(&folder)?;
        names.retain(|name| name.ends_with(PAGE_END));
        Ok(names.iter().map(|name| folder.join(name)).collect())
    }

    /// Removes the raw pages of one day of ingest; none there is fine.
    ///
    /// # Errors
    /// When they cannot be removed.
    pub fn remove_raw_day(
        &self,
        lock: &WriteLock,
        feed: &FeedName,
        day: UtcDay,
    ) -> Result<(), Error> {
        lock.guards(self);
        let folder = Folder::of(self, feed)?.raw(day);
        remove(&folder)?;
        match folder.parent() {
            Some(raw) if raw.is_dir() => sync_folder(raw),
            _ => Ok(()),
        }
    }

    /// Removes one inventory, by the name of its folder; as a whole or not at all for whoever looks.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove_inventory(
        &self,
        lock: &WriteLock,
        feed: &FeedName,
        name: &str,
    ) -> Result<(), Error> {
        lock.guards(self);
        check_name(name)?;
        let inventories = Folder::of(self, feed)?.inventory();
        let folder = inventories.join(name);
        if !folder.is_dir() {
            return Ok(());
        }
        // What is killed in between lies in tmp/, which the next writer empties.
        let aside = unique(&self.tmp_dir(), "removed-inventory");
        move_into_place(&folder, &aside)?;
        sync_folder(&inventories)?;
        remove(&aside)
    }
}

/// The steps that an inventory has a file of, sorted. A step that broke off has none.
///
/// # Errors
/// When the folder cannot be read.
pub fn inventory_steps(folder: &Path) -> Result<Vec<String>, Error> {
    let names = entries(folder)?;
    let steps = names.iter().filter_map(|name| name.strip_suffix(STEP_END));
    Ok(steps.map(str::to_owned).collect())
}

impl Feed {
    /// Puts another body in the place of a page, waiting or raw.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn rewrite_page(&self, lock: &WriteLock, page: &Path, body: &[u8]) -> Result<(), Error> {
        lock.guards(&self.store);
        let packed = packer(Vec::new())
            .and_then(|mut encoder| {
                encoder.write_all(body)?;
                encoder.finish()
            })
            .map_err(|error| Error::io("pack", page, &error))?;
        write_atomically(&self.folder.tmp(), page, &packed, Access::Owner)
    }

    /// Puts other objects in the place of those of a step of an inventory.
    ///
    /// # Errors
    /// The first failure among `objects`, or a failure to write.
    pub fn rewrite_step(
        &self,
        lock: &WriteLock,
        inventory: &Path,
        step: &str,
        objects: impl IntoIterator<Item = Result<String, Error>>,
    ) -> Result<(), Error> {
        lock.guards(&self.store);
        let name = step_file(step)?;
        let path = inventory.join(&name);
        let staged = Staged::at(unique(&self.folder.tmp(), &name));
        let failed = |error: std::io::Error| Error::io("write", &path, &error);
        let file = disk::File::create_new(staged.path(), Access::Owner).map_err(failed)?;
        let mut encoder = packer(file).map_err(failed)?;
        for object in objects {
            let object = object?;
            encoder.write_all(object.as_bytes()).map_err(failed)?;
            encoder.write_all(b"\n").map_err(failed)?;
        }
        let file = encoder.finish().map_err(failed)?;
        file.sync_all().map_err(failed)?;
        move_into_place(staged.path(), &path)?;
        staged.keep();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use af_model::UtcMillis;

    use super::*;
    use crate::feed::inventory_lines;

    #[test]
    fn pages_and_steps_are_written_anew_and_what_is_old_goes() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create_or_open(&folder.path().join("s")).unwrap();
        let name = FeedName {
            tenant: "acme".into(),
            integration: "prod".into(),
        };
        let feed = store.feed(&name).unwrap();
        let lock = store.lock().unwrap();
        let day = UtcDay::parse("2026-11-20").unwrap();
        assert_eq!(store.raw_days(&name).unwrap(), []);
        feed.land("live-1", 1, b"[1,2]").unwrap();
        let waiting = store.waiting_pages(&name).unwrap();
        feed.rewrite_page(&lock, &waiting[0].path, b"[2]").unwrap();
        let waiting = store.waiting_pages(&name).unwrap();
        assert_eq!(waiting.len(), 1);
        store
            .settle_pages(&lock, &name, &waiting, Some(day))
            .unwrap();
        assert_eq!(store.raw_days(&name).unwrap(), [day]);
        let raw = store.raw_pages(&name, day).unwrap();
        let packed = fs_err::read(&raw[0]).unwrap();
        assert_eq!(zstd::decode_all(packed.as_slice()).unwrap(), b"[2]");
        store.remove_raw_day(&lock, &name, day).unwrap();
        store.remove_raw_day(&lock, &name, day).unwrap();
        assert_eq!(store.raw_days(&name).unwrap(), []);

        let inventory = feed.begin_inventory(UtcMillis(0)).unwrap();
        let mut step = inventory.step("users").unwrap();
        step.push(b"1").unwrap();
        step.push(b"2").unwrap();
        step.close().unwrap();
        let path = inventory.finish(&()).unwrap();
        assert_eq!(inventory_steps(&path).unwrap(), ["users"]);
        let kept = inventory_lines(&path, "users").unwrap();
        let kept = kept.filter(|line| line.as_ref().is_ok_and(|line| line != "1"));
        feed.rewrite_step(&lock, &path, "users", kept).unwrap();
        let lines: Vec<String> = inventory_lines(&path, "users")
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert_eq!(lines, ["2"]);
        let inventory = path.file_name().unwrap().to_str().unwrap().to_owned();
        for _ in 0..2 {
            store.remove_inventory(&lock, &name, &inventory).unwrap();
            assert!(store.inventories(&name).unwrap().is_empty());
        }
        assert_eq!(fs_err::read_dir(store.tmp_dir()).unwrap().count(), 0);
    }
}
