//! Seeded attacks.
//!
//! How attackers behave is taken from public reports of incidents; how much of it they do is drawn
//! from skewed distributions with weak tails. Nothing here knows what any rule counts.

mod account;
mod passwords;
mod pushes;
mod sessions;
mod signals;

use std::collections::BTreeMap;

use af_model::UtcMillis;

use super::calendar::{HOUR, MINUTE, later, local, utc_day};
use super::dice::Dice;
use super::log::{Line, Log};
use super::network::{Client, Network};
use super::ordinary::Scene;
use super::person::{Person, Role};
use super::software::Make;
use super::truth::{Kind, Story, Truth, Victim};

/// How many attacks of each kind there are among 5,000 people in 90 days.
const PLANNED: [(Kind, usize); 28] = [
    (Kind::PushRefused, 16),
    (Kind::PushIgnored, 8),
    (Kind::PushAccepted, 10),
    (Kind::WrongNumber, 6),
    (Kind::SprayOneAddress, 8),
    (Kind::SprayManyAddresses, 5),
    (Kind::SpraySlow, 4),
    (Kind::Stuffing, 6),
    (Kind::BruteForceOneAddress, 12),
    (Kind::BruteForceManyAddresses, 7),
    (Kind::BruteForceRotatingTokens, 6),
    (Kind::LockoutWave, 4),
    (Kind::StolenSession, 14),
    (Kind::FastPassPhishing, 10),
    (Kind::ProxiedSignIn, 10),
    (Kind::Anonymizer, 10),
    (Kind::ImpossibleTravel, 10),
    (Kind::HelpDeskTrick, 9),
    (Kind::RecoveryFlood, 8),
    (Kind::ThreatAllowed, 8),
    (Kind::ThreatDenied, 4),
    (Kind::BreachedCredential, 12),
    (Kind::RiskDetection, 25),
    (Kind::ReportedActivity, 12),
    (Kind::TokenReuse, 6),
    (Kind::Impersonation, 2),
    (Kind::AdminConsole, 5),
    (Kind::PartnerRisk, 8),
];

/// An attack to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Planned {
    pub(super) day: i32,
    kind: Kind,
    number: usize,
}

/// The attacks of all days, by day; every kind at least once.
pub(super) fn plan(seed: u64, people: usize, days: i32, upgrade: i32) -> Vec<Planned> {
    let mut planned = Vec::new();
    let person_days = people * usize::try_from(days).unwrap_or(0);
    for (kind, count) in PLANNED {
        let count = (count * person_days / 450_000).max(1);
        for number in 0..count {
            let mut dice = Dice::of(seed, kind.what(), &[number as u64]);
            // Number challenges and FastPass came with Identity Engine; so did risk detections.
            let first = match kind {
                Kind::WrongNumber
                | Kind::FastPassPhishing
                | Kind::RiskDetection
                | Kind::PartnerRisk
                | Kind::BreachedCredential => upgrade,
                _ => 1,
            };
            let last = (days
                - if kind == Kind::SpraySlow {
                    1 + days / 6
                } else {
                    2
                })
            .max(first);
            let day =
                i32::try_from(dice.between(i64::from(first), i64::from(last))).expect("a day");
            planned.push(Planned { day, kind, number });
        }
    }
    planned.sort_unstable();
    planned
}

/// Where an attack is played: the people, and what is written down about it.
pub(super) struct Stage<'a> {
    pub(super) scene: Scene<'a>,
    pub(super) people: &'a mut [Person],
    pub(super) days: i32,
    log: Log,
    stories: Vec<Tale>,
}

/// A story while it is told.
struct Tale {
    kind: Kind,
    succeeded: bool,
    size: i64,
    /// Lines of the log that are the attacker's, with the victim's number.
    evidence: Vec<(usize, Option<usize>)>,
}

