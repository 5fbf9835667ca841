//! Pieces of input, whatever is around the events in them.

use af_model::HexHash;
use af_model::tables::identity_events::Row;

use crate::normalize::Normalizer;
use crate::reject::{Reject, RejectReason};
use crate::{envelope, parse, uid, warehouse};

/// One event of a piece of input, or why it is none.
#[derive(Debug)]
pub struct Found<'a> {
    /// The row, or why there is none.
    pub outcome: &'a Result<Row<'a>, Reject>,
    /// The event as it was found, without its envelope. It may hold anything, a password included.
    pub text: &'a [u8],
    /// Where the event starts, in bytes from the start of the input; for an event inside a text,
    /// where that text starts.
    pub offset: usize,
}

impl Found<'_> {
    /// A hash of what the event says, whatever its blanks, the order of its keys and what was around
    /// it: the same event refused again is known by it. It is not keyed; store it keyed only.
    pub fn content_hash(&self) -> HexHash {
        HexHash::of_parts([uid::content(self.text).as_str()])
    }
}

impl Normalizer<'_> {
    /// Every event of one piece of input, in order: of a bare event, or of whatever a collector put
    /// around one or several ([`MAX_ENVELOPES`](crate::MAX_ENVELOPES) deep, at most
    /// [`MAX_EVENTS`](crate::MAX_EVENTS) of them). Envelopes are recognized by their shape, and
    /// nothing of theirs ends in a row. An event whose nested objects a warehouse turned into texts,
    /// lists or columns gets them back. An envelope of no event at all yields nothing.
    ///
    /// ```
    /// use af_model::{HashKey, UtcMillis};
    /// use af_okta::Normalizer;
    ///
    /// let key = HashKey::new([7; 32]);
    /// let now = UtcMillis::parse("2026-11-20T12:00:00Z").unwrap();
    /// let normalizer = Normalizer::new("acme", None, now, &key);
    /// let line = br#"{"time":1763636400,"host":"h","event":{"uuid":"e1",
    ///     "published":"2026-11-20T11:00:00Z","eventType":"user.session.start"}}"#;
    /// let mut uids = Vec::new();
    /// normalizer.events(line, |found| {
    ///     uids.push(found.outcome.as_ref().unwrap().metadata_uid.to_string());
    /// });
    /// assert_eq!(uids, ["e1"]);
    /// ```
    pub fn events(&self, json: &[u8], mut each: impl FnMut(Found<'_>)) {
        let outcome = self.event(json);
        let may_be_wrapped = outcome.as_ref().is_err_and(|reject| {
            matches!(
                reject.reason,
                RejectReason::NotJson
                    | RejectReason::NotAnObject
                    | RejectReason::MissingUuid
                    | RejectReason::MissingEventType
                    | RejectReason::MissingPublished
                    | RejectReason::FieldOfWrongType
            )
        });
        if may_be_wrapped
            && let Ok(text) = parse::checked_text(json)
            && let Some(candidates) = envelope::open(text)
        {
            let before = text.as_ptr().addr() - json.as_ptr().addr();
            for candidate in candidates {
                let text = candidate.text.as_bytes();
                let offset = before + candidate.offset;
                match candidate.fault {
                    Some(reason) => each(Found {
                        outcome: &Err(Reject::whole(reason)),
                        text,
                        offset,
                    }),
                    None => self.emit(&self.event(text), text, offset, &mut each),
                }
            }
            return;
        }
        self.emit(&outcome, json, 0, &mut each);
    }

    /// Hands on what became of one event, with its nesting back if a warehouse took it.
    fn emit(
        &self,
        outcome: &Result<Row<'_>, Reject>,
        text: &[u8],
        offset: usize,
        each: &mut impl FnMut(Found<'_>),
    ) {
        if outcome.as_ref().is_ok_and(lacks_nesting)
            && let Ok(event) = parse::checked_text(text)
            && let Some(restored) = warehouse::restored(event)
            && let Ok(row) = self.event(restored.as_bytes())
        {
            each(Found {
                outcome: &Ok(row),
                text,
                offset,
            });
            return;
        }
        each(Found {
            outcome,
            text,
            offset,
        });
    }
}

/// Whether what every event has is missing, which a warehouse may have kept elsewhere.
fn lacks_nesting(row: &Row<'_>) -> bool {
    row.debug_data.is_none() || (row.actor_user_uid.is_none() && row.actor_user_name.is_none())
}
