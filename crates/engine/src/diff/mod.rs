//! Who moved between two snapshots, and why.
//!
//! Both snapshots hold what their figures follow from, so the change of a score can be walked in steps
//! that each change one thing, with the kernel's own arithmetic:
//!
//! 1. **settings**: the earlier snapshot as a whole, with the later one's parameters.
//! 2. Own attacks, one cause after the other, among the colleagues as they were: **decay** (the later
//!    day), **retracted**, **directory**, **rules**, **late**, **`new_signals`**.
//! 3. **colleagues**: those who are colleagues in both snapshots carry what they carry in the later.
//! 4. **population**: who came or left, and the person's own move; this is the later snapshot itself.
//!
//! Each part is the difference of two integer scores that follow each other, so the parts add up to
//! the change exactly. A yardstick is made of the *others'* loads alone, which is why own attacks and
//! colleagues can be told apart without a remainder. The order matters to the size of single parts,
//! never to their sum; it is fixed and documented in `docs/diff.md`.

mod causes;
mod people;
mod steps;

use af_model::key::normalize_key;
use af_model::manifest::Manifest;
use af_model::name::Printable;
use af_model::view::{DiffSide, DiffView};
use af_model::{FORMULA, MICRO};
use af_store::Snapshot;

use crate::assemble::{Published, snapshot_name};
use crate::error::{Error, ErrorKind};

/// What to show of a difference.
#[derive(Clone, Debug)]
pub struct DiffQuery {
    /// Only this organization.
    pub tenant: Option<String>,
    /// Only this person: a user id or an e-mail address. Shown however small the change.
    pub user: Option<String>,
    /// At most so many people.
    pub limit: usize,
    /// Only people whose score changed by at least this much, in micro.
    pub min_change_micro: i64,
}

impl Default for DiffQuery {
    /// Twenty people of all organizations who moved by a tenth of a point or more.
    fn default() -> Self {
        Self {
            tenant: None,
            user: None,
            limit: 20,
            min_change_micro: MICRO / 10,
        }
    }
}

/// Compares two snapshots, the earlier one first.
///
/// # Errors
/// [`ErrorKind::Usage`] when the first is the later one, when a formula is not ours, or when nobody
/// and no organization is what was asked for; [`ErrorKind::Gate`] when a snapshot's figures do not
/// follow from its own tables; otherwise what reading says.
pub fn diff(before: &Snapshot, after: &Snapshot, query: &DiffQuery) -> Result<DiffView, Error> {
    for snapshot in [before, after] {
        let formula = &snapshot.manifest().formula;
        if formula != FORMULA {
            let message = format!(
                "compare {}: its formula is {}, and only {FORMULA} is known here",
                snapshot.path().display(),
                Printable(formula)
            );
            let hint =
                "scores of two formulas cannot be compared; score the same point in time again";
            return Err(Error::new(ErrorKind::Usage, message).with_hint(hint));
        }
        if let Err(invalid) = snapshot.manifest().params.check() {
            return Err(unsound(snapshot, &invalid.to_string()));
        }
    }
    let place = |manifest: &Manifest| (manifest.as_of, manifest.known_at, manifest.revision);
    if place(before.manifest()) > place(after.manifest()) {
        let (before, after) = (snapshot_name(before.path()), snapshot_name(after.path()));
        let message = format!("compare {before} with {after}: the first is the later one");
        let hint = format!("give the earlier snapshot first: {after} {before}");
        return Err(Error::new(ErrorKind::Usage, message).with_hint(hint));
    }
    let rows = [published(before)?, published(after)?];
    let mut found = people::compare([before, after], [&rows[0], &rows[1]], query)?;
    if let Some(user) = &query.user {
        let key = normalize_key(user);
        found
            .people
            .retain(|person| person.user_uid == *user || normalize_key(&person.email) == key);
        if found.people.is_empty() {
            let message = format!("find {} in either snapshot: nobody", Printable(user));
            let hint = "give a user id or an e-mail address as the snapshot has it";
            return Err(Error::new(ErrorKind::Usage, message).with_hint(hint));
        }
    } else {
        found
            .people
            .retain(|person| is_moved(person.change_micro, query.min_change_micro));
    }
    found.people.sort_by(|a, b| {
        let size = |change: i64| std::cmp::Reverse(change.unsigned_abs());
        (size(a.change_micro), &a.tenant_uid, &a.user_uid).cmp(&(
            size(b.change_micro),
            &b.tenant_uid,
            &b.user_uid,
        ))
    });
    let more = found.people.len().saturating_sub(query.limit);
    found.people.truncate(query.limit);
    Ok(DiffView {
        before: side(before),
        after: side(after),
        formula: FORMULA.to_owned(),
        notes: found.notes,
        organizations: found.organizations,
        people: found.people,
        more_people: more as u64,
    })
}

/// Whether a change is one, and large enough.
fn is_moved(change_micro: i64, least_micro: i64) -> bool {
    change_micro != 0 && change_micro.unsigned_abs() >= least_micro.unsigned_abs()
}

fn side(snapshot: &Snapshot) -> DiffSide {
    let manifest = snapshot.manifest();
    DiffSide {
        snapshot: snapshot_name(snapshot.path()),
        as_of: manifest.as_of,
        known_at: manifest.known_at,
        config_hash: manifest.config_hash.clone(),
        rules_hash: manifest.rules_hash.clone(),
    }
}

fn published(snapshot: &Snapshot) -> Result<Published, Error> {
    let published = Published::read(snapshot)?;
    match published.out_of_order() {
        Some(table) => Err(unsound(snapshot, &format!("{table} is not in its order"))),
        None => Ok(published),
    }
}

/// A snapshot whose figures do not follow from its own tables.
fn unsound(snapshot: &Snapshot, problem: &str) -> Error {
    let path = snapshot.path().display();
    let message = format!("compare {path}: {}", Printable(problem));
    let hint = format!("attack-factor verify {path} names every cell that is wrong");
    Error::new(ErrorKind::Gate, message).with_hint(hint)
}
