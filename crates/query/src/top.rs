//! Who is attacked most.

use std::cmp::Reverse;
use std::path::Path;

use af_model::tables::user_scores::TABLE;
use af_model::view::{TopPerson, TopView};
use af_model::{Population, ScoreLevel, UtcMillis};
use arrow::array::{Array, RecordBatch};

use crate::columns::{self, Repeated};
use crate::drivers;
use crate::error::Error;
use crate::ranking::{Ranked, rank};
use crate::snapshot::{OpenTable, Snapshot, keys_of};

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
    "tenant_uid",
    "user_uid",
    "email",
    "display_name",
    "department",
    "population",
    "population_n",
    "score_micro",
    "level",
    "odds_nano",
    "rank",
    "percentile",
    "signal_count",
    "last_attack",
];

/// The most attacked people of a snapshot, with what drives their scores.
///
/// Order: `odds_nano` descending, which decides rank and is finer than the score, then `tenant_uid`,
/// then `user_uid`; so equal scores come in the same order every time. Nobody matching is an empty
/// view, not an error.
///
/// Reads the columns that decide of the rows asked about, of one tenant only its own; then what is
/// shown of those who are shown.
///
/// # Errors
/// [`Error`] when the folder holds no snapshot, a table is missing or damaged, or a newer program
/// wrote it.
pub fn top(snapshot: &Path, query: &TopQuery) -> Result<TopView, Error> {
    let snapshot = Snapshot::open(snapshot)?;
    let scores = snapshot.open_table(&TABLE)?;
    let ranking = rank(&scores, query)?;
    let mut people = shown(&scores, &ranking)?;
    drivers::fill(&snapshot, &mut people)?;
    Ok(TopView {
        snapshot: snapshot.name(),
        as_of: snapshot.head.as_of,
        known_at: snapshot.head.known_at,
        formula: snapshot.head.formula.clone(),
        people,
    })
}

/// What is shown of the people of a ranking, in its order.
fn shown(scores: &OpenTable, ranking: &[Ranked]) -> Result<Vec<TopPerson>, Error> {
    if ranking.is_empty() {
        return Ok(Vec::new());
    }
    let pairs = ranking
        .iter()
        .map(|ranked| (ranked.tenant_uid.as_str(), ranked.user_uid.as_str()));
    let mut people = Vec::with_capacity(ranking.len());
    for batch in scores.scan(&keys_of(pairs), &COLUMNS)? {
        add_ranked(&batch?, ranking, &mut people);
    }
    people.sort_by(|(left, _), (right, _)| left.cmp(right));
    people.truncate(ranking.len());
    Ok(people.into_iter().map(|(_, person)| person).collect())
}

/// Adds the people of a batch that are in the ranking; keys leave a few others in.
fn add_ranked(rows: &RecordBatch, ranking: &[Ranked], people: &mut Vec<(Ranked, TopPerson)>) {
    let odds = columns::ints(rows, "odds_nano").values();
    let tenants = Repeated::of(rows, "tenant_uid");
    let users = columns::texts(rows, "user_uid");
    let [emails, names] = ["email", "display_name"].map(|name| columns::texts(rows, name));
    let departments = Repeated::of(rows, "department");
    let populations = Repeated::of(rows, "population");
    let levels = Repeated::of(rows, "level");
    let ranks = columns::ints(rows, "rank");
    let [population_n, score_micro, signal_count] =
        ["population_n", "score_micro", "signal_count"].map(|name| columns::ints(rows, name));
    let percentiles = columns::reals(rows, "percentile");
    let last_attacks = columns::instants(rows, "last_attack");
    for row in 0..rows.num_rows() {
        let tenant_uid = tenants.text(row).unwrap_or_default();
        let key = (Reverse(odds[row]), tenant_uid, users.value(row));
        if ranking
            .binary_search_by(|ranked| ranked.key().cmp(&key))
            .is_err()
        {
            continue;
        }
        let owned = |cell: Option<&str>| cell.map(str::to_owned);
        let required = |cell: Option<&str>| cell.unwrap_or_default().to_owned();
        let person = TopPerson {
            rank: ranks.is_valid(row).then(|| ranks.value(row)),
            tenant_uid: tenant_uid.to_owned(),
            user_uid: users.value(row).to_owned(),
            email: emails.value(row).to_owned(),
            display_name: owned(columns::text(names, row)),
            department: owned(departments.text(row)),
            population: required(populations.text(row)),
            population_n: population_n.value(row),
            level: required(levels.text(row)),
            score_micro: score_micro.value(row),
            percentile: percentiles.is_valid(row).then(|| percentiles.value(row)),
            signal_count: signal_count.value(row),
            last_attack: last_attacks
                .is_valid(row)
                .then(|| UtcMillis(last_attacks.value(row))),
            drivers: Vec::new(),
        };
        people.push((Ranked::of(key), person));
    }
}
