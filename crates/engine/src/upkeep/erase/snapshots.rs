//! Published snapshots written anew without one person, and tombstones in their place.
//!
//! Their colleagues' figures, `org_summary` and the sizes of populations stay as published: the
//! tombstones carry the loads with which those were computed, so that they can still be verified.

use af_model::manifest::Manifest;
use af_model::tables::{
    bucket_counts, component_scores, group_index, signal_attribution, tombstones,
    unmatched_signals, user_scores,
};
use af_model::{HashKey, UtcMillis};
use af_store::{Scan, Snapshot, SnapshotId, SnapshotRewrite, Store, WriteLock};
use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;

use super::groups::Groups;
use super::scrub::{Scrubber, Tally};
use super::{ErasedTable, document};
use crate::error::{Error, ErrorKind};
use crate::progress::Progress;

/// Tables with rows of single people.
static PERSONAL: [&af_model::contract::Table; 4] = [
    &bucket_counts::TABLE,
    &user_scores::TABLE,
    &component_scores::TABLE,
    &signal_attribution::TABLE,
];

/// Goes through all snapshots; returns what happened to their tables and how many were concerned.
pub(super) fn all(
    store: &Store,
    lock: Option<&WriteLock>,
    scrubber: &Scrubber,
    key: &HashKey,
    at: UtcMillis,
    progress: &dyn Progress,
) -> Result<(Vec<ErasedTable>, u64), Error> {
    let ids = store.snapshots()?;
    let mut report: Vec<ErasedTable> = PERSONAL
        .into_iter()
        .chain([&unmatched_signals::TABLE, &group_index::TABLE])
        .map(|table| ErasedTable::of(table.name))
        .collect();
    report.push(ErasedTable::of("manifest"));
    let mut concerned = 0;
    progress.begin("looking through snapshots", Some(ids.len() as u64));
    for id in ids {
        let change = look_at(store, id, scrubber, key, at)?;
        progress.advance(1);
        if change.is_none() {
            continue;
        }
        concerned += 1;
        for (table, tally) in report.iter_mut().zip(change.tallies) {
            if !tally.is_none() {
                table.add(tally);
            }
        }
        if let Some(lock) = lock {
            rewrite(store.begin_rewrite(lock, id)?, scrubber, change)?;
        }
    }
    progress.end();
    Ok((report, concerned))
}

/// What a snapshot becomes.
struct Change {
    /// In the order of the report.
    tallies: [Tally; 7],
    unmatched: Option<Vec<unmatched_signals::Row>>,
    groups: Option<Vec<group_index::Row>>,
    tombstones: Vec<tombstones::Row>,
    manifest: Manifest,
}

impl Change {
    fn is_none(&self) -> bool {
        self.tallies.iter().all(|tally| tally.is_none())
    }
}

fn look_at(
    store: &Store,
    id: SnapshotId,
    scrubber: &Scrubber,
    key: &HashKey,
    at: UtcMillis,
) -> Result<Change, Error> {
    let snapshot = Snapshot::open(&store.snapshot_dir(id))?;
    let mut tallies = [Tally::default(); 7];
    for (table, tally) in PERSONAL.into_iter().zip(&mut tallies) {
        if !has(&snapshot, table) {
            continue;
        }
        for batch in snapshot.table(table)? {
            edit(&batch?, scrubber, tally);
        }
    }
    let unmatched = forget_hashes(&snapshot, scrubber, &mut tallies[4])?;
    let fresh = tombstones_of(&snapshot, scrubber, key, at)?;
    let is_known = !fresh.is_empty();
    let mut tombstones = rows_of(&snapshot, &tombstones::TABLE, tombstones::rows)?;
    tombstones.extend(fresh);
    tombstones.sort_by(|a, b| {
        let key = |row: &tombstones::Row| {
            (
                row.tenant_uid.clone(),
                row.person_hash.clone(),
                row.component.clone(),
            )
        };
        key(a).cmp(&key(b))
    });
    let groups = if tallies[1].is_none() {
        None
    } else {
        regroup(&snapshot, scrubber, &tombstones, &mut tallies[5])?
    };
    let manifest = document::manifest(snapshot.manifest(), scrubber)?;
    tallies[6].changed = u64::from(manifest.is_some());
    let mut manifest = manifest.unwrap_or_else(|| snapshot.manifest().clone());
    manifest.erased += u64::from(is_known);
    Ok(Change {
        tallies,
        unmatched,
        groups,
        tombstones,
        manifest,
    })
}

