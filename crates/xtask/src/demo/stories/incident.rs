//! What Identity Threat Protection leaves behind for one incident: several events, one trace.

use af_model::UtcMillis;

use super::super::cast::okta_id;
use super::super::clock::later;
use super::super::event::{Event, Principal};
use super::super::log::Log;

/// A change of somebody's risk.
pub(super) struct Risk {
    pub(super) previous: &'static str,
    pub(super) level: &'static str,
    pub(super) detection: &'static str,
    pub(super) reasons: &'static str,
    pub(super) issuer: &'static str,
}

impl Risk {
    /// The way Okta writes it into `debugContext.debugData.risk`.
    pub(super) fn text(&self) -> String {
        let Self {
            previous,
            level,
            detection,
            reasons,
            issuer,
        } = self;
        format!(
            "{{previousLevel={previous}, level={level}, detectionName={detection}, reasons={reasons}, issuer={issuer}}}"
        )
    }
}

/// What the entity risk policy did about it.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Response {
    /// It only logged.
    Logged,
    /// It ended all sessions and logged the person out everywhere.
    SessionsEnded,
}

/// Detection, evaluation of the policy, its action, and the consequences; all name the person as a
/// target and share a trace.
pub(super) fn write(
    log: &mut Log,
    number: usize,
    at: UtcMillis,
    risk: &Risk,
    reporter: Principal,
    response: Response,
) {
    let trace = log.hex();
    let transaction = log.hex();
    let victim = log.user(number);
    let policy = Principal::new(
        "Policy",
        &okta_id("00p", "entity risk"),
        "unknown",
        "Entity Risk Policy",
    );
    let (rule, action, action_name) = match response {
        Response::Logged => ("Watch", "NULL", "No further action"),
        Response::SessionsEnded => (
            "End Sessions",
            "TERMINATE_ALL_SESSIONS",
            "Terminate all sessions",
        ),
    };
    let rule =
        Principal::new("Rule", &okta_id("0pr", rule), "unknown", rule).detail("ruleAction", action);
    let event = |event_type, seconds| {
        Event::new(event_type, later(at, seconds))
            .transaction(&transaction)
            .debug("traceId", trace.clone())
            .debug("risk", risk.text())
    };
    log.add(event("user.risk.detect", 0).by(reporter).on(victim.clone()));
    log.add(
        event("policy.entity_risk.evaluate", 1)
            .on(policy.clone())
            .on(rule.clone())
            .on(victim.clone()),
    );
    log.add(
        event("policy.entity_risk.action", 2)
            .on(victim.clone())
            .on(policy)
            .on(rule)
            .on(Principal::new(
                "PolicyAction",
                &okta_id("pac", action),
                "unknown",
                action_name,
            )),
    );
    if response == Response::SessionsEnded {
        let consequence = |event_type, seconds| {
            Event::new(event_type, later(at, seconds))
                .transaction(&transaction)
                .debug("traceId", trace.clone())
                .on(victim.clone())
        };
        log.add(consequence("user.session.end", 3).debug("endedSessionId", "all"));
        log.add(
            consequence("user.authentication.universal_logout", 5)
                .debug("appInstanceIds", okta_id("0oa", "Mail")),
        );
    }
}
