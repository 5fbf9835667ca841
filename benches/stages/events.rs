//! Days of identity events in the demo's shapes, as a log of several organizations has them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Read;

use af_model::tables::identity_events::{Builder, Row, TABLE};
use af_model::time::DAY_MILLIS;
use af_model::{UtcDay, UtcMillis};
use af_okta::Normalizer;
use af_store::{Partitioned, Store};
use af_testkit::generate::Random;
use arrow::array::RecordBatch;

use crate::input::{as_of, key};

/// The event types by rank: the type of rank r comes in proportion to 1/r, as in a log. The last ones
/// are an attack's traces and alarms, which no log has in such numbers.
const TYPES: [&str; 40] = [
    "user.authentication.sso",
    "user.session.start",
    "policy.evaluate_sign_on",
    "user.authentication.auth_via_mfa",
    "user.session.end",
    "app.oauth2.token.grant.access_token",
    "user.authentication.verify",
    "group.user_membership.add",
    "system.push.send_factor_verify_push",
    "user.mfa.okta_verify",
    "system.email.new_device_notification.sent_message",
    "application.user_membership.add",
    "user.account.update_password",
    "user.session.access_admin_app",
    "group.user_membership.remove",
    "user.authentication.auth_via_IDP",
    "user.account.update_profile",
    "user.mfa.factor.activate",
    "user.lifecycle.create",
    "user.account.unlock_by_admin",
    "user.lifecycle.activate",
    "user.session.clear",
    "user.account.reset_password",
    "user.account.expire_password",
    "user.lifecycle.deactivate",
    "user.mfa.factor.reset_all",
    "user.authentication.universal_logout",
    "user.account.privilege.grant",
    "user.lifecycle.suspend",
    "policy.auth_reevaluate.fail",
    "analytics.feedback.provide",
    "policy.entity_risk.action",
    "policy.entity_risk.evaluate",
    "user.account.lock",
    "user.risk.detect",
    "user.session.context.change",
    "security.threat.detected",
    "user.mfa.attempt_bypass",
    "user.account.report_suspicious_activity_by_enduser",
    "security.breached_credential.detected",
];

/// The last of [`TYPES`] come this often, out of some million.
const RARE: (usize, usize) = (10, 1_000);

/// Organizations; the one of rank r has 1/r of the first one's people and events.
const TENANTS: usize = 8;

/// People of the largest organization.
const PEOPLE: usize = 20_000;

/// Writes days of events, the last one before [`as_of`], one sorted file a day as `normalize` leaves
/// it.
pub(crate) fn write_days(store: &Store, days: usize, events_a_day: usize) {
    let lock = store.lock().expect("nobody else writes");
    let log = Log::new();
    for number in 0..days {
        let back = i32::try_from(days - number).expect("a few days");
        let day = UtcDay(as_of().day().0 - back);
        let events = log.day(day, events_a_day);
        let sorted = af_store::sorted_batch(&events, &TABLE).expect("sortable");
        store
            .add_day_stream(&lock, Partitioned::Events, day, [Ok(sorted)])
            .expect("written");
    }
}

/// One day of events in the order in which they happened, in file schema.
pub(crate) fn one_day(events: usize) -> RecordBatch {
    Log::new().day(UtcDay(as_of().day().0 - 1), events)
}

fn demo_log() -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(&include_bytes!("../../data/samples/demo/events.ndjson.gz")[..])
        .read_to_string(&mut text)
        .expect("the demo's events");
    text
}

/// What days are made from: the demo's events by type, and how often each type comes.
struct Log {
    text: String,
    shares: Vec<usize>,
}

impl Log {
    fn new() -> Self {
        let everyday = TYPES.len() - RARE.0;
        let share = |rank: usize| {
            if rank <= everyday {
                1_000_000 / rank
            } else {
                RARE.1
            }
        };
        Self {
            text: demo_log(),
            shares: (1..=TYPES.len()).map(share).collect(),
        }
    }

    /// Events of a day, in pairs that share a person, an address and a transaction: 4 % of them
    /// refused, one event in a thousand of high risk.
    fn day(&self, day: UtcDay, events: usize) -> RecordBatch {
        let ingested_at = UtcMillis(day.start().0 + DAY_MILLIS + 3_600_000);
        let key = key();
        let normalizer = Normalizer::new("bench", Some("okta-main"), ingested_at, &key);
        let rows: Vec<Row<'_>> = self
            .text
            .lines()
            .filter_map(|line| normalizer.event(line.as_bytes()).ok())
            .collect();
        let mut shapes: BTreeMap<&str, Vec<&Row<'_>>> = BTreeMap::new();
        for row in &rows {
            let code = row.metadata_event_code.as_ref();
            shapes.entry(code).or_default().push(row);
        }
        let sign_ins = &shapes["user.session.start"];
        let is_plain = |row: &&&Row<'_>| {
            row.okta_is_proxy != Some(true) && row.okta_ip_service_categories.is_none()
        };
        let clients: Vec<&Row<'_>> = sign_ins.iter().filter(is_plain).copied().collect();
        let mut dice = Random::new(u64::from(day.0.unsigned_abs()));
        let tenants: Vec<usize> = (1..=TENANTS).map(|rank| 1_000_000 / rank).collect();
        let mut builder = Builder::default();
        let mut visit = Visit::new(&mut dice, &tenants, day, 0);
        for number in 0..events {
            if number % 2 == 0 {
                visit = Visit::new(&mut dice, &tenants, day, number);
            }
            let rank = dice.rank(&self.shares);
            let mut row = match shapes.get(TYPES[rank]) {
                Some(shapes) => shapes[dice.below(shapes.len())].clone(),
                None => clients[0].clone(),
            };
            let share = i64::try_from(number).unwrap_or(0) * DAY_MILLIS;
            row.time = UtcMillis(day.start().0 + share / i64::try_from(events).unwrap_or(1));
            row.ingested_at = ingested_at;
            row.metadata_event_code = TYPES[rank].into();
            row.metadata_uid = Cow::Owned(format!("{:08x}{number:024x}", day.0));
            visit.put_into(&mut row, clients[visit.person % clients.len()]);
            outcome(&mut row, TYPES[rank], visit.is_refused, &mut dice);
            builder.append(&row);
        }
        builder.finish()
    }
}

