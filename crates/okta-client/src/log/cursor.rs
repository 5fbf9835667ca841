//! How far we are: the document that outlives the process.

use af_model::time::DAY_MILLIS;
use af_model::{UtcDay, UtcMillis};
use af_store::feed::Feed;
use serde::{Deserialize, Serialize};

use super::start::OVERLAP_MILLIS;
use crate::error::{Error, ErrorKind};
use crate::http::Link;
use crate::origin::Origin;

/// The name of the document.
pub(super) const CURSOR: &str = "cursor";

/// The version that is written, and the newest that is read.
const VERSION: u32 = 1;

/// How far we are. Links in here are as good as a bookmark into the log: the document is readable by
/// its owner only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cursor {
    version: u32,
    /// Events from here on are wanted.
    pub(super) since: UtcMillis,
    /// Where the history ends and the first live stream began.
    pub(super) until: UtcMillis,
    pub(super) live: Live,
    /// Days of history that were wanted at the start.
    pub(super) history_days: u64,
    /// Those of them that are not here yet, the newest first.
    pub(super) open_days: Vec<Day>,
    /// Streams that were begun anew because a link was refused.
    pub(super) restarts: u64,
}

/// The stream that never ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Live {
    /// Which one it is: a restart begins the next.
    pub(super) number: u64,
    /// The number of its last page.
    pub(super) pages: u64,
    /// From when on its first page is asked for.
    pub(super) since: UtcMillis,
    /// The link to its next page; none before its first.
    pub(super) next: Option<Link>,
    /// The greatest `published` of its events and of those of the live streams before it.
    pub(super) last_published: Option<UtcMillis>,
    /// Since when its next page cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) unreadable_since: Option<UtcMillis>,
}

/// A day of history that is not here yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Day {
    #[serde(rename = "day")]
    pub(super) date: UtcDay,
    /// From here …
    pub(super) since: UtcMillis,
    /// … until before here.
    pub(super) until: UtcMillis,
    /// The number of its last page.
    pub(super) pages: u64,
    /// The link to its next page; none before its first.
    pub(super) next: Option<Link>,
    /// Since when its next page cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) unreadable_since: Option<UtcMillis>,
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

impl Cursor {
    /// A beginning: history from `since` until `until`, then live from `live_since` on.
    pub(super) fn begin(
        feed: &Feed,
        since: UtcMillis,
        until: UtcMillis,
        live_since: UtcMillis,
    ) -> Result<Self, Error> {
        let mut open_days = Vec::new();
        for (day, since, until) in days(since, until) {
            open_days.push(Day {
                date: day,
                since,
                until,
                pages: last_page(feed, &day_stream(day))?,
                next: None,
                unreadable_since: None,
            });
        }
        Ok(Self {
            version: VERSION,
            since,
            until,
            live: Live::begin(feed, 1, live_since, None)?,
            history_days: open_days.len() as u64,
            open_days,
            restarts: 0,
        })
    }

    /// Reads it; `None` for a feed that never began, or whose cursor is lost.
    pub(super) fn read(feed: &Feed) -> Result<Option<Self>, Error> {
        match feed.read::<Version>(CURSOR)? {
            Some(found) if found.version > VERSION => Err(Error::new(
                ErrorKind::Store,
                format!(
                    "read how far fetching came: written by a newer program (version {}, this one \
                     knows {VERSION})",
                    found.version
                ),
            )
            .with_hint("update the program")),
            _ => Ok(feed.read(CURSOR)?),
        }
    }

    /// A day that is not here yet.
    pub(super) fn day(&self, day: UtcDay) -> Option<&Day> {
        self.open_days.iter().find(|open| open.date == day)
    }

    /// The same, to move it on.
    pub(super) fn day_mut(&mut self, day: UtcDay) -> Option<&mut Day> {
        self.open_days.iter_mut().find(|open| open.date == day)
    }

    /// Takes away links that lead out of the org, because its address changed since: they would never be
    /// followed. Says whether there was one. What comes twice because of it is dropped later.
    pub(super) fn forget_foreign_links(
        &mut self,
        feed: &Feed,
        origin: &Origin,
    ) -> Result<bool, Error> {
        let is_foreign =
            |link: &Option<Link>| link.as_ref().is_some_and(|link| link.url(origin).is_err());
        let mut found = false;
        for day in self
            .open_days
            .iter_mut()
            .filter(|day| is_foreign(&day.next))
        {
            day.next = None;
            found = true;
        }
        if is_foreign(&self.live.next) {
            self.live = self.live.anew(feed, self.since)?;
            found = true;
        }
        self.restarts += u64::from(found);
        Ok(found)
    }

