//! Cells that bear witness to each other: where two agree against one, the one is named and put
//! right, so that everything that follows from it is computed from what is probably true.

use af_model::tables::{bucket_counts, signal_attribution};
use af_model::view::VerifyFinding;
use af_model::{Level, UtcDay};
use af_store::Snapshot;

use super::findings::Findings;
use crate::assemble::{Published, bucket_key, count_column, levels, user_fault};
use crate::error::{Error, ErrorKind};

/// Who is ranked has a rank and a percentile: both against `in_population` outvote it.
pub(super) fn on_populations(published: &mut Published, findings: &mut Findings) {
    for row in &mut published.user_scores {
        let is_ranked = row.rank.is_some();
        if is_ranked == row.percentile.is_some() && is_ranked != row.in_population {
            findings.add(user_fault(
                row,
                "in_population",
                &row.in_population.to_string(),
                if is_ranked {
                    "true, for there is a rank"
                } else {
                    "false, for there is no rank"
                },
            ));
            row.in_population = is_ranked;
        }
    }
}

/// A count that is not what attribution says.
struct Doubt {
    bucket: usize,
    level: Level,
    attributed: i64,
}

/// The number of incidents of a block stands in `bucket_counts` and in `signal_attribution`, and the
/// sum over all blocks of a person in `user_scores`. Where attribution and sum agree, they outvote
/// the count. Blocks without a row of their own (beyond the fifty weightiest) have no second witness.
///
/// Checks the shape of the lists of rules and signals in passing, which nothing else can say.
pub(super) fn on_counts(
    snapshot: &Snapshot,
    published: &mut Published,
    findings: &mut Findings,
) -> Result<(), Error> {
    let buckets = &published.bucket_counts;
    // Which of the four counts of each bucket attribution speaks of.
    let mut seen = vec![[false; 4]; buckets.len()];
    let mut doubts: Vec<Doubt> = Vec::new();
    let mut with_rest: Vec<(String, String)> = Vec::new();
    for batch in snapshot.table(&signal_attribution::TABLE)? {
        let rows = signal_attribution::rows(&batch?).map_err(|error| {
            Error::new(ErrorKind::Io, format!("read signal_attribution: {error}"))
        })?;
        for row in rows {
            check_lists(&row, findings);
            let Some((component, family, day, level)) = key_of(&row) else {
                with_rest.push((row.tenant_uid, row.user_uid));
                continue;
            };
            let found = buckets.binary_search_by(|probe| {
                (
                    &probe.tenant_uid,
                    &probe.user_uid,
                    probe.component.as_str(),
                    probe.family.as_str(),
                    probe.day,
                )
                    .cmp(&(&row.tenant_uid, &row.user_uid, component, family, day))
            });
            // A block without a bucket is a row too many, which the comparison names.
            let Ok(bucket) = found else { continue };
            seen[bucket][level.slot()] = true;
            if levels(&buckets[bucket])[level.slot()].1 != row.n {
                doubts.push(Doubt {
                    bucket,
                    level,
                    attributed: row.n,
                });
            }
        }
    }
    let decided = decide(published, &seen, doubts, &with_rest);
    for doubt in decided {
        let row = &mut published.bucket_counts[doubt.bucket];
        let key = bucket_key(row);
        let cell = count_of(row, doubt.level);
        findings.add(VerifyFinding {
            table: bucket_counts::TABLE.name.to_owned(),
            row: Some(key),
            column: Some(count_column(doubt.level).to_owned()),
            found: Some(cell.to_string()),
            expected: doubt.attributed.to_string(),
        });
        *cell = doubt.attributed;
    }
    Ok(())
}

