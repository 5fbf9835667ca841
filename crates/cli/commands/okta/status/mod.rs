//! `okta status`: how every integration fares, from what the store remembers.

mod page;
mod view;

use af_engine::feeds;
use af_report::Format;
use af_store::Store;
use clap::Args;

use super::{FetchStoreArgument, WhichArgument};
use crate::args::FormatArgument;
use crate::okta::integrations::Integration;
use crate::settings::Settings;
use crate::{clock, console};

use view::{Found, IntegrationView};

/// `okta status`.
#[derive(Args, Debug)]
#[command(after_help = "\
Asks nobody: everything is read from the store and the configuration.

  ok        caught up; what happened until then is here, or was taken in
  busy      a process is fetching, and not all of the history is here or it never caught up yet
  behind    nothing has caught up for longer than gates.feed_age_hours; while a process fetches for it,
            for longer than ten minutes or five polls; or history is missing and nobody fetches it
  failing   the last attempt failed; the problem stands below, with what may help
  never     nothing was ever fetched

waiting: pages that the next `run` takes in. --format json has everything that is known.

Examples:
  attack-factor okta status
  attack-factor okta status acme/prod
  attack-factor okta status --format jsonl")]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) which: WhichArgument,

    #[command(flatten)]
    pub(crate) store: FetchStoreArgument,

    #[command(flatten)]
    pub(crate) format: FormatArgument,
}

pub(super) fn run(arguments: &Status, settings: &Settings) -> anyhow::Result<()> {
    let integrations = arguments.which.select(settings)?;
    let root = arguments.store.root(&settings.config)?;
    // A store that is not there yet holds no feed.
    let store = if root.exists() {
        Some(Store::open(&root)?)
    } else {
        None
    };
    let now = clock::now();
    let mut views = Vec::new();
    for integration in &integrations {
        let found = match &store {
            Some(store) => find(store, integration)?,
            None => Found::default(),
        };
        let gates = &settings.config.gates;
        views.push(IntegrationView::new(integration, found, gates, now));
    }
    show(&views, arguments.format.format)
}

/// What the store knows of an integration.
fn find(store: &Store, integration: &Integration<'_>) -> anyhow::Result<Found> {
    let feed = integration.feed();
    let pages = store.waiting_pages(&feed)?;
    Ok(Found {
        status: feeds::status(store, &feed)?,
        fetched_by: store.feed_holder(&feed)?,
        waiting_pages: pages.len() as u64,
        waiting_bytes: pages.iter().map(|page| page.bytes).sum(),
    })
}

fn show(views: &[IntegrationView], format: Format) -> anyhow::Result<()> {
    match format {
        Format::Table => {
            console::print_rows(&page::table_columns(), &page::table_rows(views), format)?;
            let remarks = page::remarks(views);
            if remarks.is_empty() {
                return Ok(());
            }
            console::print(&format!("\n{remarks}"))
        }
        Format::Json => console::print(&(serde_json::to_string_pretty(views)? + "\n")),
        Format::Jsonl => {
            let lines: Result<Vec<String>, _> = views.iter().map(serde_json::to_string).collect();
            console::print(&(lines?.join("\n") + "\n"))
        }
        Format::Csv => console::print_rows(&page::columns(), &page::rows(views), format),
    }
}
