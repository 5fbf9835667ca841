//! Opening input: plain, gzip or zstd, from a file or from standard input, told by content.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;

use flate2::bufread::MultiGzDecoder;

/// Where events come from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Input {
    /// Standard input, written `-`.
    Stdin,
    /// A file.
    File(PathBuf),
    /// Bytes that the program brings along, under a name for messages.
    Embedded(&'static str, &'static [u8]),
}

impl Input {
    /// What the user typed: `-` is standard input, everything else a path.
    pub fn from_argument(argument: PathBuf) -> Self {
        if argument.as_os_str() == "-" {
            Self::Stdin
        } else {
            Self::File(argument)
        }
    }

    /// Size in bytes as stored, for progress; unknown for standard input.
    pub fn size(&self) -> Option<u64> {
        match self {
            Self::Stdin => None,
            Self::File(path) => fs_err::metadata(path).ok().map(|found| found.len()),
            Self::Embedded(_, bytes) => Some(bytes.len() as u64),
        }
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => f.write_str("-"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Embedded(name, _) => f.write_str(name),
        }
    }
}

/// Opens an input and undoes gzip or zstd, also when several streams stand one after another.
///
/// # Errors
/// The file cannot be opened or its first bytes cannot be read.
pub fn open(input: &Input) -> io::Result<Box<dyn Read>> {
    match input {
        Input::Stdin => decompress(BufReader::with_capacity(1 << 16, io::stdin())),
        Input::File(path) => {
            decompress(BufReader::with_capacity(1 << 16, fs_err::File::open(path)?))
        }
        Input::Embedded(_, bytes) => decompress(*bytes),
    }
}

fn decompress(mut reader: impl BufRead + 'static) -> io::Result<Box<dyn Read>> {
    let start = reader.fill_buf()?;
    if start.starts_with(&[0x1f, 0x8b]) {
        Ok(Box::new(MultiGzDecoder::new(reader)))
    } else if start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        Ok(Box::new(zstd::Decoder::with_buffer(reader)?))
    } else {
        Ok(Box::new(reader))
    }
}
