//! Why a piece of input was refused: a fixed, documented list.

use std::fmt;

/// Why an event or a user object could not be taken in.
///
/// The written names ([`RejectReason::as_str`]) are what the `quarantine` table holds; they never
/// change their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RejectReason {
    /// The bytes are not UTF-8.
    NotUtf8,
    /// The text is not JSON, is cut off, or has something behind its end.
    NotJson,
    /// The text is JSON, but no object.
    NotAnObject,
    /// Objects and lists are nested deeper than [`MAX_DEPTH`](crate::MAX_DEPTH), or envelopes deeper
    /// than [`MAX_ENVELOPES`](crate::MAX_ENVELOPES).
    TooDeep,
    /// What follows the first [`MAX_EVENTS`](crate::MAX_EVENTS) events of one envelope.
    TooManyEvents,
    /// A number is too large for any machine number.
    NumberOutOfRange,
    /// `uuid` is absent, null or empty.
    MissingUuid,
    /// `eventType` is absent, null or empty.
    MissingEventType,
    /// `published` is absent, null or empty.
    MissingPublished,
    /// A field that an event or a person cannot do without is no text.
    FieldOfWrongType,
    /// `published` is no instant.
    BadTime,
    /// `published` lies before the year 2000 or after 9999.
    TimeOutOfRange,
    /// `published` is more than ten minutes after `ingested_at`.
    FromTheFuture,
    /// A user object without `id`.
    MissingId,
    /// A user object with neither `profile.login` nor `profile.email`.
    MissingLogin,
}

impl RejectReason {
    /// Every reason, in the order in which they are tried.
    pub const ALL: [Self; 15] = [
        Self::NotUtf8,
        Self::TooDeep,
        Self::TooManyEvents,
        Self::NotJson,
        Self::NotAnObject,
        Self::NumberOutOfRange,
        Self::MissingUuid,
        Self::MissingEventType,
        Self::MissingPublished,
        Self::FieldOfWrongType,
        Self::BadTime,
        Self::TimeOutOfRange,
        Self::FromTheFuture,
        Self::MissingId,
        Self::MissingLogin,
    ];

    /// The name written in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotUtf8 => "not_utf8",
            Self::NotJson => "not_json",
            Self::NotAnObject => "not_an_object",
            Self::TooDeep => "too_deep",
            Self::TooManyEvents => "too_many_events",
            Self::NumberOutOfRange => "number_out_of_range",
            Self::MissingUuid => "missing_uuid",
            Self::MissingEventType => "missing_event_type",
            Self::MissingPublished => "missing_published",
            Self::FieldOfWrongType => "field_of_wrong_type",
            Self::BadTime => "bad_time",
            Self::TimeOutOfRange => "time_out_of_range",
            Self::FromTheFuture => "from_the_future",
            Self::MissingId => "missing_id",
            Self::MissingLogin => "missing_login",
        }
    }
}

impl fmt::Display for RejectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A refused event or user object. It holds nothing of the input: an event that cannot be read
/// may be anything, a password included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{reason}{}", .field.map(|field| format!(" ({field})")).unwrap_or_default())]
pub struct Reject {
    /// Why.
    pub reason: RejectReason,
    /// The field at fault, by Okta's path, where there is one.
    pub field: Option<&'static str>,
}

impl Reject {
    pub(crate) const fn whole(reason: RejectReason) -> Self {
        Self {
            reason,
            field: None,
        }
    }

    pub(crate) const fn at(reason: RejectReason, field: &'static str) -> Self {
        Self {
            reason,
            field: Some(field),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn reasons_have_distinct_names() {
        let names: BTreeSet<_> = RejectReason::ALL.iter().map(|r| r.as_str()).collect();
        assert_eq!(names.len(), RejectReason::ALL.len());
    }

    #[test]
    fn a_reject_names_the_field_and_nothing_else() {
        let reject = Reject::at(RejectReason::BadTime, "published");
        assert_eq!(reject.to_string(), "bad_time (published)");
        assert_eq!(Reject::whole(RejectReason::NotJson).to_string(), "not_json");
    }
}
