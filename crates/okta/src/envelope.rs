//! What collectors put around an event, recognized by its shape.
//!
//! | shape | who writes it |
//! |---|---|
//! | `data.events[]` | Okta event hook |
//! | `detail` | Amazon `EventBridge` |
//! | `event.original` | Elastic, after its pipeline |
//! | `event` | Splunk HTTP event collector, Grafana's collector |
//! | `message` | Elastic and Beats before the pipeline |
//! | `_raw` | Cribl, Splunk search export |
//! | `input.message` | Sekoia |
//! | `result`, `_source` | Splunk search export, Elasticsearch hits |
//! | `logs[]`, `events[]` | pages of collectors |
//!
//! A payload is an object, a list, or text that holds JSON: one event, several lines of them, or an
//! array. Envelopes may stand in envelopes. Of an envelope nothing but its payload is read, so that
//! its own fields can never take the place of the event's.

use std::borrow::Cow;

use crate::json_text::{elements, members, place_of, sequence, string};
use crate::reject::RejectReason;

/// Most envelopes that may stand one inside the other.
pub const MAX_ENVELOPES: usize = 8;

/// Most events of one envelope. Okta's pages hold 1,000; what comes after this many is one reject,
/// so that a line of brackets cannot fill the memory.
pub const MAX_EVENTS: usize = 100_000;

/// Something that should be an event.
pub(crate) struct Candidate<'a> {
    /// Its JSON text.
    pub(crate) text: Cow<'a, str>,
    /// Where it starts, in bytes from the start of the outermost envelope. What stands inside a
    /// text starts where that text does.
    pub(crate) offset: usize,
    /// Why it cannot be read, known without reading it.
    pub(crate) fault: Option<RejectReason>,
}

/// The events inside `text`, which is a JSON value or several. `None` if it is no envelope: then it
/// is itself what should be an event.
pub(crate) fn open(text: &str) -> Option<Vec<Candidate<'_>>> {
    let mut search = Search {
        whole: text,
        found: Vec::new(),
        most: MAX_EVENTS,
    };
    let is_envelope = match text.as_bytes().first()? {
        b'{' => {
            let several = sequence(text).nth(1).is_some();
            if several {
                search.all(sequence(text), 0);
                true
            } else {
                search.object(text, 0, false)
            }
        }
        b'[' | b'"' => search.payload(text, 0),
        _ => false,
    };
    is_envelope.then_some(search.found)
}

/// The members of an object that say what it is; of a key given twice the last counts.
#[derive(Default)]
struct Shape<'a> {
    /// How many of the three fields without which an event is none.
    marks: usize,
    has_actor: bool,
    data: Option<&'a str>,
    detail: Option<&'a str>,
    event: Option<&'a str>,
    message: Option<&'a str>,
    raw: Option<&'a str>,
    input: Option<&'a str>,
    result: Option<&'a str>,
    source: Option<&'a str>,
    logs: Option<&'a str>,
    events: Option<&'a str>,
    original: Option<&'a str>,
}

impl<'a> Shape<'a> {
    fn of(object: &'a str) -> Self {
        let mut shape = Self::default();
        for (key, value) in members(object) {
            match key.as_ref() {
                "uuid" | "published" | "eventType" | "eventtype" if value != "null" => {
                    shape.marks += 1;
                }
                "actor" => shape.has_actor = true,
                "data" => shape.data = Some(value),
                "detail" => shape.detail = Some(value),
                "event" => shape.event = Some(value),
                "message" => shape.message = Some(value),
                "_raw" => shape.raw = Some(value),
                "input" => shape.input = Some(value),
                "result" => shape.result = Some(value),
                "_source" => shape.source = Some(value),
                "logs" => shape.logs = Some(value),
                "events" => shape.events = Some(value),
                "original" => shape.original = Some(value),
                _ => {}
            }
        }
        shape
    }

    /// Whether it is an event itself, whatever else stands beside: an event that a collector
    /// enriched keeps its own fields.
    fn is_event(&self) -> bool {
        self.marks >= 2
    }
}

struct Search<'a> {
    /// The outermost text, for places.
    whole: &'a str,
    found: Vec<Candidate<'a>>,
    /// How many may be found.
    most: usize,
}

