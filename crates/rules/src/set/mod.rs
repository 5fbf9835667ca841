//! Rules as a set: looked up, adjusted, hashed, checked, tried.

pub(crate) mod about;
pub(crate) mod check;
pub(crate) mod lock;
pub(crate) mod network;
pub(crate) mod reads;
pub(crate) mod rules;
pub(crate) mod samples;
pub(crate) mod tuning;
