//! Guessed, sprayed and stuffed passwords.

use af_model::UtcMillis;

use super::super::calendar::{HOUR, MINUTE, later};
use super::super::names::{FAMILY, GIVEN, GUESSES};
use super::super::network::{Client, Network};
use super::super::ordinary::activate;
use super::super::sign_in::{
    Try, Way, enter, failure, open_app, threat, unknown_name, wrong_password,
};
use super::super::truth::Kind;
use super::Stage;

/// What a campaign brings along.
struct Campaign {
    tale: usize,
    pool: Vec<Client>,
    way: Way,
    /// ThreatInsight knows so many of a hundred requests.
    known: usize,
}

impl Campaign {
    fn new(stage: &mut Stage<'_>, tale: usize, pool: Vec<Network>) -> Self {
        let scripted = stage.log.dice.chance(2, 3);
        // Mostly one tool everywhere, with a cookie of its own at every address.
        let first = tool(stage, scripted, pool[0].clone());
        let varied = stage.log.dice.chance(1, 4);
        let pool = pool.into_iter().map(|network| {
            if varied {
                return tool(stage, scripted, network);
            }
            let token = first.token.map(|_| stage.log.dice.wide());
            Client {
                token,
                ..first.at(network)
            }
        });
        let pool = pool.collect();
        Self {
            tale,
            pool,
            way: if scripted {
                *stage.log.dice.pick(&[Way::Api, Way::Api, Way::RichClient])
            } else {
                Way::Page
            },
            known: stage.log.dice.weighted(&[(6, 0), (3, 10), (2, 60)]),
        }
    }

    fn client(&self, stage: &mut Stage<'_>) -> Client {
        stage.log.dice.pick(&self.pool).clone()
    }

    /// One wrong password for one account.
    fn attempt(&self, stage: &mut Stage<'_>, victim: usize, at: UtcMillis) {
        let client = self.client(stage);
        let suspected = stage.log.dice.below(100) < self.known;
        let since = stage.here();
        let engine = stage.scene.engine;
        wrong_password(
            &mut stage.log,
            &mut stage.people[victim],
            &client,
            at,
            self.way,
            engine,
            suspected,
        );
        stage.evidence(self.tale, since, Some(victim));
    }

    /// One name that does not exist.
    fn miss(&self, stage: &mut Stage<'_>, at: UtcMillis) {
        let client = self.client(stage);
        let suspected = stage.log.dice.below(100) < self.known;
        let name = if stage.log.dice.chance(1, 3) {
            format!("{}@example.com", stage.log.dice.pick(&GUESSES))
        } else {
            let (given, family) = (*stage.log.dice.pick(&GIVEN), *stage.log.dice.pick(&FAMILY));
            format!("{given}.{family}@example.com").to_lowercase()
        };
        let since = stage.here();
        unknown_name(&mut stage.log, &name, &client, at, self.way, suspected);
        stage.evidence(self.tale, since, None);
    }
}

/// What guesses for the attacker: a script, or a browser that is driven by one.
fn tool(stage: &mut Stage<'_>, scripted: bool, network: Network) -> Client {
    if scripted {
        stage.script(network)
    } else {
        stage.browser(network)
    }
}

