//! Columns and cells of lists that have no view of their own.

use af_model::UtcMillis;
use af_model::name::Printable;
use af_model::view::one_decimal;
use serde::{Serialize, Serializer};

/// One column of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) right: bool,
    pub(crate) floor: Option<u16>,
}

impl Column {
    /// A column whose name heads CSV, keys JSON and titles the table; aligned to the left.
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            title: name.clone(),
            name,
            right: false,
            floor: None,
        }
    }

    /// Another title in the table.
    #[must_use]
    pub fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Aligned to the right, as figures are.
    #[must_use]
    pub fn right(mut self) -> Self {
        self.right = true;
        self
    }

    /// Gives way in a narrow table, but not below `floor` columns.
    #[must_use]
    pub fn shrinks(mut self, floor: u16) -> Self {
        self.floor = Some(floor);
        self
    }
}

/// One value of a list.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Nothing: `-` in tables, `null` in JSON, empty in CSV.
    Null,
    /// Text from anywhere.
    Text(String),
    /// An integer.
    Int(i64),
    /// A count.
    Count(u64),
    /// A score in millionths: one decimal, truncated, in tables; the integer elsewhere.
    Micro(i64),
    /// A share from 0 to 100: one decimal, truncated, in tables; the number elsewhere.
    Percent(f64),
    /// Yes or no in tables; true or false elsewhere.
    Flag(bool),
    /// An instant, RFC 3339 in UTC.
    Instant(UtcMillis),
    /// Texts: joined by comma in tables and by semicolon in CSV, an array in JSON.
    List(Vec<String>),
}

impl Cell {
    /// The cell as people read it, safe for a terminal.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Null => "-".to_owned(),
            Self::Text(text) => Printable(text).to_string(),
            Self::Int(figure) => figure.to_string(),
            Self::Count(figure) => figure.to_string(),
            Self::Micro(micro) => one_decimal(*micro),
            Self::Percent(percent) => percent_shown(*percent),
            Self::Flag(true) => "yes".to_owned(),
            Self::Flag(false) => "no".to_owned(),
            Self::Instant(instant) => instant.to_string(),
            Self::List(texts) => {
                let texts: Vec<String> = texts.iter().map(|t| Printable(t).to_string()).collect();
                texts.join(", ")
            }
        }
    }
}

/// One decimal, truncated: only who is above everybody reaches 100.0.
pub(crate) fn percent_shown(percent: f64) -> String {
    format!("{:.1}", (percent * 10.0).floor() / 10.0)
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_none(),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Int(figure) | Self::Micro(figure) => serializer.serialize_i64(*figure),
            Self::Count(figure) => serializer.serialize_u64(*figure),
            Self::Percent(percent) => serializer.serialize_f64(*percent),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Instant(instant) => instant.serialize(serializer),
            Self::List(texts) => serializer.collect_seq(texts),
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Cell {
    fn from(figure: i64) -> Self {
        Self::Int(figure)
    }
}

impl From<u64> for Cell {
    fn from(figure: u64) -> Self {
        Self::Count(figure)
    }
}

impl From<bool> for Cell {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<UtcMillis> for Cell {
    fn from(instant: UtcMillis) -> Self {
        Self::Instant(instant)
    }
}

impl From<Vec<String>> for Cell {
    fn from(texts: Vec<String>) -> Self {
        Self::List(texts)
    }
}

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(cell: Option<T>) -> Self {
        cell.map_or(Self::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_cut_and_not_rounded_up_to_a_hundred() {
        let cases = [
            (100.0, "100.0"),
            (99.975, "99.9"),
            (97.3, "97.3"),
            (0.0, "0.0"),
        ];
        for (percent, shown) in cases {
            assert_eq!(percent_shown(percent), shown);
        }
    }

    #[test]
    fn every_tenth_survives_being_cut() {
        for tenths in 0..=1_000_u32 {
            let percent = f64::from(tenths) / 10.0;
            let shown = format!("{}.{}", tenths / 10, tenths % 10);
            assert_eq!(percent_shown(percent), shown);
        }
    }
}
