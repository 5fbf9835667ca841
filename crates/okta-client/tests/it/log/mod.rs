//! The System Log, pulled from a server that keeps one and misbehaves as it is told.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

mod faults;
mod follow;
mod history;
mod kills;
mod org;
mod restarts;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use af_model::UtcMillis;
use af_model::feed::FeedStatus;
use af_okta_client::log::{PullOptions, PullReport, Start, pull};
use af_okta_client::{Client, Credential, Error, News, Progress, Stop};
use af_store::Store;
use af_store::feed::{FeedName, STATUS};
use secrecy::SecretString;

use crate::scripted::{NOW, Scripted};

/// A store, and what was heard while something was pulled into it.
pub(super) struct Place {
    _folder: tempfile::TempDir,
    store: Store,
    heard: Arc<Heard>,
}

/// Remembers warnings and waits.
#[derive(Default)]
pub(super) struct Heard {
    warnings: Mutex<Vec<String>>,
    waits: Mutex<Vec<String>>,
    caught_up: Mutex<u32>,
}

impl Progress for Heard {
    fn tell(&self, news: &News<'_>) {
        match news {
            News::Warning(text) => self.warnings.lock().unwrap().push((*text).to_owned()),
            News::Waiting { why, .. } => self.waits.lock().unwrap().push((*why).to_owned()),
            News::CaughtUp => *self.caught_up.lock().unwrap() += 1,
            _ => {}
        }
    }
}

/// A page as it waits: its stream, its number, its text.
type Landed = (String, u64, String);

pub(super) fn now() -> UtcMillis {
    UtcMillis(NOW * 1000)
}

pub(super) fn name() -> FeedName {
    FeedName {
        tenant: "acme".to_owned(),
        integration: "prod".to_owned(),
    }
}

pub(super) fn options(start: Start) -> PullOptions {
    PullOptions {
        start,
        parallel_days: 3,
        page_size: 2,
        follow: None,
    }
}

impl Place {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create_or_open(&folder.path().join("s")).unwrap();
        Self {
            _folder: folder,
            store,
            heard: Arc::default(),
        }
    }

    pub(super) fn client(&self, server: &Scripted, stop: Stop) -> Client {
        let token = Credential::ApiToken(SecretString::from("00token"));
        let mut options = server.options(token);
        options.progress = Arc::<Heard>::clone(&self.heard);
        options.stop = stop;
        Client::new(options).unwrap()
    }

    /// Pulls once, as a process of its own would.
    pub(super) async fn pull(
        &self,
        server: &Scripted,
        options: &PullOptions,
    ) -> Result<PullReport, Error> {
        let client = self.client(server, Stop::never());
        let feed = self.store.feed(&name())?;
        pull(&client, &feed, options).await
    }

    pub(super) fn landed(&self) -> Vec<Landed> {
        let pages = self.store.waiting_pages(&name()).unwrap();
        pages
            .into_iter()
            .map(|page| {
                let packed = std::fs::read(&page.path).unwrap();
                let text = String::from_utf8(zstd::decode_all(packed.as_slice()).unwrap()).unwrap();
                (page.stream, page.number, text)
            })
            .collect()
    }

    /// The ids of all events that landed, with repetitions.
    pub(super) fn ids(&self) -> Vec<String> {
        let mut ids: Vec<String> = self
            .landed()
            .iter()
            .flat_map(|(_, _, text)| ids_of(text))
            .collect();
        ids.sort_unstable();
        ids
    }

    pub(super) fn distinct_ids(&self) -> BTreeSet<String> {
        self.ids().into_iter().collect()
    }

    pub(super) fn status(&self) -> FeedStatus {
        self.store.feed_document(&name(), STATUS).unwrap().unwrap()
    }

    pub(super) fn document(&self, document: &str) -> std::path::PathBuf {
        let folder = self.store.root().join("feeds/acme/prod");
        folder.join(format!("{document}.json"))
    }

    pub(super) fn warnings(&self) -> Vec<String> {
        self.heard.warnings.lock().unwrap().clone()
    }

    pub(super) fn waits(&self) -> Vec<String> {
        self.heard.waits.lock().unwrap().clone()
    }

    pub(super) fn times_caught_up(&self) -> u32 {
        *self.heard.caught_up.lock().unwrap()
    }
}

fn ids_of(page: &str) -> Vec<String> {
    let Ok(serde_json::Value::Array(events)) = serde_json::from_str(page) else {
        return Vec::new();
    };
    let id = |event: &serde_json::Value| event["uuid"].as_str().unwrap().to_owned();
    events.iter().map(id).collect()
}
