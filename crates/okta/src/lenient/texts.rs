//! Lists of texts and the free map of details.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::{Key, Object, Scalar, Text, is_sentinel, object, trim};

/// Texts from a list of scalars; a single scalar counts as a list of one.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Texts<'a>(pub(crate) Vec<Cow<'a, str>>);

struct TextsVisitor;

impl<'de> Visitor<'de> for TextsVisitor {
    type Value = Texts<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a list of texts")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Texts::one(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Texts::one(Cow::Owned(text.to_owned())))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Texts::default())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Texts::default())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Texts::default())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Texts::default())
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Texts::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut texts = Vec::new();
        while let Some(Text(text)) = list.next_element()? {
            texts.extend(text);
        }
        Ok(Texts(texts))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Texts::default())
    }
}

impl<'a> Texts<'a> {
    fn one(text: Cow<'a, str>) -> Self {
        let text = trim(text);
        Self(if is_sentinel(&text) {
            Vec::new()
        } else {
            vec![text]
        })
    }
}

impl<'de> Deserialize<'de> for Texts<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextsVisitor)
    }
}

/// A free map of texts, sorted by key, one entry a key (the last one given). Lists and objects
/// become JSON text; nulls and sentinels are left out.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct TextMap<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> TextMap<'a> {
    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&Cow<'a, str>> {
        // There are a dozen, and most are told apart by their lengths.
        let mut entries = self.0.iter();
        entries
            .find(|(have, _)| have.as_ref() == key)
            .map(|(_, value)| value)
    }

    /// The entries in key order.
    pub(crate) fn into_entries(self) -> Vec<(Cow<'a, str>, Cow<'a, str>)> {
        self.0
    }

    /// The entries in key order.
    pub(crate) fn entries(&self) -> &[(Cow<'a, str>, Cow<'a, str>)] {
        &self.0
    }
}

struct TextMapValue;

impl<'de> DeserializeSeed<'de> for TextMapValue {
    type Value = Option<Cow<'de, str>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for TextMapValue {
    type Value = Option<Cow<'de, str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(text.to_owned())))
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Self::Value, E> {
        Ok(Scalar::Flag(flag).into_text())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Scalar::Int(number).into_text())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Scalar::Large(number).into_text())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Scalar::Real(number).into_text())
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        let value = Value::deserialize(SeqAccessDeserializer::new(list))?;
        Ok(Some(Cow::Owned(value.to_string())))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let value = Value::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Some(Cow::Owned(value.to_string())))
    }
}

impl<'de> Object<'de> for TextMap<'de> {
    fn fill<A: MapAccess<'de>>(&mut self, mut map: A) -> Result<(), A::Error> {
        let mut entries = Vec::with_capacity(16);
        while let Some(Key(key)) = map.next_key()? {
            let value = map.next_value_seed(TextMapValue)?;
            entries.push((key, value.filter(|value| !is_sentinel(value.trim()))));
        }
        // The last entry of a key comes first in its run and survives.
        entries.reverse();
        entries.sort_by(|(left, _), (right, _)| left.cmp(right));
        entries.dedup_by(|(later, _), (kept, _)| later == kept);
        self.0 = entries
            .into_iter()
            .filter_map(|(key, value)| Some((key, value?)))
            .collect();
        Ok(())
    }
}

impl<'de> Deserialize<'de> for TextMap<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        object(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_holds_the_last_value_of_each_key_in_key_order() {
        let map: TextMap<'_> = serde_json::from_str(
            r#"{"b":"1","a":{"y":1,"x":[true]},"b":2,"n":null,"u":"unknown","f":false}"#,
        )
        .unwrap();
        let entries: Vec<_> = map.entries().iter().map(|(k, v)| (&**k, &**v)).collect();
        assert_eq!(
            entries,
            [("a", r#"{"x":[true],"y":1}"#), ("b", "2"), ("f", "false")]
        );
        assert_eq!(map.get("b").map(|value| &**value), Some("2"));
        assert_eq!(map.get("n"), None);
    }

    #[test]
    fn a_last_null_takes_the_key_away() {
        let map: TextMap<'_> = serde_json::from_str(r#"{"a":"1","a":null}"#).unwrap();
        assert_eq!(map.get("a"), None);
    }
}
