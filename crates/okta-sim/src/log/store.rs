//! All events of the org: their bytes in one file, their places in two indexes, in two orders.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, RwLock};

use af_model::{UtcDay, UtcMillis};
use tempfile::TempDir;

use super::appended::{Added, Appended};
use super::index::{Index, IndexWriter, Order, Record, open};
use crate::options::Lateness;
use crate::organization::Organization;
use crate::random::Random;

/// The events of the org.
#[derive(Debug)]
pub(crate) struct Store {
    data: File,
    pub(super) by_published: Index,
    pub(super) by_persisted: Index,
    /// What readers may look at.
    written: RwLock<Written>,
    writer: Mutex<Writer>,
    pub(super) appended: Appended,
    pub(crate) seed: u64,
    /// Removed with the last one who reads from it.
    _folder: Option<TempDir>,
}

/// How many records the indexes have, and until when they are complete.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written {
    pub(super) published: u64,
    pub(super) persisted: u64,
    complete_until: i64,
}

/// A simulated organization whose days are written when the clock reaches them.
#[derive(Debug)]
pub(crate) struct Generator {
    pub(crate) organization: Organization,
    /// Days that its calendar is moved by: whole weeks.
    pub(crate) moved_days: i32,
    /// The first day that is not written yet, by the org's clock.
    pub(crate) next_day: UtcDay,
}

#[derive(Debug)]
struct Writer {
    data: BufWriter<File>,
    offset: u64,
    by_published: IndexWriter,
    by_persisted: IndexWriter,
    lateness: Lateness,
    seed: u64,
    /// Written, but to be seen only on a later day.
    pending: Vec<(Record, u64)>,
    generator: Option<Generator>,
}

impl Store {
    /// An empty one in a folder; none = one of its own.
    pub(crate) fn create(
        folder: Option<&Path>,
        lateness: Lateness,
        seed: u64,
        generator: Option<Generator>,
    ) -> io::Result<Self> {
        let (folder, own): (PathBuf, Option<TempDir>) = if let Some(folder) = folder {
            std::fs::create_dir_all(folder)?;
            (folder.to_owned(), None)
        } else {
            let own = tempfile::Builder::new().prefix("okta-sim-").tempdir()?;
            (own.path().to_owned(), Some(own))
        };
        let data = open(&folder.join("events.ndjson"))?;
        let (published, by_published) =
            IndexWriter::create(&folder.join("published.index"), Order::Published)?;
        let (persisted, by_persisted) =
            IndexWriter::create(&folder.join("persisted.index"), Order::Persisted)?;
        Ok(Self {
            data: data.try_clone()?,
            by_published,
            by_persisted,
            written: RwLock::new(Written {
                published: 0,
                persisted: 0,
                complete_until: i64::MIN,
            }),
            writer: Mutex::new(Writer {
                data: BufWriter::with_capacity(1 << 20, data),
                offset: 0,
                by_published: published,
                by_persisted: persisted,
                lateness,
                seed,
                pending: Vec::new(),
                generator,
            }),
            appended: Appended::default(),
            seed,
            _folder: own,
        })
    }

    pub(super) fn written(&self) -> Written {
        *self.written.read().expect("nobody panics with the counts")
    }

    /// Makes sure that everything that can be seen at an instant is written.
    pub(crate) fn reach(&self, now: i64) -> io::Result<()> {
        if now <= self.written().complete_until {
            return Ok(());
        }
        let mut writer = self.writer.lock().expect("nobody panics while writing");
        while let Some(until) = writer.write_day(now)? {
            self.publish(&mut writer, until)?;
        }
        Ok(())
    }

    /// Writes somebody's own events, in any order.
    pub(super) fn fill<'a>(
        &self,
        events: impl Iterator<Item = io::Result<(i64, std::borrow::Cow<'a, [u8]>)>>,
    ) -> io::Result<()> {
        let mut writer = self.writer.lock().expect("nobody panics while writing");
        let mut records = Vec::new();
        for event in events {
            let (published, json) = event?;
            records.push(writer.write_event(published, &json)?);
        }
        records.sort_by_key(|record| record.published);
        writer.index(records, i64::MAX)?;
        self.publish(&mut writer, i64::MAX)
    }