    /// Notes that a day is here.
    pub(super) fn close_day(&mut self, day: UtcDay) {
        self.open_days.retain(|open| open.date != day);
    }
}

impl Live {
    /// A stream that begins at `since`. Pages that wait under its name, because a cursor was lost, are
    /// not overwritten.
    pub(super) fn begin(
        feed: &Feed,
        number: u64,
        since: UtcMillis,
        last_published: Option<UtcMillis>,
    ) -> Result<Self, Error> {
        Ok(Self {
            number,
            pages: last_page(feed, &live_stream(number))?,
            since,
            next: None,
            last_published,
            unreadable_since: None,
        })
    }

    /// The stream after this one. It begins a little before the last event: Okta gives what it stored
    /// since then, so what is late is among it.
    pub(super) fn anew(&self, feed: &Feed, wanted: UtcMillis) -> Result<Self, Error> {
        let since = self.last_published.map_or(self.since, |last| {
            UtcMillis(last.0.saturating_sub(OVERLAP_MILLIS)).max(wanted)
        });
        Self::begin(feed, self.number + 1, since, self.last_published)
    }

    pub(super) fn stream(&self) -> String {
        live_stream(self.number)
    }
}

fn live_stream(number: u64) -> String {
    format!("live-{number}")
}

pub(super) fn day_stream(day: UtcDay) -> String {
    format!("day-{day}")
}

fn last_page(feed: &Feed, stream: &str) -> Result<u64, Error> {
    Ok(feed.last_waiting(stream)?.unwrap_or(0))
}

/// The UTC days from `since` until before `until`, the newest first, each with the part that is
/// wanted. A part ends where the next one begins: Okta leaves out what was published at `until` or
/// later, and an instant just before midnight would leave out the rest of a millisecond.
fn days(since: UtcMillis, until: UtcMillis) -> Vec<(UtcDay, UtcMillis, UtcMillis)> {
    let mut days = Vec::new();
    let mut from = since;
    while from < until {
        let day = from.day();
        let to = UtcMillis(day.start().0 + DAY_MILLIS).min(until);
        days.push((day, from, to));
        from = to;
    }
    days.reverse();
    days
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> UtcMillis {
        UtcMillis::parse(text).unwrap()
    }

    #[test]
    fn days_cover_the_history_without_gap_or_overlap() {
        let (since, until) = (
            at("2026-02-27T23:59:59.999Z"),
            at("2026-03-02T00:00:00.001Z"),
        );
        let found: Vec<String> = days(since, until)
            .iter()
            .map(|(day, from, to)| format!("{day}: {from} {to}"))
            .collect();
        assert_eq!(
            found,
            [
                "2026-03-02: 2026-03-02T00:00:00.000Z 2026-03-02T00:00:00.001Z",
                "2026-03-01: 2026-03-01T00:00:00.000Z 2026-03-02T00:00:00.000Z",
                "2026-02-28: 2026-02-28T00:00:00.000Z 2026-03-01T00:00:00.000Z",
                "2026-02-27: 2026-02-27T23:59:59.999Z 2026-02-28T00:00:00.000Z",
            ]
        );
        assert_eq!(days(until, until), []);
        assert_eq!(days(until, since), []);
    }

    proptest::proptest! {
        #[test]
        fn every_instant_of_the_history_lies_in_one_day(
            since in 1_700_000_000_000_i64..1_700_000_000_000 + 5 * DAY_MILLIS,
            length in 1_i64..10 * DAY_MILLIS,
            part in 0.0_f64..1.0,
        ) {
            let until = since + length;
            #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "any instant will do")]
            let instant = UtcMillis(since + ((length - 1) as f64 * part) as i64);
            let days = days(UtcMillis(since), UtcMillis(until));
            let of = days.iter().filter(|(_, from, to)| (*from..*to).contains(&instant));
            let of: Vec<UtcDay> = of.map(|(day, _, _)| *day).collect();
            proptest::prop_assert_eq!(of, [instant.day()]);
        }
    }
}
