//! Pages of events as received, without one person.
//!
//! Of a page that waits, an event about somebody else stays and loses the person's name, as it would
//! when it is taken in: it is nowhere else yet. The events of a raw page were taken in, so that
//! whatever names the person leaves it as a whole.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use af_model::tables::identity_events;
use af_okta::Normalizer;
use serde_json::Value;
use serde_json::value::RawValue;

use super::json::{clean, clean_event};
use super::scrub::{Scrubber, Tally};
use crate::error::{Error, ErrorKind};
use crate::input::{Input, open};

/// The columns that name the subject of an event, the user id first.
const SUBJECT: [&str; 3] = ["user_uid", "user_name", "subject_ref"];

/// A page as text. One that cannot be unpacked stops the erasure: nobody knows whom it names.
pub(super) fn text_of(path: &Path) -> Result<String, Error> {
    let failed = |error: &std::io::Error| {
        let message = format!("read {}: {error}", path.display());
        Error::new(ErrorKind::Io, message).with_hint(
            "restore the file, or remove it, and run again: as it is, nobody knows whom it names",
        )
    };
    let mut reader = open(&Input::File(PathBuf::from(path))).map_err(|error| failed(&error))?;
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut reader, &mut bytes).map_err(|error| failed(&error))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A page without the person, and how many of its events are concerned; those that are not stay byte
/// for byte. What is no list of events goes as a whole. `waiting` tells whose the events of a page
/// are that waits.
pub(super) fn page_without(
    text: &str,
    scrubber: &Scrubber,
    waiting: Option<&Normalizer<'_>>,
) -> (String, Tally) {
    let mut tally = Tally::default();
    let Ok(events) = serde_json::from_str::<Vec<&RawValue>>(text) else {
        tally.removed = u64::from(names(text, scrubber));
        let body = if tally.is_none() { text } else { "[]" };
        return (body.to_owned(), tally);
    };
    let kept: Vec<Cow<'_, str>> = events
        .into_iter()
        .filter_map(|event| event_without(event.get(), scrubber, waiting, &mut tally))
        .collect();
    (format!("[{}]", kept.join(",")), tally)
}

fn event_without<'e>(
    event: &'e str,
    scrubber: &Scrubber,
    waiting: Option<&Normalizer<'_>>,
    tally: &mut Tally,
) -> Option<Cow<'e, str>> {
    let mut value = serde_json::from_str::<Value>(event).ok();
    let is_named = match &mut value {
        Some(value) => clean_event(value, scrubber),
        None => scrubber.clean_inside(event).is_some(),
    };
    if !is_named {
        return Some(Cow::Borrowed(event));
    }
    let cleaned = value
        .filter(|_| waiting.is_some_and(|normalizer| is_of_another(event, scrubber, normalizer)));
    match cleaned {
        Some(_) => tally.changed += 1,
        None => tally.removed += 1,
    }
    cleaned.map(|value| Cow::Owned(value.to_string()))
}

/// Whether an event can be taken in and is about somebody else, or about nobody.
fn is_of_another(event: &str, scrubber: &Scrubber, normalizer: &Normalizer<'_>) -> bool {
    normalizer.event(event.as_bytes()).is_ok_and(|row| {
        let batch = identity_events::batch([&row]);
        scrubber.rows_about(&batch, &SUBJECT).is_empty()
    })
}

