//! Instants and days. Everything is UTC; everything is an integer.

use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, TimeZone, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Milliseconds of one day.
pub const DAY_MILLIS: i64 = 86_400_000;

/// An instant in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UtcMillis(pub i64);

/// A UTC day, counted from 1970-01-01. Decay and saturation step at its midnight and nowhere else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UtcDay(pub i32);

/// A text that is no instant or lies outside the years 0001 to 9999.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an instant; expected 2026-11-20 or 2026-11-20T23:59:59.999Z")]
pub struct InvalidTime;

impl UtcMillis {
    /// The UTC day this instant falls on.
    pub fn day(self) -> UtcDay {
        // Every i64 of milliseconds divided by a day fits i32 within the years we accept;
        // beyond them the day saturates, which keeps order.
        let day = self.0.div_euclid(DAY_MILLIS);
        UtcDay(i32::try_from(day).unwrap_or(if day < 0 { i32::MIN } else { i32::MAX }))
    }

    /// Parses an RFC 3339 instant; finer digits than milliseconds are cut off.
    ///
    /// # Errors
    /// [`InvalidTime`] for anything else, and for years outside 0001 to 9999.
    ///
    /// ```
    /// use af_model::UtcMillis;
    /// let instant = UtcMillis::parse("2024-08-13T17:58:20.3539+02:00").unwrap();
    /// assert_eq!(instant.to_string(), "2024-08-13T15:58:20.353Z");
    /// assert!(UtcMillis::parse("yesterday").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Self, InvalidTime> {
        let text = text.trim();
        DateTime::parse_from_rfc3339(text)
            .map(|instant| instant.timestamp_millis())
            .or_else(|_| {
                // Zone-less instants are met in re-exports; UTC is what they mean.
                NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f")
                    .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f"))
                    .map(|instant| instant.and_utc().timestamp_millis())
            })
            .map_err(|_| InvalidTime)
            .and_then(Self::checked)
    }

    /// Parses a cut such as `as_of` or `known_at`: an instant, or a date, which means the last
    /// millisecond of that UTC day (af-1 §2.1).
    ///
    /// # Errors
    /// [`InvalidTime`] as for [`UtcMillis::parse`].
    pub fn parse_cut(text: &str) -> Result<Self, InvalidTime> {
        match NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d") {
            Ok(date) => Self::checked(
                date.and_time(chrono::NaiveTime::MIN)
                    .and_utc()
                    .timestamp_millis()
                    + DAY_MILLIS
                    - 1,
            ),
            Err(_) => Self::parse(text),
        }
    }

    /// The instant, if it lies in the years 0001 to 9999 that every reader of our files can show.
    ///
    /// # Errors
    /// [`InvalidTime`] outside that range.
    pub fn checked(millis: i64) -> Result<Self, InvalidTime> {
        const FIRST: i64 = -62_135_596_800_000;
        const LAST: i64 = 253_402_300_799_999;
        if (FIRST..=LAST).contains(&millis) {
            Ok(Self(millis))
        } else {
            Err(InvalidTime)
        }
    }

    /// The instant as a folder name: RFC 3339 without colons, `2026-11-20T235959.999Z`.
    pub fn folder_name(self) -> String {
        self.to_string().replace(':', "")
    }
}

impl UtcDay {
    /// The first millisecond of the day.
    pub fn start(self) -> UtcMillis {
        UtcMillis(i64::from(self.0) * DAY_MILLIS)
    }

    /// The last millisecond of the day.
    pub fn end(self) -> UtcMillis {
        UtcMillis(self.start().0 + DAY_MILLIS - 1)
    }

    /// Whole days from `earlier` to this one; negative when this one is earlier.
    pub fn days_since(self, earlier: Self) -> i64 {
        i64::from(self.0) - i64::from(earlier.0)
    }

    /// Parses `2026-11-20`.
    ///
    /// # Errors
    /// [`InvalidTime`] for anything else.
    pub fn parse(text: &str) -> Result<Self, InvalidTime> {
        NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .map(|date| {
                UtcMillis(
                    date.and_time(chrono::NaiveTime::MIN)
                        .and_utc()
                        .timestamp_millis(),
                )
                .day()
            })
            .map_err(|_| InvalidTime)
    }
}

impl fmt::Display for UtcMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Utc.timestamp_millis_opt(self.0).single() {
            Some(instant) => f.pad(&instant.to_rfc3339_opts(SecondsFormat::Millis, true)),
            None => write!(f, "{} ms", self.0),
        }
    }
}

impl fmt::Display for UtcDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Utc.timestamp_millis_opt(self.start().0).single() {
            Some(instant) => f.pad(&instant.format("%Y-%m-%d").to_string()),
            None => write!(f, "day {}", self.0),
        }
    }
}

impl Serialize for UtcMillis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for UtcMillis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl Serialize for UtcDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for UtcDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_as_cut_means_its_last_millisecond() {
        assert_eq!(
            UtcMillis::parse_cut("2026-11-20").unwrap(),
            UtcMillis::parse("2026-11-20T23:59:59.999Z").unwrap()
        );
    }

    #[test]
    fn a_day_before_1970_still_has_its_own_midnight() {
        // -1 ms is the last millisecond of 1969-12-31, day -1.
        assert_eq!(UtcMillis(-1).day(), UtcDay(-1));
        assert_eq!(UtcDay(-1).to_string(), "1969-12-31");
    }

    #[test]
    fn years_outside_four_digits_are_refused() {
        assert!(UtcMillis::parse("0000-01-01T00:00:00Z").is_err());
        assert!(UtcMillis::parse("9999-12-31T23:59:59.999Z").is_ok());
        assert!(UtcMillis::checked(253_402_300_800_000).is_err());
    }

    #[test]
    fn folder_names_hold_no_colon() {
        let instant = UtcMillis::parse_cut("2026-11-20").unwrap();
        assert_eq!(instant.folder_name(), "2026-11-20T235959.999Z");
    }
}
