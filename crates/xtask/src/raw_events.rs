//! A simulated System Log as files of raw events, for the comparison with other engines (`benches/peers`).

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use af_okta_sim::organization::{Organization, Size};
use anyhow::{Context, Result, ensure};
use clap::Args;

/// Raw events a day that a simulated person leaves, at least about.
const EVENTS_A_PERSON_AND_DAY: u64 = 5;
/// Days of the log.
const DAYS: u64 = 30;
/// How many files there are; each holds some days.
const FILES: u64 = 4;

/// How many events, and where they go.
#[derive(Args, Clone, Debug)]
pub(crate) struct Arguments {
    /// Events, exactly.
    #[arg(long, default_value_t = 200_000)]
    rows: u64,
    /// Another seed is another organization.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder that receives events-….ndjson.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

#[cfg(test)]
impl Arguments {
    /// So many events into that folder.
    pub(crate) fn of(rows: u64, out: &std::path::Path) -> Self {
        Self {
            rows,
            seed: 1,
            out: out.to_owned(),
        }
    }
}

/// How large an organization is whose log has so many events on so many days, at least about.
pub(crate) fn size_for(events: u64, days: u64) -> Result<Size> {
    let people = (events / days / EVENTS_A_PERSON_AND_DAY).max(50);
    Ok(Size {
        people: usize::try_from(people)?,
        days: i32::try_from(days)?,
    })
}

/// Writes the events and says how many, and how large they are.
pub(crate) fn run(arguments: &Arguments) -> Result<String> {
    fs_err::create_dir_all(&arguments.out).context("make the folder of the events")?;
    let mut organization = Organization::new(size_for(arguments.rows, DAYS)?, arguments.seed);
    let (mut written, mut bytes, mut file) = (0, 0_u64, None);
    while written < arguments.rows {
        let day = organization.next_day();
        let day = day.context("the organization's days ended before the events did")?;
        for event in day.events() {
            if written == arguments.rows {
                break;
            }
            if (written * FILES).is_multiple_of(arguments.rows) || file.is_none() {
                close(file.take())?;
                let part = written * FILES / arguments.rows;
                let path = arguments.out.join(format!("events-{part}.ndjson"));
                let opened = fs_err::OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .open(path)?;
                file = Some(BufWriter::new(opened));
            }
            let open = file.as_mut().context("a file is open")?;
            open.write_all(event.as_bytes())?;
            open.write_all(b"\n")?;
            written += 1;
            bytes += event.len() as u64 + 1;
        }
    }
    close(file)?;
    ensure!(written > 0, "no event was asked for");
    Ok(format!(
        "{written} events, {} bytes each, in {}",
        bytes / written,
        arguments.out.display()
    ))
}

/// Writes what waits, so that a full disk is told.
fn close(file: Option<BufWriter<fs_err::File>>) -> Result<()> {
    if let Some(mut file) = file {
        file.flush()?;
    }
    Ok(())
}
