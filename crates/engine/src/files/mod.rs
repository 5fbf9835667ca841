//! Without a store: anybody's signals and a file of people in, tables out.

use std::path::{Path, PathBuf};

use af_count::{PeopleIndex, Retractions};
use af_directory::{ImportOptions, RejectedPerson};
use af_model::{HashKey, Person};

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
    cut: Cut,
}

impl Known {
    /// Reads the people, sorted and once each, and fixes the cut.
    fn with_people(input: Input<'_>, asked: AskedCut) -> Result<(Self, Vec<Person>), Error> {
        let cut = fix_cut(input, asked)?;
        let imported = people::read_people(input.users, input.options)?;
        warn_of(input.users, imported.read, &imported.rejects);
        let (index, people) = tally::index(imported.people, input.key);
        let known = Self {
            index,
            retractions: Retractions::default(),
            cut,
        };
        Ok((known, people))
    }

    /// The same without holding the people: counts name them by id alone.
    fn keys_only(input: Input<'_>, asked: AskedCut) -> Result<Self, Error> {
        let cut = fix_cut(input, asked)?;
        let mut builder = tally::index_builder(input.key);
        let account = people::read_each(input.users, input.options, |person| builder.add(&person))?;
        let index = builder.finish();
        if index.repeated() > 0 {
            // Which row stands for somebody of whom there are several is decided among all of them.
            drop(index);
            return Ok(Self::with_people(input, asked)?.0);
        }
        warn_of(input.users, account.read, &account.rejects);
        Ok(Self {
            index,
            retractions: Retractions::default(),
            cut,
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

fn fix_cut(input: Input<'_>, asked: AskedCut) -> Result<Cut, Error> {
    for path in input.signals {
        if !path.exists() {
            let message = format!("read signals from {}: no such file", path.display());
            return Err(Error::new(ErrorKind::NoInput, message));
        }
    }
    let latest = LatestKnown {
        feed: tally::latest_ingested(input.signals)?,
        corrections: None,
    };
    tally::fix_cut(asked, latest)
}

/// Says how many rows are no people, and where the first is.
fn warn_of(users: &Path, read: u64, rejects: &[RejectedPerson]) {
    let Some(first) = rejects.first() else {
        return;
    };
    let field = first
        .field
        .map_or(String::new(), |field| format!(" ({field})"));
    tracing::warn!(
        "{} of {read} rows of {} are no people; the first: line {}, {}{field}",
        rejects.len(),
        users.display(),
        first.line,
        first.reason,
    );
}
