//! What the headers of an answer say.

use std::time::Duration;

use af_model::UtcMillis;
use chrono::{DateTime, NaiveDateTime};
use reqwest::header::{
    CONTENT_TYPE, DATE, HeaderMap, HeaderName, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE,
};

/// The headers that matter, read once. What cannot be read counts as absent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Head {
    /// The server's clock.
    pub(crate) date: Option<UtcMillis>,
    /// Calls that a window allows.
    pub(crate) limit: Option<u64>,
    /// Calls that are left in it.
    pub(crate) remaining: Option<u64>,
    /// When the next window begins, in seconds since 1970 by the server's clock.
    pub(crate) reset: Option<i64>,
    /// How long we are asked to wait.
    pub(crate) retry_after: Option<Duration>,
    /// Okta's name of the request.
    pub(crate) request_id: Option<String>,
    /// What the next proof of possession must contain.
    pub(crate) dpop_nonce: Option<String>,
    /// Whether that is why it was refused.
    pub(crate) wants_nonce: bool,
    /// Whether it says that the body is HTML.
    pub(crate) is_html: bool,
    /// Where a redirect points.
    pub(crate) location: Option<String>,
}

const LIMIT: HeaderName = HeaderName::from_static("x-rate-limit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-rate-limit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-rate-limit-reset");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-okta-request-id");
const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

impl Head {
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let date = text(&DATE).and_then(http_date);
        Self {
            date,
            limit: least(headers, &LIMIT),
            remaining: least(headers, &REMAINING),
            reset: least(headers, &RESET),
            retry_after: text(&RETRY_AFTER).and_then(|value| retry_after(value, date)),
            request_id: text(&REQUEST_ID)
                .filter(|id| is_request_id(id))
                .map(str::to_owned),
            dpop_nonce: text(&DPOP_NONCE)
                .filter(|nonce| is_token(nonce))
                .map(str::to_owned),
            wants_nonce: headers
                .get_all(WWW_AUTHENTICATE)
                .iter()
                .filter_map(|value| value.to_str().ok())
                .any(|value| value.contains("use_dpop_nonce")),
            is_html: text(&CONTENT_TYPE).is_some_and(|kind| {
                kind.trim_start()
                    .to_ascii_lowercase()
                    .starts_with("text/html")
            }),
            location: text(&LOCATION).map(str::to_owned),
        }
    }

    /// Calls left in the window, of how many.
    pub(crate) fn budget(&self) -> Option<(u64, u64)> {
        self.remaining.zip(self.limit)
    }
}

/// Several copies of a limit are several limits; the least of them is the one that holds. A copy
/// may also be a list in one line.
fn least<T: std::str::FromStr + Ord>(headers: &HeaderMap, name: &HeaderName) -> Option<T> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|value| value.trim().parse().ok())
        .min()
}

/// What Okta calls a request: it is shown and sent back, so nothing else may pass for one.
fn is_request_id(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'@');
    (1..=64).contains(&text.len()) && text.bytes().all(is_part)
}

/// Something short that may be sent back: visible ASCII.
fn is_token(text: &str) -> bool {
    (1..=512).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

fn retry_after(value: &str, date: Option<UtcMillis>) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    // An instant means something only against the clock that wrote it.
    let millis = http_date(value)?.0.checked_sub(date?.0)?;
    Some(Duration::from_millis(u64::try_from(millis).unwrap_or(0)))
}

/// The three spellings of an instant in HTTP (RFC 9110 §5.6.7).
fn http_date(text: &str) -> Option<UtcMillis> {
    let text = text.trim();
    let seconds = DateTime::parse_from_rfc2822(text)
        .map(|instant| instant.timestamp())
        .or_else(|_| {
            NaiveDateTime::parse_from_str(text, "%A, %d-%b-%y %H:%M:%S GMT")
                .or_else(|_| NaiveDateTime::parse_from_str(text, "%a %b %e %H:%M:%S %Y"))
                .map(|instant| instant.and_utc().timestamp())
        })
        .ok()?;
    UtcMillis::checked(seconds.checked_mul(1000)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use reqwest::header::HeaderValue;

    fn head(lines: &[(&'static str, &str)]) -> Head {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(
                HeaderName::from_static(name),
                HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            );
        }
        Head::read(&headers)
    }

    #[test]
    fn the_least_of_several_copies_holds() {
        let head = head(&[
            ("x-rate-limit-limit", "600"),
            ("x-rate-limit-limit", "60"),
            ("x-rate-limit-remaining", "10, 7"),
            ("x-rate-limit-remaining", "nonsense"),
            ("x-rate-limit-reset", "1700000060"),
            ("x-rate-limit-reset", "1700000030"),
        ]);
        assert_eq!(head.budget(), Some((7, 60)));
        assert_eq!(head.reset, Some(1_700_000_030));
    }

    #[test]
    fn every_spelling_of_an_instant_is_read() {
        // 784,111,777 s is the example instant of RFC 9110.
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(http_date(text), Some(UtcMillis(784_111_777_000)), "{text}");
        }
        assert_eq!(http_date("yesterday"), None);
    }

    #[test]
    fn retry_after_is_seconds_or_an_instant_of_the_server() {
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        let wait = |value| head(&[date, ("retry-after", value)]).retry_after;
        assert_eq!(wait("7"), Some(Duration::from_secs(7)));
        assert_eq!(
            wait("Sun, 06 Nov 1994 08:50:07 GMT"),
            Some(Duration::from_secs(30))
        );
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:07 GMT"), Some(Duration::ZERO));
        assert_eq!(wait("-1"), None);
        let undated = head(&[("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT")]);
        assert_eq!(undated.retry_after, None);
    }

    #[test]
    fn what_is_sent_back_is_visible_and_short() {
        let long = "x".repeat(513);
        for bad in ["", "a b", long.as_str()] {
            let head = head(&[("x-okta-request-id", bad), ("dpop-nonce", bad)]);
            assert_eq!((head.request_id, head.dpop_nonce), (None, None));
        }
        assert_eq!(
            head(&[("dpop-nonce", "a-1")]).dpop_nonce.as_deref(),
            Some("a-1")
        );
    }

    proptest! {
        #[test]
        fn any_values_are_read_without_a_panic(value in "[ -~]{0,40}", other in "[0-9,: GMTa-z-]{0,40}") {
            head(&[
                ("date", &other), ("retry-after", &value), ("retry-after", &other),
                ("x-rate-limit-limit", &value), ("x-rate-limit-reset", &other),
                ("www-authenticate", &value), ("location", &value), ("content-type", &value),
            ]);
        }
    }
}