/// A few passwords against many accounts, from one address or from many.
pub(super) fn spray(stage: &mut Stage<'_>, kind: Kind) {
    let most = i64::try_from(stage.people.len() / 25)
        .unwrap_or(i64::MAX)
        .clamp(12, 100);
    let size = stage.log.dice.skewed(4, most);
    let victims = stage.victims(size);
    let addresses = if kind == Kind::SprayOneAddress {
        1
    } else {
        stage.log.dice.skewed(3, 120)
    };
    let tale = stage.tell(kind, size, false);
    let pool = stage.pool(addresses, Network::attacker);
    let campaign = Campaign::new(stage, tale, pool);
    let pause = stage.log.dice.skewed(1, 3 * MINUTE);
    // For every real name so many tenths that do not exist.
    let unknown = usize::try_from(stage.log.dice.between(0, 15)).expect("small");
    let mut at = stage.some_time();
    let mut last = at;
    for _ in 0..stage.log.dice.weighted(&[(5, 1), (3, 2), (1, 4)]) {
        for &victim in &victims {
            campaign.attempt(stage, victim, at);
            last = at;
            at = later(at, stage.log.dice.between(1, 2 * pause));
            if stage.log.dice.chance(unknown, 20) {
                campaign.miss(stage, at);
                at = later(at, stage.log.dice.between(1, 2 * pause));
            }
        }
        at = later(at, stage.log.dice.skewed(20 * MINUTE, 3 * HOUR));
    }
    if stage.log.dice.chance(1, 3) {
        let lucky = *stage.log.dice.pick(&victims);
        take_over(stage, &campaign, lucky, last);
    }
}

/// Days of patience: every address tries a few accounts and is gone.
pub(super) fn slow_spray(stage: &mut Stage<'_>) {
    let most = i64::try_from(stage.people.len() / 40)
        .unwrap_or(i64::MAX)
        .clamp(10, 60);
    let size = stage.log.dice.skewed(6, most);
    let victims = stage.victims(size);
    let tale = stage.tell(Kind::SpraySlow, size, false);
    let addresses = stage.log.dice.skewed(4, 200);
    let pool = stage.pool(addresses, Network::residential);
    let campaign = Campaign::new(stage, tale, pool);
    let days = stage
        .log
        .dice
        .skewed(1, i64::from(stage.days / 9).clamp(1, 10));
    let start = stage.some_time();
    let rounds = stage.log.dice.weighted(&[(4, 1), (3, 2), (2, 5)]);
    let engine = stage.scene.engine;
    for _ in 0..rounds {
        for &victim in &victims {
            let at = later(start, stage.log.dice.between(0, days * 24 * HOUR));
            let client = campaign.client(stage);
            let since = stage.here();
            failure(
                &mut stage.log,
                &stage.people[victim],
                &client,
                at,
                campaign.way,
                engine,
                false,
                false,
            );
            stage.evidence(tale, since, Some(victim));
        }
    }
}

/// Pairs of name and password from somebody else's loot: mostly names that do not exist here.
pub(super) fn stuffing(stage: &mut Stage<'_>) {
    let most = i64::try_from(stage.people.len() / 40)
        .unwrap_or(i64::MAX)
        .clamp(8, 60);
    let size = stage.log.dice.skewed(4, most);
    let victims = stage.victims(size);
    let tale = stage.tell(Kind::Stuffing, size, false);
    let addresses = stage.log.dice.skewed(1, 150);
    let pool = stage.pool(addresses, Network::attacker);
    let campaign = Campaign::new(stage, tale, pool);
    let strangers = usize::try_from(stage.log.dice.skewed(1, 8)).expect("small");
    let pause = stage.log.dice.skewed(1, 60);
    let mut at = stage.some_time();
    for &victim in &victims {
        for _ in 0..strangers {
            campaign.miss(stage, at);
            at = later(at, stage.log.dice.between(0, pause));
        }
        campaign.attempt(stage, victim, at);
        if stage.log.dice.chance(1, 4) {
            campaign.attempt(stage, victim, later(at, 2));
        }
        at = later(at, stage.log.dice.between(1, 2 * pause));
    }
    if stage.log.dice.chance(1, 2) {
        let lucky = *stage.log.dice.pick(&victims);
        take_over(stage, &campaign, lucky, at);
    }
}

