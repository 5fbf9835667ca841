//! How long work tells that it is alive.

/// Receives what a stage is doing. Implemented by the command line; [`Silent`] for everyone else.
pub trait Progress: Sync {
    /// A stage begins; `total` is in the stage's own unit, when it is known.
    fn begin(&self, stage: &str, total: Option<u64>);
    /// The stage that began turns out to have this total.
    fn expect(&self, _total: u64) {}
    /// Some more of the stage's unit is done.
    fn advance(&self, by: u64);
    /// The stage is over.
    fn end(&self);
}

/// Says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _: &str, _: Option<u64>) {}
    fn advance(&self, _: u64) {}
    fn end(&self) {}
}
