//! The output formats.

use std::fmt;
use std::str::FromStr;

/// How output is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// Aligned columns for people, without colour. Scores and percentiles have one decimal,
    /// truncated, so that text and level agree.
    #[default]
    Table,
    /// One JSON document: the view as it is, or an array of objects.
    Json,
    /// One JSON object a line; for the most attacked people each line also says `as_of`,
    /// `known_at` and `formula`.
    Jsonl,
    /// CSV in UTF-8 with a header line. A text that starts with `=`, `+`, `-`, `@`, tab or carriage
    /// return gets a leading apostrophe, because spreadsheets would run it as a formula; whoever
    /// needs such text unchanged reads JSON. Numbers are never touched.
    Csv,
}

impl Format {
    /// All formats, as offered on the command line.
    pub const ALL: [Self; 4] = [Self::Table, Self::Json, Self::Jsonl, Self::Csv];

    /// The name on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that names no [`Format`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown format; the formats are table, json, jsonl and csv")]
pub struct UnknownFormat;

impl FromStr for Format {
    type Err = UnknownFormat;

    /// Case does not matter.
    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str().eq_ignore_ascii_case(text))
            .ok_or(UnknownFormat)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_read_by_its_name() {
        for format in Format::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        assert_eq!("JSON".parse(), Ok(Format::Json));
        assert_eq!("html".parse::<Format>(), Err(UnknownFormat));
    }
}
