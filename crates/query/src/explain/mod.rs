//! Why one person has their score: the snapshot's figures recomputed by the kernel, the store's
//! signals and events behind them.

mod blocks;
mod events;
mod evidence;
mod explanation;
mod incidents;
mod measure;
mod outlook;
mod retracted;
mod rows;
mod signals;

pub use evidence::StoreEvidence;
pub use explanation::Explanation;