    fn publish(&self, writer: &mut Writer, complete_until: i64) -> io::Result<()> {
        writer.data.flush()?;
        writer.by_published.flush()?;
        writer.by_persisted.flush()?;
        *self.written.write().expect("nobody panics with the counts") = Written {
            published: writer.by_published.count,
            persisted: writer.by_persisted.count,
            complete_until,
        };
        Ok(())
    }

    /// Adds events; the function says from when on they can be seen.
    pub(crate) fn append(&self, make: impl FnOnce() -> Vec<Added>) {
        self.appended.add(make);
    }

    /// The bytes from an offset on.
    pub(super) fn read(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        self.data.read_exact_at(bytes, offset)
    }
}

impl Writer {
    /// Writes the next day if it has begun; returns until when everything is there.
    fn write_day(&mut self, now: i64) -> io::Result<Option<i64>> {
        let Some(generator) = &mut self.generator else {
            return Ok(None);
        };
        if generator.next_day.start().0 > now {
            return Ok(None);
        }
        let Some(day) = generator.organization.next_day() else {
            // The organization ends here; what was late may still come.
            self.generator = None;
            self.index(Vec::new(), i64::MAX)?;
            return Ok(Some(i64::MAX));
        };
        let moved = i64::from(generator.moved_days) * af_model::time::DAY_MILLIS;
        let end = generator.next_day.end().0;
        generator.next_day = UtcDay(generator.next_day.0 + 1);
        let mut records = Vec::new();
        for (published, json) in day.timed() {
            let published = published + moved;
            let record = if moved == 0 {
                self.write_event(published, json.as_bytes())?
            } else {
                self.write_event(published, redated(json, published).as_bytes())?
            };
            records.push(record);
        }
        self.index(records, end)?;
        Ok(Some(end))
    }

    fn write_event(&mut self, published: i64, json: &[u8]) -> io::Result<Record> {
        let length = u32::try_from(json.len())
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "an event beyond 4 GiB"))?;
        let record = Record {
            published,
            persisted: published,
            offset: self.offset,
            length,
        };
        self.data.write_all(json)?;
        self.data.write_all(b"\n")?;
        self.offset += u64::from(length) + 1;
        Ok(record)
    }

    /// Adds records in the order of publication to both indexes; those to be seen after `until` wait.
    fn index(&mut self, records: Vec<Record>, until: i64) -> io::Result<()> {
        for mut record in records {
            let number = self.by_published.count;
            record.persisted = record.published.saturating_add(self.delay(number));
            self.by_published.push(record)?;
            self.pending.push((record, number));
        }
        let mut pending = std::mem::take(&mut self.pending);
        pending.sort_unstable_by_key(|(record, number)| (record.persisted, *number));
        for (record, number) in pending {
            if record.persisted <= until {
                self.by_persisted.push(record)?;
            } else {
                self.pending.push((record, number));
            }
        }
        Ok(())
    }

    /// How much later the n-th event can be seen.
    fn delay(&self, number: u64) -> i64 {
        let Lateness {
            usual,
            late_per_mille,
            latest,
        } = self.lateness;
        let mut random = Random::new(self.seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let late = random.next_u64() % 1000 < u64::from(late_per_mille);
        let longest = if late { latest } else { usual };
        let longest = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX - 1);
        i64::try_from(random.next_u64() % (longest + 1)).unwrap_or(i64::MAX)
    }
}

/// The event with another instant of publication.
fn redated(json: &str, published: i64) -> String {
    const NAME: &str = "\"published\":\"";
    let Some(at) = json.find(NAME).map(|at| at + NAME.len()) else {
        return json.to_owned();
    };
    let end = json[at..]
        .find('"')
        .map_or(json.len(), |length| at + length);
    format!("{}{}{}", &json[..at], UtcMillis(published), &json[end..])
}
