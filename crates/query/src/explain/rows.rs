//! What a snapshot's tables hold of one person, and what the colleagues carry.

use std::collections::BTreeMap;

use af_model::tables::{
    bucket_counts, component_scores, signal_attribution, tombstones, user_scores,
};
use af_model::view::{ExplainedPerson, ExplainedScore};
use af_model::{Level, UtcDay};
use polars::prelude::{
    DataFrame, Expr, IntoLazy, JoinArgs, JoinType, PolarsResult, TimeUnit, col, lit,
};

use crate::columns;
use crate::error::{Error, ErrorKind};
use crate::find::PersonKey;
use crate::snapshot::{Snapshot, cols};

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

fn own(key: &PersonKey) -> Expr {
    col("tenant_uid")
        .eq(lit(key.tenant_uid.as_str()))
        .and(col("user_uid").eq(lit(key.user_uid.as_str())))
}

fn user(snapshot: &Snapshot, key: &PersonKey) -> Result<(ExplainedPerson, ExplainedScore), Error> {
    const COLUMNS: [&str; 18] = [
        "email",
        "display_name",
        "department",
        "location",
        "manager_uid",
        "population",
        "in_population",
        "score_micro",
        "level",
        "odds_nano",
        "rank",
        "population_n",
        "percentile",
        "pct_below",
        "signal_count",
        "attack_days",
        "first_attack",
        "last_attack",
    ];
    let table = &user_scores::TABLE;
    let wanted = [&COLUMNS[..], &["tenant_uid", "user_uid"]].concat();
    let scan = snapshot.scan(table, &wanted)?.filter(own(key));
    let scan = scan.select(COLUMNS.map(|name| match name {
        "first_attack" | "last_attack" => col(name).dt().timestamp(TimeUnit::Milliseconds),
        name => col(name),
    }));
    let rows = snapshot.collect(table, scan)?;
    let read = || -> PolarsResult<Option<(ExplainedPerson, ExplainedScore)>> {
        let text = |name: &str| -> PolarsResult<Option<String>> {
            Ok(columns::texts(&rows, name)?.into_iter().next().flatten())
        };
        let int = |name: &str| -> PolarsResult<Option<i64>> {
            Ok(columns::ints(&rows, name)?.into_iter().next().flatten())
        };
        let real = |name: &str| -> PolarsResult<Option<f64>> {
            Ok(columns::reals(&rows, name)?.into_iter().next().flatten())
        };
        if rows.height() != 1 {
            return Ok(None);
        }
        let required = |name: &str| -> PolarsResult<i64> {
            Ok(columns::required_ints(&rows, name)?
                .into_iter()
                .next()
                .unwrap_or_default())
        };
        let required_text = |name: &str| -> PolarsResult<String> {
            Ok(columns::required_texts(&rows, name)?
                .into_iter()
                .next()
                .unwrap_or_default())
        };
        let person = ExplainedPerson {
            tenant_uid: key.tenant_uid.clone(),
            user_uid: key.user_uid.clone(),
            email: required_text("email")?,
            display_name: text("display_name")?,
            department: text("department")?,
            location: text("location")?,
            manager_uid: text("manager_uid")?,
            population: required_text("population")?,
            in_population: columns::required_flags(&rows, "in_population")?
                .into_iter()
                .all(|inside| inside),
        };
        let score = ExplainedScore {
            score_micro: required("score_micro")?,
            level: required_text("level")?,
            odds_nano: required("odds_nano")?,
            rank: int("rank")?,
            population_n: required("population_n")?,
            percentile: real("percentile")?,
            pct_below: real("pct_below")?,
            signal_count: required("signal_count")?,
            attack_days: required("attack_days")?,
            first_attack: columns::instants(&rows, "first_attack")?
                .into_iter()
                .next()
                .flatten(),
            last_attack: columns::instants(&rows, "last_attack")?
                .into_iter()
                .next()
                .flatten(),
        };
        Ok(Some((person, score)))
    };
    let found = read().map_err(|error| snapshot.broken(table, &error))?;
    found.ok_or_else(|| {
        let problem = format!("has {} rows of this person instead of one", rows.height());
        Error::new(&snapshot.file(table), ErrorKind::Broken, problem)
    })
}

