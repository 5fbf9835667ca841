//! OCSF 1.6.0 numbers: class and activity of an event type, severity, status, action, disposition.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::catalogue;
use crate::risk::RiskLevel;

/// The OCSF version whose names and numbers are used.
pub(crate) const VERSION: &str = "1.6.0";

const CLASSES: &str = include_str!("../../../data/schemas/okta-ocsf-classes.csv");

/// What an event type is in OCSF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Class {
    /// The class, e.g. 3002 Authentication.
    pub(crate) class_uid: i64,
    /// The activity within the class.
    pub(crate) activity_id: i64,
}

impl Class {
    /// API Activity, other: what OCSF's own examples make of event types without a better place.
    const ELSE: Self = Self {
        class_uid: 6003,
        activity_id: 99,
    };

    /// The class of an event type, also of one that the catalogue does not know yet.
    pub(crate) fn of(event_type: &str) -> Self {
        match KNOWN.get(event_type) {
            Some(class) => *class,
            None => search(event_type),
        }
    }

    /// The category the class belongs to.
    pub(crate) const fn category_uid(self) -> i64 {
        self.class_uid / 1000
    }

    /// Class and activity in one number.
    pub(crate) const fn type_uid(self) -> i64 {
        self.class_uid * 100 + self.activity_id
    }
}

static PATTERNS: LazyLock<Vec<(&'static str, Class)>> = LazyLock::new(|| {
    CLASSES
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut fields = line.split(',');
            let pattern = fields.next()?;
            let class_uid = fields.next()?.parse().ok()?;
            let activity_id = fields.next()?.parse().ok()?;
            let class = Class {
                class_uid,
                activity_id,
            };
            Some((pattern, class))
        })
        .collect()
});

/// Every catalogued type's class, so that an event costs one look-up.
static KNOWN: LazyLock<HashMap<&'static str, Class>> = LazyLock::new(|| {
    catalogue::event_types()
        .map(|(name, _)| (name, search(name)))
        .collect()
});

fn search(event_type: &str) -> Class {
    PATTERNS
        .iter()
        .find(|(pattern, _)| fits(pattern, event_type))
        .map_or(Class::ELSE, |(_, class)| *class)
}

/// Whether a pattern, in which `*` stands for any text, fits a name as a whole. Each piece takes its
/// first place, which finds a fit if there is one, in time linear in the name per piece.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((start, pattern)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut name) = name.strip_prefix(start) else {
        return false;
    };
    let mut pieces: Vec<&str> = pattern.split('*').collect();
    let end = pieces.pop().unwrap_or_default();
    for piece in pieces {
        match name.find(piece) {
            Some(at) => name = &name[at + piece.len()..],
            None => return false,
        }
    }
    name.ends_with(end)
}

/// Severity from Okta's word, raised by the risk and by a leaked password: 0 unknown,
/// 1 informational, 2 low, 3 medium, 4 high.
pub(crate) fn severity_id(word: Option<&str>, risk: Option<RiskLevel>, event_type: &str) -> i64 {
    let own = match word {
        Some("DEBUG" | "INFO") => 1,
        Some("WARN") => 3,
        Some("ERROR") => 4,
        _ => 0,
    };
    // Severity counts informational as 1, so a risk level stands one higher.
    let by_risk = risk.map_or(0, |level| level.id() + 1);
    let by_type = if event_type == "security.breached_credential.detected" {
        4
    } else {
        0
    };
    own.max(by_risk).max(by_type)
}

/// Status, action and disposition of an outcome, as OCSF's ids.
pub(crate) struct Verdict {
    /// 0 unknown, 1 success, 2 failure, 99 other.
    pub(crate) status: i64,
    /// 0 unknown, 1 allowed, 2 denied, 99 other.
    pub(crate) action: i64,
    /// 0 unknown, 1 allowed, 2 blocked, 23 challenge, 99 other.
    pub(crate) disposition: i64,
}

impl Verdict {
    /// Of `outcome.result`, sentinels already taken out.
    pub(crate) fn of(result: Option<&str>) -> Self {
        let (status, action, disposition) = match result {
            Some("SUCCESS" | "ALLOW") => (1, 1, 1),
            Some("FAILURE" | "DENY" | "RATE_LIMIT") => (2, 2, 2),
            Some("CHALLENGE") => (99, 99, 23),
            None => (0, 0, 0),
            Some(_) => (99, 99, 99),
        };
        Self {
            status,
            action,
            disposition,
        }
    }
}

