//! The gates of `--strict`: what a tenant's data must be like before its figures are published.

use af_model::UtcMillis;
use af_model::accounting::PerTenant;
use af_model::manifest::{IntegrationState, TenantEntry};
use af_model::name::INVALID_TENANT;
use serde::Serialize;

use super::seen::InputsSeen;
use crate::config::Config;
use crate::pipeline::{LeftOut, Verdict};

const HOUR_MILLIS: u64 = 3_600_000;

/// What one gate found about one tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GateCheck {
    /// The tenant; none for the gate on tenants left out.
    pub tenant: Option<String>,
    /// The key of its limit, e.g. `quarantined_permille`.
    pub gate: &'static str,
    /// The feed, for gates that look at feeds.
    pub feed: Option<String>,
    /// What was found, rounded up; none for a feed that was never heard.
    pub figure: Option<u64>,
    /// What is allowed.
    pub limit: u64,
    /// Whether the gate is passed.
    pub passed: bool,
}

impl GateCheck {
    /// What a rejection says: figure and limit.
    pub fn reason(&self) -> String {
        let (gate, limit) = (self.gate, self.limit);
        let feed = self
            .feed
            .as_ref()
            .map(|feed| format!(" of feed {feed}"))
            .unwrap_or_default();
        match self.figure {
            Some(figure) => format!("gate {gate}{feed}: {figure}, limit {limit}"),
            None => format!("gate {gate}{feed}: nothing was ever heard, limit {limit}"),
        }
    }
}

/// What tenants are judged by.
#[derive(Clone, Copy)]
pub(super) struct Judged<'a> {
    pub(super) config: &'a Config,
    pub(super) seen: &'a InputsSeen,
    /// How fetching fares for every integration that is asked over the network.
    pub(super) integrations: &'a [IntegrationState],
    /// What ages are measured against.
    pub(super) now: UtcMillis,
}

/// Judges every tenant that is about to be published.
pub(super) fn judge(
    judged: &Judged<'_>,
    entries: &PerTenant<TenantEntry>,
    left_out: &LeftOut,
) -> (Vec<GateCheck>, Verdict) {
    let mut checks = Vec::new();
    let mut verdict = Verdict::default();
    for (tenant, entry) in entries {
        if tenant == INVALID_TENANT {
            continue;
        }
        let found = judge_tenant(judged, tenant, entry);
        let failed: Vec<String> = found
            .iter()
            .filter(|check| !check.passed)
            .map(GateCheck::reason)
            .collect();
        if !failed.is_empty() {
            verdict.leave_out.insert(tenant.clone(), failed.join("; "));
        }
        checks.extend(found);
    }
    if let Some(limit) = judged.config.gates.left_out_tenants {
        let figure = (left_out.len() + verdict.leave_out.len()) as u64;
        let check = GateCheck {
            tenant: None,
            gate: "left_out_tenants",
            feed: None,
            figure: Some(figure),
            limit,
            passed: figure <= limit,
        };
        if !check.passed {
            verdict.refuse = Some(format!("publish: {}", check.reason()));
        }
        checks.push(check);
    }
    (checks, verdict)
}

fn judge_tenant(judged: &Judged<'_>, tenant: &str, entry: &TenantEntry) -> Vec<GateCheck> {
    let Judged {
        config,
        seen,
        integrations,
        now,
    } = *judged;
    let gates = config.gates;
    let (events, refused) = seen.unsettled(tenant);
    let account = entry.signals;
    let within = account.unmatched + account.collapsed + account.scored;
    let mut checks = vec![
        share(
            tenant,
            "quarantined_permille",
            refused,
            events,
            gates.quarantined_permille,
        ),
        share(
            tenant,
            "unmatched_permille",
            account.unmatched,
            within,
            gates.unmatched_permille,
        ),
    ];
    let mut age = |feed: &str, last: Option<UtcMillis>| {
        // An event of the future is fresh.
        let age = last.map(|last| u64::try_from(now.0.saturating_sub(last.0)).unwrap_or(0));
        let hours = age.map(|age| age.div_ceil(HOUR_MILLIS));
        let limit = gates.feed_age_hours.unsigned_abs();
        checks.push(GateCheck {
            tenant: Some(tenant.to_owned()),
            gate: "feed_age_hours",
            feed: Some(feed.to_owned()),
            figure: hours,
            limit,
            passed: hours.is_some_and(|hours| hours <= limit),
        });
    };
    for (component, feed) in &entry.feeds {
        age(component, feed.last);
    }
    // Events are the feed of the identity component; one that is configured must be heard.
    let configured = config
        .tenants
        .iter()
        .any(|configured| configured.name == tenant && !configured.okta.is_empty());
    if configured && !entry.feeds.contains_key("identity") {
        age("identity", None);
    }
    // A quiet org is heard as long as it is asked; one that is not asked any more may look quiet.
    for state in integrations.iter().filter(|state| state.tenant == tenant) {
        age(&format!("okta/{}", state.integration), state.caught_up_at);
    }
    checks
}

fn share(tenant: &str, gate: &'static str, part: u64, whole: u64, limit: u64) -> GateCheck {
    let figure = if whole == 0 {
        0
    } else {
        let permille = (u128::from(part) * 1000).div_ceil(u128::from(whole));
        u64::try_from(permille).unwrap_or(u64::MAX)
    };
    GateCheck {
        tenant: Some(tenant.to_owned()),
        gate,
        feed: None,
        figure: Some(figure),
        limit,
        passed: figure <= limit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_up_so_that_a_limit_is_a_limit() {
        // 11 of 1000 is 11 ‰; 101 of 10,000 is 10.1 ‰ and above a limit of 10.
        assert_eq!(share("t", "g", 11, 1000, 10).figure, Some(11));
        let above = share("t", "g", 101, 10_000, 10);
        assert_eq!((above.figure, above.passed), (Some(11), false));
        assert!(share("t", "g", 100, 10_000, 10).passed);
        assert!(share("t", "g", 0, 0, 0).passed);
    }
}
