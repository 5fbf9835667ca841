//! What a text file is, told by its content; its name may say anything.

use std::path::Path;

use crate::error::{Error, ErrorKind};

/// A format of people files that is text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Delimited text with a header line.
    Csv,
    /// JSON objects one after the other, usually one a line.
    JsonLines,
    /// One JSON array of objects.
    JsonArray,
}

/// The format of a file by its first bytes, without a byte order mark.
pub(crate) fn of(path: &Path, bytes: &[u8]) -> Result<Format, Error> {
    let refused = |what: &str, hint: &'static str| {
        Err(Error::new(path, ErrorKind::UnknownFormat, what).with_hint(hint))
    };
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return refused("is UTF-16 text", "save it as UTF-8");
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return refused(
            "is a ZIP archive or a spreadsheet",
            "save the sheet as CSV in UTF-8",
        );
    }
    if bytes.starts_with(&[0x1f, 0x8b]) || bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        return refused("is compressed", "decompress it first");
    }
    match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => Err(Error::new(path, ErrorKind::Empty, "is empty")),
        Some(b'[') => Ok(Format::JsonArray),
        Some(b'{') => Ok(Format::JsonLines),
        Some(_) => Ok(Format::Csv),
    }
}

/// The bytes behind a UTF-8 byte order mark, if there is one.
pub(crate) fn without_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_tells_the_format() {
        let of = |bytes: &[u8]| of(Path::new("people.txt"), without_bom(bytes));
        assert_eq!(of(b"\xef\xbb\xbf[{}]").unwrap(), Format::JsonArray);
        assert_eq!(of(b"\n {}").unwrap(), Format::JsonLines);
        assert_eq!(of(b"email\n").unwrap(), Format::Csv);
        assert_eq!(of(b" \n").unwrap_err().kind(), ErrorKind::Empty);
        for bytes in [&b"\xff\xfee\0"[..], b"PK\x03\x04", b"\x1f\x8b\x08"] {
            let error = of(bytes).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnknownFormat);
            assert!(error.hint().is_some());
        }
    }
}
