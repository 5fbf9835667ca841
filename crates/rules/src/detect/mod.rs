//! From events to signals: what every event is taken for, what windows show, whom signals name.

pub(crate) mod account;
pub(crate) mod classify;
pub(crate) mod evaluate;
pub(crate) mod excluded;
pub(crate) mod incident;
pub(crate) mod marks;
pub(crate) mod past;
pub(crate) mod row_event;
pub(crate) mod signal;
pub(crate) mod today;
pub(crate) mod transaction;
pub(crate) mod walk;
pub(crate) mod who;
