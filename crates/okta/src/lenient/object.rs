//! Objects and lists of objects.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A key of an object; borrowed unless it is written with escapes.
pub(crate) struct Key<'a>(pub(crate) Cow<'a, str>);

struct KeyVisitor;

impl<'de> Visitor<'de> for KeyVisitor {
    type Value = Key<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E: Error>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(Key(Cow::Borrowed(key)))
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok(Key(Cow::Owned(key.to_owned())))
    }
}

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KeyVisitor)
    }
}

/// An object whose fields are all lenient. Of a key that appears twice the last value stays.
pub(crate) trait Object<'de>: Default {
    /// Reads the fields; unknown ones are read over.
    fn fill<A: MapAccess<'de>>(&mut self, map: A) -> Result<(), A::Error>;

    /// A new one of these fields.
    fn from_map<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        let mut object = Self::default();
        object.fill(map)?;
        Ok(object)
    }
}

/// Reads an [`Object`] where it is, for one of kilobytes would be copied at every step of the way out
/// of the reader. Anything that is no object leaves it as it is.
pub(crate) struct InPlace<'o, T>(pub(crate) &'o mut T);

impl<'de, T: Object<'de>> DeserializeSeed<'de> for InPlace<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// Reads an [`Object`]; anything that is no object gives the empty one.
pub(crate) struct ObjectVisitor<T>(PhantomData<T>);

/// Reads an [`Object`] or, if the value is something else, the empty one.
pub(crate) fn object<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Object<'de>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_any(ObjectVisitor(PhantomData))
}

macro_rules! nothing {
    ($($method:ident: $type:ty,)*) => {
        $(
            fn $method<E: Error>(self, _: $type) -> Result<Self::Value, E> {
                Ok(Self::Value::default())
            }
        )*

        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
    };
}

impl<'de, T: Object<'de>> Visitor<'de> for InPlace<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    nothing! { visit_str: &str, visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        self.0.fill(map)
    }
}

impl<'de, T: Object<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    nothing! { visit_str: &str, visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<T, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(T::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::from_map(map)
    }
}

/// Declares a lenient object: a struct whose every field has a default and a lenient reader.
macro_rules! lenient_object {
    (
        $(#[doc = $doc:literal])+
        $name:ident<$lt:lifetime> {
            $($(#[doc = $field_doc:literal])* $field:ident: $type:ty = $($key:literal)|+,)+
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Debug, Default)]
        pub(crate) struct $name<$lt> {
            $($(#[doc = $field_doc])* pub(crate) $field: $type,)+
            // Shapes without text have the lifetime too, so that one macro serves all.
            lifetime: std::marker::PhantomData<&$lt ()>,
        }

        impl<$lt> $crate::lenient::Object<$lt> for $name<$lt> {
            fn fill<A: serde::de::MapAccess<$lt>>(&mut self, mut map: A) -> Result<(), A::Error> {
                while let Some($crate::lenient::Key(key)) = map.next_key()? {
                    match key.as_ref() {
                        $($($key)|+ => self.$field = map.next_value()?,)+
                        _ => {
                            map.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(())
            }
        }

        impl<$lt> serde::Deserialize<$lt> for $name<$lt> {
            fn deserialize<D: serde::Deserializer<$lt>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::lenient::object(deserializer)
            }
        }
    };
}
pub(crate) use lenient_object;

/// A list of objects; a single object counts as a list of one, anything else as none.
#[derive(Debug)]
pub(crate) struct List<T>(pub(crate) Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Object<'de> + Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
    type Value = List<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    nothing! { visit_str: &str, visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Ok(List(vec![T::from_map(map)?]))
    }
}

impl<'de, T: Object<'de> + Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListVisitor(PhantomData))
    }
}
