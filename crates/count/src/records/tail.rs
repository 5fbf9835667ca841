//! What of a record is read only when it is wanted: whom it means, and its texts.
//!
//! A tail is, one number after the other: whom the signal means; the lengths of signal id, incident,
//! reference, user id, login and e-mail; how many events there are and whether a hash follows; the hash; the
//! lengths of the events.

use af_model::HexHash;

use super::Record;
use crate::interner::position;
use crate::part::{Row, RunOfSubject, View};
use crate::people::{Decision, Resolution, Subject};

/// Up to how many bytes of tails or texts are held in one piece.
const PIECE: usize = 1 << 30;

/// Bytes of a keyed hash.
const HASH: usize = 16;

/// Whom a signal means: one of these, or a person, whose numbers come after them.
const NOBODY: [Resolution; 4] = [
    Resolution::NoKey,
    Resolution::NoMatch,
    Resolution::Ambiguous,
    Resolution::NotAPerson,
];

/// A text is absent.
const ABSENT: u64 = 0;
/// A name of the subject is what the reference names.
const AS_REFERENCE: u64 = 1;
/// Lengths come after these.
const LENGTHS: u64 = 2;

/// Texts of a tail that may be absent: incident, reference, user id, login, e-mail.
const OPTIONAL: usize = 5;

/// Numbers one after the other: seven bits a byte, the lowest first.
#[derive(Clone, Copy)]
pub(super) struct Numbers<'r>(pub(super) &'r [u8]);

impl<'r> Numbers<'r> {
    #[inline]
    fn next(&mut self) -> Option<u64> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        if first < 0x80 {
            return Some(u64::from(first));
        }
        let mut number = u64::from(first & 0x7f);
        for shift in (7..u64::BITS).step_by(7) {
            let (&next, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(next & 0x7f) << shift;
            if next < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn hash(&mut self) -> Option<&'r [u8; HASH]> {
        let (hash, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(hash)
    }
}

fn put(mut number: u64, into: &mut Vec<u8>) {
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            into.push(low);
            return;
        }
        into.push(low | 0x80);
    }
}

/// Writes the tail and the texts of a signal.
pub(super) fn write(
    view: View<'_>,
    resolution: Resolution,
    figures: &mut Vec<u8>,
    texts: &mut String,
) {
    let place = NOBODY.iter().position(|nobody| *nobody == resolution);
    let whom = match (resolution, place) {
        (Resolution::Person(person), _) => u64::from(person) + NOBODY.len() as u64,
        (_, place) => place.unwrap_or_default() as u64,
    };
    put(whom, figures);
    let mut text = |text: &str, figures: &mut Vec<u8>, more: u64| {
        put(text.len() as u64 + more, figures);
        texts.push_str(text);
    };
    text(view.signal_uid(), figures, 0);
    let subject = view.subject_columns();
    let named = subject.subject_ref.and_then(after_colon);
    for (cell, named) in [
        (view.incident_cell(), None),
        (subject.subject_ref, None),
        (subject.uid, named),
        (subject.login, named),
        (subject.email, named),
    ] {
        match cell {
            None => put(ABSENT, figures),
            Some(_) if cell == named => put(AS_REFERENCE, figures),
            Some(cell) => text(cell, figures, LENGTHS),
        }
    }
    let hash = match resolution {
        Resolution::Person(_) => None,
        _ => view.subject().hash,
    };
    let events = view.event_uids();
    put(2 * events.len() as u64 + u64::from(hash.is_some()), figures);
    if let Some(hash) = hash {
        figures.extend_from_slice(&hash.0);
    }
    for event in events {
        text(event, figures, 0);
    }
}

/// The person that the first tail tells; `None` for nobody.
pub(super) fn person(tail: &[u8]) -> Option<u32> {
    match resolution(Numbers(tail).next()?) {
        Resolution::Person(person) => Some(person),
        _ => None,
    }
}

/// How long the texts of the first tail are; the others are left.
pub(super) fn text_bytes(numbers: &mut Numbers<'_>) -> Option<usize> {
    numbers.next()?;
    let mut bytes = numbers.next()?;
    for _ in 0..OPTIONAL {
        bytes = bytes.checked_add(numbers.next()?.saturating_sub(LENGTHS))?;
    }
    let events = numbers.next()?;
    if events & 1 == 1 {
        numbers.hash()?;
    }
    for _ in 0..events / 2 {
        bytes = bytes.checked_add(numbers.next()?)?;
    }
    usize::try_from(bytes).ok()
}

