//! Readers that take whatever Okta puts into a field and never fail for its type.
//!
//! Okta's log is loosely typed: `version` is `"0"` or `0`, `target` a list or null, `zone` the text
//! `"null"`, `postalCode` a text or a number. Here a value of an unexpected type counts as absent,
//! so that one odd field cannot lose an event. Only the JSON itself must be sound.

mod object;
mod scalar;
mod texts;

pub(crate) use object::{InPlace, Key, List, Object, lenient_object, object};
pub(crate) use scalar::{Flag, Int, Real, Scalar, Text, flag_of, is_sentinel, trim};
pub(crate) use texts::{TextMap, Texts};
