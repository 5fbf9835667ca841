//! The organization, day by day.

use af_model::{UtcDay, UtcMillis};
use rayon::prelude::*;

use super::attacks::{self, Planned};
use super::calendar::utc_day;
use super::log::Line;
use super::network::OWN;
use super::ordinary::{self, Scene};
use super::person::{Member, Person, Role};
use super::roster;
use super::sign_in::Engine;
use super::truth::Truth;

/// How large the simulation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// People, without the accounts of programs that come on top.
    pub people: usize,
    /// Days, from 2026-08-24 on.
    pub days: i32,
}

/// An organization that lives one day after the other.
#[derive(Debug)]
pub struct Organization {
    seed: u64,
    size: Size,
    people: Vec<Person>,
    staff: Vec<Member>,
    planned: Vec<Planned>,
    truth: Truth,
    day: i32,
    /// What was begun and happens on a later day.
    ahead: Vec<Line>,
}

/// The log of one UTC day, in the order of publication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayLog {
    /// The day.
    pub day: UtcDay,
    lines: Vec<Line>,
}

impl DayLog {
    /// The events as JSON texts.
    pub fn events(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(|line| line.json.as_str())
    }

    /// The events with their instants of publication, in milliseconds since 1970.
    pub(crate) fn timed(&self) -> impl Iterator<Item = (i64, &str)> {
        self.lines
            .iter()
            .map(|line| (line.published, line.json.as_str()))
    }
}

impl Organization {
    /// The organization of a seed: always the same one.
    ///
    /// # Panics
    /// With fewer than 50 people or 9 days: there would be nobody left for an ordinary life.
    pub fn new(size: Size, seed: u64) -> Self {
        assert!(
            size.people >= 50 && size.days >= 9,
            "at least 50 people and 9 days"
        );
        let Size {
            people: count,
            days,
        } = size;
        let administrators = (count / 250).max(2);
        let desk = (count / 300).max(2);
        let visible = (count / 25).max(3);
        let programs = (count / 150).max(2);
        let role = |number: usize| match number {
            n if n < administrators => Role::Administrator,
            n if n < administrators + desk => Role::HelpDesk,
            n if n < administrators + desk + visible => Role::Visible,
            n if n < count => Role::Employee,
            n if n < count + programs => Role::Program,
            _ => Role::LoadTest,
        };
        let people: Vec<Person> = (0..count + programs + 10)
            .into_par_iter()
            .map(|number| Person::grow(seed, number, role(number), days))
            .collect();
        let staff = people.iter().map(|person| person.member.clone());
        let staff =
            staff.filter(|member| matches!(member.role, Role::Administrator | Role::HelpDesk));
        Self {
            seed,
            size,
            staff: staff.collect(),
            people,
            planned: attacks::plan(seed, count, days, upgrade(days)),
            truth: Truth::default(),
            day: 0,
            ahead: Vec::new(),
        }
    }

    /// The log of the next day; nothing after the last one.
    ///
    /// Memory is one day of events and what was begun for later days.
    pub fn next_day(&mut self) -> Option<DayLog> {
        if self.day >= self.size.days {
            return None;
        }
        let scene = Scene {
            seed: self.seed,
            day: self.day,
            engine: if self.day < upgrade(self.size.days) {
                Engine::Classic
            } else {
                Engine::Identity
            },
            staff: &self.staff,
        };
        let of_people: Vec<Vec<Line>> = self
            .people
            .par_iter_mut()
            .map(|person| ordinary::day_of(person, scene))
            .collect();
        self.ahead.extend(of_people.into_iter().flatten());
        let days = self.size.days;
        self.ahead
            .append(&mut ordinary::day_of_all(&mut self.people, scene, days));
        for planned in self
            .planned
            .iter()
            .filter(|planned| planned.day == self.day)
        {
            let lines = attacks::play(*planned, &mut self.people, scene, days, &mut self.truth);
            self.ahead.extend(lines);
        }
        self.truth.events.sort_unstable();

        let end = utc_day(self.day).end().0;
        let start = utc_day(self.day).start().0;
        let (mut lines, ahead): (Vec<Line>, Vec<Line>) = std::mem::take(&mut self.ahead)
            .into_iter()
            .partition(|line| line.published <= end);
        debug_assert!(
            lines.iter().all(|line| line.published >= start),
            "no day writes into an earlier one"
        );
        self.ahead = ahead;
        lines.par_sort_unstable();
        let day = utc_day(self.day);
        self.day += 1;
        Some(DayLog { day, lines })
    }

    /// What really happened, up to the last day that was written.
    pub fn truth(&self) -> &Truth {
        &self.truth
    }

    /// Everybody with an account on a day, as a CSV file.
    pub fn directory(&self, day: UtcDay) -> String {
        roster::csv(&self.people, day.0 - utc_day(0).0)
    }

    /// Every account that ever exists.
    pub fn accounts(&self) -> impl Iterator<Item = roster::Account> {
        roster::accounts(&self.people)
    }

    /// Ids of the accounts with a person behind them.
    pub fn humans(&self) -> impl Iterator<Item = &str> {
        let humans = self
            .people
            .iter()
            .filter(|person| person.member.role.is_human());
        humans.map(|person| person.member.uid.as_str())
    }

    /// The organization's own networks and those of its testers, as CIDRs.
    pub fn own_networks(&self) -> &'static [&'static str] {
        &OWN
    }

    /// The last instant of the simulation.
    pub fn end(&self) -> UtcMillis {
        utc_day(self.size.days - 1).end()
    }
}

/// The first day of every simulation.
pub(crate) fn first_day() -> UtcDay {
    utc_day(0)
}

/// The first day of Identity Engine.
fn upgrade(days: i32) -> i32 {
    days / 3
}
