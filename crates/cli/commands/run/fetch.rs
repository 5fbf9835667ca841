//! What `run` fetches before it takes anything in. A failure here is a gap, never a stop.

use std::fmt::Write;
use std::path::Path;

use af_engine::config::Config;
use af_engine::feeds;
use af_model::feed::FeedStatus;
use af_okta_client::ErrorKind;
use af_store::Store;
use serde::Serialize;

use crate::clock;
use crate::console::{self, Stopwatch};
use crate::okta::due::is_due;
use crate::okta::fetch::{Fetched, Fetcher, ForRun};
use crate::okta::integrations::{self, Integration};
use crate::okta::network::Network;
use crate::okta::watch::Board;

/// What was fetched for one integration.
#[derive(Debug, Serialize)]
pub(super) struct FetchView {
    tenant: String,
    integration: String,
    /// `fetched`, `busy` (another process fetches) or `failed`.
    result: &'static str,
    events: u64,
    pages: u64,
    caught_up: bool,
    /// Whether a new inventory was taken.
    inventory: bool,
    problem: Option<String>,
    hint: Option<String>,
}

impl FetchView {
    fn new(fetched: &Fetched<ForRun>) -> Self {
        let brought = fetched.result.as_ref().ok();
        let error = fetched.result.as_ref().err();
        Self {
            tenant: fetched.feed.tenant.clone(),
            integration: fetched.feed.integration.clone(),
            result: match error.map(af_okta_client::Error::kind) {
                None => "fetched",
                Some(ErrorKind::Busy) => "busy",
                Some(_) => "failed",
            },
            events: brought.map_or(0, |brought| brought.pulled.events),
            pages: brought.map_or(0, |brought| brought.pulled.pages),
            caught_up: brought.is_some_and(|brought| brought.pulled.caught_up),
            inventory: brought.is_some_and(|brought| brought.taken.is_some()),
            problem: error.map(ToString::to_string),
            hint: error.and_then(|error| error.hint().map(str::to_owned)),
        }
    }

    /// Says what a person should know of it.
    fn tell(&self, quiet: bool) {
        let problem = self.problem.as_deref().unwrap_or_default();
        match self.result {
            "busy" if quiet => {}
            "busy" => console::say(&format!(
                "{}/{}: another process fetches for it; what is there is taken in",
                self.tenant, self.integration
            )),
            "failed" => {
                let hint = self.hint.as_ref().map(|hint| format!(" (hint: {hint})"));
                tracing::warn!(
                    stage = "fetch",
                    tenant = self.tenant,
                    integration = self.integration,
                    "a gap: failed to {problem}{}",
                    hint.unwrap_or_default()
                );
            }
            _ => {}
        }
    }
}

/// What was fetched, and the network that it came over.
#[derive(Default)]
pub(super) struct Fetch {
    pub(super) views: Vec<FetchView>,
    /// Kept to the end of the program: it listens for signals.
    _network: Option<Network>,
}

impl Fetch {
    /// One line about all of it; nothing when nobody was asked.
    pub(super) fn summary(&self) -> Option<String> {
        if self.views.is_empty() {
            return None;
        }
        let of = |result: &str| {
            self.views
                .iter()
                .filter(|view| view.result == result)
                .count()
        };
        let events: u64 = self.views.iter().map(|view| view.events).sum();
        let mut text = format!(
            "{events} events fetched from {} of {} integrations",
            of("fetched"),
            self.views.len()
        );
        for (result, what) in [("busy", "fetched by another process"), ("failed", "failed")] {
            match of(result) {
                0 => {}
                n => {
                    // Writing to a String cannot fail.
                    let _ = write!(text, ", {n} {what}");
                }
            }
        }
        Some(text)
    }
}

/// The integrations that a run fetches from by itself.
fn wanted(config: &Config) -> Vec<Integration<'_>> {
    let mut all = integrations::all(config);
    all.retain(|integration| integration.api.poll_seconds > 0);
    all
}

/// Fetches for every integration that is not fetched by hand only.
///
/// # Errors
/// A signal came, or the network cannot be used at all.
pub(super) fn before_run(
    config: &Config,
    store: &Store,
    stopwatch: &Stopwatch,
    quiet: bool,
) -> anyhow::Result<Fetch> {
    let integrations = wanted(config);
    if integrations.is_empty() {
        return Ok(Fetch::default());
    }
    let network = Network::start()?;
    let fetcher = Fetcher {
        store,
        network: &network,
        board: Board::new(quiet),
        // The run itself says it, and notes it in the manifest.
        says_expiry: false,
    };
    let fetched = stopwatch.measure("fetch", || fetcher.for_run(&integrations));
    if let Some(interrupted) = network.interruption("run") {
        return Err(interrupted.into());
    }
    network.leave_signals();
    let views: Vec<FetchView> = fetched.iter().map(FetchView::new).collect();
    for view in &views {
        view.tell(quiet);
    }
    Ok(Fetch {
        views,
        _network: Some(network),
    })
}

