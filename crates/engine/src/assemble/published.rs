//! The people and counts of a published snapshot, checked before anything is computed from them.

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr as _;

use af_model::name::check_term;
use af_model::tables::{bucket_counts, tombstones, unmatched_signals, user_scores};
use af_model::view::VerifyFinding;
use af_model::{Level, Population, UtcMillis};
use af_store::{Snapshot, SnapshotId};
use arrow::array::RecordBatch;

use super::cohort::POPULATIONS;
use super::tenant::{Erased, Member, Tenant};
use super::window_start;
use crate::error::{Error, ErrorKind};

/// What a snapshot's figures follow from: who there is, and what was counted against whom.
#[derive(Debug, Default)]
pub(crate) struct Published {
    pub(crate) user_scores: Vec<user_scores::Row>,
    pub(crate) bucket_counts: Vec<bucket_counts::Row>,
    /// Empty where nobody was erased.
    pub(crate) tombstones: Vec<tombstones::Row>,
}

/// One tenant's rows of the three tables.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Slices<'a> {
    pub(crate) users: &'a [user_scores::Row],
    pub(crate) buckets: &'a [bucket_counts::Row],
    pub(crate) tombstones: &'a [tombstones::Row],
}

impl Published {
    /// Reads the tables.
    pub(crate) fn read(snapshot: &Snapshot) -> Result<Self, Error> {
        let mut published = Self {
            user_scores: rows(snapshot, &user_scores::TABLE, user_scores::rows)?,
            bucket_counts: rows(snapshot, &bucket_counts::TABLE, bucket_counts::rows)?,
            tombstones: Vec::new(),
        };
        if has_tombstones(snapshot) {
            published.tombstones = rows(snapshot, &tombstones::TABLE, tombstones::rows)?;
        }
        Ok(published)
    }

    /// The first table that is not strictly in its order; only without one may tenants be asked for.
    pub(crate) fn out_of_order(&self) -> Option<&'static str> {
        let users = self
            .user_scores
            .is_sorted_by(|a, b| (&a.tenant_uid, &a.user_uid) < (&b.tenant_uid, &b.user_uid));
        let buckets = self
            .bucket_counts
            .is_sorted_by(|a, b| bucket_order(a) < bucket_order(b));
        let tombstones = self.tombstones.is_sorted_by(|a, b| {
            (&a.tenant_uid, &a.person_hash, &a.component)
                < (&b.tenant_uid, &b.person_hash, &b.component)
        });
        [
            (users, user_scores::TABLE.name),
            (buckets, bucket_counts::TABLE.name),
            (tombstones, tombstones::TABLE.name),
        ]
        .into_iter()
        .find_map(|(is_sorted, name)| (!is_sorted).then_some(name))
    }

    /// The rows of each tenant; all tables must be in their order.
    pub(crate) fn tenants(&self) -> BTreeMap<&str, Slices<'_>> {
        let mut tenants: BTreeMap<&str, Slices<'_>> = BTreeMap::new();
        for rows in self
            .user_scores
            .chunk_by(|a, b| a.tenant_uid == b.tenant_uid)
        {
            tenants.entry(&rows[0].tenant_uid).or_default().users = rows;
        }
        for rows in self
            .bucket_counts
            .chunk_by(|a, b| a.tenant_uid == b.tenant_uid)
        {
            tenants.entry(&rows[0].tenant_uid).or_default().buckets = rows;
        }
        for rows in self
            .tombstones
            .chunk_by(|a, b| a.tenant_uid == b.tenant_uid)
        {
            tenants.entry(&rows[0].tenant_uid).or_default().tombstones = rows;
        }
        tenants
    }
}

fn bucket_order(row: &bucket_counts::Row) -> impl Ord + '_ {
    (
        &row.tenant_uid,
        &row.user_uid,
        &row.component,
        &row.family,
        row.day,
    )
}

/// Whether somebody was erased from the snapshot.
pub(crate) fn has_tombstones(snapshot: &Snapshot) -> bool {
    let name = format!("{}.parquet", tombstones::TABLE.name);
    snapshot.path().join(name).exists()
}

