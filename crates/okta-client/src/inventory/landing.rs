//! The file of a step, and who hears how far it is.

use af_okta::Step;
use af_store::feed::InventoryStep;
use serde_json::Value;

use crate::error::{Error, ErrorKind};
use crate::progress::{News, Progress};

/// A longer object is no object of Okta's; nobody could read it again.
const LONGEST_OBJECT: usize = 16 << 20;

/// The file of one step while it is written.
pub(super) struct Landing<'a> {
    step: Step,
    file: InventoryStep,
    objects: u64,
    told: u64,
    watcher: &'a dyn Progress,
}

impl<'a> Landing<'a> {
    /// A file that begins.
    pub(super) fn new(step: Step, file: InventoryStep, watcher: &'a dyn Progress) -> Self {
        Self {
            step,
            file,
            objects: 0,
            told: 0,
            watcher,
        }
    }

    /// Adds an object.
    ///
    /// # Errors
    /// It cannot be written, or is too long.
    pub(super) fn push(&mut self, object: &Value) -> Result<(), Error> {
        self.push_line(object.to_string().as_bytes())
    }

    /// Adds a line that was made before.
    ///
    /// # Errors
    /// It cannot be written, or is too long.
    pub(super) fn push_line(&mut self, line: &[u8]) -> Result<(), Error> {
        if line.len() > LONGEST_OBJECT {
            let message = format!("take {}: an object is longer than 16 MiB", self.step);
            return Err(Error::new(ErrorKind::NotOkta, message));
        }
        self.file.push(line)?;
        self.objects += 1;
        Ok(())
    }

    /// Tells how far it is, if there is anything new.
    pub(super) fn tell(&mut self) {
        if self.objects > self.told {
            self.told = self.objects;
            self.say(false);
        }
    }

    /// Objects so far.
    pub(super) const fn objects(&self) -> u64 {
        self.objects
    }

    /// Closes the file; everything is in it.
    ///
    /// # Errors
    /// It cannot be synced.
    pub(super) fn close(self) -> Result<(), Error> {
        self.say(true);
        Ok(self.file.close()?)
    }

    /// The file, to be thrown away.
    pub(super) fn into_file(self) -> InventoryStep {
        self.say(true);
        self.file
    }

    fn say(&self, done: bool) {
        self.watcher.tell(&News::Step {
            step: self.step.as_str(),
            objects: self.objects,
            done,
        });
    }
}
