//! Who receives what was counted.

use af_count::Counted;
use af_model::UtcDay;

use crate::error::Error;

/// Takes what was counted of whole UTC days, in any order and from several threads. No day comes twice.
pub(crate) trait TakeDays: Sync {
    /// Takes days that were counted at once; with the day, if it is only one.
    ///
    /// # Errors
    /// When they cannot be kept.
    fn days(&self, day: Option<UtcDay>, counted: Counted) -> Result<(), Error>;

    /// Begins a day that comes a few tenants at a time.
    ///
    /// # Errors
    /// When it cannot be begun.
    fn begin(&self, day: UtcDay) -> Result<Box<dyn TakeTenants + '_>, Error>;
}

/// Takes one day. What is dropped before its end leaves nothing behind.
pub(crate) trait TakeTenants {
    /// Takes tenants in ascending order. Accounts of tenants may come again, their blocks not.
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

/// Holds a day until it is whole.
pub(super) struct Whole<F>(pub(super) F);

struct Held<'t, F> {
    day: UtcDay,
    counted: Counted,
    take: &'t F,
}

impl<F: Fn(Option<UtcDay>, Counted) -> Result<(), Error> + Sync> TakeDays for Whole<F> {
    fn days(&self, day: Option<UtcDay>, counted: Counted) -> Result<(), Error> {
        (self.0)(day, counted)
    }

    fn begin(&self, day: UtcDay) -> Result<Box<dyn TakeTenants + '_>, Error> {
        Ok(Box::new(Held {
            day,
            counted: Counted::default(),
            take: &self.0,
        }))
    }
}

impl<F: Fn(Option<UtcDay>, Counted) -> Result<(), Error>> TakeTenants for Held<'_, F> {
    fn tenants(&mut self, counted: Counted) -> Result<(), Error> {
        self.counted.absorb(counted);
        Ok(())
    }

    fn end(self: Box<Self>) -> Result<(), Error> {
        (self.take)(Some(self.day), self.counted)
    }
}
