//! Whom the events of windows are about, with those whom a transaction lends.

use std::borrow::Cow;

use crate::columns::frame::Frame;
use crate::detect::signal::{Named, People};
use crate::detect::transaction::Transactions;
use crate::rule::Subject;

/// Whom a row is about, and since when that is known.
pub(crate) struct Who<'a> {
    people: People<'a>,
    lent: Transactions<'a>,
}

impl<'a> Who<'a> {
    /// Prepares for some rows; those that name nobody get the person of their transaction.
    pub(crate) fn of(frame: &'a Frame, rows: impl Iterator<Item = usize>) -> Self {
        let people = People::of(frame);
        let nobody = rows.filter(|&row| people.is_nobody(row));
        let lent = Transactions::of(frame, &people, nobody);
        Self { people, lent }
    }

    /// The reference of the person a row is about, and since when it is known if that is later than
    /// the row itself.
    pub(crate) fn subject(&self, row: usize) -> Option<(Cow<'a, str>, Option<i64>)> {
        if let Some(reference) = self.people.named(Subject::Victim, row).reference {
            return Some((reference, None));
        }
        let lent = self.lent.person(row)?;
        Some((lent.named.reference?, Some(lent.since)))
    }

    /// Whom a row names, by what was known at an instant.
    pub(crate) fn named(&self, subject: Subject, row: usize, known_at: i64) -> Named<'a> {
        let named = self.people.named(subject, row);
        if named.reference.is_some() || subject == Subject::Operator {
            return named;
        }
        let lent = self.lent.person(row).filter(|lent| lent.since <= known_at);
        lent.map_or(named, |lent| lent.named)
    }
}
