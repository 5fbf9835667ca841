//! What a snapshot's tables hold of one person, and what the colleagues carry.

use std::collections::{BTreeMap, HashSet};

use af_model::contract::Table;
use af_model::tables::{
    bucket_counts, component_scores, signal_attribution, tombstones, user_scores,
};
use af_model::view::{ExplainedPerson, ExplainedScore};
use af_model::{Level, UtcDay};
use af_store::Key;
use arrow::array::RecordBatch;

use crate::columns::{self, Repeated};
use crate::error::{Error, ErrorKind};
use crate::find::PersonKey;
use crate::snapshot::Snapshot;

/// Why typed rows can always be made of a batch.
const CONFORMED: &str = "the store hands out rows that keep the contract";

/// One row of `component_scores`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ComponentRow {
    pub(super) component: String,
    pub(super) figures: af_score::ComponentScore,
}

/// One row of `bucket_counts`.
#[derive(Clone, Debug)]
pub(super) struct BucketRow {
    pub(super) component: String,
    pub(super) family: String,
    pub(super) day: UtcDay,
    /// By [`Level::slot`].
    pub(super) counts: [i64; 4],
}

/// What tells the blocks of a person apart; null in the row of the rest.
pub(super) type BlockKey = Option<(String, String, UtcDay, Level)>;

/// One row of `signal_attribution`.
#[derive(Clone, Debug)]
pub(super) struct BlockRow {
    pub(super) n: i64,
    pub(super) score_share_micro: i64,
    pub(super) rule_ids: Vec<String>,
    pub(super) signal_uids: Vec<String>,
}

/// Everything about one person, and the loads of the people they are compared with.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) person: ExplainedPerson,
    pub(super) score: ExplainedScore,
    /// By name.
    pub(super) components: Vec<ComponentRow>,
    /// By component, family and day.
    pub(super) buckets: Vec<BucketRow>,
    pub(super) blocks: BTreeMap<BlockKey, BlockRow>,
    /// Loads above zero of the population by component, erased people included.
    pub(super) loads: BTreeMap<String, Vec<i64>>,
}

impl Rows {
    /// Reads only what concerns the person, and one column of the colleagues.
    pub(super) fn read(snapshot: &Snapshot, key: &PersonKey) -> Result<Self, Error> {
        let (person, score) = user(snapshot, key)?;
        Ok(Self {
            components: components(snapshot, key)?,
            buckets: buckets(snapshot, key)?,
            blocks: blocks(snapshot, key)?,
            loads: loads(snapshot, &key.tenant_uid, &person.population)?,
            person,
            score,
        })
    }
}

fn user(snapshot: &Snapshot, key: &PersonKey) -> Result<(ExplainedPerson, ExplainedScore), Error> {
    let table = &user_scores::TABLE;
    let rows = own_rows(snapshot, table, key)?;
    let mut rows = user_scores::rows(&rows).expect(CONFORMED);
    let (Some(row), true) = (rows.pop(), rows.is_empty()) else {
        let problem = "does not have one row of this person";
        return Err(Error::new(
            &snapshot.file(table),
            ErrorKind::Broken,
            problem,
        ));
    };
    let person = ExplainedPerson {
        tenant_uid: row.tenant_uid,
        user_uid: row.user_uid,
        email: row.email,
        display_name: row.display_name,
        department: row.department,
        location: row.location,
        manager_uid: row.manager_uid,
        population: row.population,
        in_population: row.in_population,
    };
    let score = ExplainedScore {
        score_micro: row.score_micro,
        level: row.level,
        odds_nano: row.odds_nano,
        rank: row.rank,
        population_n: row.population_n,
        percentile: row.percentile,
        pct_below: row.pct_below,
        signal_count: row.signal_count,
        attack_days: row.attack_days,
        first_attack: row.first_attack,
        last_attack: row.last_attack,
    };
    Ok((person, score))
}

fn components(snapshot: &Snapshot, key: &PersonKey) -> Result<Vec<ComponentRow>, Error> {
    let rows = own_rows(snapshot, &component_scores::TABLE, key)?;
    let rows = component_scores::rows(&rows).expect(CONFORMED);
    let row = |row: component_scores::Row| ComponentRow {
        component: row.component,
        figures: af_score::ComponentScore {
            load_micro: row.load_micro,
            baseline_micro: row.baseline_micro,
            odds_nano: row.odds_nano,
            score_micro: row.score_micro,
            relative_weight_micro: row.relative_weight_micro,
            weight_permille: row.weight_permille,
        },
    };
    let mut found: Vec<ComponentRow> = rows.into_iter().map(row).collect();
    found.sort_by(|left, right| left.component.cmp(&right.component));
    Ok(found)
}

