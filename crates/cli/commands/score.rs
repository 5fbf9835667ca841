//! `score`: everybody's attack factor, published.

use af_directory::ImportOptions;
use af_engine::pipeline::{self, FilesJob, ScoreReport, StoreJob};
use af_engine::tally::AskedCut;
use af_model::Params;
use af_model::accounting::SignalAccount;
use af_report::Format;
use af_store::Store;

use crate::args::Score;
use crate::clock;
use crate::commands::rules::load;
use crate::commands::run_facts;
use crate::console::{self, Bars};
use crate::exit::Refusal;

pub(super) fn run(arguments: &Score, quiet: bool) -> anyhow::Result<()> {
    let params = Params::default();
    let asked = AskedCut {
        as_of: arguments.cut.as_of,
        known_at: arguments.cut.known_at,
    };
    let bars = Bars::new(quiet);
    let report = match (&arguments.store, &arguments.users, &arguments.out) {
        (Some(store), ..) if arguments.signals.is_empty() => {
            let rules = load(&arguments.rules)?;
            let store = Store::open(store)?;
            let lock = store.lock()?;
            let random = clock::random_bytes()?;
            let key = store.hash_key(&lock, || random)?;
            let job = StoreJob {
                store: &store,
                lock: &lock,
                key: &key,
                rules: &rules,
            };
            pipeline::score_store(&job, &params, asked, &run_facts(), &bars)?
        }
        (_, Some(users), Some(out)) => {
            let options = ImportOptions {
                tenant: arguments.tenant.clone(),
                source: "directory".to_owned(),
                imported_at: None,
                map: arguments.mapping.clone(),
            };
            let key = arguments
                .hash_key
                .as_deref()
                .map(af_store::read_hash_key)
                .transpose()?;
            let job = FilesJob {
                signals: &arguments.signals,
                users: (users, &options),
                out,
                force: arguments.force,
                key: key.as_ref(),
            };
            pipeline::score_files(&job, &params, asked, &run_facts(), &bars)?
        }
        _ => {
            return Err(Refusal::usage(
                "tell what to score",
                "give --store DIR, or --signals FILES… --users FILE --out DIR",
            )
            .into());
        }
    };
    show(&report, arguments.format.format, quiet)
}

/// Prints the accounts and says where the snapshot is.
pub(super) fn show(report: &ScoreReport, format: Format, quiet: bool) -> anyhow::Result<()> {
    let mut all = SignalAccount::default();
    for entry in report.manifest.tenants.values() {
        all += entry.signals;
    }
    console::print_account(("signals_read", all.signals_read), &all.parts(), format)?;
    if quiet {
        return Ok(());
    }
    for (tenant, entry) in &report.manifest.tenants {
        for warning in &entry.warnings {
            console::say(&format!("warning: {tenant}: {warning}"));
        }
    }
    let verb = if report.published {
        "published"
    } else {
        "nothing changed since"
    };
    let manifest = &report.manifest;
    console::say(&format!(
        "{verb} {} (as of {}, known at {}, revision {})",
        report.snapshot.display(),
        manifest.as_of,
        manifest.known_at,
        manifest.revision
    ));
    Ok(())
}