/// All rows of one table of a snapshot.
fn rows<R>(
    snapshot: &Snapshot,
    table: &'static af_model::contract::Table,
    read: fn(&RecordBatch) -> Result<Vec<R>, af_model::contract::ContractError>,
) -> Result<Vec<R>, Error> {
    let mut all = Vec::new();
    for batch in snapshot.table(table)? {
        let rows = read(&batch?).map_err(|error| {
            let message = format!(
                "read {} of {}: {error}",
                table.name,
                snapshot.path().display()
            );
            Error::new(ErrorKind::Io, message)
        })?;
        all.extend(rows);
    }
    Ok(all)
}

/// The signals of nobody.
pub(crate) fn read_unmatched(snapshot: &Snapshot) -> Result<Vec<unmatched_signals::Row>, Error> {
    rows(snapshot, &unmatched_signals::TABLE, unmatched_signals::rows)
}

/// A snapshot's name: that of its folder, and of the folder above where this one is a revision. The
/// same wherever the store lies and however the path was typed.
pub(crate) fn snapshot_name(path: &Path) -> String {
    let path = fs_err::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let text = |name: Option<&std::ffi::OsStr>| {
        name.map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default()
    };
    let own = text(path.file_name());
    let whole = format!("{}/{own}", text(path.parent().and_then(Path::file_name)));
    match SnapshotId::from_str(&whole) {
        Ok(_) => whole,
        Err(_) => own,
    }
}

impl<'a> Slices<'a> {
    /// The tenant as it can be scored again; `None` when something of it is broken, which is then
    /// among the faults. After this nothing in it can make the kernel panic.
    pub(crate) fn tenant(
        &self,
        name: &'a str,
        as_of: UtcMillis,
        faults: &mut Vec<VerifyFinding>,
    ) -> Option<Tenant<'a>> {
        let before = faults.len();
        let mut members = Vec::with_capacity(self.users.len());
        for row in self.users {
            match population_of(&row.population) {
                Some(population) => members.push(Member::of_row(row, population)),
                None => faults.push(user_fault(
                    row,
                    "population",
                    &row.population,
                    "human or service",
                )),
            }
        }
        for row in self.buckets {
            if let Err(fault) = self.check_bucket(row, as_of) {
                faults.push(*fault);
            }
        }
        let erased = self.erased(faults);
        (faults.len() == before).then(|| Tenant::of_rows(name, members, self.buckets, erased))
    }

    /// Whether a row holds counts of somebody that can be scored.
    fn check_bucket(
        &self,
        row: &bucket_counts::Row,
        as_of: UtcMillis,
    ) -> Result<(), Box<VerifyFinding>> {
        let fault = |column: &str, found: String, expected: String| {
            Box::new(VerifyFinding {
                table: bucket_counts::TABLE.name.to_owned(),
                row: Some(bucket_key(row)),
                column: Some(column.to_owned()),
                found: Some(found),
                expected,
            })
        };
        self.users
            .binary_search_by(|probe| probe.user_uid.cmp(&row.user_uid))
            .map_err(|_| {
                let expected = "somebody of user_scores".to_owned();
                fault("user_uid", row.user_uid.clone(), expected)
            })?;
        for (column, term) in [("component", &row.component), ("family", &row.family)] {
            if let Err(invalid) = check_term(term, column) {
                return Err(fault(column, term.clone(), invalid.to_string()));
            }
        }
        let mut counts = [0; 4];
        for (level, n) in levels(row) {
            counts[level.slot()] = u64::try_from(n).map_err(|_| {
                let expected = "a count, 0 or more".to_owned();
                fault(count_column(level), n.to_string(), expected)
            })?;
        }
        if counts == [0; 4] {
            let expected = "at least one incident in the row".to_owned();
            return Err(fault("n_low", "0".to_owned(), expected));
        }
        let window = window_start(as_of)..=as_of.day();
        if !window.contains(&row.day) {
            let expected = format!("a day from {} to {}", window.start(), window.end());
            return Err(fault("day", row.day.to_string(), expected));
        }
        let end = row.day.end().min(as_of);
        if !(row.day.start()..=end).contains(&row.first_time) {
            let expected = format!("an instant from {} to {end}", row.day.start());
            return Err(fault("first_time", row.first_time.to_string(), expected));
        }
        if !(row.first_time..=end).contains(&row.last_time) {
            let expected = format!("an instant from {} to {end}", row.first_time);
            return Err(fault("last_time", row.last_time.to_string(), expected));
        }
        Ok(())
    }

    fn erased(&self, faults: &mut Vec<VerifyFinding>) -> Vec<Erased<'a>> {
        let mut all = Vec::new();
        for rows in self
            .tombstones
            .chunk_by(|a, b| a.person_hash == b.person_hash)
        {
            let first = &rows[0];
            let mut fault = |row: &tombstones::Row, column: &str, found: String, expected: &str| {
                faults.push(VerifyFinding {
                    table: tombstones::TABLE.name.to_owned(),
                    row: Some(tombstone_key(row)),
                    column: Some(column.to_owned()),
                    found: Some(found),
                    expected: expected.to_owned(),
                });
            };
            if let Some(component) = &first.component {
                let expected = "a row of the sum, without a component, first";
                fault(first, "component", component.clone(), expected);
            }
            let population = population_of(&first.population);
            if population.is_none() {
                let found = first.population.clone();
                fault(first, "population", found, "human or service");
            }
            let mut loads = Vec::new();
            for row in rows {
                let same = (&row.population, row.in_population, row.erased_at);
                if same != (&first.population, first.in_population, first.erased_at) {
                    let found = row.population.clone();
                    fault(
                        row,
                        "population",
                        found,
                        "the same person in all of its rows",
                    );
                }
                match (u64::try_from(row.load_micro), &row.component) {
                    (Err(_), _) => {
                        fault(row, "load_micro", row.load_micro.to_string(), "0 or more");
                    }
                    (Ok(load), Some(component)) => loads.push((component.as_str(), load)),
                    (Ok(_), None) => {}
                }
            }
            all.push(Erased {
                person_hash: &first.person_hash,
                erased_at: first.erased_at,
                population: population.unwrap_or(Population::Human),
                in_population: first.in_population,
                loads,
            });
        }
        all
    }
}

