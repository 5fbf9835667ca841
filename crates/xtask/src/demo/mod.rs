//! The demo organization: its people, thirty days of its Okta log, and the configuration to run it.
//!
//! `cast` → `workdays`, `upkeep`, `stories` → `log` → NDJSON. Everything follows from the names in
//! here; there is no clock and no chance, so the same program writes the same bytes.

use std::path::Path;

use anyhow::{Context, Result};

use self::event::Event;
use self::files::DemoFile;
use self::log::Log;

mod cast;
mod clock;
mod directory;
mod event;
mod files;
mod kinds;
mod log;
mod network;
mod stories;
mod upkeep;
mod workdays;

/// Where the files live.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/samples/demo");

/// How the demo is run.
const CONFIG: &str = r#"# The demo organization. Written by `cargo xtask demo-data`; do not edit.

tenant = "demo"
integration = "okta-demo"
as_of = "2026-11-20"
ingested_at = "2026-11-21T02:00:00Z"

# Public on purpose: the demo holds nothing worth hiding, and equal input must give equal bytes.
hash_key = "64656d6f2064656d6f2064656d6f2064656d6f2064656d6f2064656d6f206b65"
"#;

/// Events that were read twice: where the page starts, and how long it is.
const REPEATED_PAGE: std::ops::Range<usize> = 2000..2020;

/// Writes the files, or checks them.
pub(crate) fn run(check: bool) -> Result<String> {
    let folder = Path::new(FOLDER);
    let events = events();
    let count = events.len();
    let files = files(&events)?;
    if check {
        files::check(folder, &files)?;
        Ok(format!(
            "the demo is as it would be written ({count} events)"
        ))
    } else {
        files::write(folder, &files)?;
        Ok(format!(
            "wrote {count} events and their people to {}",
            folder.display()
        ))
    }
}

fn events() -> Vec<Event> {
    let mut log = Log::new();
    workdays::write(&mut log);
    upkeep::write(&mut log);
    stories::write(&mut log);
    log.into_events()
}

fn files(events: &[Event]) -> Result<[DemoFile; 3]> {
    let mut lines = Vec::with_capacity(events.len());
    for event in events {
        lines.push(serde_json::to_string(event).context("failed to write an event")?);
    }
    // A collector that stumbled reads a page again: the same events, the same ids.
    let page: Vec<String> = lines[REPEATED_PAGE].to_vec();
    lines.splice(REPEATED_PAGE.end..REPEATED_PAGE.end, page);
    let mut ndjson = lines.join("\n");
    ndjson.push('\n');
    Ok([
        DemoFile {
            name: "events.ndjson.gz",
            is_compressed: true,
            content: ndjson,
        },
        DemoFile {
            name: "users.csv",
            is_compressed: false,
            content: directory::csv(&cast::cast()),
        },
        DemoFile {
            name: "demo.toml",
            is_compressed: false,
            content: CONFIG.to_owned(),
        },
    ])
}

#[cfg(test)]
mod tests;
