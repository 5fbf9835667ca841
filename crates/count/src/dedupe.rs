//! One row for each (tenant, source, signal id) of a UTC day, whatever file or order it came in.

use af_model::HexHash;
use hashbrown::HashTable;

use crate::admit::Gate;
use crate::interner::Names;
use crate::kind::place;
use crate::part::View;

/// By signal: its hash and the first row that has it.
pub(crate) type Seen = HashTable<(u64, u32)>;

/// What is dropped of a tenant's day.
#[derive(Default)]
pub(crate) struct Duplicates {
    /// By row: whether another copy counts instead.
    pub(crate) is_dropped: Vec<bool>,
    pub(crate) dropped: u64,
    /// Of the dropped, those that differ from the copy that counts.
    pub(crate) conflicts: u64,
}

/// Finds all rows but the one that counts of every signal. `rows` are of one tenant and day.
///
/// The earliest `ingested_at` is kept, null being the earliest of all, then the smallest content
/// hash. So what is known later never changes what was kept before. Content is what a count is made
/// from; which of two copies stays that differ elsewhere makes no difference to any figure.
pub(crate) fn duplicates(
    rows: &[View<'_>],
    gate: &Gate<'_>,
    names: &Names,
    seen: &mut Seen,
) -> Duplicates {
    let source = |view: View<'_>| gate.kinds.get(view.row.kind).texts[place::SOURCE];
    seen.clear();
    seen.reserve(rows.len(), |&(hash, _)| hash);
    let mut copies: Vec<(u32, u32)> = Vec::new();
    for (&view, number) in rows.iter().zip(0_u32..) {
        let hash = view.row.key_hash;
        // Equal hashes are not yet equal ids: whoever names signals may look for collisions.
        let is_same = |&(other_hash, other): &(u64, u32)| {
            let other = rows[other as usize];
            other_hash == hash
                && other.signal_uid() == view.signal_uid()
                && source(other) == source(view)
        };
        let entry = seen.entry(hash, is_same, |&(hash, _)| hash);
        match entry {
            hashbrown::hash_table::Entry::Vacant(vacant) => {
                vacant.insert((hash, number));
            }
            hashbrown::hash_table::Entry::Occupied(first) => copies.push((first.get().1, number)),
        }
    }
    let mut found = Duplicates {
        is_dropped: vec![false; rows.len()],
        ..Duplicates::default()
    };
    copies.sort_unstable();
    for of_signal in copies.chunk_by(|left, right| left.0 == right.0) {
        let (first, _) = of_signal[0];
        let all = || std::iter::once(first).chain(of_signal.iter().map(|&(_, copy)| copy));
        let known = |number: u32| rows[number as usize].row.ingested_at;
        let earliest = all().map(known).min();
        let mut first_known = all().filter(|&number| Some(known(number)) == earliest);
        let one = first_known.next().unwrap_or(first);
        // The content of one alone decides nothing.
        let kept = match first_known.next() {
            None => one,
            Some(_) => all()
                .filter(|&number| Some(known(number)) == earliest)
                .min_by_key(|&number| content(rows[number as usize], gate, names))
                .unwrap_or(first),
        };
        for number in all().filter(|&number| number != kept) {
            found.is_dropped[number as usize] = true;
            found.dropped += 1;
            let is_same = same_content(rows[number as usize], rows[kept as usize]);
            found.conflicts += u64::from(!is_same);
        }
    }
    found
}

/// Whether two copies agree in all that their feed says and a count is made from. What they call the person is
/// compared by a hash that nobody can know before: no figure but the number of conflicts rests on it.
fn same_content(left: View<'_>, right: View<'_>) -> bool {
    left.row.kind == right.row.kind
        && left.row.time == right.row.time
        && left.subject_hash() == right.subject_hash()
        && left.incident_cell() == right.incident_cell()
}

/// 128 bits over all that becomes of a signal, the same on every machine, and last the events: where they are
/// read, they may decide whether the signal is retracted.
fn content(view: View<'_>, gate: &Gate<'_>, names: &Names) -> (HexHash, Vec<String>) {
    let kind = &gate.kinds.get(view.row.kind).texts;
    let time = view.row.time.to_string();
    let (person, reason, hash) = match gate.resolve(view).person() {
        Ok(person) => (Some(gate.context.people.user_uid(person)), None, None),
        Err(reason) => (None, Some(reason.as_str()), view.keyed_hash()),
    };
    let hash = hash.map(|hash| hash.to_string());
    let texts = kind
        .iter()
        .map(|&symbol| names.get(symbol).map(|name| &**name))
        .chain([
            Some(time.as_str()),
            person,
            reason,
            hash.as_deref(),
            view.incident_cell(),
        ]);
    // A null is one part, a text two: no null looks like any text.
    let parts = texts.flat_map(|text| [Some(if text.is_some() { "=" } else { "-" }), text]);
    let events = view.event_uids().into_iter().map(str::to_owned).collect();
    (HexHash::of_parts(parts.flatten()), events)
}