fn buckets(snapshot: &Snapshot, key: &PersonKey) -> Result<Vec<BucketRow>, Error> {
    let rows = own_rows(snapshot, &bucket_counts::TABLE, key)?;
    let rows = bucket_counts::rows(&rows).expect(CONFORMED);
    let row = |row: bucket_counts::Row| BucketRow {
        component: row.component,
        family: row.family,
        day: row.day,
        counts: [row.n_critical, row.n_high, row.n_medium, row.n_low],
    };
    let mut found: Vec<BucketRow> = rows.into_iter().map(row).collect();
    found.sort_by(|left, right| {
        let key = |row: &BucketRow| (row.component.clone(), row.family.clone(), row.day);
        key(left).cmp(&key(right))
    });
    Ok(found)
}

fn blocks(snapshot: &Snapshot, key: &PersonKey) -> Result<BTreeMap<BlockKey, BlockRow>, Error> {
    let rows = own_rows(snapshot, &signal_attribution::TABLE, key)?;
    let rows = signal_attribution::rows(&rows).expect(CONFORMED);
    let block = |row: signal_attribution::Row| {
        let key = match (row.component, row.family, row.day, row.level) {
            (Some(component), Some(family), Some(day), Some(level)) => level
                .parse()
                .ok()
                .map(|level| (component, family, day, level)),
            _ => None,
        };
        let block = BlockRow {
            n: row.n,
            score_share_micro: row.score_share_micro,
            rule_ids: row.rule_ids,
            signal_uids: row.signal_uids,
        };
        (key, block)
    };
    Ok(rows.into_iter().map(block).collect())
}

/// All rows of one person.
fn own_rows(
    snapshot: &Snapshot,
    table: &'static Table,
    key: &PersonKey,
) -> Result<RecordBatch, Error> {
    let own = [
        Key::of("tenant_uid", &key.tenant_uid),
        Key::of("user_uid", &key.user_uid),
    ];
    snapshot.open_table(table)?.rows(&own, None)
}

/// The loads above zero of everybody in the population, by component.
fn loads(
    snapshot: &Snapshot,
    tenant: &str,
    population: &str,
) -> Result<BTreeMap<String, Vec<i64>>, Error> {
    let own = [Key::of("tenant_uid", tenant)];
    let colleagues = colleagues(snapshot, &own, population)?;
    let mut loads = BTreeMap::new();
    let table = snapshot.open_table(&component_scores::TABLE)?;
    for batch in table.scan(&own, &["user_uid", "component", "load_micro"])? {
        let batch = batch?;
        let users = columns::texts(&batch, "user_uid");
        gather(&batch, &mut loads, |row| {
            colleagues.contains(users.value(row))
        });
    }
    // People who were erased are still somebody's colleagues.
    if snapshot.file(&tombstones::TABLE).is_file() {
        let table = snapshot.open_table(&tombstones::TABLE)?;
        let columns = ["population", "in_population", "component", "load_micro"];
        for batch in table.scan(&own, &columns)? {
            let batch = batch?;
            let is_alike = Repeated::of(&batch, "population").are(|name| name == population);
            let inside = columns::flags(&batch, "in_population");
            gather(&batch, &mut loads, |row| is_alike(row) && inside.value(row));
        }
    }
    Ok(loads)
}

/// The ids of everybody in the population.
fn colleagues(
    snapshot: &Snapshot,
    own: &[Key],
    population: &str,
) -> Result<HashSet<String>, Error> {
    let mut colleagues = HashSet::new();
    let table = snapshot.open_table(&user_scores::TABLE)?;
    for batch in table.scan(own, &["user_uid", "population", "in_population"])? {
        let batch = batch?;
        let users = columns::texts(&batch, "user_uid");
        let is_alike = Repeated::of(&batch, "population").are(|name| name == population);
        let inside = columns::flags(&batch, "in_population");
        let here = (0..batch.num_rows()).filter(|&row| is_alike(row) && inside.value(row));
        colleagues.extend(here.map(|row| users.value(row).to_owned()));
    }
    Ok(colleagues)
}

/// Adds the loads above zero of some rows; a row without a component sums up others.
fn gather(
    batch: &RecordBatch,
    loads: &mut BTreeMap<String, Vec<i64>>,
    counts: impl Fn(usize) -> bool,
) {
    let components = Repeated::of(batch, "component");
    let figures = columns::ints(batch, "load_micro").values();
    for (row, &load) in figures.iter().enumerate() {
        if load <= 0 || !counts(row) {
            continue;
        }
        let Some(component) = components.text(row) else {
            continue;
        };
        match loads.get_mut(component) {
            Some(loads) => loads.push(load),
            None => {
                loads.insert(component.to_owned(), vec![load]);
            }
        }
    }
}
