//! Delimited text with a header line.
//!
//! Read with a plain CSV decoder rather than a data frame's: only so can one row be refused, with
//! its line, while its neighbours stay.

use std::path::Path;

use csv::{ByteRecord, ReaderBuilder};

use crate::cell::{Cell, Fields};
use crate::columns::{self, Mapping};
use crate::error::{Error, ErrorKind};
use crate::import::Intake;
use crate::lines::{LineCounter, occurrences};

const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

/// Reads all rows into `intake`. `bytes` carry no byte order mark.
pub(crate) fn read(path: &Path, bytes: &[u8], intake: &mut Intake<'_>) -> Result<Mapping, Error> {
    let (delimiter, headers) = header(path, bytes)?;
    let mapping = columns::resolve(path, &headers, &intake.options().map)?;
    intake.check_tenant_column(path, &mapping)?;
    let mut reader = reader(bytes, delimiter);
    let mut lines = LineCounter::new(bytes);
    let mut record = ByteRecord::new();
    let mut is_header = true;
    let mut last = None;
    while read_record(path, &mut reader, &mut record)? {
        let start = start_of(bytes, &record);
        let line = lines.line_of(start);
        last = Some((start, line));
        if std::mem::take(&mut is_header) {
            continue;
        }
        let surplus_is_blank = record.iter().skip(headers.len()).all(<[u8]>::is_empty);
        if record.len() < headers.len() || !surplus_is_blank {
            intake.refuse(line, "wrong_column_count", None);
            continue;
        }
        let mut row = Fields::default();
        for &(column, field) in &mapping.used {
            row.set(field, Cell::from_bytes(&record[column]));
        }
        intake.row(line, row);
    }
    if let Some((start, line)) = last {
        check_quotes(path, &bytes[start..], line)?;
    }
    Ok(mapping)
}

fn reader(bytes: &[u8], delimiter: u8) -> csv::Reader<&[u8]> {
    ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(bytes)
}

fn read_record(
    path: &Path,
    reader: &mut csv::Reader<&[u8]>,
    record: &mut ByteRecord,
) -> Result<bool, Error> {
    reader
        .read_byte_record(record)
        .map_err(|error| Error::new(path, ErrorKind::Broken, format!("is no CSV: {error}")))
}

/// The delimiter that cuts the first line into most columns, and those columns' names.
fn header(path: &Path, bytes: &[u8]) -> Result<(u8, Vec<String>), Error> {
    let mut best: Option<(u8, ByteRecord)> = None;
    for delimiter in DELIMITERS {
        let mut record = ByteRecord::new();
        let mut reader = reader(bytes, delimiter);
        read_record(path, &mut reader, &mut record)?;
        if reader.position().byte() >= bytes.len() as u64 {
            // The first line is all there is: the file has no people, or its quotes swallow them.
            check_quotes(path, bytes, 1)?;
        }
        if best
            .as_ref()
            .is_none_or(|(_, found)| record.len() > found.len())
        {
            best = Some((delimiter, record));
        }
    }
    let (delimiter, record) = best.expect("there are delimiters to try");
    let names: Option<Vec<String>> = record
        .iter()
        .zip(1..)
        .map(|(name, number)| match std::str::from_utf8(name) {
            Ok(name) if name.contains('\0') => None,
            Ok(name) if name.trim().is_empty() => Some(format!("column {number}")),
            Ok(name) => Some(name.trim().to_owned()),
            Err(_) => None,
        })
        .collect();
    let names = names.ok_or_else(|| {
        Error::new(
            path,
            ErrorKind::UnknownFormat,
            "has a first line that is no UTF-8 text",
        )
        .with_hint("save it as CSV in UTF-8, or as JSON or Parquet")
    })?;
    Ok((delimiter, names))
}

/// Where a record's text begins; the decoder's own position may still be on the blank lines or the
/// line end before it.
fn start_of(bytes: &[u8], record: &ByteRecord) -> usize {
    let position = record.position().map_or(0, |position| {
        usize::try_from(position.byte()).unwrap_or(usize::MAX)
    });
    let rest = bytes.get(position..).unwrap_or_default();
    let blank = rest
        .iter()
        .take_while(|byte| matches!(byte, b'\r' | b'\n'))
        .count();
    position.min(bytes.len() - rest.len()) + blank
}

/// Refuses a file whose last record opens a quote and never closes it: everything behind the quote
/// became one cell, and how many people that swallowed nobody knows.
fn check_quotes(path: &Path, last: &[u8], line: u64) -> Result<(), Error> {
    let last = last.trim_ascii_end();
    if occurrences(last, b'"') % 2 == 1 && last.contains(&b'\n') {
        return Err(Error::new(
            path,
            ErrorKind::Broken,
            format!("opens a quote on line {line} and never closes it"),
        ));
    }
    Ok(())
}
