//! The org: everything that a call goes through, from its arrival to its answer.

use std::io;
use std::sync::Arc;

use af_model::{UtcDay, UtcMillis};
use chrono::DateTime;

use crate::answer::{Answer, Delivery, Refusal};
use crate::auth::Gate;
use crate::clock::Clock;
use crate::control;
use crate::directory::{Account, Asked, Directory};
use crate::fault::{Fault, Faults};
use crate::log::{self, Generator, Store, Twist};
use crate::options::{LinkStyle, SimOptions, World};
use crate::organization::{Organization, Size, first_day};
use crate::random::Random;
use crate::rate::{Left, Limits};
use crate::request::Call;
use crate::route::Route;
use crate::stats::Counters;

/// Days that a simulated organization lives on after the start of the clock.
const LIVES_ON: i32 = 60;

/// A running org.
#[derive(Debug)]
pub(crate) struct Org {
    pub(crate) base: String,
    pub(crate) clock: Arc<Clock>,
    pub(crate) gate: Gate,
    pub(crate) store: Store,
    pub(crate) faults: Faults,
    pub(crate) counters: Counters,
    directory: Directory,
    limits: Limits,
    links: LinkStyle,
    gzip: bool,
}

impl Org {
    /// Makes the org; everything that has happened by now is written when this returns.
    ///
    /// # Errors
    /// The world cannot be read, or the scratch folder not be written.
    pub(crate) fn new(options: &SimOptions, base: &str) -> io::Result<Self> {
        let clock = Arc::new(Clock::new(options.time));
        let (directory, store) = world(options, clock.now())?;
        store.reach(clock.now())?;
        Ok(Self {
            base: base.to_owned(),
            gate: Gate::new(options, base, Arc::clone(&clock)),
            limits: Limits::new(
                options.logs_per_minute,
                options.limit_window,
                options.concurrency,
            ),
            links: options.links,
            gzip: options.gzip,
            clock,
            store,
            directory,
            faults: Faults::default(),
            counters: Counters::default(),
        })
    }

    /// Answers a call.
    pub(crate) fn answer(&self, call: &Call) -> Answer {
        if call.path == "/sim" || call.path.starts_with("/sim/") {
            return control::answer(self, call);
        }
        let now = self.clock.now();
        let route = Route::of(&call.path);
        let template = route.as_ref().map_or("(unknown)", Route::template);
        let number = self.counters.arrived(call.method.as_str(), template);
        let mut token = false;
        let mut answer = match route {
            None => Refusal::not_found("the endpoint").into(),
            Some(route) => self.of_route(&route, call, number, now, &mut token),
        };
        self.finish(&mut answer, call, number, now);
        self.counters.answered(answer.status, answer.events, token);
        answer
    }

    fn of_route(
        &self,
        route: &Route,
        call: &Call,
        number: u64,
        now: i64,
        token: &mut bool,
    ) -> Answer {
        let method = if *route == Route::Token {
            "POST"
        } else {
            "GET"
        };
        if call.method.as_str() != method {
            return Refusal::method().into();
        }
        let struck = self.faults.strike(call, route.template());
        if let Some((fault, _)) = &struck
            && let Some(answer) = self.instead(fault, route, now)
        {
            return answer;
        }
        let Some(_running) = self.limits.enter() else {
            return self
                .instead(&Fault::ConcurrencyLimit, route, now)
                .unwrap_or_else(|| Refusal::rate_limit().into());
        };
        if *route == Route::Token {
            let (mut answer, issued) = self.gate.token(call);
            *token = issued;
            if let Some((fault, _)) = &struck {
                spoil(&mut answer, fault);
            }
            return answer;
        }
        if let Some(scope) = route.scope()
            && let Err(refused) = self.gate.admit(call, scope)
        {
            return refused;
        }
        let left = route.bucket().map(|bucket| self.limits.count(bucket));
        let mut answer = match left {
            Some(left) if left.exceeded => Refusal::rate_limit().into(),
            _ => self.found(route, call, number, now, struck.as_ref()),
        };
        if let Some(left) = left {
            limit_headers(&mut answer, left, now);
        }
        if let Some((fault, _)) = &struck {
            spoil(&mut answer, fault);
        }
        answer
    }

    /// What the endpoint answers, links included.
    fn found(
        &self,
        route: &Route,
        call: &Call,
        number: u64,
        now: i64,
        struck: Option<&(Fault, u64)>,
    ) -> Answer {
        let found = if *route == Route::Logs {
            let twist = match struck {
                Some((Fault::Repeat { events }, _)) => Twist {
                    repeat: *events,
                    shuffle: None,
                },
                Some((Fault::Shuffle, strike)) => Twist {
                    repeat: 0,
                    shuffle: Some(*strike),
                },
                _ => Twist::default(),
            };
            log::answer(&self.store, call, &self.base, now, twist)
                .map(|(answer, links)| (answer, Some(links)))
        } else {
            let asked = Asked {
                call,
                base: &self.base,
                now,
            };
            self.directory.answer(route, asked)
        };
        match found {
            Err(refusal) => refusal.into(),
            Ok((answer, None)) => answer,
            Ok((mut answer, Some(mut links))) => {
                if let (Some((Fault::HostileNext { to }, _)), Some(next)) =
                    (struck, &mut links.next)
                {
                    *next = next.replacen(&self.base, to, 1);
                }
                links.write(&mut answer, self.links, number);
                answer
            }
        }
    }