/// Plays one attack; returns its lines and writes it down.
pub(super) fn play(
    planned: Planned,
    people: &mut [Person],
    scene: Scene<'_>,
    days: i32,
    truth: &mut Truth,
) -> Vec<Line> {
    let parts = [planned.number as u64, 1];
    let dice = Dice::of(scene.seed, planned.kind.what(), &parts);
    let mut stage = Stage {
        scene,
        people,
        days,
        log: Log::new(dice),
        stories: Vec::new(),
    };
    let kind = planned.kind;
    match kind {
        Kind::PushRefused | Kind::PushIgnored | Kind::PushAccepted => {
            pushes::bombing(&mut stage, kind);
        }
        Kind::WrongNumber => pushes::wrong_number(&mut stage),
        Kind::SprayOneAddress | Kind::SprayManyAddresses => passwords::spray(&mut stage, kind),
        Kind::SpraySlow => passwords::slow_spray(&mut stage),
        Kind::Stuffing => passwords::stuffing(&mut stage),
        Kind::BruteForceOneAddress
        | Kind::BruteForceManyAddresses
        | Kind::BruteForceRotatingTokens => passwords::brute_force(&mut stage, kind),
        Kind::LockoutWave => passwords::lockout_wave(&mut stage),
        Kind::TakeoverAfterGuessing => unreachable!("it follows from a guessed password"),
        Kind::StolenSession => sessions::stolen(&mut stage),
        Kind::FastPassPhishing => sessions::declined_by_fastpass(&mut stage),
        Kind::ProxiedSignIn => sessions::proxied(&mut stage),
        Kind::Anonymizer => account::anonymizer(&mut stage),
        Kind::ImpossibleTravel => account::far_away(&mut stage),
        Kind::HelpDeskTrick => account::help_desk(&mut stage),
        Kind::RecoveryFlood => account::recovery_flood(&mut stage),
        Kind::AdminConsole => account::admin_console(&mut stage),
        Kind::Impersonation => account::impersonation(&mut stage),
        Kind::ThreatAllowed => signals::threat_allowed(&mut stage),
        Kind::ThreatDenied => signals::threat_denied(&mut stage),
        Kind::BreachedCredential => signals::breached(&mut stage),
        Kind::RiskDetection => signals::risk(&mut stage),
        Kind::ReportedActivity => signals::reported(&mut stage),
        Kind::TokenReuse => signals::token_reuse(&mut stage),
        Kind::PartnerRisk => signals::partner(&mut stage),
    }
    stage.write_down(truth)
}

