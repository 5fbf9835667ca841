//! The people: who they are, how they work, and what changes for them in the course of the days.

use af_model::UtcMillis;

use super::dice::Dice;
use super::history::History;
use super::names::{DEPARTMENTS, FAMILY, GIVEN};
use super::network::{Client, Network};
use super::places::{DESTINATIONS, OFFICES, Place};
use super::software::Make;

/// What does not change about an account.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) number: usize,
    pub(super) uid: String,
    pub(super) login: String,
    pub(super) name: String,
    pub(super) department: &'static str,
    pub(super) office: usize,
    pub(super) role: Role,
    /// First day; before 0 for most.
    pub(super) joined: i32,
    /// First day without the account.
    pub(super) left: Option<i32>,
}

/// What an account is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Employee,
    /// In the public eye: executives, finance, press.
    Visible,
    HelpDesk,
    Administrator,
    /// A program with a job.
    Program,
    /// One of the accounts of a load test.
    LoadTest,
}

/// How somebody proves who they are after the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Factor {
    FastPass,
    Push,
    NumberChallenge,
    Code,
    Text,
}

/// A computer or telephone.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    make: Make,
    lag: u32,
    /// The device token of its browser; programs keep no cookies.
    token: Option<u128>,
    /// Id of the registered device, where it is registered.
    id: Option<String>,
}

/// Days away from home, both included.
#[derive(Clone, Debug)]
pub(super) struct Trip {
    pub(super) from: i32,
    pub(super) to: i32,
    pub(super) place: &'static Place,
}

/// A session that is open.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) client: Client,
    pub(super) started: UtcMillis,
}

/// Somebody, with everything that changes.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) member: Member,
    pub(super) factor: Factor,
    pub(super) laptop: Machine,
    pub(super) phone: Machine,
    /// In percent: days at the office, days with the tunnel when at home.
    pub(super) at_office: usize,
    pub(super) tunnels: usize,
    /// Uses a private tunnel now and then.
    pub(super) hides: bool,
    /// Local hour at which the day begins.
    pub(super) begins: i64,
    pub(super) trips: Vec<Trip>,
    pub(super) holidays: Vec<(i32, i32)>,
    /// The day of a new telephone, a new laptop, another address at home.
    pub(super) new_phone: Option<i32>,
    pub(super) new_laptop: Option<i32>,
    /// Days on which the telephone refuses or ignores pushes by itself.
    pub(super) broken_phone: Option<(i32, i32)>,
    /// The days on which a mail program on an old device still has the old password.
    pub(super) old_password: Option<(i32, i32)>,

    pub(super) history: History,
    pub(super) failures: u32,
    pub(super) locked_until: UtcMillis,
    /// The session of the day, once there is one.
    pub(super) session: Option<Session>,
}

impl Machine {
    /// A machine that is registered so many times in a hundred.
    fn new(make: Make, registered: usize, dice: &mut Dice) -> Self {
        Self {
            make,
            lag: u32::try_from(dice.below(9)).expect("below nine"),
            token: Some(dice.wide()),
            id: dice.chance(registered, 100).then(|| dice.okta_id("guo")),
        }
    }

    /// What a program of the organization runs on.
    fn program(dice: &mut Dice) -> Self {
        let make = *dice.pick(&[Make::Agent, Make::Agent, Make::Python, Make::Go]);
        Self {
            token: None,
            id: None,
            ..Self::new(make, 0, dice)
        }
    }

    /// A terminal that a shift shares.
    fn shared(office: usize, turn: usize) -> Self {
        let mut dice = Dice::of(0, "shared terminal", &[office as u64, turn as u64]);
        Self::new(Make::EdgeOnWindows, 100, &mut dice)
    }

    /// Another machine of the same make.
    pub(super) fn replaced(&self, dice: &mut Dice) -> Self {
        let registered = if self.id.is_some() { 100 } else { 0 };
        Self::new(self.make, registered, dice)
    }

    /// The browser forgets its cookies.
    pub(super) fn forget(&mut self, dice: &mut Dice) {
        self.token = Some(dice.wide());
    }

