//! What drives a person's score: blocks of the attribution, summed by kind of attack.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use af_model::tables::signal_attribution::TABLE;
use af_model::view::{Driver, TopPerson};
use polars::prelude::{
    DataFrame, IntoLazy, JoinArgs, JoinType, NamedFrom, PolarsResult, Series, col, lit,
};

use crate::columns;
use crate::error::Error;
use crate::snapshot::{Snapshot, cols};

/// Drivers shown of one person.
const SHOWN: usize = 3;

const KEY: [&str; 2] = ["tenant_uid", "user_uid"];
const COLUMNS: [&str; 7] = [
    "tenant_uid",
    "user_uid",
    "component",
    "family",
    "n",
    "score_share_micro",
    "rule_ids",
];

/// Fills in the drivers of the people shown: attribution by component and family, weightiest first,
/// equal shares in name order, at most three. The row of what is too small to stand alone takes
/// part as one driver without a name.
pub(crate) fn fill(
    snapshot: &Snapshot,
    tenant: Option<&str>,
    people: &mut [TopPerson],
) -> Result<(), Error> {
    let scan = snapshot.scan(&TABLE, &COLUMNS)?;
    let broken = |error| snapshot.broken(&TABLE, &error);
    let scan = match tenant {
        Some(tenant) => scan.filter(col("tenant_uid").eq(lit(tenant))),
        None => scan,
    };
    let shown = keys(people).map_err(broken)?.lazy();
    let rows = scan.select(cols(&COLUMNS)).join(
        shown,
        cols(&KEY),
        cols(&KEY),
        JoinArgs::new(JoinType::Semi),
    );
    let rows = snapshot.collect(&TABLE, rows)?;
    let mut drivers = by_person(&rows).map_err(broken)?;
    for person in people {
        let key = (person.tenant_uid.clone(), person.user_uid.clone());
        person.drivers = weightiest(drivers.remove(&key).unwrap_or_default());
    }
    Ok(())
}

fn keys(people: &[TopPerson]) -> PolarsResult<DataFrame> {
    let column = |name: &str, text: fn(&TopPerson) -> &str| {
        let cells: Vec<&str> = people.iter().map(text).collect();
        Series::new(name.into(), cells).into()
    };
    DataFrame::new(
        people.len(),
        vec![
            column("tenant_uid", |person| &person.tenant_uid),
            column("user_uid", |person| &person.user_uid),
        ],
    )
}

type Kind = (Option<String>, Option<String>);

#[derive(Default)]
struct Sum {
    n: i64,
    score_share_micro: i64,
    rule_ids: BTreeSet<String>,
}

type ByPerson = BTreeMap<(String, String), BTreeMap<Kind, Sum>>;

fn by_person(rows: &DataFrame) -> PolarsResult<ByPerson> {
    let tenants = columns::required_texts(rows, "tenant_uid")?;
    let users = columns::required_texts(rows, "user_uid")?;
    let components = columns::texts(rows, "component")?;
    let families = columns::texts(rows, "family")?;
    let counts = columns::required_ints(rows, "n")?;
    let shares = columns::required_ints(rows, "score_share_micro")?;
    let rules = columns::text_lists(rows, "rule_ids")?;
    let keys = tenants.into_iter().zip(users);
    let kinds = components.into_iter().zip(families);
    let figures = counts.into_iter().zip(shares).zip(rules);
    let mut people = ByPerson::new();
    for ((key, kind), ((n, share), rule_ids)) in keys.zip(kinds).zip(figures) {
        let sum = people.entry(key).or_default().entry(kind).or_default();
        sum.n = sum.n.saturating_add(n);
        sum.score_share_micro = sum.score_share_micro.saturating_add(share);
        sum.rule_ids.extend(rule_ids);
    }
    Ok(people)
}

fn weightiest(kinds: BTreeMap<Kind, Sum>) -> Vec<Driver> {
    let mut drivers: Vec<Driver> = kinds
        .into_iter()
        .map(|((component, family), sum)| Driver {
            component,
            family,
            n: sum.n,
            score_share_micro: sum.score_share_micro,
            rule_ids: sum.rule_ids.into_iter().collect(),
        })
        .collect();
    // The nameless rest last among equals; otherwise the map's order by name stays.
    drivers.sort_by_key(|driver| {
        (
            Reverse(driver.score_share_micro),
            driver.component.is_none(),
        )
    });
    drivers.truncate(SHOWN);
    drivers
}
