//! Somebody's own events, read into the store.

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Read};

use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::store::Store;

/// The one field that the simulator looks at.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    published: Cow<'a, str>,
}

/// When an event happened.
pub(crate) fn published(json: &[u8]) -> Option<i64> {
    let head: Head<'_> = serde_json::from_slice(json).ok()?;
    af_model::UtcMillis::parse(&head.published)
        .ok()
        .map(|instant| instant.0)
}

/// Text that may be compressed.
pub(crate) fn text(bytes: &[u8]) -> Box<dyn Read + '_> {
    if bytes.starts_with(&[0x1f, 0x8b]) {
        Box::new(MultiGzDecoder::new(bytes))
    } else {
        Box::new(bytes)
    }
}

fn invalid(what: &str, number: usize) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("event {number} {what}"))
}

impl Store {
    /// Reads events: one a line, or one array; gzip allowed.
    ///
    /// # Errors
    /// One is no JSON object with `published`; it is named by its number, never shown.
    pub(crate) fn load(&self, events: &[u8]) -> io::Result<()> {
        let mut reader = BufReader::with_capacity(1 << 18, text(events));
        let start = reader.fill_buf()?;
        let first = start.iter().find(|byte| !byte.is_ascii_whitespace());
        if first == Some(&b'[') {
            let mut array = Vec::new();
            reader.read_to_end(&mut array)?;
            let events: Vec<&RawValue> = serde_json::from_slice(&array)
                .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "no array of events"))?;
            return self.fill(events.iter().enumerate().map(|(number, event)| {
                checked(event.get().as_bytes(), number + 1)
                    .map(|published| (published, Cow::Borrowed(event.get().as_bytes())))
            }));
        }
        let mut number = 0;
        self.fill(std::iter::from_fn(move || {
            loop {
                let mut line = Vec::new();
                match reader.read_until(b'\n', &mut line) {
                    Err(error) => return Some(Err(error)),
                    Ok(0) => return None,
                    Ok(_) => number += 1,
                }
                let line = line.trim_ascii();
                if !line.is_empty() {
                    let event = checked(line, number);
                    return Some(event.map(|published| (published, Cow::Owned(line.to_vec()))));
                }
            }
        }))
    }
}

fn checked(json: &[u8], number: usize) -> io::Result<i64> {
    if json.first() != Some(&b'{') {
        return Err(invalid("is no JSON object", number));
    }
    published(json).ok_or_else(|| invalid("is no JSON object with an instant `published`", number))
}
