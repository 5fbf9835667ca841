//! Starting and stopping.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::serve::ListenerExt as _;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::fault::Faults;
use crate::options::SimOptions;
use crate::org::Org;
use crate::server::serve;
use crate::stats::Stats;

/// A running simulator. Dropped, it stops.
pub struct Sim {
    org: Arc<Org>,
    stop: watch::Sender<bool>,
    server: Option<JoinHandle<()>>,
    /// The thread of a simulator that brought its own runtime.
    thread: Option<std::thread::JoinHandle<()>>,
}

impl std::fmt::Debug for Sim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Neither who is in it nor what opens it belongs in a message.
        f.debug_struct("Sim")
            .field("url", &self.org.base)
            .finish_non_exhaustive()
    }
}

/// Stops a simulator from elsewhere.
#[derive(Clone, Debug)]
pub struct SimStopper(watch::Sender<bool>);

impl SimStopper {
    /// Stops it.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Sim {
    /// Starts it in the runtime of the caller; it answers when this returns. A simulated
    /// organization lives through its past first, which takes the longer the larger it is.
    ///
    /// # Errors
    /// The port is taken, or the world cannot be read.
    pub async fn start(options: SimOptions) -> io::Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
        let listener = TcpListener::bind(address).await?;
        let base = format!("http://{}", listener.local_addr()?);
        let org = tokio::task::spawn_blocking(move || Org::new(&options, &base))
            .await
            .map_err(|_| io::Error::other("the world could not be made"))??;
        let org = Arc::new(org);
        let stop = watch::Sender::new(false);
        let of_server = Arc::clone(&org);
        let router = Router::new().fallback(move |request: Request| {
            let org = Arc::clone(&of_server);
            serve(org, request)
        });
        let stopped = stop.subscribe();
        let server = tokio::spawn(async move {
            // Small answers must not wait for the acknowledgement of the one before.
            let listener = listener.tap_io(|connection| {
                let _ = connection.set_nodelay(true);
            });
            let served = axum::serve(listener, router)
                .with_graceful_shutdown(until_stopped(stopped))
                .await;
            if let Err(error) = served {
                tracing::warn!(%error, "the simulator stopped");
            }
        });
        Ok(Self {
            org,
            stop,
            server: Some(server),
            thread: None,
        })
    }

    /// Starts it on a thread with a runtime of its own, for tests that have none.
    ///
    /// # Errors
    /// As [`Sim::start`].
    pub fn start_blocking(options: SimOptions) -> io::Result<Self> {
        let (tell, told) = std::sync::mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("okta-sim".to_owned())
            .spawn(move || {
                let runtime = tokio::runtime::Builder::new_multi_thread()
                    .worker_threads(2)
                    .enable_all()
                    .build();
                let runtime = match runtime {
                    Ok(runtime) => runtime,
                    Err(error) => {
                        let _ = tell.send(Err(error));
                        return;
                    }
                };
                runtime.block_on(async {
                    let started = Self::start(options).await;
                    let stopped = started.as_ref().ok().map(|sim| sim.stop.subscribe());
                    if tell.send(started).is_ok()
                        && let Some(stopped) = stopped
                    {
                        until_stopped(stopped).await;
                    }
                });
                runtime.shutdown_timeout(Duration::from_millis(200));
            })?;
        let mut sim = told
            .recv()
            .map_err(|_| io::Error::other("the simulator's thread ended"))??;
        sim.thread = Some(thread);
        Ok(sim)
    }

    /// Its base URL, e.g. `http://127.0.0.1:8090`.
    pub fn url(&self) -> &str {
        &self.org.base
    }

    /// Waits until it is stopped from outside ([`SimStopper::stop`]), or for ever.
    pub async fn run(mut self) {
        let server = self.server.take();
        until_stopped(self.stop.subscribe()).await;
        if let Some(server) = server {
            end(server).await;
        }
    }

    /// Stops it and waits until its port is free again.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        if let Some(server) = self.server.take() {
            end(server).await;
        }
    }

    /// Something that stops it, to be kept elsewhere.
    pub fn stopper(&self) -> SimStopper {
        SimStopper(self.stop.clone())
    }

    /// What goes wrong.
    pub fn faults(&self) -> &Faults {
        &self.org.faults
    }

    /// What happened so far.
    pub fn stats(&self) -> Stats {
        self.org.stats()
    }

    /// The number of calls that arrived, as it grows; commands to the simulator do not count. A test
    /// that wants to strike at the n-th call waits for it:
    /// `sim.calls().wait_for(|calls| *calls >= 7).await`.
    pub fn calls(&self) -> watch::Receiver<u64> {
        self.org.counters.calls()
    }

    /// Runs something at every call, before it is answered: the number of the call, counted from 1,
    /// and its path without ids. What it does holds the call up.
    pub fn on_call(&self, watcher: impl Fn(u64, &str) + Send + Sync + 'static) {
        self.org.counters.watch(Box::new(watcher));
    }

    /// The org's now, in milliseconds since 1970 UTC.
    pub fn now(&self) -> i64 {
        self.org.clock.now()
    }

    /// Moves the org's clock on.
    pub fn advance(&self, by: Duration) {
        self.org.clock.advance(by);
    }

    /// Moves the org's clock to an instant; false if that is past.
    pub fn set_clock(&self, to: i64) -> bool {
        self.org.clock.set(to)
    }

    /// Adds events, to be seen from an instant on; none = now.
    ///
    /// # Errors
    /// One is no JSON object, or has a `published` that is no instant. Then none is added.
    pub fn append(&self, events: Vec<Value>, seen_at: Option<i64>) -> Result<(), String> {
        self.org.append(events, seen_at)
    }

    /// Ends all access tokens.
    pub fn expire_tokens(&self) {
        self.org.gate.expire_tokens();
    }

    /// Renews the nonce for proofs of possession; the one before stays good unless it is forgotten.
    pub fn renew_nonce(&self, forget: bool) {
        self.org.gate.renew_nonce(forget);
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            // It panics only where the simulator did, which then has said so.
            let _ = thread.join();
        }
    }
}

/// Waits until somebody says stop, or nobody can any more.
async fn until_stopped(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// Lets the server end; calls under way get a moment.
async fn end(mut server: JoinHandle<()>) {
    let moment = Duration::from_millis(200);
    if tokio::time::timeout(moment, &mut server).await.is_err() {
        server.abort();
    }
}