/// The counts of a row by level, weightiest first.
pub(crate) fn levels(row: &bucket_counts::Row) -> [(Level, i64); 4] {
    let [critical, high, medium, low] = Level::DESCENDING;
    [
        (critical, row.n_critical),
        (high, row.n_high),
        (medium, row.n_medium),
        (low, row.n_low),
    ]
}

/// The column that counts a level.
pub(crate) const fn count_column(level: Level) -> &'static str {
    match level {
        Level::Critical => "n_critical",
        Level::High => "n_high",
        Level::Medium => "n_medium",
        Level::Low => "n_low",
    }
}

/// A bucket's row by its key.
pub(crate) fn bucket_key(row: &bucket_counts::Row) -> String {
    format!(
        "tenant_uid={} user_uid={} component={} family={} day={}",
        row.tenant_uid, row.user_uid, row.component, row.family, row.day
    )
}

/// A fault in a cell of `user_scores`.
pub(crate) fn user_fault(
    row: &user_scores::Row,
    column: &str,
    found: &str,
    expected: &str,
) -> VerifyFinding {
    VerifyFinding {
        table: user_scores::TABLE.name.to_owned(),
        row: Some(format!(
            "tenant_uid={} user_uid={}",
            row.tenant_uid, row.user_uid
        )),
        column: Some(column.to_owned()),
        found: Some(found.to_owned()),
        expected: expected.to_owned(),
    }
}

fn tombstone_key(row: &tombstones::Row) -> String {
    let component = row.component.as_deref().unwrap_or("null");
    format!(
        "tenant_uid={} person_hash={} component={component}",
        row.tenant_uid, row.person_hash
    )
}

fn population_of(name: &str) -> Option<Population> {
    POPULATIONS
        .into_iter()
        .find(|population| population.as_str() == name)
}