/// What the events of one transaction have in common.
struct Visit {
    tenant: usize,
    person: usize,
    transaction: String,
    address: String,
    is_refused: bool,
    request: u64,
}

impl Visit {
    fn new(dice: &mut Random, tenants: &[usize], day: UtcDay, number: usize) -> Self {
        let tenant = dice.rank(tenants);
        let person = dice.below(PEOPLE / (tenant + 1));
        let is_refused = dice.below(100) < 4;
        // Half of the visits come from an office, the others from one of a person's own places.
        let address = match dice.below(2) {
            0 if !is_refused => format!("198.51.{tenant}.{}", dice.below(20)),
            _ => format!("2001:db8:{tenant:x}::{person:x}:{:x}", dice.below(2)),
        };
        Self {
            tenant,
            person,
            transaction: format!("{:08x}{number:016x}", day.0),
            address,
            is_refused,
            request: dice.next_u64(),
        }
    }

    /// Makes an event this visit's, with the client that the person always has.
    fn put_into<'a>(&self, row: &mut Row<'a>, client: &Row<'a>) {
        let (tenant, person) = (self.tenant, self.person);
        let uid = format!("00u{tenant}{person:016}");
        let session = format!("102{tenant:x}{person:016x}");
        row.tenant_uid = Cow::Owned(format!("organization-{tenant}"));
        row.subject_ref = Some(Cow::Owned(format!("uid:{uid}")));
        row.user_name = Some(Cow::Owned(format!("person{person}@example.com")));
        row.user_uid = Some(Cow::Owned(uid));
        row.metadata_correlation_uid = Some(Cow::Owned(self.transaction.clone()));
        row.session_uid = Some(Cow::Owned(session.clone()));
        row.session_uid_alt = Some(Cow::Owned(session));
        row.src_endpoint_ip = Some(Cow::Owned(self.address.clone()));
        row.src_endpoint_zone = Some(Cow::Owned(format!("zone{}", person % 40)));
        row.http_request_user_agent = Some(Cow::Owned(format!("Browser/{}.0", person % 300)));
        row.src_endpoint_location_city
            .clone_from(&client.src_endpoint_location_city);
        row.src_endpoint_location_region
            .clone_from(&client.src_endpoint_location_region);
        row.src_endpoint_location_country
            .clone_from(&client.src_endpoint_location_country);
        row.src_endpoint_location_lat = client.src_endpoint_location_lat;
        row.src_endpoint_location_long = client.src_endpoint_location_long;
        row.src_endpoint_autonomous_system_number = client.src_endpoint_autonomous_system_number;
        row.src_endpoint_autonomous_system_name
            .clone_from(&client.src_endpoint_autonomous_system_name);
        row.src_endpoint_isp.clone_from(&client.src_endpoint_isp);
        row.src_endpoint_domain
            .clone_from(&client.src_endpoint_domain);
        row.okta_is_proxy = client.okta_is_proxy;
        row.okta_ip_service_categories
            .clone_from(&client.okta_ip_service_categories);
        row.device_os_name.clone_from(&client.device_os_name);
        row.device_browser.clone_from(&client.device_browser);
        row.device_type.clone_from(&client.device_type);
        for (key, value) in row.debug_data.iter_mut().flatten() {
            match key.as_ref() {
                "requestId" => *value = Cow::Owned(format!("{:016x}", self.request)),
                "dtHash" => *value = Cow::Owned(format!("{:032x}{tenant:016x}{person:016x}", 0)),
                _ => {}
            }
        }
    }
}

/// What the demo's people suffered is thinned out to what a day of a real log has.
fn outcome(row: &mut Row<'_>, event_type: &str, refused: bool, dice: &mut Random) {
    let rare = |dice: &mut Random| dice.below(1_000) == 0;
    row.risk_level_id = match dice.below(100) {
        _ if rare(dice) => Some(3),
        0 | 1 => Some(2),
        _ => Some(1),
    };
    row.threat_suspected = Some(rare(dice));
    if rare(dice) {
        return;
    }
    let result = match (refused, event_type.starts_with("policy.")) {
        (false, false) => "SUCCESS",
        (true, false) => "FAILURE",
        (false, true) => "ALLOW",
        (true, true) => "DENY",
    };
    row.status_code = Some(result.into());
    row.status_detail = refused.then_some("INVALID_CREDENTIALS".into());
    if refused && let Some(details) = &mut row.debug_data {
        details.retain(|(key, _)| key != "factor" && !key.starts_with("push"));
    }
}

trait Rank {
    /// A place in a list of shares, as often as its share says.
    fn rank(&mut self, shares: &[usize]) -> usize;
}

impl Rank for Random {
    fn rank(&mut self, shares: &[usize]) -> usize {
        let mut left = self.below(shares.iter().sum());
        let place = shares.iter().position(|&share| {
            let is_hit = left < share;
            left = left.saturating_sub(share);
            is_hit
        });
        place.expect("the die is below the sum")
    }
}