/// What a run would fetch.
#[derive(Debug, Serialize)]
pub(super) struct FetchPlan {
    tenant: String,
    integration: String,
    url: String,
    /// When it last caught up; none when it never did.
    caught_up_at: Option<af_model::UtcMillis>,
    /// Whether an inventory would be taken.
    inventory: bool,
    /// The steps of it.
    steps: Vec<&'static str>,
}

impl FetchPlan {
    pub(super) fn line(&self) -> String {
        let since = match self.caught_up_at {
            Some(at) => format!("caught up at {at}"),
            None => "never caught up".to_owned(),
        };
        let inventory = if self.inventory {
            format!(", and take an inventory of {}", self.steps.join(", "))
        } else {
            String::new()
        };
        format!(
            "would fetch {}/{} from {} ({since}){inventory}",
            self.tenant, self.integration, self.url
        )
    }
}

/// Says what [`before_run`] would do; asks nobody, writes nothing.
///
/// # Errors
/// The store cannot be read.
pub(super) fn plan(config: &Config, root: &Path) -> anyhow::Result<Vec<FetchPlan>> {
    // No store is no trouble here: the engine's plan says so.
    let store = Store::open(root).ok();
    wanted(config)
        .iter()
        .map(|integration| {
            let status: Option<FeedStatus> = match &store {
                Some(store) => feeds::status(store, &integration.feed())?,
                None => None,
            };
            let status = status.unwrap_or_default();
            let api = integration.api;
            let inventory = is_due(api, &status.inventory, clock::now());
            Ok(FetchPlan {
                tenant: integration.tenant.name.clone(),
                integration: integration.source.label().to_owned(),
                url: api.url.clone(),
                caught_up_at: status.log.caught_up_at,
                inventory,
                steps: api.inventory.iter().map(|step| step.as_str()).collect(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use af_model::feed::Cost;
    use af_okta_client::Error;
    use af_okta_client::log::PullReport;
    use af_store::feed::FeedName;

    use super::*;
    use crate::okta::integrations::tests::config;

    fn fetched(result: Result<ForRun, Error>) -> Fetched<ForRun> {
        Fetched {
            feed: FeedName {
                tenant: "acme".to_owned(),
                integration: "prod".to_owned(),
            },
            result,
            cost: Cost::default(),
            took: Duration::ZERO,
        }
    }

    #[test]
    fn what_is_fetched_by_hand_only_is_left_to_the_hand() {
        let mut config = config();
        assert_eq!(wanted(&config).len(), 3);
        config.tenants[1].okta[0].api.as_mut().unwrap().poll_seconds = 0;
        let labels: Vec<String> = wanted(&config).iter().map(Integration::label).collect();
        assert_eq!(labels, ["acme/prod", "acme/preview"]);
    }

    #[test]
    fn a_failure_is_counted_and_somebody_elses_fetching_is_none() {
        let brought = ForRun {
            pulled: PullReport {
                events: 5,
                pages: 1,
                span: None,
                caught_up: true,
            },
            taken: None,
        };
        let busy = Error::new(ErrorKind::Busy, "lock it");
        let broken = Error::new(ErrorKind::Unauthorized, "sign in").with_hint("renew");
        let views: Vec<FetchView> = [Ok(brought), Err(busy), Err(broken)]
            .map(|result| FetchView::new(&fetched(result)))
            .into();
        let results: Vec<&str> = views.iter().map(|view| view.result).collect();
        assert_eq!(results, ["fetched", "busy", "failed"]);
        assert_eq!(views[2].hint.as_deref(), Some("renew"));
        let fetch = Fetch {
            views,
            _network: None,
        };
        assert_eq!(
            fetch.summary().as_deref(),
            Some(
                "5 events fetched from 1 of 3 integrations, 1 fetched by another process, 1 failed"
            )
        );
        assert_eq!(Fetch::default().summary(), None);
    }

    #[test]
    fn a_plan_says_what_would_be_fetched_without_any_store() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("none");
        let plans = plan(&config(), &root).unwrap();
        assert_eq!(plans.len(), 3);
        assert!(plans[0].line().starts_with(
            "would fetch acme/prod from https://acme.okta.com (never caught up), and take an inventory"
        ));
        assert!(!root.exists());
    }
}
