//! When an event happened, in every notation that collectors and warehouses leave of it.

use af_model::UtcMillis;
use chrono::DateTime;

use crate::lenient::Scalar;
use crate::reject::{Reject, RejectReason};

/// 2000-01-01T00:00:00Z. Nothing that could write such an event existed before; a time from then is
/// a clock that was never set.
const EARLIEST: UtcMillis = UtcMillis(946_684_800_000);

/// The instant of `published`.
///
/// Read are RFC 3339; the same with a blank instead of the `T`, with or without a fraction of up to
/// nine digits, a zone (`+0100`, `+01`, `UTC`) or none, which is UTC; and Unix time in seconds,
/// milliseconds, microseconds or nanoseconds, as a number or as its text. The unit of a Unix time
/// follows from its size, which is unambiguous from September 2001 to November 2286.
pub(crate) fn instant(published: &Scalar<'_>) -> Result<UtcMillis, Reject> {
    let wrong_type = Reject::at(RejectReason::FieldOfWrongType, "published");
    let time = match published {
        Scalar::Text(text) => of_text(text.trim())?,
        Scalar::Int(number) => of_unix(&number.to_string()).ok_or(wrong_type)?,
        Scalar::Large(number) => of_unix(&number.to_string()).ok_or(wrong_type)?,
        Scalar::Real(number) => of_unix(&number.to_string()).ok_or(wrong_type)?,
        Scalar::Null => return Err(Reject::at(RejectReason::MissingPublished, "published")),
        Scalar::Flag(_) | Scalar::Nested => return Err(wrong_type),
    };
    if time < EARLIEST {
        return Err(Reject::at(RejectReason::TimeOutOfRange, "published"));
    }
    Ok(time)
}

fn of_text(text: &str) -> Result<UtcMillis, Reject> {
    if text.is_empty() {
        return Err(Reject::at(RejectReason::MissingPublished, "published"));
    }
    let zoneless = text.strip_suffix("UTC").map_or(text, str::trim_end);
    if let Ok(time) = UtcMillis::parse(zoneless) {
        return Ok(time);
    }
    let zoned = ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f %#z"]
        .into_iter()
        .find_map(|format| DateTime::parse_from_str(text, format).ok())
        .or_else(|| DateTime::parse_from_rfc3339(text).ok());
    match zoned.map(|instant| UtcMillis::checked(instant.timestamp_millis())) {
        Some(Ok(time)) => Ok(time),
        Some(Err(_)) => Err(Reject::at(RejectReason::TimeOutOfRange, "published")),
        None => of_unix(text).ok_or(Reject::at(RejectReason::BadTime, "published")),
    }
}

/// A Unix time by its digits before the point: 10 are seconds, 13 milliseconds, 16 microseconds, 19
/// nanoseconds. What is finer than a millisecond is cut off.
fn of_unix(text: &str) -> Option<UtcMillis> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || whole.starts_with('0') {
        return None;
    }
    let number: i64 = whole.parse().ok()?;
    let millis = match whole.len() {
        10 => {
            let thousandths: String = fraction.chars().chain("000".chars()).take(3).collect();
            number * 1_000 + thousandths.parse::<i64>().ok()?
        }
        13 => number,
        16 => number / 1_000,
        19 => number / 1_000_000,
        _ => return None,
    };
    Some(UtcMillis(millis))
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn of(text: &str) -> Result<String, RejectReason> {
        instant(&Scalar::Text(Cow::Borrowed(text)))
            .map(|time| time.to_string())
            .map_err(|reject| reject.reason)
    }

    #[test]
    fn every_notation_of_one_instant_is_that_instant() {
        for text in [
            "2025-07-21T14:48:24.597Z",
            "2025-07-21T14:48:24.597000",
            "2025-07-21T16:48:24.597999999+02:00",
            "2025-07-21 14:48:24.597",
            "2025-07-21 14:48:24.597000000",
            "2025-07-21 14:48:24.597 UTC",
            "2025-07-21 15:48:24.597 +0100",
            "2025-07-21 14:48:24.597+00",
            "1753109304.597",
            "1753109304597",
            "1753109304597001",
            "1753109304597001002",
        ] {
            assert_eq!(
                of(text).as_deref(),
                Ok("2025-07-21T14:48:24.597Z"),
                "{text}"
            );
        }
        assert_eq!(
            of("2025-07-21 14:48:24").as_deref(),
            Ok("2025-07-21T14:48:24.000Z")
        );
        let number = |scalar| instant(&scalar).map(|time| time.0);
        assert_eq!(
            number(Scalar::Int(1_753_109_304_597)),
            Ok(1_753_109_304_597)
        );
        assert_eq!(
            number(Scalar::Real(1_753_109_304.597)),
            Ok(1_753_109_304_597)
        );
    }

    #[test]
    fn what_is_no_time_of_an_event_says_why() {
        for (text, reason) in [
            ("", RejectReason::MissingPublished),
            ("yesterday", RejectReason::BadTime),
            ("2026-09-31T00:00:00Z", RejectReason::BadTime),
            ("12345", RejectReason::BadTime),
            ("0000-06-01T00:00:00Z", RejectReason::TimeOutOfRange),
            ("1970-01-01T00:00:00Z", RejectReason::TimeOutOfRange),
        ] {
            assert_eq!(of(text), Err(reason), "{text}");
        }
        for scalar in [Scalar::Int(5), Scalar::Flag(true), Scalar::Real(1e300)] {
            assert_eq!(
                instant(&scalar).unwrap_err().reason,
                RejectReason::FieldOfWrongType
            );
        }
    }
}
