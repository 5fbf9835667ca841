//! The join: from what a signal calls somebody to one person of the directory.

mod build;
mod decide;
mod grouped;
mod hashed;
mod holder;
mod index;
mod keys;
mod places;
mod states;
mod subject;
mod tenure;

pub use build::IndexBuilder;
pub use decide::Resolution;
pub(crate) use decide::{Decision, Sought};
pub use index::PeopleIndex;
pub(crate) use keys::TenantKeys;
pub use states::{ChangedKeys, KeyStates};
pub use subject::Subject;
