//! The join: from what a signal calls somebody to one person of the directory.

mod hashed;
mod holder;
mod index;
mod states;
mod subject;

pub(crate) use index::{Decision, TenantKeys};
pub use index::{PeopleIndex, Resolution};
pub use states::{ChangedKeys, KeyStates};
pub use subject::Subject;
