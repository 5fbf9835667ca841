//! The System Log: events in a file, two orders of them, and how a page is cut.

mod appended;
mod cursor;
mod endpoint;
mod index;
mod load;
mod page;
mod store;

pub(crate) use appended::Added;
pub(crate) use endpoint::{Twist, answer};
pub(crate) use load::{published, text};
pub(crate) use store::{Generator, Store};