/// Many passwords against one account.
pub(super) fn brute_force(stage: &mut Stage<'_>, kind: Kind) {
    let Some(victim) = stage.victim(&|_| true) else {
        return;
    };
    let size = stage.log.dice.skewed(6, 800);
    let tale = stage.tell(kind, size, false);
    let addresses = if kind == Kind::BruteForceManyAddresses {
        stage.log.dice.skewed(3, 150)
    } else {
        1
    };
    let pool = stage.pool(addresses, Network::attacker);
    let mut campaign = Campaign::new(stage, tale, pool);
    let rotates = kind == Kind::BruteForceRotatingTokens;
    if rotates {
        campaign.way = Way::Api;
    }
    let pause = stage.log.dice.skewed(1, 4 * MINUTE);
    let mut at = stage.some_time();
    for _ in 0..size {
        if rotates {
            campaign.pool[0].token = Some(stage.log.dice.wide());
        }
        campaign.attempt(stage, victim, at);
        at = later(at, stage.log.dice.between(1, 2 * pause));
    }
    if stage.log.dice.chance(1, 5) {
        take_over(stage, &campaign, victim, at);
    }
}

/// Accounts are locked for the sake of it, or as a diversion.
pub(super) fn lockout_wave(stage: &mut Stage<'_>) {
    let size = stage.log.dice.skewed(2, 40);
    let victims = stage.victims(size);
    let tale = stage.tell(Kind::LockoutWave, size, true);
    let addresses = stage.log.dice.skewed(1, 10);
    let pool = stage.pool(addresses, Network::attacker);
    let campaign = Campaign::new(stage, tale, pool);
    let pause = stage.log.dice.skewed(1, 30);
    let mut at = stage.some_time();
    for &victim in &victims {
        for _ in 0..stage.log.dice.between(10, 16) {
            campaign.attempt(stage, victim, at);
            at = later(at, stage.log.dice.between(1, 2 * pause));
        }
    }
}

/// A guess was right: in minutes or hours the attacker signs in.
fn take_over(stage: &mut Stage<'_>, campaign: &Campaign, victim: usize, guessed: UtcMillis) {
    let tale = stage.tell(Kind::TakeoverAfterGuessing, 1, true);
    stage.stories[campaign.tale].succeeded = true;
    let mut at = later(guessed, stage.log.dice.skewed(20, 5 * HOUR));
    if stage.people[victim].is_locked(at) {
        at = later(
            stage.people[victim].locked_until,
            stage.log.dice.between(10, HOUR),
        );
    }
    let mut client = campaign.client(stage);
    if stage.log.dice.chance(1, 2) {
        // The person behind the script takes a browser, and mostly another address.
        let network = if stage.log.dice.chance(1, 3) {
            client.network.clone()
        } else {
            Network::attacker(&mut stage.log.dice)
        };
        client = stage.browser(network);
    }
    let suspected = stage.log.dice.below(100) < campaign.known;
    let since = stage.here();
    let attempt = Try::of(&stage.people[victim], &client, at, &mut stage.log)
        .suspected(suspected, &mut stage.log);
    let session = stage.log.session();
    // An exception of the policy lets the password alone suffice, or a code is stolen as well.
    let factor = stage
        .log
        .dice
        .chance(1, 3)
        .then_some(super::super::person::Factor::Text);
    enter(
        &mut stage.log,
        attempt,
        &session,
        factor,
        stage.scene.engine,
    );
    if suspected && stage.log.dice.chance(1, 2) {
        let request = stage.log.request();
        threat(&mut stage.log, &client, at, &request, true);
    }
    let member = stage.people[victim].member.clone();
    for turn in 1..=stage.log.dice.between(1, 4) {
        open_app(
            &mut stage.log,
            &member,
            &client,
            later(at, 60 + turn * 70),
            &session,
            "Mail",
        );
    }
    if stage.log.dice.chance(1, 3) {
        activate(
            &mut stage.log,
            &stage.people[victim],
            &client,
            later(at, 500),
        );
    }
    stage.people[victim].history.remember(&client, at);
    stage.evidence(tale, since, Some(victim));
    stage.clean_up(victim, at);
}
