//! Without a store: anybody's signals and a file of people in, tables out.

use std::path::{Path, PathBuf};

use af_count::{PeopleIndex, Retractions};
use af_directory::ImportOptions;
use af_model::HashKey;
use af_model::manifest::DirectoryVersion;

use crate::error::{Error, ErrorKind};
use crate::people;
use crate::tally::{self, AskedCut, Counting, Cut, LatestKnown};

mod count;
mod score;

pub use count::{COUNTS_DOCUMENT, CountReport, count};
pub use score::score;

/// What is read.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// Signal files from anybody.
    pub signals: &'a [PathBuf],
    /// The file of people.
    pub users: &'a Path,
    /// How to read it.
    pub options: &'a ImportOptions,
    /// The key of hashed names; without it unmatched identifiers are left out.
    pub key: Option<&'a HashKey>,
}

/// What there is to know before signals are counted.
struct Known {
    index: PeopleIndex,
    retractions: Retractions,
    directory: DirectoryVersion,
    cut: Cut,
}

impl Known {
    /// Reads the people and fixes the cut.
    fn read(input: Input<'_>, asked: AskedCut) -> Result<Self, Error> {
        for path in input.signals {
            if !path.exists() {
                let message = format!("read signals from {}: no such file", path.display());
                return Err(Error::new(ErrorKind::NoInput, message));
            }
        }
        let Input { users, options, .. } = input;
        let imported = people::read_people(users, options)?;
        let latest = LatestKnown {
            feed: tally::latest_ingested(input.signals)?,
            corrections: None,
        };
        let file = users.file_name().unwrap_or_default();
        Ok(Self {
            directory: DirectoryVersion {
                tenant_uid: options.tenant.clone().unwrap_or_default(),
                source: Some(options.source.clone()),
                imported_at: options.imported_at,
                file: file.to_string_lossy().into_owned(),
                people: imported.people.len() as u64,
            },
            index: tally::index(imported.people, input.key),
            retractions: Retractions::default(),
            cut: tally::fix_cut(asked, latest)?,
        })
    }

    fn counting<'a>(&'a self, input: Input<'a>) -> Counting<'a> {
        Counting {
            people: &self.index,
            retractions: &self.retractions,
            cut: self.cut,
            key: input.key,
        }
    }
}
