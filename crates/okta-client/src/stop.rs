//! Being asked to stop, in the middle of anything.

use tokio::sync::watch;

/// Asks everybody who holds the [`Stop`] to stop.
#[derive(Debug)]
pub struct Stopper(watch::Sender<bool>);

/// Tells that we were asked to stop. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

impl Stopper {
    /// A pair: who asks, and who is asked.
    pub fn new() -> (Self, Stop) {
        let (sender, receiver) = watch::channel(false);
        (Self(sender), Stop(receiver))
    }

    /// Asks.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    /// One that never asks.
    pub fn never() -> Self {
        Self(watch::channel(false).1)
    }

    /// Whether we were asked.
    pub fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until we are asked; for ever when nobody can ask any more.
    pub async fn asked(&self) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
