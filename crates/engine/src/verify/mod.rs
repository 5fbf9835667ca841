//! Recomputes every figure of a snapshot from the snapshot's own tables.
//!
//! A snapshot holds what its figures follow from: who there is (`user_scores`), what was counted
//! against whom (`bucket_counts`), the parameters (`manifest.json`) and, of erased people, their loads
//! (`tombstones`). [`verify`] scores that again with the code that published it and compares cell by
//! cell, after comparing files with their checksums and accounts with what they must add up to.
//!
//! Some cells bear witness to each other: how many incidents a block has stands in `bucket_counts`
//! and in `signal_attribution`, their sum in `user_scores`. Where two agree against one, the one is
//! named and the figures are computed from the other two, so that one wrong count is one finding and
//! not a hundred.

mod accounts;
mod compare;
mod files;
mod findings;
mod tables;
mod votes;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use af_model::FORMULA;
use af_model::view::{VerifyFinding, VerifyView};
use af_store::Snapshot;

use crate::assemble::{Names, Published, ScoredTenant, SnapshotTables, Stamp, snapshot_name};
use crate::error::{Error, ErrorKind};
use crate::tally::Cut;
use files::MANIFEST;
use findings::Findings;

/// Recomputes the snapshot at `path`: its folder, a store (its latest), or any output folder.
///
/// What is wrong with the snapshot is in the view, not an error.
///
/// # Errors
/// There is no snapshot, it cannot be read for reasons of the machine, or its formula is not ours.
pub fn verify(path: &Path) -> Result<VerifyView, Error> {
    match Snapshot::open(path) {
        Ok(snapshot) => verify_snapshot(&snapshot),
        Err(error) if error.kind() == af_store::ErrorKind::Corrupt => {
            let finding = VerifyFinding {
                table: MANIFEST.to_owned(),
                row: None,
                column: None,
                found: Some(error.to_string()),
                expected: "a manifest that can be read".to_owned(),
            };
            Ok(VerifyView {
                snapshot: snapshot_name(path),
                findings: vec![finding],
                ..VerifyView::default()
            })
        }
        Err(error) if error.is_not_found() => {
            let absent = Error::new(ErrorKind::NoInput, error.to_string());
            Err(match error.hint() {
                Some(hint) => absent.with_hint(hint),
                None => absent,
            })
        }
        Err(error) => Err(error.into()),
    }
}

/// Recomputes an opened snapshot.
///
/// # Errors
/// As [`verify`].
pub fn verify_snapshot(snapshot: &Snapshot) -> Result<VerifyView, Error> {
    let manifest = snapshot.manifest();
    if manifest.formula != FORMULA {
        let message = format!(
            "recompute {}: its formula is {}, this program knows {FORMULA}",
            snapshot.path().display(),
            af_model::name::Printable(&manifest.formula)
        );
        let hint = "verify it with the program that published it; the manifest names it";
        return Err(Error::new(ErrorKind::Usage, message).with_hint(hint));
    }
    let mut view = VerifyView {
        snapshot: snapshot_name(snapshot.path()),
        as_of: Some(manifest.as_of),
        known_at: Some(manifest.known_at),
        formula: Some(manifest.formula.clone()),
        ..VerifyView::default()
    };
    let mut findings = Findings::default();
    let are_parameters_usable = files::check_manifest(snapshot, &mut findings);
    view.files = files::check_files(snapshot, &mut findings);
    let sound = tables::check_tables(snapshot, &mut findings, &mut view)?;
    let can_recompute = are_parameters_usable && sound.are_inputs_sound();
    if can_recompute {
        recompute(snapshot, &sound, &mut findings, &mut view)?;
    } else {
        view.not_recomputed = manifest.tenants.keys().cloned().collect();
    }
    view.passed = findings.is_empty();
    (view.findings, view.more_findings) = findings.into_parts();
    Ok(view)
}

fn recompute(
    snapshot: &Snapshot,
    sound: &tables::Sound,
    findings: &mut Findings,
    view: &mut VerifyView,
) -> Result<(), Error> {
    let manifest = snapshot.manifest();
    let mut published = Published::read(snapshot)?;
    votes::on_populations(&mut published, findings);
    if sound.contains(&af_model::tables::signal_attribution::TABLE) {
        votes::on_counts(snapshot, &mut published, findings)?;
    }
    let stamp = Stamp {
        cut: Cut {
            as_of: manifest.as_of,
            known_at: manifest.known_at,
        },
        config_hash: manifest.params.config_hash().to_string(),
        rules_hash: manifest.rules_hash.clone(),
    };
    let mut expected = SnapshotTables::default();
    let mut skipped: BTreeSet<String> = BTreeSet::new();
    let mut faults: Vec<VerifyFinding> = Vec::new();
    for (name, slices) in published.tenants() {
        let tenant = slices.tenant(name, manifest.as_of, &mut faults);
        let Some(tenant) = tenant else {
            skipped.insert(name.to_owned());
            continue;
        };
        let names = Names::of(&tenant);
        match ScoredTenant::new(&tenant, &names, &manifest.params, &stamp) {
            Ok(scored) => {
                view.people += (tenant.members.len() + tenant.erased.len()) as u64;
                view.erased += tenant.erased.len() as u64;
                expected.append(scored.all());
            }
            Err(error) => {
                faults.push(VerifyFinding {
                    table: "bucket_counts".to_owned(),
                    row: Some(format!("tenant_uid={name}")),
                    column: None,
                    found: Some(error.to_string()),
                    expected: "counts that can be scored".to_owned(),
                });
                skipped.insert(name.to_owned());
            }
        }
    }
    for fault in faults {
        findings.add(fault);
    }
    view.cells += compare::compare_all(snapshot, sound, &expected, &skipped, findings)?;
    accounts::check_counts(manifest, &published, &skipped, findings);
    let nobody = BTreeMap::new();
    for (tenant, entry) in &manifest.tenants {
        let counted = expected.population.get(tenant).unwrap_or(&nobody);
        if !skipped.contains(tenant) && entry.population != *counted {
            findings.add(files::manifest_finding(
                &format!("tenants.{tenant}.population"),
                &format!("{:?}", entry.population),
                &format!("{counted:?}"),
            ));
        }
    }
    for tenant in expected.population.keys() {
        if !manifest.tenants.contains_key(tenant) {
            findings.add(files::manifest_finding(
                &format!("tenants.{tenant}"),
                "nothing",
                "the account of a tenant that has scores",
            ));
        }
    }
    view.not_recomputed = skipped.into_iter().collect();
    Ok(())
}