/// The doubts about people whose sum speaks against the counts and for attribution.
fn decide(
    published: &Published,
    seen: &[[bool; 4]],
    mut doubts: Vec<Doubt>,
    with_rest: &[(String, String)],
) -> Vec<Doubt> {
    let buckets = &published.bucket_counts;
    let person = |bucket: &bucket_counts::Row| (bucket.tenant_uid.clone(), bucket.user_uid.clone());
    for (bucket, row) in buckets.iter().enumerate() {
        for (level, n) in levels(row) {
            if n != 0
                && !seen[bucket][level.slot()]
                && with_rest.binary_search(&person(row)).is_err()
            {
                doubts.push(Doubt {
                    bucket,
                    level,
                    attributed: 0,
                });
            }
        }
    }
    doubts.sort_by_key(|doubt| (doubt.bucket, doubt.level.slot()));
    let mut decided = Vec::new();
    for own in doubts.chunk_by(|a, b| person(&buckets[a.bucket]) == person(&buckets[b.bucket])) {
        let (tenant, user) = person(&buckets[own[0].bucket]);
        let Ok(place) = published
            .user_scores
            .binary_search_by(|probe| (&probe.tenant_uid, &probe.user_uid).cmp(&(&tenant, &user)))
        else {
            continue;
        };
        let sum = i128::from(published.user_scores[place].signal_count);
        let from =
            buckets.partition_point(|row| (&row.tenant_uid, &row.user_uid) < (&tenant, &user));
        let counted: i128 = buckets[from..]
            .iter()
            .take_while(|row| (&row.tenant_uid, &row.user_uid) == (&tenant, &user))
            .flat_map(levels)
            .map(|(_, n)| i128::from(n))
            .sum();
        let change: i128 = own
            .iter()
            .map(|doubt| {
                let n = levels(&buckets[doubt.bucket])[doubt.level.slot()].1;
                i128::from(doubt.attributed) - i128::from(n)
            })
            .sum();
        if counted != sum && counted + change == sum {
            decided.extend(own.iter().map(|doubt| Doubt { ..*doubt }));
        }
    }
    decided
}

fn count_of(row: &mut bucket_counts::Row, level: Level) -> &mut i64 {
    match level {
        Level::Critical => &mut row.n_critical,
        Level::High => &mut row.n_high,
        Level::Medium => &mut row.n_medium,
        Level::Low => &mut row.n_low,
    }
}

/// What a block is told apart by; none for the row of the rest.
fn key_of(row: &signal_attribution::Row) -> Option<(&str, &str, UtcDay, Level)> {
    let level = row.level.as_deref()?.parse().ok()?;
    Some((
        row.component.as_deref()?,
        row.family.as_deref()?,
        row.day?,
        level,
    ))
}

/// Signals are named up to twenty, in order; rules are sorted and distinct. A producer that has no ids
/// names none, and so does the row of the rest.
fn check_lists(row: &signal_attribution::Row, findings: &mut Findings) {
    let is_rest = row.component.is_none();
    let (rules, signals) = (&row.rule_ids, &row.signal_uids);
    let most = if is_rest { 0 } else { 20 };
    let mut wrong = |column: &str, found: usize, expected: String| {
        let text = |name: &Option<String>| name.clone().unwrap_or_else(|| "null".to_owned());
        let day = row
            .day
            .map_or_else(|| "null".to_owned(), |day| day.to_string());
        findings.add(VerifyFinding {
            table: signal_attribution::TABLE.name.to_owned(),
            row: Some(format!(
                "tenant_uid={} user_uid={} component={} family={} day={day} level={}",
                row.tenant_uid,
                row.user_uid,
                text(&row.component),
                text(&row.family),
                text(&row.level)
            )),
            column: Some(column.to_owned()),
            found: Some(format!("{found} ids")),
            expected,
        });
    };
    // Not more ids than `n`, but a wrong `n` is found by comparing and must not be said of both.
    if signals.len() > most {
        wrong("signal_uids", signals.len(), format!("at most {most}"));
    } else if !signals.is_sorted() {
        let expected = "ids in ascending order".to_owned();
        wrong("signal_uids", signals.len(), expected);
    }
    if is_rest && !rules.is_empty() {
        wrong("rule_ids", rules.len(), "none".to_owned());
    } else if !rules.is_sorted_by(|a, b| a < b) {
        wrong(
            "rule_ids",
            rules.len(),
            "distinct ids in ascending order".to_owned(),
        );
    }
}
