//! What is new among the files of a source.

use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use af_model::UtcMillis;
use af_model::name::Printable;
use serde::Serialize;

use super::seen::{FileSeen, SourceSeen, file_key};
use crate::config;
use crate::error::{Error, ErrorKind};

/// A file changed within this time of being looked at may change again without another time stamp,
/// so its content is compared the next time.
const RACY_NANOS: i64 = 2_000_000_000;

/// What a file has to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum News {
    /// Never read.
    New,
    /// Larger than when it was read.
    Grew,
    /// Other content than when it was read.
    Changed,
    /// Read already, but asked for again.
    Again,
    /// Read already.
    Same,
}

impl News {
    /// The word for messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Grew => "grew",
            Self::Changed => "changed",
            Self::Again => "again",
            Self::Same => "same",
        }
    }
}

/// One file that is there.
pub(super) struct Surveyed {
    pub(super) path: PathBuf,
    /// Relative to the configuration.
    pub(super) name: String,
    pub(super) news: News,
    /// What is remembered of it once it is read.
    pub(super) seen: FileSeen,
}

/// The files of a source.
#[derive(Default)]
pub(super) struct Survey {
    pub(super) files: Vec<Surveyed>,
    /// Files that were read before and are gone.
    pub(super) vanished: Vec<String>,
    /// The same, among those named without a pattern: they stay remembered.
    pub(super) absent: Vec<String>,
    pub(super) unmatched: Vec<String>,
}

impl Survey {
    /// Warnings that a user should read.
    pub(super) fn warnings(&self) -> Vec<String> {
        let vanished = self.vanished.iter().map(|name| {
            let name = Printable(name);
            format!("{name} is gone; what was read of it stays in the store")
        });
        let unmatched = self
            .unmatched
            .iter()
            .map(|pattern| format!("{} matches no file", Printable(pattern)));
        vanished.chain(unmatched).collect()
    }

    /// What is remembered of files that are not read now: those that are the same, and those that
    /// are named but absent.
    pub(super) fn kept(&self, known: &SourceSeen) -> SourceSeen {
        let same = self
            .files
            .iter()
            .filter(|file| file.news == News::Same)
            .map(|file| (file.name.clone(), file.seen.clone()));
        let absent = self
            .absent
            .iter()
            .filter_map(|name| Some((name.clone(), known.files.get(name)?.clone())));
        SourceSeen {
            settings: known.settings.clone(),
            files: same.chain(absent).collect(),
        }
    }
}

/// Looks at the files that `written` means. `now` is the instant of the run.
pub(super) fn survey(
    folder: &Path,
    written: &[String],
    known: &SourceSeen,
    now: UtcMillis,
    again: bool,
) -> Result<Survey, Error> {
    let listed = config::list(folder, written)?;
    let mut survey = Survey {
        unmatched: listed.unmatched,
        ..Survey::default()
    };
    for path in listed.missing {
        let name = file_key(folder, &path);
        if !known.files.contains_key(&name) {
            let shown = Printable(&path.display().to_string()).to_string();
            return Err(
                Error::new(ErrorKind::NoInput, format!("read {shown}: no such file"))
                    .with_hint("attack-factor config check names every file that is missing"),
            );
        }
        survey.absent.push(name);
    }
    for path in listed.files {
        let name = file_key(folder, &path);
        let (news, seen) = look(&path, known.files.get(&name), now)?;
        let news = if again && news == News::Same {
            News::Again
        } else {
            news
        };
        survey.files.push(Surveyed {
            path,
            name,
            news,
            seen,
        });
    }
    survey.vanished = known
        .files
        .keys()
        .filter(|name| !survey.files.iter().any(|file| file.name == **name))
        .cloned()
        .collect();
    Ok(survey)
}

fn look(path: &Path, known: Option<&FileSeen>, now: UtcMillis) -> Result<(News, FileSeen), Error> {
    let unreadable = |error: &dyn std::fmt::Display| {
        Error::new(ErrorKind::NoInput, error.to_string())
            .with_hint("check owner and permissions of the file")
    };
    let metadata = fs_err::metadata(path).map_err(|error| unreadable(&error))?;
    let modified_nanos = metadata
        .modified()
        .ok()
        .and_then(|at| at.duration_since(UNIX_EPOCH).ok())
        .and_then(|since| i64::try_from(since.as_nanos()).ok())
        .filter(|&at| at < now.0.saturating_mul(1_000_000).saturating_sub(RACY_NANOS));
    if let Some(known) = known
        && known.bytes == metadata.len()
        && modified_nanos.is_some()
        && known.modified_nanos == modified_nanos
    {
        return Ok((News::Same, known.clone()));
    }
    let found = af_store::checksum(path).map_err(|error| unreadable(&error))?;
    let news = match known {
        None => News::New,
        Some(known) if known.blake3 == found.blake3 => News::Same,
        Some(known) if known.bytes < found.bytes => News::Grew,
        Some(_) => News::Changed,
    };
    let before = known.cloned().unwrap_or_default();
    let seen = FileSeen {
        bytes: found.bytes,
        modified_nanos,
        blake3: found.blake3,
        // Of the same content the same holds; another is judged when it is read.
        ..if news == News::Same {
            before
        } else {
            FileSeen::default()
        }
    };
    Ok((news, seen))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    fn touch(path: &Path, seconds: u64) {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let file = fs_err::OpenOptions::new().write(true).open(path).unwrap();
        file.set_modified(at).unwrap();
    }

    #[test]
    fn only_what_may_have_changed_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ndjson");
        let now = UtcMillis(1_000_000_000);
        fs_err::write(&path, "one\n").unwrap();
        touch(&path, 900_000);
        let (news, seen) = look(&path, None, now).unwrap();
        assert_eq!((news, seen.bytes), (News::New, 4));

        // The same size and time stamp: not even opened.
        fs_err::write(&path, "two\n").unwrap();
        touch(&path, 900_000);
        assert_eq!(
            look(&path, Some(&seen), now).unwrap(),
            (News::Same, seen.clone())
        );
        // Another time stamp: the content tells.
        touch(&path, 900_001);
        assert_eq!(look(&path, Some(&seen), now).unwrap().0, News::Changed);
        fs_err::write(&path, "one\n").unwrap();
        touch(&path, 900_002);
        assert_eq!(look(&path, Some(&seen), now).unwrap().0, News::Same);
        fs_err::write(&path, "one\ntwo\n").unwrap();
        assert_eq!(look(&path, Some(&seen), now).unwrap().0, News::Grew);
    }

    #[test]
    fn a_time_stamp_of_just_now_is_not_trusted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ndjson");
        let now = UtcMillis(1_000_000_000);
        fs_err::write(&path, "one\n").unwrap();
        touch(&path, 999_999);
        let (_, seen) = look(&path, None, now).unwrap();
        assert_eq!(seen.modified_nanos, None);
        // The same second, the same size, another content.
        fs_err::write(&path, "two\n").unwrap();
        touch(&path, 999_999);
        let later = UtcMillis(now.0 + 60_000);
        assert_eq!(look(&path, Some(&seen), later).unwrap().0, News::Changed);
    }
}