fn components(snapshot: &Snapshot, key: &PersonKey) -> Result<Vec<ComponentRow>, Error> {
    const COLUMNS: [&str; 7] = [
        "component",
        "load_micro",
        "baseline_micro",
        "odds_nano",
        "score_micro",
        "relative_weight_micro",
        "weight_permille",
    ];
    let table = &component_scores::TABLE;
    let rows = own_rows(snapshot, table, key, &COLUMNS)?;
    let read = || -> PolarsResult<Vec<ComponentRow>> {
        let ints = |index: usize| columns::required_ints(&rows, COLUMNS[index]);
        let (load, baseline, odds) = (ints(1)?, ints(2)?, ints(3)?);
        let (score, relative, weight) = (ints(4)?, ints(5)?, ints(6)?);
        let names = columns::required_texts(&rows, "component")?;
        let row = |(index, component)| ComponentRow {
            component,
            figures: af_score::ComponentScore {
                load_micro: load[index],
                baseline_micro: baseline[index],
                odds_nano: odds[index],
                score_micro: score[index],
                relative_weight_micro: relative[index],
                weight_permille: weight[index],
            },
        };
        Ok(names.into_iter().enumerate().map(row).collect())
    };
    let mut found = read().map_err(|error| snapshot.broken(table, &error))?;
    found.sort_by(|left, right| left.component.cmp(&right.component));
    Ok(found)
}

fn buckets(snapshot: &Snapshot, key: &PersonKey) -> Result<Vec<BucketRow>, Error> {
    const COLUMNS: [&str; 7] = [
        "component",
        "family",
        "day",
        "n_critical",
        "n_high",
        "n_medium",
        "n_low",
    ];
    let table = &bucket_counts::TABLE;
    let rows = own_rows(snapshot, table, key, &COLUMNS)?;
    let read = || -> PolarsResult<Vec<BucketRow>> {
        let counts = [3, 4, 5, 6].map(|index| columns::required_ints(&rows, COLUMNS[index]));
        let [critical, high, medium, low] = counts;
        let (critical, high, medium, low) = (critical?, high?, medium?, low?);
        let components = columns::required_texts(&rows, "component")?.into_iter();
        let families = columns::required_texts(&rows, "family")?.into_iter();
        let days = columns::required_days(&rows, "day")?.into_iter();
        let keys = components.zip(families).zip(days).enumerate();
        Ok(keys
            .map(|(index, ((component, family), day))| BucketRow {
                component,
                family,
                day,
                counts: [critical[index], high[index], medium[index], low[index]],
            })
            .collect())
    };
    let mut found = read().map_err(|error| snapshot.broken(table, &error))?;
    found.sort_by(|left, right| {
        let key = |row: &BucketRow| (row.component.clone(), row.family.clone(), row.day);
        key(left).cmp(&key(right))
    });
    Ok(found)
}