    /// The machine somewhere.
    pub(super) fn on(&self, day: i32, network: Network) -> Client {
        Client {
            network,
            software: self.make.on(day, self.lag),
            token: self.token,
            device: self.id.clone(),
        }
    }
}

impl Role {
    /// Whether a person stands behind the account.
    pub(super) fn is_human(self) -> bool {
        !matches!(self, Self::Program | Self::LoadTest)
    }
}

impl Member {
    /// Whether the account is in use on a day.
    pub(super) fn is_there(&self, day: i32) -> bool {
        self.joined <= day && self.left.is_none_or(|left| day < left)
    }

    pub(super) fn place(&self) -> &'static Place {
        &OFFICES[self.office]
    }
}

impl Person {
    /// The n-th person of the organization, over so many days.
    pub(super) fn grow(seed: u64, number: usize, role: Role, days: i32) -> Self {
        let mut dice = Dice::of(seed, "person", &[number as u64]);
        let office = dice.weighted(&[(40, 0), (20, 1), (14, 2), (12, 3), (8, 4), (6, 5)]);
        let (given, family) = (*dice.pick(&GIVEN), *dice.pick(&FAMILY));
        let (name, login) = match role {
            Role::Program => (format!("Program {number}"), format!("program{number}")),
            Role::LoadTest => (format!("Load Test {number}"), format!("loadtest{number}")),
            _ => (
                format!("{given} {family}"),
                format!("{given}.{family}{number}").to_lowercase(),
            ),
        };
        let department = match role {
            Role::Administrator | Role::HelpDesk => "IT",
            Role::Visible => *dice.pick(&["Executive", "Finance", "Communications"]),
            _ => *dice.pick(&DEPARTMENTS),
        };
        let member = Member {
            number,
            uid: dice.okta_id("00u"),
            login: format!("{login}@example.com"),
            name,
            department,
            office,
            role,
            joined: -900,
            left: None,
        };
        let laptop = dice.weighted(&[
            (45, Make::ChromeOnWindows),
            (25, Make::EdgeOnWindows),
            (15, Make::ChromeOnMac),
            (10, Make::SafariOnMac),
            (5, Make::FirefoxOnLinux),
        ]);
        let phone = dice.weighted(&[(55, Make::SafariOnPhone), (45, Make::ChromeOnPhone)]);
        let mut person = Self {
            factor: dice.weighted(&[
                (35, Factor::FastPass),
                (32, Factor::Push),
                (10, Factor::NumberChallenge),
                (15, Factor::Code),
                (8, Factor::Text),
            ]),
            laptop: Machine::new(laptop, 85, &mut dice),
            phone: Machine::new(phone, 40, &mut dice),
            at_office: dice.weighted(&[(40, 70), (40, 40), (20, 5)]),
            tunnels: dice.weighted(&[(60, 0), (25, 50), (15, 95)]),
            hides: dice.chance(1, 80),
            begins: dice.between(6, 10),
            trips: Vec::new(),
            holidays: Vec::new(),
            new_phone: None,
            new_laptop: None,
            broken_phone: None,
            old_password: None,
            history: History::default(),
            failures: 0,
            locked_until: UtcMillis(0),
            session: None,
            member,
        };
        if role.is_human() {
            person.plan(&mut dice, days);
        } else {
            person.laptop = Machine::program(&mut dice);
        }
        person.remember_the_usual(seed);
        person
    }

