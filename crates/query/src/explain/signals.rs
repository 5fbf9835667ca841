//! One person's signals in a store: which count, which were taken back, which came later.

use std::collections::BTreeMap;

use af_model::name::check_term;
use af_model::tables::{attack_signals, retractions};
use af_model::{Level, UtcDay, UtcMillis};
use af_store::{Error, Key, Partitioned, Scan, Store, TableFile};

use super::evidence::StoreEvidence;
use super::retracted::Statements;

/// How much a signal's time may lie after its `ingested_at`, in milliseconds: ten minutes.
const MAX_SKEW_MILLIS: i64 = 600_000;

/// A signal as stored, with the columns that an explanation shows. Ordered so that of copies of one
/// signal the one that counts comes first: the one known earliest, null before all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct StoredSignal {
    pub(super) source: String,
    pub(super) signal_uid: String,
    pub(super) ingested_at: Option<UtcMillis>,
    pub(super) time: UtcMillis,
    pub(super) component: String,
    pub(super) family: String,
    pub(super) level: Level,
    pub(super) rule_id: String,
    pub(super) rule_version: Option<String>,
    pub(super) incident_uid: Option<String>,
    pub(super) event_uids: Vec<String>,
    pub(super) integration: Option<String>,
    pub(super) subject_ref: Option<String>,
    pub(super) attack_techniques: Vec<String>,
}

impl StoredSignal {
    /// `None` for a row that breaks the contract; such rows are counted as quarantined elsewhere.
    fn of(row: &attack_signals::Row<'_>) -> Option<Self> {
        let skewed = row
            .ingested_at
            .is_some_and(|at| row.time.0 > at.0.saturating_add(MAX_SKEW_MILLIS));
        if skewed
            || row.signal_uid.trim().is_empty()
            || UtcMillis::checked(row.time.0).is_err()
            || check_term(&row.component, "component").is_err()
            || check_term(&row.family, "family").is_err()
        {
            return None;
        }
        let text = |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().map(str::to_owned);
        let list = |list: &Option<Vec<std::borrow::Cow<'_, str>>>| -> Vec<String> {
            let items = list.iter().flatten();
            items.map(|item| item.clone().into_owned()).collect()
        };
        let named = [
            ("uid", &row.subject_uid),
            ("login", &row.subject_login),
            ("email", &row.subject_email),
        ];
        let columns = named.into_iter().find_map(|(kind, name)| {
            let name = name.as_deref().filter(|name| !name.trim().is_empty())?;
            Some(format!("{kind}:{name}"))
        });
        Some(Self {
            source: row.source.clone().into_owned(),
            signal_uid: row.signal_uid.clone().into_owned(),
            ingested_at: row.ingested_at,
            time: row.time,
            component: row.component.clone().into_owned(),
            family: row.family.clone().into_owned(),
            level: row.level.parse().ok()?,
            rule_id: row.rule_id.clone().into_owned(),
            rule_version: text(&row.rule_version),
            incident_uid: text(&row.incident_uid).filter(|uid| !uid.is_empty()),
            event_uids: list(&row.event_uids),
            integration: text(&row.integration),
            subject_ref: text(&row.subject_ref).or(columns),
            attack_techniques: list(&row.attack_techniques),
        })
    }
}

/// What a store says of one person.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// What counts, or is stood for by another signal of its incident.
    pub(super) counting: Vec<StoredSignal>,
    /// What was taken back, with the statement.
    pub(super) retracted: Vec<(StoredSignal, retractions::Row)>,
    /// What became known after `known_at`.
    pub(super) known_later: i64,
    /// Days read.
    pub(super) days: i64,
}

/// The cut and the days.
pub(super) struct Wanted<'a> {
    pub(super) tenant: &'a str,
    pub(super) as_of: UtcMillis,
    pub(super) known_at: UtcMillis,
    pub(super) days: Vec<UtcDay>,
    pub(super) statements: Statements,
}

/// Reads the days and judges every signal of the person in the order of the count: duplicate,
/// future, not yet known, retracted.
///
/// Of copies of one signal of one day the earliest known counts, as in the count. A copy that names
/// somebody else is not seen here; whether everything was found is judged by
/// comparison with the snapshot.
pub(super) fn find(evidence: &StoreEvidence<'_>, wanted: &Wanted<'_>) -> Result<Found, Error> {
    let mut copies: BTreeMap<(String, String, UtcDay), StoredSignal> = BTreeMap::new();
    let mut found = Found::default();
    let own = [Key::of("tenant_uid", wanted.tenant)];
    for &day in &wanted.days {
        let files = evidence.store.day_files(Partitioned::Signals, day)?;
        found.days += i64::from(!files.is_empty());
        for path in files {
            let file = TableFile::open(&path, &attack_signals::TABLE)?;
            for batch in file.read_where(&own, None, Scan::File)? {
                let batch = batch?;
                for row in 0..batch.num_rows() {
                    let row = attack_signals::row(&batch, row);
                    if !(evidence.is_theirs)(&row) {
                        continue;
                    }
                    if let Some(signal) = StoredSignal::of(&row) {
                        let day = signal.time.day();
                        let key = (signal.source.clone(), signal.signal_uid.clone(), day);
                        match copies.get(&key) {
                            Some(kept) if *kept <= signal => {}
                            _ => {
                                copies.insert(key, signal);
                            }
                        }
                    }
                }
            }
        }
    }
    for signal in copies.into_values() {
        if signal.time > wanted.as_of {
            continue;
        }
        if signal.ingested_at.is_some_and(|at| at > wanted.known_at) {
            found.known_later += 1;
        } else if let Some(statement) = wanted.statements.about(&signal) {
            found.retracted.push((signal, statement.clone()));
        } else {
            found.counting.push(signal);
        }
    }
    found
        .retracted
        .sort_by(|(left, _), (right, _)| (left.time, left).cmp(&(right.time, right)));
    Ok(found)
}

/// The days of the store's signals within a window.
pub(super) fn days_within(store: &Store, from: UtcDay, to: UtcDay) -> Result<Vec<UtcDay>, Error> {
    let days = store.days(Partitioned::Signals)?;
    let within = |day: &UtcDay| (from..=to).contains(day);
    Ok(days.into_iter().filter(within).collect())
}
