//! The join: from what a signal calls somebody to one person of the directory.

mod build;
mod hashed;
mod holder;
mod index;
mod keys;
mod states;
mod subject;
mod tenure;

pub use build::IndexBuilder;
pub(crate) use index::Decision;
pub use index::{PeopleIndex, Resolution};
pub(crate) use keys::TenantKeys;
pub use states::{ChangedKeys, KeyStates};
pub use subject::Subject;
