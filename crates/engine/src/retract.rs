//! Taking back what was no attack: an event, a signal or an incident, and undoing that.
//!
//! A statement is a row that holds from its own `ingested_at` on; nothing published changes, the
//! next snapshot does. Before one is written, its target is looked for, so that a mistyped id does
//! not end as a statement about nothing.

use af_count::Retractions;
use af_model::tables::retractions;
use af_model::{HashKey, UtcMillis};
use af_store::{Scan, Store, WriteLock, table_file};

use crate::error::{Error, ErrorKind};
use crate::people::people_at;
use crate::tally;

mod search;

use search::Search;

pub use af_count::{TargetKind, statements as holding};

/// What shall be said.
#[derive(Clone, Debug)]
pub struct Request {
    /// The customer organization.
    pub tenant_uid: String,
    /// What kind of thing is meant.
    pub kind: TargetKind,
    /// Its id.
    pub target_uid: String,
    /// Whether an earlier retraction is taken back.
    pub restore: bool,
    /// From when on the statement holds.
    pub at: UtcMillis,
    /// Why.
    pub reason: String,
    /// Who says so.
    pub by: Option<String>,
    /// Whether it is said also when the store knows no such thing.
    pub force: bool,
}

/// What a request came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The statement was written.
    Said,
    /// It would have been written.
    WouldSay,
    /// It holds already since this row.
    HeldAlready(retractions::Row),
    /// It was to be restored and is not retracted.
    NothingToRestore,
}

/// A signal that the statement is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The signal.
    pub signal_uid: String,
    /// Who produced it.
    pub source: String,
    /// When it happened.
    pub time: UtcMillis,
    /// E-mail of the person it belongs to, as the directory says now.
    pub email: Option<String>,
    /// Part of the attack factor.
    pub component: String,
    /// Kind of attack.
    pub family: String,
    /// How hard.
    pub level: String,
    /// The rule that found it.
    pub rule_id: String,
    /// Points of its level, before repetition and decay, in millionths.
    pub points_micro: i64,
    /// Whether it was retracted before the statement.
    pub was_retracted: bool,
    /// Whether it is retracted by everything said, this statement included.
    pub is_retracted: bool,
}

/// What was said and what it is about.
#[derive(Clone, Debug)]
pub struct RetractReport {
    /// Whether it was written.
    pub outcome: Outcome,
    /// The signals it is about, by time.
    pub hits: Vec<Hit>,
    /// A later statement about the same target, which will undo this one.
    pub undone_at: Option<UtcMillis>,
}

impl RetractReport {
    /// The signals whose fate the statement changes.
    pub fn changed(&self) -> impl Iterator<Item = &Hit> {
        let changes = |hit: &&Hit| hit.was_retracted != hit.is_retracted;
        self.hits.iter().filter(changes)
    }
}

/// All statements of a store, in the order of its files.
///
/// # Errors
/// A file cannot be read.
pub fn statements(store: &Store) -> Result<Vec<retractions::Row>, Error> {
    let mut rows = Vec::new();
    for path in store.retractions()? {
        for batch in table_file::read(&path, &retractions::TABLE, None, Scan::File)? {
            let found = retractions::rows(&batch?).map_err(|error| {
                Error::new(ErrorKind::Io, format!("read {}: {error}", path.display()))
            })?;
            rows.extend(found);
        }
    }
    Ok(rows)
}

/// Says what is asked for; without a lock only what would come of it. A statement that holds already
/// is not written again.
///
/// # Errors
/// [`ErrorKind::Usage`] when the store knows no such target (with the nearest thing it knows), when
/// reason or id are empty, and for a restoration of the very instant of the retraction, which would
/// lose against it; otherwise the store cannot be read or written.
pub fn retract(
    store: &Store,
    lock: Option<&WriteLock>,
    key: Option<&HashKey>,
    request: &Request,
) -> Result<RetractReport, Error> {
    check(request)?;
    let mut rows = statements(store)?;
    let target = (
        request.tenant_uid.as_str(),
        request.kind,
        request.target_uid.as_str(),
    );
    let holding = af_count::statements(&rows, request.at)
        .get(&target)
        .copied();
    let held = match holding {
        Some(held) if held.retracts != request.restore => {
            Some(Outcome::HeldAlready(held.row.clone()))
        }
        None if request.restore => Some(Outcome::NothingToRestore),
        Some(held) if request.restore && held.row.ingested_at == request.at => {
            return Err(Error::new(
                ErrorKind::Usage,
                format!(
                    "restore at {}: it was retracted at that instant",
                    request.at
                ),
            )
            .with_hint("give a later --at"));
        }
        _ => None,
    };
    let undone_at = rows
        .iter()
        .filter(|row| {
            row.ingested_at > request.at
                && row.tenant_uid == request.tenant_uid
                && row.target_kind.eq_ignore_ascii_case(request.kind.as_str())
                && row.target_uid == request.target_uid
        })
        .map(|row| row.ingested_at)
        .min();

    let before = Retractions::new(&rows, request.at);
    let said = said(request);
    rows.push(said.clone());
    let after = Retractions::new(&rows, request.at);
    let (people, _) = people_at(store, request.at)?;
    let (index, people) = tally::index(people, key);
    let search = Search {
        request,
        index,
        people,
        before,
        after,
    };
    let found = search.signals(store)?;
    if found.hits.is_empty() && held.is_none() && !request.force {
        search.is_known(store, &found)?;
    }
    let outcome = match (held, lock) {
        (Some(held), _) => held,
        (None, None) => Outcome::WouldSay,
        (None, Some(lock)) => {
            store.add_retractions(lock, [retractions::batch([&said])])?;
            Outcome::Said
        }
    };
    Ok(RetractReport {
        outcome,
        hits: found.hits,
        undone_at,
    })
}

fn check(request: &Request) -> Result<(), Error> {
    let refused =
        |what: &str, hint: &str| Err(Error::new(ErrorKind::Usage, what.to_owned()).with_hint(hint));
    if request.target_uid.trim().is_empty() {
        return refused(
            "retract nothing: the id is empty",
            "give the id as `explain` shows it",
        );
    }
    if request.reason.trim().is_empty() {
        return refused(
            "retract without a reason",
            "say why, e.g. --reason \"test of the security team\"",
        );
    }
    Ok(())
}

fn said(request: &Request) -> retractions::Row {
    retractions::Row {
        tenant_uid: request.tenant_uid.clone(),
        target_kind: request.kind.as_str().to_owned(),
        target_uid: request.target_uid.clone(),
        action: if request.restore {
            "restore"
        } else {
            "retract"
        }
        .to_owned(),
        ingested_at: request.at,
        reason: Some(request.reason.clone()),
        by: request.by.clone(),
    }
}
