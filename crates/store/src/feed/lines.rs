//! Reading the objects of an inventory, one after the other.

use std::io::{BufRead, BufReader, ErrorKind as IoKind, Read};
use std::path::{Path, PathBuf};

use zstd::stream::read::Decoder;

use crate::error::{Error, ErrorKind};
use crate::layout::check_name;

/// The longest line that is written or read: far above any object of Okta's.
pub(super) const LONGEST_LINE: usize = 16 << 20;

/// The largest window a file may ask for, as a power of two: ours need 2 MiB.
const LARGEST_WINDOW: u32 = 24;

/// The name of a step's file.
pub(super) fn step_file(step: &str) -> Result<String, Error> {
    check_name(step)?;
    Ok(format!("{step}.ndjson.zst"))
}

struct Lines {
    path: PathBuf,
    reader: BufReader<Decoder<'static, BufReader<fs_err::File>>>,
    line: u64,
    is_over: bool,
}

/// Streams the objects of a step of a whole inventory, one JSON text each; nothing when the folder
/// has no such step. Holds one line, of at most 16 MiB; ends after the first failure.
///
/// # Errors
/// When the file cannot be read; a damaged one is [`ErrorKind::Corrupt`].
pub fn inventory_lines(
    folder: &Path,
    step: &str,
) -> Result<Box<dyn Iterator<Item = Result<String, Error>>>, Error> {
    let path = folder.join(step_file(step)?);
    let file = match fs_err::File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == IoKind::NotFound => return Ok(Box::new(std::iter::empty())),
        Err(error) => return Err(Error::io("read", &path, &error)),
    };
    let mut decoder = Decoder::new(file).map_err(|error| failed(&path, 0, &error))?;
    decoder
        .window_log_max(LARGEST_WINDOW)
        .map_err(|error| failed(&path, 0, &error))?;
    Ok(Box::new(Lines {
        reader: BufReader::new(decoder),
        path,
        line: 0,
        is_over: false,
    }))
}

fn failed(path: &Path, line: u64, error: &std::io::Error) -> Error {
    match error.kind() {
        // What the decoder says of its own is about the content.
        IoKind::Other | IoKind::UnexpectedEof | IoKind::InvalidData => {
            corrupt(path, line, "damaged")
        }
        _ => Error::io("read", path, error),
    }
}

fn corrupt(path: &Path, line: u64, problem: &str) -> Error {
    let problem = format!("{problem}, behind line {line}");
    Error::at(ErrorKind::Corrupt, "read", path, problem)
        .with_hint("remove this inventory and take a new one")
}

impl Lines {
    fn read(&mut self) -> Result<Option<String>, Error> {
        let mut text = Vec::new();
        let most = LONGEST_LINE as u64 + 1;
        self.reader
            .by_ref()
            .take(most)
            .read_until(b'\n', &mut text)
            .map_err(|error| failed(&self.path, self.line, &error))?;
        if text.is_empty() {
            return Ok(None);
        }
        if text.last() == Some(&b'\n') {
            text.pop();
        } else if text.len() > LONGEST_LINE {
            return Err(corrupt(&self.path, self.line, "a line of more than 16 MiB"));
        }
        let text = String::from_utf8(text)
            .map_err(|_| corrupt(&self.path, self.line, "a line that is no UTF-8"))?;
        self.line += 1;
        Ok(Some(text))
    }
}

impl Iterator for Lines {
    type Item = Result<String, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let read = self.read().transpose();
        self.is_over = !matches!(read, Some(Ok(_)));
        read
    }
}
