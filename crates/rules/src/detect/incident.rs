//! Which incident a signal belongs to.

use arrow::array::TimestampMillisecondArray;
use hashbrown::{HashMap, HashSet};

use crate::columns::frame::{Column, Frame};
use crate::detect::marks::Marks;
use crate::rule::IncidentKey;

/// The columns that name incidents.
pub(crate) struct Incidents<'a> {
    trace: Column<'a>,
    root_session: Column<'a>,
    session: Column<'a>,
    transaction: Column<'a>,
    event: Column<'a>,
    tenant: Column<'a>,
    ingested: &'a TimestampMillisecondArray,
    /// The sessions of a transaction, for events that have a transaction and no session of their
    /// own: the smallest known by then, at each instant at which that changed, ascending.
    sessions: HashMap<(&'a str, &'a str), Vec<(i64, &'a str)>>,
}

impl<'a> Incidents<'a> {
    /// Prepares the incidents of some rows. Sessions of transactions are looked for in the whole
    /// batch, which is why a batch is a whole day, but only among events that were known when the
    /// row became known: a later one must not rename an incident that was published.
    pub(crate) fn of(frame: &'a Frame, rows: impl Iterator<Item = usize>) -> Self {
        let mut incidents = Self {
            trace: frame.text_column("trace_uid"),
            root_session: frame.text_column("session_uid_alt"),
            session: frame.text_column("session_uid"),
            transaction: frame.text_column("metadata_correlation_uid"),
            event: frame.text_column("metadata_uid"),
            tenant: frame.text_column("tenant_uid"),
            ingested: frame.instant_column("ingested_at"),
            sessions: HashMap::new(),
        };
        let wanted: HashSet<(&str, &str)> = rows
            .filter(|&row| incidents.own_session(row).is_none())
            .filter_map(|row| incidents.transaction_of(row))
            .collect();
        if wanted.is_empty() {
            return incidents;
        }
        // Every row is asked, so the question is a cheap one that few others pass.
        let marks = Marks::of(wanted.iter().map(|(_, transaction)| *transaction));
        let may_be_wanted = |row: &usize| {
            let transaction = incidents.transaction.text(*row);
            transaction.is_some_and(|transaction| marks.may_have(transaction))
        };
        let mut sessions: HashMap<_, Vec<(i64, &str)>> = HashMap::new();
        for row in (0..frame.len()).filter(may_be_wanted) {
            let Some(session) = incidents.own_session(row) else {
                continue;
            };
            let Some(transaction) = incidents.transaction_of(row) else {
                continue;
            };
            if wanted.contains(&transaction) {
                let known = (incidents.ingested.value(row), session);
                sessions.entry(transaction).or_default().push(known);
            }
        }
        // The smallest of several, so that the order of rows does not matter.
        for known in sessions.values_mut() {
            known.sort_unstable();
            let mut smallest: Option<&str> = None;
            known.retain(|&(_, session)| {
                let is_smaller = smallest.is_none_or(|smallest| session < smallest);
                if is_smaller {
                    smallest = Some(session);
                }
                is_smaller
            });
        }
        incidents.sessions = sessions;
        incidents
    }

    fn own_session(&self, row: usize) -> Option<&'a str> {
        self.root_session
            .text(row)
            .or_else(|| self.session.text(row))
    }

    fn transaction_of(&self, row: usize) -> Option<(&'a str, &'a str)> {
        Some((self.tenant.text(row)?, self.transaction.text(row)?))
    }

    /// `<kind>:<value>` of a key, if the row has it.
    pub(crate) fn name(&self, key: IncidentKey, row: usize) -> Option<String> {
        let value = match key {
            IncidentKey::Trace => self.trace.text(row),
            IncidentKey::Session => self.own_session(row).or_else(|| {
                let known = self.sessions.get(&self.transaction_of(row)?)?;
                let ingested_at = self.ingested.value(row);
                let by_then = known.partition_point(|&(at, _)| at <= ingested_at);
                Some(known.get(by_then.checked_sub(1)?)?.1)
            }),
            IncidentKey::Transaction => self.transaction.text(row),
            IncidentKey::Event => self.event.text(row),
            // It is no property of an event.
            IncidentKey::Group => None,
        };
        value.map(|value| format!("{key}:{value}"))
    }
}
