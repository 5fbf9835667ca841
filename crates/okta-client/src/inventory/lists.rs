//! Single objects and lists: users with those who left, groups with their sizes, and the rest.

use af_okta::Step;
use serde_json::Value;

use super::known::Known;
use super::landing::Landing;
use super::pages::{Caller, Page, Pages};
use super::plan::{LEAVERS, Plan, USERS_CONTENT_TYPE};
use super::strip;
use crate::error::Error;
use crate::http::Get;

/// Page sizes of groups with their sizes, from the one that is wanted to the one that a slow org can
/// still answer.
const GROUPS_WITH_SIZES: [&str; 4] = ["1000", "500", "250", "125"];

/// The page size of groups without their sizes.
const GROUPS_ALONE: &str = "200";

/// What was odd about a list.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Oddities {
    /// Objects that came twice, because the list moved while it was read. The first one holds.
    pub(super) twice: u64,
    /// Entries that are no objects.
    pub(super) no_objects: u64,
    /// The sizes of groups could not be had.
    pub(super) without_sizes: bool,
}

/// A single object.
///
/// # Errors
/// The call failed, or brought no object.
pub(super) async fn one(
    caller: &Caller,
    plan: &'static Plan,
    landing: &mut Landing<'_>,
) -> Result<Oddities, Error> {
    if let Some(page) = Pages::new(plan, plan.first()).next(caller).await? {
        let object = strip::read(plan.step, page.object()?)
            .ok()
            .filter(Value::is_object)
            .ok_or_else(|| page.broken("the answer is no object"))?;
        landing.push(&object)?;
    }
    Ok(Oddities::default())
}

/// A whole list.
///
/// # Errors
/// A call failed, or brought no list.
pub(super) async fn all(
    caller: &Caller,
    plan: &'static Plan,
    known: &mut Known,
    landing: &mut Landing<'_>,
) -> Result<Oddities, Error> {
    let mut list = List {
        caller,
        plan,
        known,
        landing,
        oddities: Oddities::default(),
    };
    match plan.step {
        Step::Users => list.users().await?,
        Step::Groups => list.groups().await?,
        _ => {
            list.pages(plan.first()).await?;
        }
    }
    Ok(list.oddities)
}

struct List<'a, 'w> {
    caller: &'a Caller,
    plan: &'static Plan,
    known: &'a mut Known,
    landing: &'a mut Landing<'w>,
    oddities: Oddities,
}

impl List<'_, '_> {
    /// Those who are here before those who left: somebody who leaves in between is met twice rather
    /// than not at all.
    async fn users(&mut self) -> Result<(), Error> {
        let first = || Get {
            content_type: Some(USERS_CONTENT_TYPE),
            ..self.plan.first()
        };
        let (here, left) = (first(), first().query(LEAVERS.0, LEAVERS.1));
        self.pages(here).await?;
        self.pages(left).await?;
        Ok(())
    }

    /// Groups with their sizes; a service that breaks down over them (500) is asked for fewer at a
    /// time, at last for none.
    async fn groups(&mut self) -> Result<(), Error> {
        for limit in GROUPS_WITH_SIZES {
            let call = self.plan.first().query("limit", limit);
            if self
                .anew(call.query("expand", "stats").accepts(&[500]))
                .await?
            {
                return Ok(());
            }
        }
        self.oddities.without_sizes = true;
        self.anew(self.plan.first().query("limit", GROUPS_ALONE))
            .await?;
        Ok(())
    }

    /// Reads a list from its beginning. What an attempt before has landed stays, and comes again without
    /// being an oddity of the list.
    async fn anew(&mut self, first: Get) -> Result<bool, Error> {
        let landed = self.landing.objects();
        self.oddities = Oddities {
            without_sizes: self.oddities.without_sizes,
            ..Oddities::default()
        };
        let is_whole = self.pages(first).await?;
        self.oddities.twice = self.oddities.twice.saturating_sub(landed);
        Ok(is_whole)
    }

    /// Reads a list from a call on; `false` when it ended in a status that the call takes for an answer.
    async fn pages(&mut self, first: Get) -> Result<bool, Error> {
        let mut pages = Pages::new(self.plan, first);
        while let Some(page) = pages.next(self.caller).await? {
            if !page.is_list() {
                return Ok(false);
            }
            self.page(&page)?;
        }
        Ok(true)
    }

    fn page(&mut self, page: &Page) -> Result<(), Error> {
        for object in page.objects()? {
            let object = strip::read(self.plan.step, object)
                .map_err(|_| page.broken("an object cannot be read"))?;
            if !object.is_object() {
                self.oddities.no_objects += 1;
            } else if self.known.is_new(self.plan.step, &object) {
                self.landing.push(&object)?;
            } else {
                self.oddities.twice += 1;
            }
        }
        self.landing.tell();
        Ok(())
    }
}