/// Writes the snapshot's tables, those without a change byte for byte.
fn rewrite(
    mut rewrite: SnapshotRewrite<'_>,
    scrubber: &Scrubber,
    change: Change,
) -> Result<(), Error> {
    let snapshot = rewrite.snapshot().clone();
    for file in &snapshot.manifest().files {
        let name = file.path.strip_suffix(".parquet").unwrap_or_default();
        let personal = PERSONAL
            .into_iter()
            .zip(&change.tallies)
            .find(|(table, tally)| table.name == name && !tally.is_none());
        if let Some((table, _)) = personal {
            let edited = snapshot.table(table)?.map(|batch| {
                let batch = batch?;
                Ok(edit(&batch, scrubber, &mut Tally::default()).unwrap_or(batch))
            });
            rewrite.write(table, edited)?;
        } else if name == unmatched_signals::TABLE.name
            && let Some(rows) = &change.unmatched
        {
            rewrite.write(
                &unmatched_signals::TABLE,
                [Ok(unmatched_signals::batch(rows))],
            )?;
        } else if name == group_index::TABLE.name
            && let Some(rows) = &change.groups
        {
            rewrite.write(&group_index::TABLE, [Ok(group_index::batch(rows))])?;
        } else if name != tombstones::TABLE.name {
            rewrite.keep(file)?;
        }
    }
    if !change.tombstones.is_empty() {
        rewrite.write(
            &tombstones::TABLE,
            [Ok(tombstones::batch(&change.tombstones))],
        )?;
    }
    Ok(rewrite.replace(change.manifest)?)
}

/// Rows of the person go; those whom they managed have no manager any more.
fn edit(batch: &RecordBatch, scrubber: &Scrubber, tally: &mut Tally) -> Option<RecordBatch> {
    let text = |name: &str| batch.column_by_name(name).map(AsArray::as_string::<i32>);
    let (tenants, users) = (text("tenant_uid")?, text("user_uid")?);
    let is_mine = |row: usize| tenants.value(row) == scrubber.tenant();
    let kept: Vec<bool> = (0..batch.num_rows())
        .map(|row| !is_mine(row) || !scrubber.uids().contains(users.value(row)))
        .collect();
    let managed: Vec<bool> = match text("manager_uid") {
        Some(managers) => managers
            .iter()
            .enumerate()
            .map(|(row, manager)| {
                kept[row]
                    && is_mine(row)
                    && manager.is_some_and(|manager| scrubber.is_them(manager))
            })
            .collect(),
        None => Vec::new(),
    };
    let count = |flags: &[bool], wanted: bool| flags.iter().filter(|&&flag| flag == wanted).count();
    let (removed, changed) = (count(&kept, false), count(&managed, true));
    tally.removed += removed as u64;
    tally.changed += changed as u64;
    if removed == 0 && changed == 0 {
        return None;
    }
    let mut batch = batch.clone();
    if changed > 0 {
        let place = batch.schema().index_of("manager_uid").ok()?;
        let mut columns = batch.columns().to_vec();
        columns[place] = arrow::compute::nullif(&columns[place], &BooleanArray::from(managed))
            .expect("one flag for every row");
        batch = RecordBatch::try_new(batch.schema(), columns)
            .expect("managers may be null in the table");
    }
    let kept = BooleanArray::from(kept);
    Some(filter_record_batch(&batch, &kept).expect("one flag for every row"))
}

/// Signals that matched nobody keep their counts and lose the hash of the person's identifier.
fn forget_hashes(
    snapshot: &Snapshot,
    scrubber: &Scrubber,
    tally: &mut Tally,
) -> Result<Option<Vec<unmatched_signals::Row>>, Error> {
    let mut rows = rows_of(snapshot, &unmatched_signals::TABLE, unmatched_signals::rows)?;
    for row in &mut rows {
        let is_mine = row.tenant_uid == scrubber.tenant();
        let hash = &mut row.subject_hash;
        if hash
            .take_if(|hash| is_mine && scrubber.hashes().contains(hash))
            .is_some()
        {
            tally.changed += 1;
        }
    }
    if tally.is_none() {
        return Ok(None);
    }
    let key = |row: &unmatched_signals::Row| {
        let unmatched_signals::Row {
            tenant_uid,
            reason,
            source,
            day,
            component,
            family,
            level,
            rule_id,
            subject_hash,
            ..
        } = row.clone();
        (
            (tenant_uid, reason, source, day),
            (component, family, level, rule_id, subject_hash),
        )
    };
    rows.sort_by_key(key);
    rows.dedup_by(|later, kept| {
        let alike = key(later) == key(kept);
        if alike {
            kept.n = kept.n.saturating_add(later.n);
        }
        alike
    });
    Ok(Some(rows))
}