impl Stage<'_> {
    /// Begins a story; its number on this stage is returned.
    fn tell(&mut self, kind: Kind, size: i64, succeeded: bool) -> usize {
        self.stories.push(Tale {
            kind,
            succeeded,
            size,
            evidence: Vec::new(),
        });
        self.stories.len() - 1
    }

    /// Everything since a line is the attacker's doing, against somebody.
    fn evidence(&mut self, tale: usize, since: usize, victim: Option<usize>) {
        let lines = since..self.log.lines.len();
        self.stories[tale]
            .evidence
            .extend(lines.map(|line| (line, victim)));
    }

    /// Where the next line will be.
    fn here(&self) -> usize {
        self.log.lines.len()
    }

    fn write_down(self, truth: &mut Truth) -> Vec<Line> {
        // What would lie beyond the last day never happens.
        let end = utc_day(self.days).start().0;
        for tale in self.stories {
            let id = truth.stories.len();
            let mut victims: BTreeMap<String, u64> = BTreeMap::new();
            let mut span: Option<(i64, i64)> = None;
            for (line, victim) in tale.evidence {
                let line = &self.log.lines[line];
                if line.published >= end {
                    continue;
                }
                truth.events.push((line.uuid, id));
                let (first, last) = span.unwrap_or((line.published, line.published));
                span = Some((first.min(line.published), last.max(line.published)));
                if let Some(victim) = victim {
                    let uid = self.people[victim].member.uid.clone();
                    *victims.entry(uid).or_default() += 1;
                }
            }
            let Some((start, end)) = span else {
                continue;
            };
            let victims = victims.into_iter();
            truth.stories.push(Story {
                id,
                kind: tale.kind,
                start: UtcMillis(start),
                end: UtcMillis(end),
                succeeded: tale.succeeded,
                size: tale.size,
                victims: victims
                    .map(|(uid, events)| Victim { uid, events })
                    .collect(),
            });
        }
        self.log.lines
    }

    /// Somebody worth attacking; every third attack looks for people in the public eye.
    fn victim(&mut self, suits: &dyn Fn(&Person) -> bool) -> Option<usize> {
        let day = self.scene.day;
        let possible = |person: &Person| {
            person.member.role.is_human() && person.member.is_there(day) && suits(person)
        };
        for _ in 0..100 {
            let number = self.log.dice.below(self.people.len());
            let person = &self.people[number];
            let is_visible = person.member.role != Role::Employee;
            if possible(person) && (is_visible || self.log.dice.chance(1, 3)) {
                return Some(number);
            }
        }
        // Few suit: the first of them from somewhere on.
        let count = self.people.len();
        let start = self.log.dice.below(count);
        let mut all = (0..count).map(|step| (start + step) % count);
        all.find(|number| possible(&self.people[*number]))
    }

    /// So many different people, or as many as there are.
    fn victims(&mut self, count: i64) -> Vec<usize> {
        let count = usize::try_from(count).unwrap_or(0);
        let mut chosen = Vec::new();
        for _ in 0..20 * count {
            let number = self.log.dice.below(self.people.len());
            let member = &self.people[number].member;
            let suits = member.role.is_human() && member.is_there(self.scene.day);
            if suits && chosen.len() < count && !chosen.contains(&number) {
                chosen.push(number);
            }
        }
        chosen
    }

    /// Any time of the day.
    fn some_time(&mut self) -> UtcMillis {
        let seconds = self.log.dice.between(0, 24 * HOUR - 1);
        later(utc_day(self.scene.day).start(), seconds)
    }

    /// When the victim is awake.
    fn daytime(&mut self, victim: usize) -> UtcMillis {
        let place = self.people[victim].member.place();
        local(
            self.scene.day,
            place,
            self.log.dice.between(8 * HOUR, 22 * HOUR),
        )
    }

    /// An attacker at a browser, somewhere.
    fn browser(&mut self, network: Network) -> Client {
        let make = *self.log.dice.pick(&[
            Make::ChromeOnWindows,
            Make::ChromeOnWindows,
            Make::EdgeOnWindows,
            Make::ChromeOnMac,
            Make::FirefoxOnLinux,
        ]);
        Client {
            network,
            software: make.on(self.scene.day, 3),
            token: Some(self.log.dice.wide()),
            device: None,
        }
    }

    /// An attacker's program.
    fn script(&mut self, network: Network) -> Client {
        let make = *self.log.dice.pick(&[
            Make::Python,
            Make::Python,
            Make::Go,
            Make::Node,
            Make::Curl,
            Make::Headless,
        ]);
        Client {
            network,
            software: make.on(self.scene.day, 0),
            token: None,
            device: None,
        }
    }

    /// Addresses to choose from.
    fn pool(&mut self, size: i64, draw: fn(&mut Dice) -> Network) -> Vec<Network> {
        (0..size).map(|_| draw(&mut self.log.dice)).collect()
    }

    /// Afterwards the help desk cleans up; no evidence, and nobody's attack.
    fn clean_up(&mut self, victim: usize, at: UtcMillis) {
        let at = later(at, self.log.dice.between(3 * HOUR, 40 * HOUR));
        let request = self.log.request();
        let desk = self.scene.help_desk(&mut self.log.dice).clone();
        for (event_type, minutes) in [
            ("user.session.clear", 0),
            ("user.account.reset_password", 1),
        ] {
            let event = super::event::Event::new(event_type, later(at, minutes * MINUTE))
                .by(super::event::Principal::member(&desk))
                .request(&request)
                .on(super::event::Principal::member(&self.people[victim].member));
            self.log.add(event);
        }
    }
}