    /// The answer that a fault gives in place of the endpoint.
    fn instead(&self, fault: &Fault, route: &Route, now: i64) -> Option<Answer> {
        let limited = || Answer::refused(&Refusal::rate_limit());
        let reset = |seconds: u32| (now.div_euclid(1000) + i64::from(seconds)).to_string();
        let answer = match fault {
            Fault::RateLimit { seconds } => limited()
                .header("x-rate-limit-limit", "120")
                .header("x-rate-limit-remaining", "0")
                .header("x-rate-limit-reset", reset(*seconds)),
            Fault::ConcurrencyLimit => limited()
                .header("x-rate-limit-limit", "0")
                .header("x-rate-limit-remaining", "0")
                .header("x-rate-limit-reset", reset(1)),
            Fault::RateLimitWithoutHeaders => limited(),
            Fault::RateLimitTwice { seconds } => limited()
                .header("x-rate-limit-limit", "1200")
                .header("x-rate-limit-limit", "120")
                .header("x-rate-limit-remaining", "700")
                .header("x-rate-limit-remaining", "0")
                .header("x-rate-limit-reset", reset(seconds.saturating_add(60)))
                .header("x-rate-limit-reset", reset(*seconds)),
            Fault::RetryAfter { seconds } => limited().header("retry-after", seconds.to_string()),
            Fault::Status { status } => Refusal::server(*status).into(),
            Fault::Drop => {
                let mut answer = Answer::of(500, Vec::new());
                answer.delivery = Delivery::Dropped;
                answer
            }
            Fault::LoginPage => {
                let page = "<!DOCTYPE html><html><head><title>Sign in</title></head>\
                    <body><form method=\"post\"><input name=\"user\"></form></body></html>";
                let mut answer = Answer::of(200, page.into());
                answer.set("content-type", "text/html;charset=utf-8");
                answer
            }
            Fault::Redirect { to } => {
                Answer::of(302, Vec::new()).header("location", format!("{to}{}", route.template()))
            }
            Fault::Forbidden => Refusal::forbidden().into(),
            Fault::NotEnabled => Refusal::feature().into(),
            Fault::NotFound => Refusal::not_found("by order").into(),
            Fault::BadRequest => Refusal::validation("request", "It is refused by order").into(),
            Fault::StaleCursor => {
                Refusal::validation("after", "The cursor is not valid or has expired").into()
            }
            Fault::NewNonce => {
                self.gate.renew_nonce(true);
                if *route == Route::Token {
                    self.gate.nonce_wanted_for_token()
                } else {
                    self.gate.nonce_wanted_on_call()
                }
            }
            Fault::ExpireTokens => {
                self.gate.expire_tokens();
                return None;
            }
            Fault::Slow { .. }
            | Fault::Cut
            | Fault::BrokenJson
            | Fault::Repeat { .. }
            | Fault::Shuffle
            | Fault::HostileNext { .. } => return None,
        };
        Some(answer)
    }

    /// What every answer carries.
    fn finish(&self, answer: &mut Answer, call: &Call, number: u64, now: i64) {
        let id = Random::of(number, &call.path).okta_id("Req");
        answer.set("x-okta-request-id", id);
        answer.set("cache-control", "no-cache, no-store");
        if let Some(date) = DateTime::from_timestamp_millis(now) {
            answer.set("date", date.format("%a, %d %b %Y %H:%M:%S GMT").to_string());
        }
        if self.gzip && call.takes_gzip() {
            answer.compress();
        }
    }
}

/// What a fault does to an answer.
fn spoil(answer: &mut Answer, fault: &Fault) {
    match fault {
        Fault::Slow { millis } => answer.delivery = Delivery::Slow(*millis),
        Fault::Cut => answer.delivery = Delivery::Cut,
        Fault::BrokenJson => answer.body.truncate(answer.body.len() / 2),
        _ => {}
    }
}

fn limit_headers(answer: &mut Answer, left: Left, now: i64) {
    // Okta's resets are whole seconds; the window is over when that second has begun.
    let reset = now.saturating_add(left.resets_in).saturating_add(999);
    answer.set("x-rate-limit-limit", left.limit.to_string());
    answer.set("x-rate-limit-remaining", left.remaining.to_string());
    answer.set("x-rate-limit-reset", reset.div_euclid(1000).to_string());
}

/// Who is in the org and what happened there.
fn world(options: &SimOptions, now: i64) -> io::Result<(Directory, Store)> {
    let folder = options.scratch.as_deref();
    match &options.world {
        World::Given { users, events } => {
            let directory = Directory::of(Directory::given(users)?, 0);
            let store = Store::create(folder, options.lateness, 0, None)?;
            store.load(events)?;
            Ok((directory, store))
        }
        World::Organization { people, days, seed } => {
            let invalid =
                || io::Error::new(io::ErrorKind::InvalidInput, "at least 50 people and 9 days");
            let people = usize::try_from(*people).map_err(|_| invalid())?;
            let days = i32::try_from(*days).map_err(|_| invalid())?;
            if people < 50 || !(9..=36_500).contains(&days) {
                return Err(invalid());
            }
            let today = UtcMillis(now).day().0;
            // Whole weeks, so that a Monday stays one.
            let moved_days = (today - days - first_day().0).div_euclid(7) * 7;
            let first = first_day().0 + moved_days;
            let size = Size {
                people,
                days: today - first + LIVES_ON,
            };
            let organization = Organization::new(size, *seed);
            let moved = i64::from(moved_days) * af_model::time::DAY_MILLIS;
            let accounts = organization
                .accounts()
                .map(|account| Account::simulated(account, moved))
                .collect();
            let generator = Generator {
                organization,
                moved_days,
                next_day: UtcDay(first),
            };
            let store = Store::create(folder, options.lateness, *seed, Some(generator))?;
            Ok((Directory::of(accounts, *seed), store))
        }
    }
}
