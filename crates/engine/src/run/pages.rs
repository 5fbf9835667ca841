//! Pages that were fetched and wait: they become events and leave the feed.

use std::path::Path;

use af_model::name::Printable;
use af_store::Store;
use af_store::feed::WaitingPage;

use super::events::{STAGE, take_in};
use super::ingest::{Ingest, warn};
use super::report::{EventsRead, TenantReport};
use super::seen::{FileSeen, source_key};
use crate::config::{OktaApi, OktaSource, Tenant};
use crate::error::{Error, ErrorKind};
use crate::input::Input;

/// Takes in what waits for an integration. All its pages are one commit; only then do they leave the
/// feed, so a run that is killed in between reads them again and finds duplicates. A page that
/// cannot be read stays where it is, is named, and is in nobody's way.
pub(super) fn read(
    ingest: &mut Ingest<'_>,
    tenant: &Tenant,
    source: &OktaSource,
    api: &OktaApi,
    report: &mut TenantReport,
) -> Result<(), Error> {
    let job = ingest.job;
    let feed = source.feed_name(&tenant.name);
    let pages = job.store.waiting_pages(&feed)?;
    let key = source_key("feed", source.label());
    let known = ingest.seen.source(&tenant.name, &key);
    let mut read = EventsRead {
        integration: source.name.clone(),
        files: pages.len() as u64,
        ..EventsRead::default()
    };
    if pages.is_empty() {
        report.events.push(read);
        return Ok(());
    }
    let mut seen = known.clone();
    // What a snapshot has answered for is not asked about again.
    seen.files
        .retain(|name, file| !file.settled || pages.iter().any(|page| page_name(page) == *name));
    tracing::info!(
        stage = STAGE,
        tenant = tenant.name,
        integration = source.label(),
        pages = pages.len(),
        "reading {} pages of {}",
        pages.len(),
        source.label()
    );
    let inputs: Vec<Input> = pages
        .iter()
        .map(|page| Input::Named(in_store(job.store, &page.path), page.path.clone()))
        .collect();
    let found = match take_in(ingest, tenant, source, &inputs, &mut read, report) {
        Ok(found) => found,
        // Not one of them can be opened.
        Err(error) if error.kind() == ErrorKind::NoInput => {
            warn(STAGE, &tenant.name, vec![kept(&error.to_string())], report);
            report.events.push(read);
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    report.events.push(read);

    let mut taken = Vec::new();
    let mut damaged = Vec::new();
    for (page, input) in pages.into_iter().zip(&found.inputs) {
        let name = page_name(&page);
        if let Some(error) = &input.error {
            damaged.push(kept(&format!("read page {}: {error}", Printable(&name))));
            continue;
        }
        let before = known.files.get(&name);
        let same =
            |before: &&FileSeen| (before.events, before.refused) == (input.events, input.refused);
        seen.files.insert(
            name.clone(),
            FileSeen {
                bytes: page.bytes,
                events: input.events,
                refused: input.refused,
                // A damaged page that stays does not come before the gates again and again.
                settled: before.filter(same).is_some_and(|before| before.settled),
                ..FileSeen::default()
            },
        );
        match &input.broke_off {
            Some(end) => damaged.push(kept(&format!(
                "read page {} to its end: {}",
                Printable(&name),
                Printable(&end.problem)
            ))),
            None => taken.push(page),
        }
    }
    warn(STAGE, &tenant.name, damaged, report);
    ingest.keep(&tenant.name, &key, &known, seen)?;
    let raw = api.keep_raw.then(|| job.options.ingested_at.day());
    job.store.settle_pages(job.lock, &feed, &taken, raw)?;
    Ok(())
}

fn kept(problem: &str) -> String {
    format!("failed to {problem}; it stays in the feed")
}

/// A path as it is from the store's folder.
pub(super) fn in_store(store: &Store, path: &Path) -> String {
    let path = path.strip_prefix(store.root()).unwrap_or(path);
    path.to_string_lossy().into_owned()
}

/// What a page is called in the document of what was read.
pub(super) fn page_name(page: &WaitingPage) -> String {
    format!("{}-{}", page.stream, page.number)
}