    /// What will happen to the person; every chance is one per so many days.
    fn plan(&mut self, dice: &mut Dice, days: i32) {
        let some_day = |dice: &mut Dice, per: i64| {
            let day = i32::try_from(dice.between(0, per - 1)).expect("a day");
            (day < days).then_some(day)
        };
        // Two in a hundred join and two leave in a quarter.
        if self.member.role == Role::Employee {
            match (some_day(dice, 4500), some_day(dice, 4500)) {
                (Some(joined), _) => self.member.joined = joined,
                (None, left) => self.member.left = left,
            }
        }
        // Somebody travels every few years, others every month; 1 in 250 is away in a week.
        let per = if dice.chance(1, 10) { 300 } else { 2400 };
        for start in (0..days).step_by(7) {
            if dice.chance(7, per) {
                let from = start + i32::try_from(dice.between(0, 4)).expect("small");
                let to = from + i32::try_from(dice.between(1, 6)).expect("small");
                let place = dice.pick(&DESTINATIONS);
                self.trips.push(Trip { from, to, place });
            }
        }
        for _ in 0..2 {
            if let Some(from) = some_day(dice, 150) {
                let length = dice.weighted(&[(5, 4), (4, 11), (2, 18)]);
                self.holidays.push((from, from + length));
            }
        }
        self.new_phone = some_day(dice, 1100);
        self.new_laptop = some_day(dice, 1300);
        if matches!(self.factor, Factor::Push | Factor::NumberChallenge) {
            self.broken_phone = some_day(dice, 12_000).map(|day| (day, day + 2));
        }
        self.old_password = some_day(dice, 15_000)
            .map(|day| (day, day + i32::try_from(dice.between(0, 2)).expect("small")));
    }

    /// Somebody who was there before has been seen at home, at the office and on the road.
    fn remember_the_usual(&mut self, seed: u64) {
        if self.member.joined > 0 {
            return;
        }
        let mut dice = Dice::of(seed, "before", &[self.member.number as u64]);
        let before = super::calendar::utc_day(-1).start();
        for turn in 0..12 {
            let client = match (self.member.role.is_human(), turn % 4) {
                (false, _) => self.laptop.on(0, Network::cloud(self.member.number)),
                (_, 0) => self.phone_somewhere(0, dice.below(24)),
                (_, 1) => self.at_home(seed, 0),
                (_, 2) if self.tunnels > 0 => {
                    self.laptop.on(0, Network::tunnel(self.member.office))
                }
                _ => self.at_desk(0),
            };
            self.history.remember(&client, before);
        }
    }

    /// At a desk; in the warehouses at a terminal that others use, too.
    pub(super) fn at_desk(&self, day: i32) -> Client {
        let Member { office, number, .. } = self.member;
        let network = Network::office(office, number);
        if self.shares_a_terminal() {
            return Machine::shared(office, number % 3).on(day, network);
        }
        self.laptop.on(day, network)
    }

    pub(super) fn shares_a_terminal(&self) -> bool {
        self.member.department == "Logistics"
    }

    /// The provider gives a new address about every three weeks.
    pub(super) fn at_home(&self, seed: u64, day: i32) -> Client {
        let number = self.member.number;
        let shift = i32::try_from(number % 21).expect("small");
        let lease = usize::try_from((day + shift + 21) / 21).unwrap_or(0)
            + usize::try_from(seed % 97).unwrap_or(0);
        self.laptop
            .on(day, Network::home(self.member.office, number, lease))
    }

    /// The telephone in a carrier's network at some moment.
    pub(super) fn phone_somewhere(&self, day: i32, moment: usize) -> Client {
        // Abroad, every other telephone still leaves through its carrier at home.
        let abroad = self
            .trip(day)
            .filter(|_| self.member.number.is_multiple_of(2));
        let place = abroad.map_or(self.member.place(), |trip| trip.place);
        let network = Network::mobile(place, self.member.number, moment);
        self.phone.on(day, network)
    }

    /// The trip the person is on.
    pub(super) fn trip(&self, day: i32) -> Option<&Trip> {
        self.trips
            .iter()
            .find(|trip| (trip.from..=trip.to).contains(&day))
    }

    pub(super) fn is_on_holiday(&self, day: i32) -> bool {
        self.holidays
            .iter()
            .any(|(from, to)| (*from..*to).contains(&day))
    }

    /// Whether a holiday ended a day or two ago: passwords are forgotten.
    pub(super) fn is_back(&self, day: i32) -> bool {
        self.holidays
            .iter()
            .any(|(_, to)| (*to..to + 3).contains(&day))
    }

    pub(super) fn is_locked(&self, at: UtcMillis) -> bool {
        at < self.locked_until
    }
}