/// One row for every component of the person and one for their sum; none where they are unknown.
fn tombstones_of(
    snapshot: &Snapshot,
    scrubber: &Scrubber,
    key: &HashKey,
    at: UtcMillis,
) -> Result<Vec<tombstones::Row>, Error> {
    let is_them =
        |tenant: &str, user: &str| tenant == scrubber.tenant() && scrubber.uids().contains(user);
    let mut people: Vec<user_scores::Row> = Vec::new();
    for_rows(snapshot, &user_scores::TABLE, user_scores::rows, |row| {
        if is_them(&row.tenant_uid, &row.user_uid) {
            people.push(row);
        }
    })?;
    if people.is_empty() {
        return Ok(Vec::new());
    }
    let mut components: Vec<component_scores::Row> = Vec::new();
    for_rows(
        snapshot,
        &component_scores::TABLE,
        component_scores::rows,
        |row| {
            if is_them(&row.tenant_uid, &row.user_uid) {
                components.push(row);
            }
        },
    )?;
    let mut rows = Vec::new();
    for person in people {
        let own = components
            .iter()
            .filter(|row| row.user_uid == person.user_uid);
        let sum = tombstones::Row {
            tenant_uid: person.tenant_uid.clone(),
            as_of: person.as_of,
            known_at: person.known_at,
            person_hash: key
                .identifier(scrubber.tenant(), &person.user_uid)
                .to_string(),
            erased_at: at,
            population: person.population.clone(),
            in_population: person.in_population,
            component: None,
            load_micro: own
                .clone()
                .fold(0, |sum, row| row.load_micro.saturating_add(sum)),
            odds_nano: person.odds_nano,
            score_micro: person.score_micro,
        };
        rows.extend(own.map(|row| tombstones::Row {
            component: Some(row.component.clone()),
            load_micro: row.load_micro,
            odds_nano: row.odds_nano,
            score_micro: row.score_micro,
            ..sum.clone()
        }));
        rows.push(sum);
    }
    Ok(rows)
}

/// The groups of the tenant over those who remain; the rows of other tenants stay.
fn regroup(
    snapshot: &Snapshot,
    scrubber: &Scrubber,
    erased: &[tombstones::Row],
    tally: &mut Tally,
) -> Result<Option<Vec<group_index::Row>>, Error> {
    if !has(snapshot, &group_index::TABLE) {
        return Ok(None);
    }
    let mut groups = Groups::default();
    for batch in snapshot.table(&user_scores::TABLE)? {
        let batch = batch?;
        let batch = edit(&batch, scrubber, &mut Tally::default()).unwrap_or(batch);
        let rows = user_scores::rows(&batch).map_err(|error| unreadable(&error))?;
        rows.iter()
            .filter(|row| row.tenant_uid == scrubber.tenant())
            .for_each(|row| groups.add(row));
    }
    let published = rows_of(snapshot, &group_index::TABLE, group_index::rows)?;
    let manifest = snapshot.manifest();
    let like = group_index::Row {
        tenant_uid: scrubber.tenant().to_owned(),
        as_of: manifest.as_of,
        known_at: manifest.known_at,
        group_kind: String::new(),
        group_key: String::new(),
        n: 0,
        mean_score_micro: 0,
        sd_score_micro: 0,
        shrunk_mean_micro: 0,
        lower_bound_micro: 0,
    };
    let own: Vec<tombstones::Row> = erased
        .iter()
        .filter(|row| row.tenant_uid == scrubber.tenant())
        .cloned()
        .collect();
    let mut rows = groups.rows(&like, &own);
    let is_same = |row: &&group_index::Row| published.contains(row);
    tally.changed = rows.iter().filter(|row| !is_same(row)).count() as u64;
    let (own, others): (Vec<_>, Vec<_>) = published
        .into_iter()
        .partition(|row| row.tenant_uid == scrubber.tenant());
    tally.removed = own.len().saturating_sub(rows.len()) as u64;
    if tally.is_none() {
        return Ok(None);
    }
    rows.extend(others);
    rows.sort_by(|a, b| {
        (&a.tenant_uid, &a.group_kind, &a.group_key).cmp(&(
            &b.tenant_uid,
            &b.group_kind,
            &b.group_key,
        ))
    });
    Ok(Some(rows))
}

fn has(snapshot: &Snapshot, table: &af_model::contract::Table) -> bool {
    let files = &snapshot.manifest().files;
    files
        .iter()
        .any(|file| file.path.strip_suffix(".parquet") == Some(table.name))
}

type Reader<R> = fn(&RecordBatch) -> Result<Vec<R>, af_model::contract::ContractError>;

fn for_rows<R>(
    snapshot: &Snapshot,
    table: &'static af_model::contract::Table,
    read: Reader<R>,
    mut act: impl FnMut(R),
) -> Result<(), Error> {
    if has(snapshot, table) {
        for batch in snapshot.table_file(table)?.read(None, Scan::File)? {
            let rows = read(&batch?).map_err(|error| unreadable(&error))?;
            rows.into_iter().for_each(&mut act);
        }
    }
    Ok(())
}

fn rows_of<R>(
    snapshot: &Snapshot,
    table: &'static af_model::contract::Table,
    read: Reader<R>,
) -> Result<Vec<R>, Error> {
    let mut rows = Vec::new();
    for_rows(snapshot, table, read, |row| rows.push(row))?;
    Ok(rows)
}

fn unreadable(error: &af_model::contract::ContractError) -> Error {
    Error::new(ErrorKind::Io, format!("read a snapshot: {error}"))
}
