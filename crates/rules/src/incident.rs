//! Which incident a signal belongs to.

use hashbrown::{HashMap, HashSet};

use crate::columns::{Column, Frame};
use crate::rule::IncidentKey;

/// The columns that name incidents.
pub(crate) struct Incidents<'a> {
    trace: Column<'a>,
    root_session: Column<'a>,
    session: Column<'a>,
    transaction: Column<'a>,
    event: Column<'a>,
    tenant: Column<'a>,
    /// The session of a transaction, for events that have a transaction and no session of their own.
    sessions: HashMap<(&'a str, &'a str), &'a str>,
}

impl<'a> Incidents<'a> {
    /// Prepares the incidents of some rows. Sessions of transactions are looked for in the whole
    /// batch, which is why a batch is a whole day.
    pub(crate) fn of(frame: &'a Frame, rows: impl Iterator<Item = usize>) -> Self {
        let mut incidents = Self {
            trace: frame.text_column("trace_uid"),
            root_session: frame.text_column("session_uid_alt"),
            session: frame.text_column("session_uid"),
            transaction: frame.text_column("metadata_correlation_uid"),
            event: frame.text_column("metadata_uid"),
            tenant: frame.text_column("tenant_uid"),
            sessions: HashMap::new(),
        };
        let wanted: HashSet<(&str, &str)> = rows
            .filter(|&row| incidents.own_session(row).is_none())
            .filter_map(|row| incidents.transaction_of(row))
            .collect();
        if wanted.is_empty() {
            return incidents;
        }
        let mut sessions = HashMap::new();
        for row in 0..frame.len() {
            let Some(session) = incidents.own_session(row) else {
                continue;
            };
            let Some(transaction) = incidents.transaction_of(row) else {
                continue;
            };
            if wanted.contains(&transaction) {
                // The smallest of several, so that the order of rows does not matter.
                sessions
                    .entry(transaction)
                    .and_modify(|known| *known = session.min(*known))
                    .or_insert(session);
            }
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

    /// `<kind>:<value>` of the first key that the row has.
    pub(crate) fn name(&self, keys: &[IncidentKey], row: usize) -> Option<String> {
        keys.iter().find_map(|key| {
            let value = match key {
                IncidentKey::Trace => self.trace.text(row),
                IncidentKey::Session => self.own_session(row).or_else(|| {
                    let transaction = self.transaction_of(row)?;
                    self.sessions.get(&transaction).copied()
                }),
                IncidentKey::Transaction => self.transaction.text(row),
                IncidentKey::Event => self.event.text(row),
            };
            value.map(|value| format!("{key}:{value}"))
        })
    }
}