/// The actor's type: 1 user, 3 system, 4 service, 99 other. An actor without type is a user if it
/// has anything to be known by.
pub(crate) fn user_type_id(kind: Option<&str>, named: bool) -> i64 {
    match kind {
        Some(kind) if kind.eq_ignore_ascii_case("User") => 1,
        Some(kind) if kind.eq_ignore_ascii_case("SystemPrincipal") => 3,
        Some(kind) if kind.eq_ignore_ascii_case("PublicClientApp") => 4,
        None if named => 1,
        _ => 99,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(event_type: &str) -> (i64, i64) {
        let class = Class::of(event_type);
        (class.class_uid, class.activity_id)
    }

    #[test]
    fn patterns_fit_whole_names() {
        assert!(fits("a.*", "a.b.c") && fits("a.*.c", "a.b.c") && fits("*", "x") && fits("a", "a"));
        assert!(fits("policy.*update", "policy.rule.update"));
        assert!(!fits("a.*.c", "a.c") && !fits("a", "a.b") && !fits("a.*", "b.a.c"));
        assert!(!fits("ab*ba", "aba"));
    }

    #[test]
    fn every_line_is_read_and_decides_something() {
        assert_eq!(PATTERNS.len(), CLASSES.lines().count() - 1);
        let names: Vec<_> = catalogue::event_types().map(|(name, _)| name).collect();
        for (at, (pattern, class)) in PATTERNS.iter().enumerate() {
            let first = |name: &&&str| PATTERNS.iter().position(|(p, _)| fits(p, name));
            let decides = names.iter().any(|name| first(&name) == Some(at));
            // A family's last line waits for types that a later catalogue may bring.
            let is_family_rest = class.activity_id == 99 && pattern.ends_with('*');
            let reaches = names.iter().any(|name| fits(pattern, name));
            assert!(decides || (is_family_rest && reaches), "{pattern}");
        }
    }

    #[test]
    fn numbers_stay_within_ocsf() {
        for (pattern, class) in PATTERNS.iter() {
            let last = match class.class_uid {
                3001 => 12,
                3002 => 7,
                3004 => 13,
                3005 => 2,
                3006 => 8,
                2004 => 3,
                6003 => 4,
                other => panic!("{pattern}: no such class {other}"),
            };
            assert!(
                (1..=last).contains(&class.activity_id) || class.activity_id == 99,
                "{pattern}"
            );
        }
    }

    #[test]
    fn types_land_where_they_belong() {
        for (event_type, expected) in [
            ("user.session.start", (3002, 1)),
            ("user.session.clear", (3002, 2)),
            ("user.authentication.auth_via_mfa", (3002, 1)),
            ("user.authentication.universal_logout.scheduled", (3002, 2)),
            ("system.push.send_factor_verify_push", (3002, 6)),
            ("user.mfa.okta_verify.deny_push", (3002, 6)),
            ("user.session.impersonation.grant", (3002, 7)),
            ("user.session.context.change", (2004, 1)),
            ("user.account.lock.limit", (3001, 9)),
            ("user.account.unlock_failure", (3001, 12)),
            ("user.account.update_password", (3001, 3)),
            ("user.account.update_primary_email", (3001, 99)),
            ("user.lifecycle.delete.completed", (3001, 6)),
            ("user.mfa.factor.reset_all", (3001, 11)),
            ("user.account.privilege.grant", (3005, 1)),
            ("group.lifecycle.create", (3006, 6)),
            ("group.privilege.revoke", (3006, 2)),
            ("application.user_membership.update", (3005, 99)),
            ("policy.rule.update", (3004, 3)),
            ("policy.entity_risk.evaluate", (2004, 1)),
            ("policy.evaluate_sign_on", (3002, 1)),
            ("device.lifecycle.activate", (3004, 10)),
            ("device.lifecycle.unsuspend", (3004, 13)),
            ("device.enrollment.create", (3004, 6)),
            ("zone.delete", (3004, 4)),
            ("system.api_token.revoke", (6003, 4)),
            ("security.attack.end", (2004, 3)),
            ("security.threat.detected", (2004, 1)),
            ("app.access_request.request", (6003, 99)),
            ("no.such.type", (6003, 99)),
        ] {
            assert_eq!(class(event_type), expected, "{event_type}");
        }
        let class = Class::of("user.session.start");
        assert_eq!((class.category_uid(), class.type_uid()), (3, 300_201));
    }

    #[test]
    fn severity_is_raised_never_lowered() {
        assert_eq!(severity_id(Some("INFO"), None, "x"), 1);
        assert_eq!(severity_id(Some("INFO"), Some(RiskLevel::Low), "x"), 2);
        assert_eq!(severity_id(Some("ERROR"), Some(RiskLevel::Low), "x"), 4);
        assert_eq!(severity_id(Some("DEBUG"), Some(RiskLevel::High), "x"), 4);
        assert_eq!(severity_id(Some("LOUD"), None, "x"), 0);
        assert_eq!(severity_id(None, None, "x"), 0);
        assert_eq!(
            severity_id(Some("WARN"), None, "security.breached_credential.detected"),
            4
        );
    }

    #[test]
    fn outcomes_follow_the_table() {
        let numbers = |result| {
            let verdict = Verdict::of(result);
            (verdict.status, verdict.action, verdict.disposition)
        };
        assert_eq!(numbers(Some("ALLOW")), (1, 1, 1));
        assert_eq!(numbers(Some("RATE_LIMIT")), (2, 2, 2));
        assert_eq!(numbers(Some("CHALLENGE")), (99, 99, 23));
        assert_eq!(numbers(Some("ABANDONED")), (99, 99, 99));
        assert_eq!(numbers(None), (0, 0, 0));
    }
}
