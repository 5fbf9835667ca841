//! `detect`: events into signals, also done by `score`.

use af_engine::detect;
use af_store::Store;
use clap::Args;

use crate::args::{FormatArgument, RulesArgument, StoreArgument};
use crate::commands::rules::load;
use crate::console::{self, Bars};

/// `detect`.
#[derive(Args, Debug)]
pub(crate) struct Detect {
    #[command(flatten)]
    pub(crate) store: StoreArgument,

    #[command(flatten)]
    pub(crate) rules: RulesArgument,

    #[command(flatten)]
    pub(crate) format: FormatArgument,
}

pub(super) fn run(arguments: &Detect, quiet: bool) -> anyhow::Result<()> {
    let rules = load(&arguments.rules)?;
    let store = Store::open(&arguments.store.store)?;
    let lock = store.lock()?;
    let report = detect::detect(&store, &lock, &rules, &Bars::new(quiet))?;
    let mut all = af_model::accounting::ClassAccount::default();
    for account in report.detected.classes().values() {
        all += *account;
    }
    console::print_account(
        ("normalized", all.normalized),
        &all.parts(),
        arguments.format.format,
    )?;
    if !quiet {
        let signals: u64 = report.detected.days.values().map(|day| day.signals).sum();
        console::say(&format!(
            "{signals} signals; {} days detected, {} up to date",
            report.days_detected, report.days_current
        ));
    }
    Ok(())
}