fn blocks(snapshot: &Snapshot, key: &PersonKey) -> Result<BTreeMap<BlockKey, BlockRow>, Error> {
    const COLUMNS: [&str; 8] = [
        "component",
        "family",
        "day",
        "level",
        "n",
        "score_share_micro",
        "rule_ids",
        "signal_uids",
    ];
    let table = &signal_attribution::TABLE;
    let rows = own_rows(snapshot, table, key, &COLUMNS)?;
    let read = || -> PolarsResult<BTreeMap<BlockKey, BlockRow>> {
        let mut components = columns::texts(&rows, "component")?.into_iter();
        let mut families = columns::texts(&rows, "family")?.into_iter();
        let mut days = columns::days(&rows, "day")?.into_iter();
        let mut levels = columns::texts(&rows, "level")?.into_iter();
        let mut n = columns::required_ints(&rows, "n")?.into_iter();
        let mut shares = columns::required_ints(&rows, "score_share_micro")?.into_iter();
        let mut rules = columns::text_lists(&rows, "rule_ids")?.into_iter();
        let mut signals = columns::text_lists(&rows, "signal_uids")?.into_iter();
        let mut next = || -> Option<(BlockKey, BlockRow)> {
            let key = (
                components.next()?,
                families.next()?,
                days.next()?,
                levels.next()?,
            );
            let key = match key {
                (Some(component), Some(family), Some(day), Some(level)) => level
                    .parse()
                    .ok()
                    .map(|level| (component, family, day, level)),
                _ => None,
            };
            let row = BlockRow {
                n: n.next()?,
                score_share_micro: shares.next()?,
                rule_ids: rules.next()?,
                signal_uids: signals.next()?,
            };
            Some((key, row))
        };
        Ok(std::iter::from_fn(&mut next).collect())
    };
    read().map_err(|error| snapshot.broken(table, &error))
}

fn own_rows(
    snapshot: &Snapshot,
    table: &'static af_model::contract::Table,
    key: &PersonKey,
    wanted: &[&str],
) -> Result<DataFrame, Error> {
    let scan = snapshot.scan(table, &[wanted, &["tenant_uid", "user_uid"]].concat())?;
    snapshot.collect(table, scan.filter(own(key)).select(cols(wanted)))
}

/// The loads above zero of everybody in the population, by component.
fn loads(
    snapshot: &Snapshot,
    tenant: &str,
    population: &str,
) -> Result<BTreeMap<String, Vec<i64>>, Error> {
    let alike = col("tenant_uid")
        .eq(lit(tenant))
        .and(col("population").eq(lit(population)))
        .and(col("in_population"));
    let people = snapshot
        .scan(
            &user_scores::TABLE,
            &["tenant_uid", "user_uid", "population", "in_population"],
        )?
        .filter(alike.clone())
        .select(cols(&["user_uid"]));
    let people = snapshot.collect(&user_scores::TABLE, people)?.lazy();
    let loaded = col("load_micro").gt(lit(0_i64));
    let table = &component_scores::TABLE;
    let scan = snapshot
        .scan(
            table,
            &["tenant_uid", "user_uid", "component", "load_micro"],
        )?
        .filter(col("tenant_uid").eq(lit(tenant)).and(loaded.clone()))
        .select(cols(&["user_uid", "component", "load_micro"]))
        .join(
            people,
            cols(&["user_uid"]),
            cols(&["user_uid"]),
            JoinArgs::new(JoinType::Semi),
        );
    let mut loads = BTreeMap::new();
    let rows = snapshot.collect(table, scan)?;
    gather(&rows, &mut loads).map_err(|error| snapshot.broken(table, &error))?;

    // People who were erased are still somebody's colleagues.
    let table = &tombstones::TABLE;
    if snapshot.file(table).is_file() {
        let columns = ["tenant_uid", "population", "in_population", "component"];
        let scan = snapshot
            .scan(table, &[&columns[..], &["load_micro"]].concat())?
            .filter(alike.and(loaded).and(col("component").is_not_null()))
            .select(cols(&["component", "load_micro"]));
        let rows = snapshot.collect(table, scan)?;
        gather(&rows, &mut loads).map_err(|error| snapshot.broken(table, &error))?;
    }
    Ok(loads)
}

fn gather(rows: &DataFrame, loads: &mut BTreeMap<String, Vec<i64>>) -> PolarsResult<()> {
    let components = columns::required_texts(rows, "component")?;
    let figures = columns::required_ints(rows, "load_micro")?;
    for (component, load) in components.into_iter().zip(figures) {
        loads.entry(component).or_default().push(load);
    }
    Ok(())
}
