//! Fetching for many integrations side by side, each one's failure its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use af_model::feed::{Cost, FeedStatus};
use af_okta::Step;
use af_okta_client::inventory::{self, InventoryOptions, InventoryReport};
use af_okta_client::log::{self, PullOptions, PullReport};
use af_okta_client::{Client, Error, ErrorKind, Wanted, note_failure};
use af_store::Store;
use af_store::feed::{Feed, FeedName, STATUS};

use super::connect;
use super::due::is_due;
use super::integrations::Integration;
use super::network::Network;
use super::side_by_side::{AT_ONCE, side_by_side};
use super::watch::{Board, Watch};
use crate::clock;

/// Events of a page: as many as Okta gives.
pub(crate) const PAGE_SIZE: u32 = 1_000;

/// Days of history fetched side by side for one integration, and calls of its inventory.
pub(crate) const PARALLEL: usize = 4;

/// The pause after an empty page where the configuration says "by hand only".
const POLL_SECONDS: u32 = 60;

/// How long a followed integration that fails is left alone: from the first to the longest pause.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_mins(15);

/// How often a followed integration is asked whether an inventory is due.
const LOOK_FOR_DUE: Duration = Duration::from_mins(1);

/// What everybody who fetches shares.
pub(crate) struct Fetcher<'a> {
    /// The store that is fetched into.
    pub(crate) store: &'a Store,
    /// The network.
    pub(crate) network: &'a Network,
    /// Where progress is shown.
    pub(crate) board: Board,
    /// Whether the near end of a credential is said.
    pub(crate) says_expiry: bool,
}

/// What fetching for one integration brought.
#[derive(Debug)]
pub(crate) struct Fetched<T> {
    /// The integration.
    pub(crate) feed: FeedName,
    /// What came of it.
    pub(crate) result: Result<T, Error>,
    /// What it cost, also when it failed.
    pub(crate) cost: Cost,
    /// How long it took.
    pub(crate) took: Duration,
}

impl<T> Fetched<T> {
    /// What the integration is called in messages.
    pub(crate) fn label(&self) -> String {
        format!("{}/{}", self.feed.tenant, self.feed.integration)
    }
}

/// What a run fetched for one integration.
#[derive(Debug, Default)]
pub(crate) struct ForRun {
    /// The log.
    pub(crate) pulled: PullReport,
    /// The inventory, where one was due.
    pub(crate) taken: Option<InventoryReport>,
}

/// One integration at work: who watches, what it has cost.
struct Work<'w, 'i> {
    integration: &'w Integration<'i>,
    wanted: Wanted,
    watch: Arc<Watch>,
    cost: Cost,
}

impl Work<'_, '_> {
    /// Writes down why nothing could be asked.
    fn note(&self, feed: &Feed, error: &Error) {
        // The failure itself is told in any case; it is the one that matters.
        if let Err(other) = note_failure(feed, self.wanted, clock::now(), error) {
            self.watch.warn(&format!("failed to {other}"));
        }
    }
}

/// A client and the right to fetch.
struct Session {
    client: Client,
    feed: Feed,
}