fn names(json: &str, scrubber: &Scrubber) -> bool {
    match serde_json::from_str::<Value>(json) {
        Ok(mut value) => clean(&mut value, scrubber),
        Err(_) => scrubber.clean_inside(json).is_some(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use af_model::{HashKey, UtcMillis};
    use serde_json::json;

    use super::super::Identity;
    use super::*;

    const KEY: HashKey = HashKey::new([7; 32]);

    fn scrubber() -> Scrubber {
        let mut joe = Identity::nobody("acme");
        joe.add(Some("00u1joe"), Some("joe@example.com"), Some("Joe Doe"));
        // An ordinary word that is also a login of theirs.
        joe.add(None, Some("mark"), None);
        Scrubber::new(&joe, &KEY, &BTreeSet::new())
    }

    fn normalizer() -> Normalizer<'static> {
        let now = UtcMillis::parse("2026-11-20T12:00:00Z").unwrap();
        Normalizer::new("acme", None, now, &KEY)
    }

    #[test]
    fn events_that_name_the_person_leave_a_raw_page_and_the_others_stay_byte_for_byte() {
        let kept = r#"{"actor": {"id":"00u2", "displayName":"Mark"},  "n": 1.50}"#;
        let named = [
            r#"{"actor":{"id":"00u1joe"}}"#,
            r#"{"target":[{"alternateId":"MARK"}]}"#,
            r#"{"debugContext":{"debugData":{"url":"/x?u=joe%40example.com"}}}"#,
            r#"{"note":"joe\u0040example.com"}"#,
        ];
        let page = format!(
            " [{}, {kept} ,{}]",
            named[..2].join(","),
            named[2..].join(",")
        );
        let raw = |text: &str| {
            let (body, tally) = page_without(text, &scrubber(), None);
            assert_eq!(tally.changed, 0);
            (body, tally.removed)
        };
        assert_eq!(raw(&page), (format!("[{kept}]"), 4));
        assert_eq!(raw("[]"), ("[]".to_owned(), 0));
        // A page that is none: nothing of it can be kept apart.
        let broken = "[{\"actor\":\"joe@example.com\"";
        assert_eq!(raw(broken), ("[]".to_owned(), 1));
        assert_eq!(raw("[{"), ("[{".to_owned(), 0));
    }

    fn done_to(actor: &serde_json::Value, target: &serde_json::Value) -> serde_json::Value {
        json!({
            "uuid": "e1",
            "published": "2026-11-20T08:00:00.000Z",
            "eventType": "user.account.privilege.grant",
            "severity": "INFO",
            "displayMessage": "Granted by mark, Joe Doe",
            "actor": actor,
            "client": {"ipAddress": "192.0.2.7"},
            "outcome": {"result": "SUCCESS"},
            "target": [target],
        })
    }

    #[test]
    fn what_an_erased_admin_did_to_somebody_else_waits_on_without_the_admin() {
        let joe = json!({"id": "00u1joe", "type": "User", "alternateId": "joe@example.com",
            "displayName": "Joe Doe"});
        let ann = json!({"id": "00u2ann", "type": "User", "alternateId": "ann@example.com",
            "displayName": "Ann Other"});
        let event = done_to(&joe, &ann);
        let page = json!([event, done_to(&ann, &joe)]).to_string();
        let normalizer = normalizer();
        let (body, tally) = page_without(&page, &scrubber(), Some(&normalizer));
        assert_eq!((tally.removed, tally.changed), (1, 1));
        let left: Vec<serde_json::Value> = serde_json::from_str(&body).unwrap();
        let mut expected = event.clone();
        expected["actor"] = json!({"id": "erased", "type": "User", "alternateId": "erased",
            "displayName": "erased"});
        expected["displayMessage"] = json!("Granted by erased, erased");
        assert_eq!(left, [expected]);
        // Taken in, it is about the same person as before.
        let (before, after) = (event.to_string(), left[0].to_string());
        let before = normalizer.event(before.as_bytes()).unwrap();
        let after = normalizer.event(after.as_bytes()).unwrap();
        assert_eq!(before.metadata_uid, after.metadata_uid);
        assert_eq!(before.subject_ref, after.subject_ref);
        assert_eq!(after.subject_ref.as_deref(), Some("uid:00u2ann"));
        // One that could not be taken in is about nobody in particular: it goes.
        let broken = page.replace("\"published\"", "\"then\"");
        let (body, tally) = page_without(&broken, &scrubber(), Some(&normalizer));
        assert_eq!((body.as_str(), tally.removed), ("[]", 2));
    }
}
