//! What of a record is read only when it is wanted: whom it means, and its texts.
//!
//! A tail is a hash of what the signal calls a person, and then, one number after the other: whom it means; the
//! lengths of its id and its incident; how many events there are and whether a keyed hash follows; that hash; the
//! lengths of the events.

use af_model::HexHash;

use super::Record;
use crate::interner::position;
use crate::part::{Row, View};
use crate::people::Resolution;

/// After how many bytes of tails or texts another piece begins: so that places are numbers of 32 bits, whatever
/// the last signal holds.
const PIECE: usize = 1 << 30;

/// Bytes of the hash at the beginning.
const SUBJECT: usize = 8;

/// Bytes of a keyed hash.
const KEYED: usize = 16;

/// Whom a signal means: one of these, or a person, whose numbers come after them.
const NOBODY: [Resolution; 4] = [
    Resolution::NoKey,
    Resolution::NoMatch,
    Resolution::Ambiguous,
    Resolution::NotAPerson,
];

/// There is no incident; lengths come after this.
const NO_INCIDENT: u64 = 0;

/// Numbers one after the other: seven bits a byte, the lowest first.
#[derive(Clone, Copy)]
pub(super) struct Numbers<'r>(pub(super) &'r [u8]);

impl Numbers<'_> {
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

    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*bytes)
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
    figures.extend_from_slice(&view.subject_hash().to_le_bytes());
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
    match view.incident_cell() {
        None => put(NO_INCIDENT, figures),
        Some(incident) => text(incident, figures, NO_INCIDENT + 1),
    }
    let hash = match resolution {
        Resolution::Person(_) => None,
        _ => view.keyed_hash(),
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
    let mut numbers = Numbers(tail);
    numbers.bytes::<SUBJECT>()?;
    match resolution(numbers.next()?) {
        Resolution::Person(person) => Some(person),
        _ => None,
    }
}

/// How long the texts of the first tail are; the others are left.
pub(super) fn text_bytes(numbers: &mut Numbers<'_>) -> Option<usize> {
    numbers.bytes::<SUBJECT>()?;
    numbers.next()?;
    let mut bytes = numbers.next()?;
    bytes = bytes.checked_add(numbers.next()?.saturating_sub(NO_INCIDENT + 1))?;
    let events = numbers.next()?;
    if events & 1 == 1 {
        numbers.bytes::<KEYED>()?;
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
    subject_hash: u64,
    resolution: Resolution,
    signal_uid: &'t str,
    incident: Option<&'t str>,
    rest: Rest<'t>,
}

impl Tails {
    /// Whether there is room for another signal.
    pub(crate) fn have_room(&self) -> bool {
        self.tails.len().max(self.texts.len()) < PIECE
    }

    /// Takes in a record where there is room, and tells its row where it is.
    pub(crate) fn add(&mut self, record: &Record<'_>) -> Row {
        let row = self.placed(record.row);
        self.tails.extend_from_slice(record.tail);
        self.texts.push_str(record.texts);
        row
    }

    /// As [`Tails::add`], of a signal that is still in its batch.
    pub(crate) fn settle(&mut self, view: View<'_>, resolution: Resolution) -> Row {
        let row = self.placed(*view.row);
        write(view, resolution, &mut self.tails, &mut self.texts);
        row
    }

    fn placed(&self, row: Row) -> Row {
        Row {
            cell: position(self.tails.len()),
            subject: position(self.texts.len()),
            ..row
        }
    }

    pub(crate) fn signal_uid(&self, row: &Row) -> &str {
        self.tail(row).signal_uid
    }

    pub(crate) fn incident(&self, row: &Row) -> Option<&str> {
        self.tail(row).incident
    }

    pub(crate) fn subject_hash(&self, row: &Row) -> u64 {
        self.tail(row).subject_hash
    }

    /// Whom the signal means: that was decided when its record was made.
    pub(crate) fn resolution(&self, row: &Row) -> Resolution {
        self.tail(row).resolution
    }

    /// The keyed hash of whom it names, if that is nobody.
    pub(crate) fn keyed_hash(&self, row: &Row) -> Option<HexHash> {
        self.tail(row).rest.hash_and_events().0
    }

    pub(crate) fn events(&self, row: &Row) -> Vec<&str> {
        let mut rest = self.tail(row).rest;
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
            subject_hash: u64::from_le_bytes(rest.numbers.bytes().unwrap_or_default()),
            resolution: resolution(rest.number()),
            signal_uid: rest.text(),
            incident: rest.incident(),
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
    fn incident(&mut self) -> Option<&'t str> {
        let length = self.number().checked_sub(NO_INCIDENT + 1)?;
        Some(self.take(length))
    }

    #[inline]
    fn take(&mut self, length: u64) -> &'t str {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let (text, rest) = self.texts.split_at_checked(length).unwrap_or_default();
        self.texts = rest;
        text
    }

    fn hash_and_events(&mut self) -> (Option<HexHash>, u64) {
        let both = self.number();
        let hash = (both & 1 == 1).then(|| self.numbers.bytes()).flatten();
        (hash.map(HexHash), both / 2)
    }
}
