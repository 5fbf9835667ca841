//! A simulated System Log, night by night through the real normalizer into a store: for whoever needs
//! normalized events in numbers and not the text they came from.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use af_engine::Silent;
use af_engine::input::Input;
use af_engine::normalize::{self, NormalizeOptions};
use af_model::{HashKey, UtcMillis};
use af_okta_sim::organization::{DayLog, Organization};
use af_store::{Store, WriteLock};
use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::raw_events::size_for;

/// The simulated organization.
pub(crate) const TENANT: &str = "simulated";

/// Days between two words about how far it is.
const TOLD_EVERY: u64 = 10;

/// How many events over how many days, and where they go.
#[derive(Args, Clone, Debug)]
pub(crate) struct Arguments {
    /// Events, at least about.
    #[arg(long, default_value_t = 1_000_000)]
    rows: u64,
    /// Days, from 2026-08-24 on.
    #[arg(long, default_value_t = 90)]
    days: u64,
    /// Another seed is another organization.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder of the store that receives them; must not exist.
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
}

/// Lives through the days and says how many events they had.
pub(crate) fn run(arguments: &Arguments) -> Result<String> {
    let Arguments {
        rows,
        days,
        seed,
        store: root,
    } = arguments;
    ensure!(*days >= 9, "a simulation needs at least 9 days");
    ensure!(!root.exists(), "{} exists already", root.display());
    let size = size_for(*rows, *days)?;
    let mut organization = Organization::new(size, *seed);
    let store = Store::create_or_open(root)?;
    let lock = store.lock()?;
    let key = public_key(&store, &lock)?;
    let scratch = tempfile::tempdir_in(root).context("make a folder for the log of a day")?;
    let (mut events, mut lived) = (0, 0);
    while let Some(day) = organization.next_day() {
        events += read_day((&store, &lock), &key, &day, scratch.path())?;
        lived += 1;
        if lived % TOLD_EVERY == 0 {
            // Nobody is left to tell when standard error is closed.
            let _ = writeln!(io::stderr(), "{}: {events} events", day.day);
        }
    }
    Ok(format!(
        "{events} events of {} people on {lived} days in {}",
        size.people,
        root.display()
    ))
}

/// The key of a store of people who do not exist: public, so that equal input gives equal bytes.
pub(crate) fn public_key(store: &Store, lock: &WriteLock) -> Result<HashKey> {
    Ok(store.hash_key(lock, || [7; 32])?)
}

/// When the log of a day is read.
pub(crate) fn night_after(day: &DayLog) -> UtcMillis {
    UtcMillis(day.day.end().0 + 600_000)
}

/// Normalizes a day's log by way of a file in `scratch`; every event must become a row.
pub(crate) fn read_day(
    into: (&Store, &WriteLock),
    key: &HashKey,
    day: &DayLog,
    scratch: &Path,
) -> Result<u64> {
    let file = scratch.join("day.ndjson");
    let mut text = String::new();
    for event in day.events() {
        text.push_str(event);
        text.push('\n');
    }
    fs_err::write(&file, &text)?;
    drop(text);
    let options = NormalizeOptions {
        tenant: TENANT.to_owned(),
        integration: Some("okta".to_owned()),
        ingested_at: night_after(day),
        buffer_bytes: 256 << 20,
    };
    let inputs = [Input::File(file.clone())];
    let report = normalize::okta(Some(into), key, &inputs, &options, &Silent)?;
    let account = report.account;
    ensure!(
        account.normalized == account.events_read && account.events_read > 0,
        "events of {} were refused: {:?}",
        day.day,
        report.reasons
    );
    fs_err::remove_file(&file)?;
    Ok(account.normalized)
}

#[cfg(test)]
mod tests {
    use af_store::Partitioned;

    use super::*;

    #[test]
    fn every_day_of_the_organization_is_in_the_store_and_what_rules_read_of_it_can_be_decoded() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store");
        let arguments = Arguments {
            rows: 5_000,
            days: 9,
            seed: 1,
            store: store.clone(),
        };
        let said = run(&arguments).unwrap();
        let days = Store::open(&store).unwrap().days(Partitioned::Events);
        assert_eq!(days.unwrap().len(), 9);
        let events: u64 = said.split(' ').next().unwrap().parse().unwrap();
        assert!(events > 2_000, "{said}");
        let floor = crate::floor::Floor::Rules {
            store: store.clone(),
        };
        let decoded = crate::floor::run(&floor).unwrap();
        assert_eq!(decoded, format!("{events} rows decoded"));
        let again = run(&arguments).unwrap_err();
        assert!(again.to_string().ends_with("exists already"), "{again}");
    }
}
