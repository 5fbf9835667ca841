//! Dates and instants as directories write them.

use af_model::{UtcDay, UtcMillis};

/// Reads an instant: RFC 3339, `YYYY-MM-DD HH:MM[:SS[.fff]]` with or without a zone (`Z`, `UTC`,
/// `+02`, `+0200`, `+02:00`; none means UTC), or a date (`YYYY-MM-DD`, `YYYY/MM/DD`), which means
/// its first millisecond. `None` for anything else: `03/04/2026` is the third of April to some and
/// the fourth of March to others, and is not guessed at.
pub(crate) fn parse(text: &str) -> Option<UtcMillis> {
    let text = text.trim();
    if !text.is_ascii() || text.len() < 8 {
        return None;
    }
    let split = text.find(['T', 't', ' ']).unwrap_or(text.len());
    let (date, rest) = text.split_at(split);
    let year_first = date.bytes().take(4).all(|byte| byte.is_ascii_digit());
    if !year_first {
        return None;
    }
    let date = date.replace('/', "-");
    if rest.is_empty() {
        let start = UtcDay::parse(&date).ok()?.start();
        return UtcMillis::checked(start.0).ok();
    }
    let rest = rest[1..].trim();
    let (time, zone) = match rest.find(['Z', 'z', '+', '-', 'U', ' ']) {
        Some(at) => (rest[..at].trim(), rest[at..].trim()),
        None => (rest, ""),
    };
    let time = match time.len() {
        5 => format!("{time}:00"),
        _ => time.to_owned(),
    };
    UtcMillis::parse(&format!("{date}T{time}{}", offset(zone)?)).ok()
}

/// The zone as RFC 3339 writes it.
fn offset(zone: &str) -> Option<String> {
    if matches!(zone, "" | "Z" | "z" | "UTC") {
        return Some("Z".to_owned());
    }
    let digits = zone.strip_prefix(['+', '-'])?;
    let sign = &zone[..1];
    match digits.len() {
        2 => Some(format!("{sign}{digits}:00")),
        4 => Some(format!("{sign}{}:{}", &digits[..2], &digits[2..])),
        5 => Some(zone.to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_common_ways_to_write_one_instant_agree() {
        for written in [
            "2026-11-20T13:45:00Z",
            "2026-11-20T13:45:00.000+00:00",
            "2026-11-20 13:45:00",
            "2026-11-20 13:45",
            "2026/11/20 13:45:00",
            "2026-11-20 15:45:00+02",
            "2026-11-20 15:45:00.0 +0200",
            "2026-11-20 13:45:00 UTC",
            " 2026-11-20t08:45:00-05:00 ",
        ] {
            let instant = parse(written).map(|instant| instant.to_string());
            assert_eq!(
                instant.as_deref(),
                Some("2026-11-20T13:45:00.000Z"),
                "{written}"
            );
        }
    }

    #[test]
    fn a_date_is_its_first_millisecond() {
        let day = parse("2026-11-20").unwrap();
        assert_eq!(day.to_string(), "2026-11-20T00:00:00.000Z");
    }

    #[test]
    fn what_could_mean_two_days_is_no_date() {
        for written in [
            "03/04/2026",
            "20.11.2026",
            "20261120",
            "yesterday",
            "2026-13-01",
            "Nov 20, 2026",
            "46000",
            "",
        ] {
            assert_eq!(parse(written), None, "{written}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[0-9TtZzU+: /.-]{0,40}|\\PC{0,40}") {
            let _ = parse(&text);
        }
    }
}
