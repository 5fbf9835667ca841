//! What drives a person's score: blocks of the attribution, summed by kind of attack.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use af_model::tables::signal_attribution::TABLE;
use af_model::view::{Driver, TopPerson};
use arrow::array::RecordBatch;

use crate::columns::{self, Repeated};
use crate::error::Error;
use crate::snapshot::{Snapshot, keys_of};

/// Drivers shown of one person.
const SHOWN: usize = 3;

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
pub(crate) fn fill(snapshot: &Snapshot, people: &mut [TopPerson]) -> Result<(), Error> {
    let table = snapshot.open_table(&TABLE)?;
    if people.is_empty() {
        return Ok(());
    }
    let pairs = people
        .iter()
        .map(|person| (person.tenant_uid.as_str(), person.user_uid.as_str()));
    let mut kinds: Vec<(Pair<'_>, Kinds)> =
        pairs.clone().map(|pair| (pair, Kinds::new())).collect();
    kinds.sort_by_key(|(pair, _)| *pair);
    kinds.dedup_by_key(|(pair, _)| *pair);
    for batch in table.scan(&keys_of(pairs.clone()), &COLUMNS)? {
        add(&batch?, &mut kinds);
    }
    let drivers: Vec<Vec<Driver>> = pairs
        .map(
            |pair| match kinds.binary_search_by_key(&pair, |(pair, _)| *pair) {
                Ok(place) => weightiest(&kinds[place].1),
                Err(_) => Vec::new(),
            },
        )
        .collect();
    for (person, drivers) in people.iter_mut().zip(drivers) {
        person.drivers = drivers;
    }
    Ok(())
}

type Kind = (Option<String>, Option<String>);

#[derive(Default)]
struct Sum {
    n: i64,
    score_share_micro: i64,
    rule_ids: BTreeSet<String>,
}

type Kinds = BTreeMap<Kind, Sum>;

/// A tenant and the id of one of its people.
type Pair<'a> = (&'a str, &'a str);

/// Adds the rows of the people who are shown, given by tenant and id.
fn add(rows: &RecordBatch, people: &mut [(Pair<'_>, Kinds)]) {
    let tenants = Repeated::of(rows, "tenant_uid");
    let users = columns::texts(rows, "user_uid");
    let components = Repeated::of(rows, "component");
    let families = Repeated::of(rows, "family");
    let counts = columns::ints(rows, "n").values();
    let shares = columns::ints(rows, "score_share_micro").values();
    for row in 0..rows.num_rows() {
        let pair = (tenants.text(row).unwrap_or_default(), users.value(row));
        let Ok(place) = people.binary_search_by(|(known, _)| known.cmp(&pair)) else {
            continue;
        };
        let kind = [&components, &families].map(|cells| cells.text(row).map(str::to_owned));
        let sum = people[place].1.entry(kind.into()).or_default();
        sum.n = sum.n.saturating_add(counts[row]);
        sum.score_share_micro = sum.score_share_micro.saturating_add(shares[row]);
        sum.rule_ids.extend(columns::list(rows, "rule_ids", row));
    }
}

fn weightiest(kinds: &Kinds) -> Vec<Driver> {
    let mut drivers: Vec<Driver> = kinds
        .iter()
        .map(|((component, family), sum)| Driver {
            component: component.clone(),
            family: family.clone(),
            n: sum.n,
            score_share_micro: sum.score_share_micro,
            rule_ids: sum.rule_ids.iter().cloned().collect(),
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