/// Tails and texts behind rows that were records.
#[derive(Default)]
pub(crate) struct Tails {
    tails: Vec<u8>,
    texts: String,
}

/// What is left of a tail that is being read. All of it was looked through when it was taken in.
struct Rest<'t> {
    numbers: Numbers<'t>,
    texts: &'t str,
}

/// The beginning of a tail.
struct Tail<'t> {
    resolution: Resolution,
    signal_uid: &'t str,
    incident: Option<&'t str>,
    rest: Rest<'t>,
}

impl Tails {
    /// Takes in a record, and tells its row where it is; `None` when there is no room for more.
    pub(crate) fn add(&mut self, record: &Record<'_>) -> Option<Row> {
        let is_beyond = self.tails.len() + record.tail.len() > PIECE
            || self.texts.len() + record.texts.len() > PIECE;
        if is_beyond && !self.tails.is_empty() {
            return None;
        }
        let row = Row {
            cell: position(self.tails.len()),
            subject: position(self.texts.len()),
            ..record.row
        };
        self.tails.extend_from_slice(record.tail);
        self.texts.push_str(record.texts);
        Some(row)
    }

    pub(crate) fn signal_uid(&self, row: &Row) -> &str {
        self.tail(row).signal_uid
    }

    pub(crate) fn incident(&self, row: &Row) -> Option<&str> {
        self.tail(row).incident
    }

    /// Whom the signal means: that was decided when its record was made.
    pub(crate) fn subject(&self, row: &Row) -> RunOfSubject {
        let Tail {
            resolution,
            mut rest,
            ..
        } = self.tail(row);
        let hash = if let Resolution::Person(_) = resolution {
            None
        } else {
            rest.subject();
            rest.hash_and_events().0
        };
        RunOfSubject {
            decision: Decision {
                resolution,
                steady: true,
            },
            hash,
        }
    }

    pub(crate) fn subject_columns(&self, row: &Row) -> Subject<'_> {
        self.tail(row).rest.subject()
    }

    pub(crate) fn events(&self, row: &Row) -> Vec<&str> {
        let mut rest = self.tail(row).rest;
        rest.subject();
        let (_, events) = rest.hash_and_events();
        (0..events).map(|_| rest.text()).collect()
    }

    #[inline]
    fn tail(&self, row: &Row) -> Tail<'_> {
        let mut rest = Rest {
            numbers: Numbers(self.tails.get(row.cell as usize..).unwrap_or_default()),
            texts: self.texts.get(row.subject as usize..).unwrap_or_default(),
        };
        Tail {
            resolution: resolution(rest.number()),
            signal_uid: rest.text(),
            incident: rest.optional(None),
            rest,
        }
    }
}

fn resolution(whom: u64) -> Resolution {
    let nobody = usize::try_from(whom)
        .ok()
        .and_then(|place| NOBODY.get(place));
    let person = || u32::try_from(whom - NOBODY.len() as u64).unwrap_or(u32::MAX);
    nobody
        .copied()
        .unwrap_or_else(|| Resolution::Person(person()))
}

impl<'t> Rest<'t> {
    #[inline]
    fn number(&mut self) -> u64 {
        self.numbers.next().unwrap_or_default()
    }

    #[inline]
    fn text(&mut self) -> &'t str {
        let length = self.number();
        self.take(length)
    }

    #[inline]
    fn take(&mut self, length: u64) -> &'t str {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let (text, rest) = self.texts.split_at_checked(length).unwrap_or_default();
        self.texts = rest;
        text
    }

    #[inline]
    fn optional(&mut self, named: Option<&'t str>) -> Option<&'t str> {
        match self.number() {
            ABSENT => None,
            AS_REFERENCE => named,
            length => Some(self.take(length - LENGTHS)),
        }
    }

    fn subject(&mut self) -> Subject<'t> {
        let subject_ref = self.optional(None);
        let named = subject_ref.and_then(after_colon);
        Subject {
            subject_ref,
            uid: self.optional(named),
            login: self.optional(named),
            email: self.optional(named),
        }
    }

    fn hash_and_events(&mut self) -> (Option<HexHash>, u64) {
        let both = self.number();
        let hash = (both & 1 == 1).then(|| self.numbers.hash()).flatten();
        (hash.map(|hash| HexHash(*hash)), both / 2)
    }
}

/// What a reference names.
fn after_colon(reference: &str) -> Option<&str> {
    reference.split_once(':').map(|(_, name)| name)
}
