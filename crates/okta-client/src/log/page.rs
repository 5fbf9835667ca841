//! A look at a page without building it: how many events, from when until when.

use std::fmt;

use af_model::UtcMillis;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// What a page holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// Its events.
    pub(super) events: u64,
    /// The smallest and the greatest `published`.
    pub(super) span: Option<(UtcMillis, UtcMillis)>,
}

impl Facts {
    /// The greatest `published`.
    pub(super) fn last_published(&self) -> Option<UtcMillis> {
        self.span.map(|(_, last)| last)
    }
}

/// Looks at a page; `None` when it is no JSON array of objects. Instants behind `horizon` are not
/// believed: one event from the year 9999 must not decide where a stream goes on.
pub(super) fn look(body: &[u8], horizon: UtcMillis) -> Option<Facts> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let facts = deserializer.deserialize_seq(Page { horizon }).ok()?;
    deserializer.end().ok()?;
    Some(facts)
}

/// The union of two spans.
pub(super) fn joined(
    one: Option<(UtcMillis, UtcMillis)>,
    other: Option<(UtcMillis, UtcMillis)>,
) -> Option<(UtcMillis, UtcMillis)> {
    match (one, other) {
        (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
        (one, other) => one.or(other),
    }
}

struct Page {
    horizon: UtcMillis,
}

impl<'de> Visitor<'de> for Page {
    type Value = Facts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of events")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut events: A) -> Result<Facts, A::Error> {
        let mut facts = Facts::default();
        while let Some(published) = events.next_element_seed(Event)? {
            facts.events += 1;
            let believed = published.filter(|instant| *instant <= self.horizon);
            facts.span = joined(facts.span, believed.map(|instant| (instant, instant)));
        }
        Ok(facts)
    }
}

/// One event: its `published`, where it can be read.
struct Event;

impl<'de> DeserializeSeed<'de> for Event {
    type Value = Option<UtcMillis>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Event {
    type Value = Option<UtcMillis>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        let mut published = None;
        while let Some(is_published) = fields.next_key_seed(Key)? {
            if is_published {
                published = fields.next_value_seed(Published)?;
            } else {
                fields.next_value::<IgnoredAny>()?;
            }
        }
        Ok(published)
    }
}

/// The name of a field: whether it is `published`.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<bool, E> {
        Ok(name == "published")
    }
}

/// The value of `published`: an instant, or whatever else stands there.
struct Published;

impl<'de> DeserializeSeed<'de> for Published {
    type Value = Option<UtcMillis>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Published {
    type Value = Option<UtcMillis>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(UtcMillis::parse(text).ok())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, values: A) -> Result<Self::Value, A::Error> {
        IgnoredAny.visit_seq(values).map(|_| None)
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Self::Value, A::Error> {
        IgnoredAny.visit_map(fields).map(|_| None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> UtcMillis {
        UtcMillis::parse(text).unwrap()
    }

    fn looked(body: &str) -> Option<Facts> {
        look(body.as_bytes(), at("2026-11-20T12:00:00Z"))
    }

    #[test]
    fn events_are_counted_and_their_span_is_found() {
        let page = r#" [
            {"published": "2026-11-20T10:00:00.500Z", "target": [{"published": "1999-01-01T00:00:00Z"}]},
            {"uuid": "x", "published": "2026-11-19T10:00:00Z", "actor": {"id": [1, null]}},
            {"p\u0075blished": "2026-11-20T\u0031\u0031:00:00Z"}
        ] "#;
        let span = Some((at("2026-11-19T10:00:00Z"), at("2026-11-20T11:00:00Z")));
        assert_eq!(looked(page), Some(Facts { events: 3, span }));
        assert_eq!(looked("[]"), Some(Facts::default()));
    }

    #[test]
    fn strange_instants_are_no_reason_to_refuse_a_page() {
        let page = r#"[{"published": null}, {"published": 7}, {"published": -7}, {"published": 1e3},
            {"published": true}, {"published": [1, {}]}, {"published": {"a": 1}}, {}, {"published": "x"},
            {"published": "9999-01-01T00:00:00Z"},
            {"published": "x", "published": "2026-11-20T12:00:00Z"}]"#;
        let last = at("2026-11-20T12:00:00Z");
        let span = Some((last, last));
        assert_eq!(looked(page), Some(Facts { events: 11, span }));
    }

    #[test]
    fn what_is_no_array_of_objects_is_no_page() {
        for body in [
            "",
            "{}",
            "null",
            "[1]",
            "[null]",
            "[[]]",
            "[{}",
            "[{},]",
            "[{}] x",
            "[{\"a\":}]",
            "<html>",
            "[{}]]",
            "\u{feff}[]",
        ] {
            assert_eq!(looked(body), None, "{body}");
        }
    }

    #[test]
    fn depth_is_no_danger() {
        let deep = "[".repeat(100_000);
        assert_eq!(looked(&deep), None);
        let page = format!(
            "[{{\"a\": {}{}}}]",
            "[".repeat(100_000),
            "]".repeat(100_000)
        );
        assert_eq!(looked(&page).map(|facts| facts.events), Some(1));
        let page = format!(
            "[{{\"published\": {}{}}}]",
            "[".repeat(100_000),
            "]".repeat(100_000)
        );
        assert_eq!(looked(&page).map(|facts| facts.events), Some(1));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(body in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = look(&body, UtcMillis(0));
        }
    }
}
