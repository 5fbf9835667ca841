//! Signals → the tables of a snapshot in a folder of its own.

use std::path::Path;

use af_model::Params;
use af_model::accounting::PerTenant;
use af_model::manifest::{DirectoryVersion, RuleChanges};

use super::{Input, Known};
use crate::assemble::{Assembly, Roster, Stamp};
use crate::error::{Error, ErrorKind};
use crate::pipeline::{LeftOut, RunFacts, ScoreReport};
use crate::progress::Progress;
use crate::publish::{self, Facts, entries, publish, tenant_entries, tenant_runs, unchanged};
use crate::tally::{self, AskedCut};

/// Scores anybody's signals against a file of people. What is in `out` is replaced only with `force`.
///
/// # Errors
/// Something cannot be read or written; nothing tells the point in time; `out` holds something else and
/// may not be replaced; a tenant cannot be scored.
pub fn score(
    input: Input<'_>,
    out: &Path,
    force: bool,
    params: &Params,
    asked: AskedCut,
    run: &RunFacts,
    progress: &dyn Progress,
) -> Result<ScoreReport, Error> {
    let (known, people) = Known::with_people(input, asked)?;
    let people = Roster::new(people);
    let inputs = entries(input.signals)?;
    let shelf = tally::shelf(out);
    let counted = tally::count(known.counting(input), input.signals, &shelf, progress)?;
    let sums = counted.sums();
    if let Some((tenant, reason)) = tally::unclosed(sums).pop_first() {
        let message = format!("score tenant {tenant}: {reason}");
        return Err(Error::new(ErrorKind::Gate, message));
    }
    let stamp = Stamp {
        cut: known.cut,
        config_hash: params.config_hash().to_string(),
        rules_hash: None,
    };
    let assembly = Assembly {
        people: &people,
        params,
        stamp: &stamp,
    };
    let tenants = tenant_entries(sums, &assembly.population(), PerTenant::new());
    let facts = Facts {
        params,
        stamp: &stamp,
        directories: vec![directory(input, people.len())],
        inputs,
        tenants: tenants.clone(),
        seen: tenant_runs(sums, &LeftOut::new(), None),
        left_out: LeftOut::new(),
        rule_changes: RuleChanges::default(),
        integrations: Vec::new(),
        run,
    };
    af_store::mend_output(out)?;
    // What is there is looked at before it is replaced; a folder of anything else is no snapshot.
    let is_snapshot = out.join("manifest.json").is_file();
    let mut written = if is_snapshot {
        af_store::begin_output_unchecked(out, force)?
    } else {
        af_store::begin_output(out, force)?
    };
    progress.begin("scoring people", None);
    let names = sums.tenants.keys().map(String::as_str);
    let mut counts = counted.by_tenant()?;
    let none = LeftOut::new();
    let refused = publish::write(&mut written, &assembly, names, &none, &mut counts)?;
    progress.end();
    if let Some((_, reason)) = refused.into_iter().next() {
        return Err(Error::new(ErrorKind::Gate, reason));
    }
    let same = if is_snapshot {
        unchanged(out, &written, &stamp)?
    } else {
        None
    };
    let report = match same {
        Some(report) => ScoreReport {
            seen: facts.seen,
            ..report
        },
        None => publish(written, facts)?,
    };
    Ok(ScoreReport { tenants, ..report })
}

/// The file of people as the manifest names it.
fn directory(input: Input<'_>, people: usize) -> DirectoryVersion {
    let Input { users, options, .. } = input;
    let file = users.file_name().unwrap_or_default();
    DirectoryVersion {
        tenant_uid: options.tenant.clone().unwrap_or_default(),
        source: Some(options.source.clone()),
        imported_at: options.imported_at,
        file: file.to_string_lossy().into_owned(),
        people: people as u64,
    }
}