impl<'a> Search<'a> {
    /// Looks into an object; whether it found anything that should be an event. An object that is
    /// `expected` to be an event is one even if it does not look like it.
    fn object(&mut self, text: &'a str, depth: usize, expected: bool) -> bool {
        let shape = Shape::of(text);
        if shape.is_event() {
            self.take(text, None);
            return true;
        }
        if depth == MAX_ENVELOPES {
            self.take(text, Some(RejectReason::TooDeep));
            return true;
        }
        let inner = depth + 1;
        let list = |value: Option<&'a str>| value.filter(|value| value.starts_with('['));
        let hook = shape.data.and_then(|data| list(Shape::of(data).events));
        let original = shape.event.and_then(|event| Shape::of(event).original);
        let input = shape.input.and_then(|input| Shape::of(input).message);
        let wrapped = [
            hook,
            shape.detail,
            original,
            shape.event,
            shape.message,
            shape.raw,
            input,
            shape.result,
            shape.source,
            list(shape.logs),
            list(shape.events),
        ]
        .into_iter()
        .flatten()
        .any(|payload| self.payload(payload, inner));
        if !wrapped && (expected || (depth > 0 && (shape.marks > 0 || shape.has_actor))) {
            self.take(text, None);
            return true;
        }
        wrapped
    }

    fn payload(&mut self, value: &'a str, depth: usize) -> bool {
        match value.as_bytes().first() {
            Some(b'{') => self.object(value, depth, false),
            Some(b'[') => {
                self.all(elements(value), depth);
                true
            }
            Some(b'"') => self.text(value, depth),
            _ => false,
        }
    }

    /// Every value of a list or of a text is an event or holds some.
    fn all(&mut self, values: impl Iterator<Item = &'a str>, depth: usize) {
        for value in values {
            if self.found.len() >= self.most {
                self.take(value, Some(RejectReason::TooManyEvents));
                return;
            }
            let opened = match value.as_bytes().first() {
                Some(b'{') => self.object(value, depth, true),
                Some(b'"') => self.text(value, depth),
                _ => false,
            };
            if !opened {
                self.take(value, None);
            }
        }
    }

    /// A text that holds JSON; `false` for one that is a text and nothing else.
    fn text(&mut self, literal: &'a str, depth: usize) -> bool {
        let Some(decoded) = string(literal) else {
            return false;
        };
        let text = decoded.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
        let behind_bracket = text.strip_prefix('[').map(str::trim_start);
        let holds_json = text.starts_with('{')
            || text.starts_with("\"{")
            || behind_bracket.is_some_and(|rest| rest.starts_with(['{', ']']));
        if !holds_json {
            return false;
        }
        if depth >= MAX_ENVELOPES {
            self.take(literal, Some(RejectReason::TooDeep));
            return true;
        }
        let mut inside = Search {
            whole: text,
            found: Vec::new(),
            most: self.most.saturating_sub(self.found.len()),
        };
        inside.all(sequence(text), depth + 1);
        let offset = place_of(self.whole, literal);
        self.found
            .extend(inside.found.into_iter().map(|candidate| Candidate {
                text: Cow::Owned(candidate.text.into_owned()),
                offset,
                fault: candidate.fault,
            }));
        true
    }

    fn take(&mut self, text: &'a str, fault: Option<RejectReason>) {
        self.found.push(Candidate {
            text: Cow::Borrowed(text),
            offset: place_of(self.whole, text),
            fault,
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const EVENT: &str =
        r#"{"uuid":"e1","published":"2026-11-20T11:00:00Z","eventType":"user.session.start"}"#;

    fn event() -> Value {
        serde_json::from_str(EVENT).unwrap()
    }

    fn opened(text: &str) -> Option<Vec<(String, usize, Option<RejectReason>)>> {
        let found = open(text)?.into_iter();
        Some(
            found
                .map(|candidate| {
                    (
                        candidate.text.into_owned(),
                        candidate.offset,
                        candidate.fault,
                    )
                })
                .collect(),
        )
    }

    #[test]
    fn every_envelope_gives_up_its_event_and_nothing_of_its_own() {
        let in_text = |value: &Value| json!(value.to_string());
        let envelopes = [
            json!({"eventType": "com.okta.event_hook", "eventId": "h1", "data": {"events": [event()]}}),
            json!({"version": "0", "id": "b1", "time": "2026-11-20T11:00:01Z", "detail-type": "SystemLog", "detail": event()}),
            json!({"time": 1, "host": "h", "event": event()}),
            json!({"time": 1, "host": "h", "event": in_text(&event())}),
            json!({"event": {"kind": "event", "original": in_text(&event())}, "message": "Sign-in", "input": {"type": "httpjson"}}),
            json!({"@timestamp": "2026", "message": in_text(&event()), "event": {"kind": "event"}}),
            json!({"_raw": in_text(&event()), "_time": 1.5, "host": "h"}),
            json!({"input": {"message": in_text(&event())}, "expected": {"message": "{}", "event": {}}}),
            json!({"preview": false, "result": {"_raw": in_text(&event())}}),
            json!({"_index": "okta", "_source": {"event": {"original": in_text(&event())}}}),
            json!({"logs": [event()], "state": {}}),
            json!({"_raw": json!({"event": event()}).to_string()}),
        ];
        for envelope in envelopes {
            let found = opened(&envelope.to_string()).unwrap_or_default();
            assert_eq!(found.len(), 1, "{envelope}");
            let inner: Value = serde_json::from_str(&found[0].0).unwrap();
            assert_eq!(inner, event(), "{envelope}");
            assert_eq!(found[0].2, None);
        }
    }

    #[test]
    fn an_event_that_was_enriched_stays_itself() {
        let mut enriched = event();
        enriched["message"] = json!(EVENT.replace("e1", "other"));
        enriched["event"] = json!({"original": EVENT});
        assert_eq!(
            opened(&enriched.to_string()).unwrap()[0].0,
            enriched.to_string()
        );
    }

    #[test]
    fn what_is_no_envelope_is_left_alone() {
        for text in [
            "{}",
            "5",
            "\"hunter2\"",
            r#"{"message":"User login"}"#,
            r#"{"message":"[ERROR] no"}"#,
            r#"{"event":{"kind":"event"}}"#,
            r#"{"data":{"events":null}}"#,
        ] {
            assert_eq!(opened(text), None, "{text}");
        }
    }

    #[test]
    fn each_event_of_a_list_stands_alone_and_knows_its_place() {
        let text = format!("{{\"data\": {{\"events\": [{EVENT}, 7,\n {{\"x\":1}}]}}}}");
        let found = opened(&text).unwrap();
        let places: Vec<&str> = found.iter().map(|found| found.0.as_str()).collect();
        assert_eq!(places, [EVENT, "7", "{\"x\":1}"]);
        for (part, offset, _) in &found {
            assert!(text[*offset..].starts_with(part.as_str()));
        }
        assert_eq!(opened(r#"{"logs":[],"state":{}}"#), Some(Vec::new()));
        assert_eq!(opened("[]"), Some(Vec::new()));
    }

    #[test]
    fn one_text_may_hold_several_events_one_of_them_cut_off() {
        let text = json!({"message": format!("{EVENT}\n{{\"uuid\":\"cut\n{EVENT}{EVENT}")});
        let found = opened(&text.to_string()).unwrap();
        let texts: Vec<&str> = found.iter().map(|found| found.0.as_str()).collect();
        assert_eq!(texts, [EVENT, "{\"uuid\":\"cut", EVENT, EVENT]);
        assert!(found.iter().all(|found| found.1 == 11));
    }

    #[test]
    fn envelopes_in_envelopes_end_somewhere() {
        let wrapped = |times: usize| {
            let mut text = EVENT.to_owned();
            for _ in 0..times {
                text = json!({"event": serde_json::from_str::<Value>(&text).unwrap()}).to_string();
            }
            opened(&text).unwrap()
        };
        assert_eq!(wrapped(MAX_ENVELOPES)[0].0, event().to_string());
        assert_eq!(wrapped(MAX_ENVELOPES + 1)[0].2, Some(RejectReason::TooDeep));
        let mut text = EVENT.to_owned();
        for _ in 0..6 {
            text = json!({"_raw": text}).to_string();
        }
        let found = opened(&text).unwrap();
        assert!(found.len() == 1 && (found[0].0 == EVENT || found[0].2.is_some()));
    }

    #[test]
    fn a_line_of_brackets_is_cut_short() {
        let text = format!("[{}{{}}]", "{},".repeat(MAX_EVENTS + 50));
        let found = opened(&text).unwrap();
        assert_eq!(found.len(), MAX_EVENTS + 1);
        assert_eq!(found[MAX_EVENTS].2, Some(RejectReason::TooManyEvents));
    }
}
