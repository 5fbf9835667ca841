//! Tables against the accounts of the manifest.

use std::collections::{BTreeMap, BTreeSet};

use af_model::Level;
use af_model::manifest::Manifest;
use af_model::name::check_term;
use af_model::tables::unmatched_signals;
use af_model::view::VerifyFinding;
use af_store::Snapshot;

use super::files::manifest_finding;
use super::findings::Findings;
use crate::assemble::{Published, levels, window_start};
use crate::error::{Error, ErrorKind};

const REASONS: [&str; 4] = ["ambiguous", "no_key", "no_match", "not_a_person"];

/// What was counted against people is what the account says counts, as a whole and by component. Of
/// the erased the counts are gone, so where somebody was erased there may be fewer. A tenant of whom
/// no signal was read has counts from another engine and no account to compare.
pub(super) fn check_counts(
    manifest: &Manifest,
    published: &Published,
    skipped: &BTreeSet<String>,
    findings: &mut Findings,
) {
    for (tenant, slices) in published.tenants() {
        let Some(entry) = manifest
            .tenants
            .get(tenant)
            .filter(|_| !skipped.contains(tenant))
        else {
            continue;
        };
        if entry.signals.signals_read == 0 {
            continue;
        }
        let mut by_component: BTreeMap<&str, i128> = entry
            .feeds
            .keys()
            .map(|component| (component.as_str(), 0))
            .collect();
        for row in slices.buckets {
            let n: i128 = levels(row).iter().map(|(_, n)| i128::from(*n)).sum();
            *by_component.entry(&row.component).or_default() += n;
        }
        let all = by_component.values().sum();
        let parts = by_component.iter().map(|(component, counted)| {
            let said = entry.feeds.get(*component).map_or(0, |feed| feed.scored);
            (format!("feeds.{component}.scored"), said, *counted)
        });
        let whole = ("signals.scored".to_owned(), entry.signals.scored, all);
        for (field, said, counted) in std::iter::once(whole).chain(parts) {
            let said = i128::from(said);
            let fits = said == counted || (!slices.tombstones.is_empty() && said > counted);
            if !fits {
                findings.add(manifest_finding(
                    &format!("tenants.{tenant}.{field}"),
                    &said.to_string(),
                    &format!("{counted}, the sum over bucket_counts"),
                ));
            }
        }
    }
}

/// Signals of nobody: each row by itself, and their sum against the account.
pub(super) fn check_unmatched(snapshot: &Snapshot, findings: &mut Findings) -> Result<(), Error> {
    let manifest = snapshot.manifest();
    let mut sums: BTreeMap<String, i128> = BTreeMap::new();
    // A sum that misses a row is wrong with it; one finding is enough.
    let mut faulty: BTreeSet<String> = BTreeSet::new();
    for batch in snapshot.table(&unmatched_signals::TABLE)? {
        let rows = unmatched_signals::rows(&batch?).map_err(|error| {
            Error::new(ErrorKind::Io, format!("read unmatched_signals: {error}"))
        })?;
        for row in rows {
            if let Some((column, found, expected)) = fault(&row, manifest) {
                findings.add(unmatched_finding(row_key(&row), column, found, expected));
                faulty.insert(row.tenant_uid.clone());
            }
            *sums.entry(row.tenant_uid).or_default() += i128::from(row.n);
        }
    }
    for tenant in manifest.tenants.keys() {
        sums.entry(tenant.clone()).or_default();
    }
    for (tenant, sum) in sums {
        let entry = manifest.tenants.get(&tenant);
        let said = entry.map_or(0, |entry| i128::from(entry.signals.unmatched));
        if sum != said && !faulty.contains(&tenant) {
            findings.add(unmatched_finding(
                format!("tenant_uid={tenant}"),
                "n",
                format!("{sum} in all rows"),
                format!("{said}, as the account says"),
            ));
        }
    }
    Ok(())
}

fn fault(
    row: &unmatched_signals::Row,
    manifest: &Manifest,
) -> Option<(&'static str, String, String)> {
    let window = window_start(manifest.as_of)..=manifest.as_of.day();
    let is_hash = |hash: &String| {
        hash.len() == 32
            && hash
                .bytes()
                .all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'))
    };
    let shown = |text: &str, expected: &str| Some((text.to_owned(), expected.to_owned()));
    let term = |text: &str, kind| {
        let invalid = check_term(text, kind).err()?;
        shown(text, &invalid.to_string())
    };
    let instant = |found: af_model::UtcMillis, expected: af_model::UtcMillis| {
        (found != expected).then(|| (found.to_string(), expected.to_string()))
    };
    let checks = [
        ("as_of", instant(row.as_of, manifest.as_of)),
        ("known_at", instant(row.known_at, manifest.known_at)),
        (
            "reason",
            (!REASONS.contains(&row.reason.as_str()))
                .then(|| shown(&row.reason, "a reason"))
                .flatten(),
        ),
        (
            "day",
            (!window.contains(&row.day)).then(|| {
                let expected = format!("a day from {} to {}", window.start(), window.end());
                (row.day.to_string(), expected)
            }),
        ),
        ("component", term(&row.component, "component")),
        ("family", term(&row.family, "family")),
        (
            "level",
            Level::DESCENDING
                .iter()
                .all(|level| level.as_str() != row.level)
                .then(|| shown(&row.level, "low, medium, high or critical"))
                .flatten(),
        ),
        (
            "subject_hash",
            row.subject_hash
                .as_ref()
                .filter(|hash| !is_hash(hash))
                // What is no hash may be a name: it is not shown.
                .and_then(|_| shown("something else", "32 hex digits")),
        ),
        (
            "n",
            (row.n < 1).then(|| (row.n.to_string(), "at least 1".to_owned())),
        ),
    ];
    checks
        .into_iter()
        .find_map(|(column, fault)| fault.map(|(found, expected)| (column, found, expected)))
}

fn row_key(row: &unmatched_signals::Row) -> String {
    let is_hash = row
        .subject_hash
        .as_ref()
        .filter(|hash| hash.bytes().all(|byte| byte.is_ascii_hexdigit()));
    format!(
        "tenant_uid={} reason={} source={} day={} component={} family={} level={} rule_id={} subject_hash={}",
        row.tenant_uid,
        row.reason,
        row.source,
        row.day,
        row.component,
        row.family,
        row.level,
        row.rule_id,
        is_hash.map_or("null", String::as_str),
    )
}

fn unmatched_finding(row: String, column: &str, found: String, expected: String) -> VerifyFinding {
    VerifyFinding {
        table: unmatched_signals::TABLE.name.to_owned(),
        row: Some(row),
        column: Some(column.to_owned()),
        found: Some(found),
        expected,
    }
}
