//! `okta pull`: fetch what is new in the System Log.

use af_okta_client::log::PullReport;
use af_report::{Cell, Column, Format};
use af_store::Store;
use clap::Args;

use super::{FetchStoreArgument, WhichArgument, outcome};
use crate::args::FormatArgument;
use crate::console;
use crate::okta::fetch::{Fetched, Fetcher};
use crate::okta::network::Network;
use crate::okta::watch::{Board, rate};
use crate::settings::Settings;

/// `okta pull`.
#[derive(Args, Debug)]
#[command(after_help = "\
Fetches from every [[tenant.okta]] with a url into STORE/feeds, until nothing more is there. What was
fetched waits there for the next `run`. The first time, the history is fetched that `start` asks for.
A second pull goes on where the first one ended, also when that was killed.

Nothing else may fetch for the same integration at the same time; a `run` may work meanwhile. One
integration that fails does not stop the others; the exit code is 1 then, or 2 when its settings cannot
be used.

With --follow it goes on until SIGTERM or Ctrl-C, takes an inventory when one is due, tries again what
failed, and ends with 0, or with 2 when the settings of an integration cannot be used: that one is not
followed, which is said at once. A second signal ends it at once; the store is whole either way.

Examples:
  attack-factor okta pull
  attack-factor okta pull acme/prod --format json
  attack-factor okta pull --follow --log-format json")]
pub(crate) struct Pull {
    #[command(flatten)]
    pub(crate) which: WhichArgument,

    #[command(flatten)]
    pub(crate) store: FetchStoreArgument,

    /// Go on until a signal comes.
    #[arg(long)]
    pub(crate) follow: bool,

    #[command(flatten)]
    pub(crate) format: FormatArgument,
}

pub(super) fn run(arguments: &Pull, settings: &Settings, quiet: bool) -> anyhow::Result<()> {
    let integrations = arguments.which.select(settings)?;
    let store = Store::create_or_open(&arguments.store.root(&settings.config)?)?;
    let network = Network::start()?;
    let fetcher = Fetcher {
        store: &store,
        network: &network,
        board: Board::new(quiet),
        says_expiry: true,
    };
    let fetched = if arguments.follow {
        fetcher.follow(&integrations)
    } else {
        fetcher.pull(&integrations)
    };
    console::print_rows(&columns(), &rows(&fetched), arguments.format.format)?;
    if !quiet && arguments.format.format == Format::Table {
        console::say(&summary(&fetched, arguments.follow));
    }
    if !arguments.follow
        && let Some(interrupted) = network.interruption("fetch everything")
    {
        return Err(interrupted.into());
    }
    let failed: Vec<_> = fetched
        .iter()
        .filter_map(|one| Some((one.label(), one.result.as_ref().err()?)))
        .collect();
    Ok(outcome::judge(fetched.len(), &failed)?)
}

fn columns() -> [Column; 11] {
    [
        Column::new("integration"),
        Column::new("events").right(),
        Column::new("pages").right(),
        Column::new("from"),
        Column::new("to"),
        Column::new("caught_up").titled("caught up"),
        Column::new("calls").right(),
        Column::new("limited").right(),
        Column::new("bytes").right(),
        Column::new("millis").right(),
        Column::new("problem").shrinks(20),
    ]
}

fn rows(fetched: &[Fetched<PullReport>]) -> Vec<Vec<Cell>> {
    fetched
        .iter()
        .map(|one| {
            let report = one.result.as_ref().ok();
            vec![
                one.label().into(),
                report.map(|report| report.events).into(),
                report.map(|report| report.pages).into(),
                report
                    .and_then(|report| report.span)
                    .map(|span| span.0)
                    .into(),
                report
                    .and_then(|report| report.span)
                    .map(|span| span.1)
                    .into(),
                report.is_some_and(|report| report.caught_up).into(),
                one.cost.calls.into(),
                one.cost.limited.into(),
                one.cost.bytes.into(),
                u64::try_from(one.took.as_millis())
                    .unwrap_or(u64::MAX)
                    .into(),
                one.result.as_ref().err().map(ToString::to_string).into(),
            ]
        })
        .collect()
}

fn summary(fetched: &[Fetched<PullReport>], follow: bool) -> String {
    let reports = || fetched.iter().filter_map(|one| one.result.as_ref().ok());
    let events: u64 = reports().map(|report| report.events).sum();
    let pages: u64 = reports().map(|report| report.pages).sum();
    if events == 0 {
        return "nothing new".to_owned();
    }
    let longest = fetched.iter().map(|one| one.took).max().unwrap_or_default();
    // Whoever follows mostly waits.
    let speed = if follow {
        String::new()
    } else {
        format!(", {} a second", rate(events, longest))
    };
    format!("{events} events in {pages} pages{speed}; attack-factor run takes them in")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use af_model::UtcMillis;
    use af_model::feed::Cost;
    use af_okta_client::{Error, ErrorKind};
    use af_store::feed::FeedName;

    use super::*;

    fn fetched(result: Result<PullReport, Error>, millis: u64) -> Fetched<PullReport> {
        Fetched {
            feed: FeedName {
                tenant: "acme".to_owned(),
                integration: "prod".to_owned(),
            },
            result,
            cost: Cost {
                calls: 3,
                ..Cost::default()
            },
            took: Duration::from_millis(millis),
        }
    }

    fn report(events: u64) -> PullReport {
        PullReport {
            events,
            pages: 2,
            span: Some((UtcMillis(0), UtcMillis(5))),
            caught_up: true,
        }
    }

    #[test]
    fn a_failure_has_its_row_with_what_it_cost() {
        let failed = fetched(Err(Error::new(ErrorKind::Unavailable, "reach it")), 7);
        let rows = rows(&[fetched(Ok(report(9)), 5), failed]);
        assert_eq!(rows[0][1], Cell::Count(9));
        assert_eq!(rows[0][4], Cell::Instant(UtcMillis(5)));
        assert_eq!(rows[1][1], Cell::Null);
        assert_eq!(rows[1][6], Cell::Count(3));
        assert_eq!(rows[1][10], Cell::from("reach it"));
        assert!(rows.iter().all(|row| row.len() == columns().len()));
    }

    #[test]
    fn side_by_side_the_slowest_tells_the_speed() {
        let both = [
            fetched(Ok(report(900)), 1_000),
            fetched(Ok(report(100)), 2_000),
        ];
        assert_eq!(
            summary(&both, false),
            "1000 events in 4 pages, 500 a second; attack-factor run takes them in"
        );
        assert_eq!(
            summary(&both, true),
            "1000 events in 4 pages; attack-factor run takes them in"
        );
        assert_eq!(summary(&[fetched(Ok(report(0)), 9)], false), "nothing new");
    }
}
