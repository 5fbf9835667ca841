//! Single values: text, flags and numbers, each also written as one of the others.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Whether a text says that there is nothing to say.
pub(crate) fn is_sentinel(text: &str) -> bool {
    matches!(
        text,
        "" | "unknown" | "UNKNOWN" | "Unknown" | "-" | "null" | "None"
    )
}

/// Trims without copying borrowed text.
pub(crate) fn trim(text: Cow<'_, str>) -> Cow<'_, str> {
    // Almost no text has anything to trim, which its two ends tell at once.
    let ends = [text.as_bytes().first(), text.as_bytes().last()];
    if ends.into_iter().flatten().all(u8::is_ascii_graphic) {
        return text;
    }
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) if text.trim().len() == text.len() => Cow::Owned(text),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

/// Any JSON value; lists and objects are read over.
#[derive(Debug, Default)]
pub(crate) enum Scalar<'a> {
    /// Absent or null.
    #[default]
    Null,
    /// A string.
    Text(Cow<'a, str>),
    /// A boolean.
    Flag(bool),
    /// An integer.
    Int(i64),
    /// An integer above `i64::MAX`.
    Large(u64),
    /// A number with a fraction or an exponent.
    Real(f64),
    /// A list or an object.
    Nested,
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Owned(text)))
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Self::Value, E> {
        Ok(Scalar::Flag(flag))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Scalar::Int(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(number).map_or(Scalar::Large(number), Scalar::Int))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Scalar::Real(number))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Scalar::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Nested)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Nested)
    }
}

impl<'de> Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

impl<'a> Scalar<'a> {
    /// The value as text, untrimmed, sentinels included; `None` for null, lists and objects.
    pub(crate) fn into_text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Null | Self::Nested => None,
            Self::Text(text) => Some(text),
            Self::Flag(flag) => Some(Cow::Borrowed(if flag { "true" } else { "false" })),
            Self::Int(number) => Some(Cow::Owned(number.to_string())),
            Self::Large(number) => Some(Cow::Owned(number.to_string())),
            Self::Real(number) => Some(Cow::Owned(number.to_string())),
        }
    }
}

/// Text from a string, number or boolean, trimmed; null, sentinels and nested values are `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text<'a>(pub(crate) Option<Cow<'a, str>>);

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Text::of(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Text::of(Cow::Owned(text.to_owned())))
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Self::Value, E> {
        ScalarVisitor.visit_bool(flag).map(Text::of_scalar)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        ScalarVisitor.visit_i64(number).map(Text::of_scalar)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        ScalarVisitor.visit_u64(number).map(Text::of_scalar)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        ScalarVisitor.visit_f64(number).map(Text::of_scalar)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Text(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        ScalarVisitor.visit_seq(list).map(Text::of_scalar)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        ScalarVisitor.visit_map(map).map(Text::of_scalar)
    }
}

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

impl<'a> Text<'a> {
    fn of(text: Cow<'a, str>) -> Self {
        let text = trim(text);
        Self((!is_sentinel(&text)).then_some(text))
    }

    fn of_scalar(scalar: Scalar<'a>) -> Self {
        scalar.into_text().map_or(Self(None), Self::of)
    }
}

impl Text<'_> {
    pub(crate) fn as_str(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

/// True or false, also as text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flag(pub(crate) Option<bool>);

/// Reads "true" and "false" whatever their case.
pub(crate) fn flag_of(text: &str) -> Option<bool> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match Scalar::deserialize(deserializer)? {
            Scalar::Flag(flag) => Some(flag),
            Scalar::Text(text) => flag_of(&text),
            _ => None,
        }))
    }
}

/// A finite number, also as text.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Real(pub(crate) Option<f64>);

impl<'de> Deserialize<'de> for Real {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = match Scalar::deserialize(deserializer)? {
            Scalar::Real(number) => Some(number),
            Scalar::Int(number) => i32::try_from(number).ok().map(f64::from),
            Scalar::Text(text) => text.trim().parse().ok(),
            _ => None,
        };
        Ok(Self(number.filter(|number: &f64| number.is_finite())))
    }
}

/// An integer, also as text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Int(pub(crate) Option<i64>);

impl<'de> Deserialize<'de> for Int {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match Scalar::deserialize(deserializer)? {
            Scalar::Int(number) => Some(number),
            Scalar::Text(text) => text.trim().parse().ok(),
            _ => None,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(json: &str) -> Option<String> {
        let Text(text) = serde_json::from_str(json).unwrap();
        text.map(Cow::into_owned)
    }

    #[test]
    fn any_scalar_is_text_and_sentinels_are_nothing() {
        assert_eq!(text("\"0\"").as_deref(), Some("0"));
        assert_eq!(text("0").as_deref(), Some("0"));
        assert_eq!(
            text("18446744073709551615").as_deref(),
            Some("18446744073709551615")
        );
        assert_eq!(text("true").as_deref(), Some("true"));
        assert_eq!(text("\" Lyon \"").as_deref(), Some("Lyon"));
        for nothing in [
            "null",
            "\"null\"",
            "\"\"",
            "\" \"",
            "\"unknown\"",
            "\"UNKNOWN\"",
            "\"-\"",
            "\"None\"",
            "{}",
            "[1]",
            "{\"a\":[{}]}",
        ] {
            assert_eq!(text(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn unescaped_text_is_borrowed_and_escaped_text_is_not() {
        let Text(plain) = serde_json::from_str("\"plain\"").unwrap();
        assert!(matches!(plain, Some(Cow::Borrowed("plain"))));
        let Text(escaped) = serde_json::from_str("\"\\u0041\"").unwrap();
        assert_eq!(escaped.as_deref(), Some("A"));
    }

    #[test]
    fn numbers_and_flags_may_be_text() {
        assert_eq!(
            serde_json::from_str::<Flag>("\"true\"").unwrap().0,
            Some(true)
        );
        assert_eq!(
            serde_json::from_str::<Flag>("false").unwrap().0,
            Some(false)
        );
        assert_eq!(serde_json::from_str::<Flag>("1").unwrap().0, None);
        assert_eq!(
            serde_json::from_str::<Int>("\"64500\"").unwrap().0,
            Some(64500)
        );
        assert_eq!(serde_json::from_str::<Int>("1.5").unwrap().0, None);
        assert_eq!(
            serde_json::from_str::<Real>("\"48.5\"").unwrap().0,
            Some(48.5)
        );
        assert_eq!(serde_json::from_str::<Real>("\"NaN\"").unwrap().0, None);
    }
}
