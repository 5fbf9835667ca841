//! The runtime of everything that waits for the network, and the signals that end it.
//!
//! The first SIGINT or SIGTERM asks to stop: what is being fetched ends where nothing is lost. The
//! second one ends the program at once, and so does the first one where nobody asks any more whether
//! to stop ([`Network::leave_signals`]). Either way the store is whole: it is written for that.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use af_okta_client::{Stop, Stopper};
use anyhow::Context;
use tokio::runtime::{Builder, Runtime};

use crate::exit::Refusal;

/// Exit codes of a shell for what a signal ended.
const INTERRUPTED: u8 = 130;
const TERMINATED: u8 = 143;

/// The runtime, with an ear for signals as long as it lives.
pub(crate) struct Network {
    runtime: Runtime,
    stop: Stop,
    heard: Arc<Heard>,
}

/// What the listener knows.
#[derive(Default)]
struct Heard {
    /// The exit code of the first signal; 0 = none came.
    code: AtomicU8,
    /// Whether a signal ends the program at once.
    is_deadly: AtomicBool,
}

impl Network {
    /// Starts the runtime and listens for signals.
    ///
    /// # Errors
    /// The system gives no threads or no signals.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("network")
            .enable_all()
            .build()
            .context("start the network's threads")?;
        let (stopper, stop) = Stopper::new();
        let heard = Arc::new(Heard::default());
        let signals = {
            let _inside = runtime.enter();
            Signals::new().context("listen for signals")?
        };
        runtime.spawn(listen(signals, stopper, Arc::clone(&heard)));
        Ok(Self {
            runtime,
            stop,
            heard,
        })
    }

    /// Runs something to its end on this thread. Several threads may do so side by side.
    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Tells when a signal came.
    pub(crate) fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// From now on the first signal ends the program, as it would have without this.
    pub(crate) fn leave_signals(&self) {
        self.heard.is_deadly.store(true, Ordering::SeqCst);
    }

    /// How the program ends when a signal kept it from finishing.
    pub(crate) fn interruption(&self, what: &str) -> Option<Refusal> {
        match self.heard.code.load(Ordering::SeqCst) {
            0 => None,
            code => Some(Refusal::signal(
                code,
                format!("{what}: a signal ended it"),
                "what was fetched stays in the store, and the next run goes on from there",
            )),
        }
    }
}

async fn listen(mut signals: Signals, stopper: Stopper, heard: Arc<Heard>) {
    loop {
        let code = signals.next().await;
        let is_first = heard
            .code
            .compare_exchange(0, code, Ordering::SeqCst, Ordering::SeqCst)
            .is_ok();
        if !is_first || heard.is_deadly.load(Ordering::SeqCst) {
            end(code);
        }
        stopper.stop();
    }
}

#[expect(
    clippy::exit,
    reason = "a second signal is meant to end everything, whatever it is doing"
)]
fn end(code: u8) -> ! {
    std::process::exit(i32::from(code))
}

/// The signals that ask to stop.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// The exit code of the next one.
    async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.terminate.recv() => TERMINATED,
            _ = self.interrupt.recv() => INTERRUPTED,
        }
    }
}

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {})
    }

    async fn next(&mut self) -> u8 {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        INTERRUPTED
    }
}
