//! Who receives what was counted.

use af_count::{Counted, PeopleIndex};
use af_model::UtcDay;

use super::kept::Writer;
use crate::error::Error;

/// Takes what was counted of whole UTC days, in any order and from several threads. No day comes twice.
pub(crate) trait TakeDays: Sync {
    /// Takes days that were counted at once; with the day, if it is only one.
    ///
    /// # Errors
    /// When they cannot be kept.
    fn days(&self, day: Option<UtcDay>, counted: Counted) -> Result<(), Error>;

    /// Begins a day that comes in pieces.
    ///
    /// # Errors
    /// When it cannot be begun.
    fn begin(&self, day: UtcDay) -> Result<Box<dyn TakeTenants + '_>, Error>;
}

/// Takes one day. What is dropped before its end leaves nothing behind.
pub(crate) trait TakeTenants {
    /// Takes tenants in ascending order, a large one in pieces of ascending people. The accounts of tenants may come
    /// again at the end.
    ///
    /// # Errors
    /// When they cannot be kept.
    fn tenants(&mut self, counted: Counted) -> Result<(), Error>;

    /// Ends the day.
    ///
    /// # Errors
    /// When it cannot be kept.
    fn end(self: Box<Self>) -> Result<(), Error>;
}

/// Writes days as they are kept, and hands them on when they are whole.
pub(super) struct Keep<'p, F> {
    pub(super) people: &'p PeopleIndex,
    pub(super) take: F,
}

struct KeptDay<'t, 'p, F> {
    day: UtcDay,
    writer: Writer<'p>,
    take: &'t F,
}

impl<'p, F> TakeDays for Keep<'p, F>
where
    F: Fn(Option<UtcDay>, Writer<'p>) -> Result<(), Error> + Sync,
{
    fn days(&self, day: Option<UtcDay>, counted: Counted) -> Result<(), Error> {
        let mut writer = Writer::new(self.people);
        writer.add(counted);
        (self.take)(day, writer)
    }

    fn begin(&self, day: UtcDay) -> Result<Box<dyn TakeTenants + '_>, Error> {
        Ok(Box::new(KeptDay {
            day,
            writer: Writer::new(self.people),
            take: &self.take,
        }))
    }
}

impl<'p, F> TakeTenants for KeptDay<'_, 'p, F>
where
    F: Fn(Option<UtcDay>, Writer<'p>) -> Result<(), Error>,
{
    fn tenants(&mut self, counted: Counted) -> Result<(), Error> {
        self.writer.add(counted);
        Ok(())
    }

    fn end(self: Box<Self>) -> Result<(), Error> {
        (self.take)(Some(self.day), self.writer)
    }
}