impl Fetcher<'_> {
    /// Pulls the log of every integration once, until caught up.
    pub(crate) fn pull(&self, integrations: &[Integration<'_>]) -> Vec<Fetched<PullReport>> {
        self.all(integrations, AT_ONCE, Wanted::Log, |work| {
            self.with_session(work, |session| self.pull_once(work.integration, session))
        })
    }

    /// Takes an inventory of every integration: of the steps given, else of those configured.
    pub(crate) fn inventory(
        &self,
        integrations: &[Integration<'_>],
        steps: &[Step],
    ) -> Vec<Fetched<InventoryReport>> {
        self.all(integrations, AT_ONCE, Wanted::Inventory, |work| {
            let steps = if steps.is_empty() {
                &work.integration.api.inventory
            } else {
                steps
            };
            self.with_session(work, |session| self.network.block_on(take(session, steps)))
        })
    }

    /// What a run needs: the log until caught up, then an inventory where the last one is too old.
    pub(crate) fn for_run(&self, integrations: &[Integration<'_>]) -> Vec<Fetched<ForRun>> {
        self.all(integrations, AT_ONCE, Wanted::Log, |work| {
            let (watch, integration) = (Arc::clone(&work.watch), work.integration);
            self.with_session(work, |session| {
                let pulled = self.pull_once(integration, session);
                // People may be had although the log may not.
                let due = take_if_due(integration, session);
                let taken = self.network.block_on(due);
                match (pulled, taken) {
                    (Ok(pulled), Ok(taken)) => Ok(ForRun { pulled, taken }),
                    (Ok(pulled), Err(error)) => {
                        warn_of_inventory(&watch, &error);
                        Ok(ForRun {
                            pulled,
                            taken: None,
                        })
                    }
                    (Err(error), Err(other)) => {
                        warn_of_inventory(&watch, &other);
                        Err(error)
                    }
                    (Err(error), Ok(_)) => Err(error),
                }
            })
        })
    }

    /// Follows every integration until asked to stop. One that fails is tried again after a pause;
    /// one whose settings cannot be used ends at once.
    pub(crate) fn follow(&self, integrations: &[Integration<'_>]) -> Vec<Fetched<PullReport>> {
        // Whoever is followed never makes room for the next one.
        let at_once = integrations.len();
        self.all(integrations, at_once, Wanted::Log, |work| {
            let (watch, integration) = (Arc::clone(&work.watch), work.integration);
            let mut pause = FIRST_PAUSE;
            loop {
                let began = clock::moment();
                let result = self.with_session(work, |session| {
                    self.follow_once(integration, session, &watch)
                });
                match result {
                    Ok(report) => return Ok(watch.total(report.caught_up)),
                    Err(error) if error.kind() == ErrorKind::Usage => {
                        // The others may be followed for weeks; this is said at once.
                        watch.warn(&format!("not followed: failed to {error}"));
                        return Err(error);
                    }
                    Err(error) => watch.warn(&retry_text(&error)),
                }
                if began.elapsed() > LONGEST_PAUSE {
                    // It worked for a while; this is another failure.
                    pause = FIRST_PAUSE;
                }
                if self.pause(pause) {
                    return Ok(watch.total(false));
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        })
    }

    /// Follows the log until asked to stop, and takes an inventory beside it whenever one is due.
    fn follow_once(
        &self,
        integration: &Integration<'_>,
        session: &Session,
        watch: &Watch,
    ) -> Result<PullReport, Error> {
        let seconds = match integration.api.poll_seconds {
            0 => POLL_SECONDS,
            seconds => seconds,
        };
        let options = PullOptions {
            follow: Some(Duration::from_secs(seconds.into())),
            ..pull_options(integration)
        };
        let inventories = async {
            loop {
                if let Err(error) = take_if_due(integration, session).await {
                    warn_of_inventory(watch, &error);
                }
                tokio::time::sleep(LOOK_FOR_DUE).await;
            }
        };
        let followed = self.network.block_on(async {
            tokio::select! {
                pulled = log::pull(&session.client, &session.feed, &options) => pulled,
                // Dropped when the log ends; an unfinished inventory leaves nothing.
                () = inventories => Ok(PullReport::default()),
            }
        });
        // A log that is refused at once would drop every inventory: people may be had all the same.
        if let Err(error) = &followed
            && error.kind() != ErrorKind::Stopped
            && let Err(error) = self.network.block_on(take_if_due(integration, session))
        {
            warn_of_inventory(watch, &error);
        }
        followed
    }

    fn pull_once(
        &self,
        integration: &Integration<'_>,
        session: &Session,
    ) -> Result<PullReport, Error> {
        let options = pull_options(integration);
        self.network
            .block_on(log::pull(&session.client, &session.feed, &options))
    }

    /// Waits, and says whether somebody asked to stop.
    fn pause(&self, time: Duration) -> bool {
        let stop = self.network.stop();
        self.network.block_on(async {
            tokio::select! {
                () = stop.asked() => true,
                () = tokio::time::sleep(time) => stop.is_asked(),
            }
        })
    }

    /// Takes the right to fetch, makes a client, does the work, and notes what it cost. Whoever
    /// fetches already needs no secret of ours; where nobody does, one that is missing is noted.
    fn with_session<T>(
        &self,
        work: &mut Work<'_, '_>,
        act: impl FnOnce(&Session) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let feed = self.store.feed(&work.integration.feed())?;
        let watch = Arc::clone(&work.watch);
        let client = connect::client(work.integration, watch, self.network.stop())
            .inspect_err(|error| work.note(&feed, error))?;
        let session = Session { client, feed };
        let result = act(&session);
        work.cost += session.client.cost();
        result
    }

    /// Does the work for all integrations, so many at a time; the results come in their order.
    fn all<T: Send>(
        &self,
        integrations: &[Integration<'_>],
        at_once: usize,
        wanted: Wanted,
        act: impl Fn(&mut Work<'_, '_>) -> Result<T, Error> + Sync,
    ) -> Vec<Fetched<T>> {
        side_by_side(integrations, at_once, |integration| {
            self.one(integration, wanted, &act)
        })
    }

    fn one<T>(
        &self,
        integration: &Integration<'_>,
        wanted: Wanted,
        act: &impl Fn(&mut Work<'_, '_>) -> Result<T, Error>,
    ) -> Fetched<T> {
        let began = clock::moment();
        let feed = integration.feed();
        let mut work = Work {
            integration,
            wanted,
            watch: self.board.watch(&feed),
            cost: Cost::default(),
        };
        if let Some(warning) = connect::expiry(integration).filter(|_| self.says_expiry) {
            work.watch.warn(&warning);
        }
        // A fault of ours in one of them is no reason to leave the others.
        let result = catch_unwind(AssertUnwindSafe(|| act(&mut work))).unwrap_or_else(|_| {
            let fault = Error::new(
                ErrorKind::Store,
                "go on: a fault of this program, told above",
            );
            // What it held was given back on its way here.
            if let Ok(held) = self.store.feed(&feed) {
                work.note(&held, &fault);
            }
            Err(fault)
        });
        work.watch.finish();
        Fetched {
            feed,
            result,
            cost: work.cost,
            took: began.elapsed(),
        }
    }
}

fn pull_options(integration: &Integration<'_>) -> PullOptions {
    PullOptions {
        start: integration.api.start,
        parallel_days: PARALLEL,
        page_size: PAGE_SIZE,
        follow: None,
    }
}

async fn take(session: &Session, steps: &[Step]) -> Result<InventoryReport, Error> {
    let options = InventoryOptions {
        at: clock::now(),
        steps: steps.to_vec(),
        parallel: PARALLEL,
    };
    inventory::take(&session.client, &session.feed, &options).await
}

async fn take_if_due(
    integration: &Integration<'_>,
    session: &Session,
) -> Result<Option<InventoryReport>, Error> {
    let status: FeedStatus = session.feed.read(STATUS)?.unwrap_or_default();
    let due = is_due(integration.api, &status.inventory, clock::now());
    if !due || session.client.options().stop.is_asked() {
        return Ok(None);
    }
    take(session, &integration.api.inventory).await.map(Some)
}

fn warn_of_inventory(watch: &Watch, error: &Error) {
    if error.kind() != ErrorKind::Stopped {
        watch.warn(&format!("no new inventory: failed to {error}"));
    }
}

fn retry_text(error: &Error) -> String {
    let hint = error.hint().map(|hint| format!(" (hint: {hint})"));
    format!("failed to {error}; tries again{}", hint.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::okta::integrations::select;
    use crate::okta::integrations::tests::config;

    #[test]
    fn what_keeps_us_from_asking_stands_in_the_status_unless_somebody_else_fetches() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create_or_open(&folder.path().join("store")).unwrap();
        let network = Network::start().unwrap();
        let fetcher = Fetcher {
            store: &store,
            network: &network,
            board: Board::new(true),
            says_expiry: false,
        };
        // Its credential is not configured.
        let config = config();
        let integrations = select(&config, &["acme/prod".to_owned()]).unwrap();
        let name = integrations[0].feed();
        let kinds = |fetched: Vec<Fetched<ForRun>>| -> Vec<ErrorKind> {
            fetched
                .iter()
                .map(|one| one.result.as_ref().unwrap_err().kind())
                .collect()
        };
        let held = store.feed(&name).unwrap();
        assert_eq!(kinds(fetcher.for_run(&integrations)), [ErrorKind::Busy]);
        assert_eq!(held.read::<FeedStatus>(STATUS).unwrap(), None);
        drop(held);
        assert_eq!(kinds(fetcher.for_run(&integrations)), [ErrorKind::Usage]);
        let status: FeedStatus = store.feed_document(&name, STATUS).unwrap().unwrap();
        assert!(status.log.failing_since.is_some());
        let problem = status.log.problem.unwrap();
        assert!(problem.message.contains("credential"), "{problem:?}");
        assert_eq!(status.inventory.failing_since, None);
        // A fault of ours, too; what it held is free again.
        let fetched: Vec<Fetched<()>> = fetcher.all(&integrations, 1, Wanted::Inventory, |work| {
            let _held = fetcher.store.feed(&work.integration.feed())?;
            panic!("a fault");
        });
        assert_eq!(fetched.len(), 1);
        let status: FeedStatus = store.feed_document(&name, STATUS).unwrap().unwrap();
        assert!(status.inventory.failing_since.is_some());
    }
}
