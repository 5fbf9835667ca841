//! Opening input: plain, gzip or zstd, from a file or from standard input, told by content.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;

use flate2::bufread::MultiGzDecoder;

use super::bomb::{Counted, Guarded};

/// Where events come from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Input {
    /// Standard input, written `-`.
    Stdin,
    /// A file.
    File(PathBuf),
    /// A file that is called otherwise than its path: what it is called is written down where rows are
    /// refused, and must not depend on where a store lies.
    Named(String, PathBuf),
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
            Self::File(path) | Self::Named(_, path) => {
                fs_err::metadata(path).ok().map(|found| found.len())
            }
            Self::Embedded(_, bytes) => Some(bytes.len() as u64),
        }
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => f.write_str("-"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Named(name, _) => f.write_str(name),
            Self::Embedded(name, _) => f.write_str(name),
        }
    }
}

/// Opens an input and undoes gzip or zstd, also when several streams stand one after another.
///
/// # Errors
/// The file cannot be opened, its first bytes cannot be read, or they say that it is of a format
/// that is not read here (an archive, UTF-16, Parquet).
pub fn open(input: &Input) -> io::Result<Box<dyn Read + Send>> {
    match input {
        Input::Stdin => decompress(BufReader::with_capacity(1 << 16, io::stdin())),
        Input::File(path) | Input::Named(_, path) => {
            decompress(BufReader::with_capacity(1 << 16, fs_err::File::open(path)?))
        }
        Input::Embedded(_, bytes) => decompress(*bytes),
    }
}

fn decompress(mut reader: impl BufRead + Send + 'static) -> io::Result<Box<dyn Read + Send>> {
    let start = reader.fill_buf()?;
    if let Some(problem) = foreign(start) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
    }
    let is_gzip = start.starts_with(&[0x1f, 0x8b]);
    let is_zstd = start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd])
        // A frame that readers skip, which some writers put first.
        || matches!(start, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..]);
    if !is_gzip && !is_zstd {
        return Ok(Box::new(reader));
    }
    let (counted, taken) = Counted::new(reader);
    Ok(if is_gzip {
        Box::new(Guarded::new(MultiGzDecoder::new(counted), taken))
    } else {
        Box::new(Guarded::new(zstd::Decoder::with_buffer(counted)?, taken))
    })
}

/// What a file is that cannot be read here, and what to do about it. Read as lines, such a file
/// would only be thousands of puzzling rejects.
fn foreign(start: &[u8]) -> Option<&'static str> {
    const FORMATS: [(&[u8], &str); 9] = [
        (b"PK\x03\x04", "is a ZIP archive; unpack it first"),
        (
            b"BZh",
            "is compressed with bzip2; decompress it first or use gzip or zstd",
        ),
        (
            b"\xfd7zXZ\0",
            "is compressed with xz; decompress it first or use gzip or zstd",
        ),
        (b"7z\xbc\xaf", "is a 7-Zip archive; unpack it first"),
        (
            b"\x04\x22\x4d\x18",
            "is compressed with lz4; decompress it first or use gzip or zstd",
        ),
        (
            b"\xff\x06\0\0sNaPpY",
            "is compressed with snappy; decompress it first or use gzip or zstd",
        ),
        (
            b"PAR1",
            "is Parquet, and events are read from JSON; detected signals go to score --signals",
        ),
        (b"\xff\xfe", "is UTF-16 text; save it as UTF-8"),
        (b"\xfe\xff", "is UTF-16 text; save it as UTF-8"),
    ];
    FORMATS
        .into_iter()
        .find_map(|(magic, problem)| start.starts_with(magic).then_some(problem))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn read(bytes: Vec<u8>) -> io::Result<String> {
        let bytes: &'static [u8] = bytes.leak();
        let mut text = String::new();
        open(&Input::Embedded("test", bytes))?.read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn compression_is_told_by_content_and_streams_may_follow_each_other() {
        let gz = |text: &str| {
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.finish().unwrap()
        };
        let zst = |text: &str| zstd::encode_all(text.as_bytes(), 1).unwrap();
        assert_eq!(read(b"plain".to_vec()).unwrap(), "plain");
        assert_eq!(read([gz("one "), gz("two")].concat()).unwrap(), "one two");
        assert_eq!(read([zst("one "), zst("two")].concat()).unwrap(), "one two");
        let skippable = [
            &[0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 7, 7],
            &zst("text")[..],
        ]
        .concat();
        assert_eq!(read(skippable).unwrap(), "text");
        assert_eq!(read(Vec::new()).unwrap(), "");
    }

    #[test]
    fn other_formats_are_named() {
        for (start, word) in [
            (&b"PK\x03\x04..."[..], "ZIP"),
            (b"\xff\xfe{\0", "UTF-16"),
            (b"PAR1", "Parquet"),
        ] {
            let error = read(start.to_vec()).unwrap_err();
            assert!(error.to_string().contains(word), "{error}");
        }
    }
}
