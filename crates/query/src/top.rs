//! Who is attacked most.

use std::path::Path;

use af_model::tables::user_scores::TABLE;
use af_model::view::{TopPerson, TopView};
use af_model::{Population, ScoreLevel};
use polars::prelude::{
    DataFrame, Expr, IdxSize, PolarsResult, SortMultipleOptions, TimeUnit, col, lit,
};

use crate::columns;
use crate::drivers;
use crate::error::Error;
use crate::snapshot::Snapshot;

/// Whom to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopQuery {
    /// Only this tenant; `None` = all of the snapshot.
    pub tenant: Option<String>,
    /// People or service accounts; they are never ranked against each other.
    pub population: Population,
    /// At most so many rows.
    pub limit: usize,
    /// Nobody below this level.
    pub min_level: Option<ScoreLevel>,
    /// Only this department; case and outer spaces do not matter.
    pub department: Option<String>,
    /// Only this location; case and outer spaces do not matter.
    pub location: Option<String>,
    /// Also those outside the population: leavers, suspended, not yet active. They have no rank.
    pub include_outside: bool,
}

impl Default for TopQuery {
    /// The 25 most attacked people of all tenants, colleagues only.
    fn default() -> Self {
        Self {
            tenant: None,
            population: Population::Human,
            limit: 25,
            min_level: None,
            department: None,
            location: None,
            include_outside: false,
        }
    }
}

const COLUMNS: [&str; 14] = [
    "rank",
    "tenant_uid",
    "user_uid",
    "email",
    "display_name",
    "department",
    "population",
    "population_n",
    "level",
    "score_micro",
    "percentile",
    "signal_count",
    "last_attack",
    "odds_nano",
];

/// The most attacked people of a snapshot, with what drives their scores.
///
/// Order: `odds_nano` descending, which decides rank and is finer than the score, then `tenant_uid`,
/// then `user_uid`; so equal scores come in the same order every time. Nobody matching is an empty
/// view, not an error. Reads only the needed columns of the needed rows.
///
/// # Errors
/// [`Error`] when the folder holds no snapshot, a table is missing or damaged, or a newer program
/// wrote it.
pub fn top(snapshot: &Path, query: &TopQuery) -> Result<TopView, Error> {
    let snapshot = Snapshot::open(snapshot)?;
    let scan = snapshot.scan(
        &TABLE,
        &[&COLUMNS[..], &["in_population", "location"]].concat(),
    )?;
    let limit = IdxSize::try_from(query.limit).unwrap_or(IdxSize::MAX);
    let order = ["odds_nano", "tenant_uid", "user_uid"].map(col);
    let rows = scan
        .filter(wanted(query))
        .select(COLUMNS.map(|name| match name {
            "last_attack" => col(name).dt().timestamp(TimeUnit::Milliseconds),
            name => col(name),
        }))
        .sort_by_exprs(
            order,
            SortMultipleOptions::new().with_order_descending_multi([true, false, false]),
        )
        .limit(limit);
    let rows = snapshot.collect(&TABLE, rows)?;
    let mut people = people(&rows).map_err(|error| snapshot.broken(&TABLE, &error))?;
    drivers::fill(&snapshot, query.tenant.as_deref(), &mut people)?;
    Ok(TopView {
        snapshot: snapshot.name(),
        as_of: snapshot.head.as_of,
        known_at: snapshot.head.known_at,
        formula: snapshot.head.formula.clone(),
        people,
    })
}

fn wanted(query: &TopQuery) -> Expr {
    let mut wanted = col("population").eq(lit(query.population.as_str()));
    if let Some(tenant) = &query.tenant {
        wanted = col("tenant_uid").eq(lit(tenant.as_str())).and(wanted);
    }
    if !query.include_outside {
        wanted = wanted.and(col("in_population"));
    }
    match query.min_level {
        None | Some(ScoreLevel::None) => {}
        Some(ScoreLevel::VeryLow) => wanted = wanted.and(col("odds_nano").gt(lit(0_i64))),
        Some(level) => wanted = wanted.and(col("score_micro").gt_eq(lit(level.floor_micro()))),
    }
    for (name, group) in [
        ("department", &query.department),
        ("location", &query.location),
    ] {
        if let Some(group) = group {
            let folded = col(name).str().to_lowercase();
            wanted = wanted.and(folded.eq(lit(group.trim().to_lowercase())));
        }
    }
    wanted
}

fn people(rows: &DataFrame) -> PolarsResult<Vec<TopPerson>> {
    let mut rank = columns::ints(rows, "rank")?.into_iter();
    let mut tenant_uid = columns::required_texts(rows, "tenant_uid")?.into_iter();
    let mut user_uid = columns::required_texts(rows, "user_uid")?.into_iter();
    let mut email = columns::required_texts(rows, "email")?.into_iter();
    let mut display_name = columns::texts(rows, "display_name")?.into_iter();
    let mut department = columns::texts(rows, "department")?.into_iter();
    let mut population = columns::required_texts(rows, "population")?.into_iter();
    let mut population_n = columns::required_ints(rows, "population_n")?.into_iter();
    let mut level = columns::required_texts(rows, "level")?.into_iter();
    let mut score_micro = columns::required_ints(rows, "score_micro")?.into_iter();
    let mut percentile = columns::reals(rows, "percentile")?.into_iter();
    let mut signal_count = columns::required_ints(rows, "signal_count")?.into_iter();
    let mut last_attack = columns::instants(rows, "last_attack")?.into_iter();
    let mut person = || {
        Some(TopPerson {
            rank: rank.next()?,
            tenant_uid: tenant_uid.next()?,
            user_uid: user_uid.next()?,
            email: email.next()?,
            display_name: display_name.next()?,
            department: department.next()?,
            population: population.next()?,
            population_n: population_n.next()?,
            level: level.next()?,
            score_micro: score_micro.next()?,
            percentile: percentile.next()?,
            signal_count: signal_count.next()?,
            last_attack: last_attack.next()?,
            drivers: Vec::new(),
        })
    };
    Ok(std::iter::from_fn(&mut person).collect())
}
