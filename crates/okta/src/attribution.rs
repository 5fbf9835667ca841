//! Whom an event is about.
//!
//! The event type decides where to look; targets are searched by type, never by place, for Okta
//! promises no order. System accounts, client applications and addresses are never people.

use std::cmp::Reverse;

use crate::event::Entity;

/// What the attributed person is in the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Somebody attacked them, or used their account.
    Victim,
    /// Something was done to their account, by an administrator or by themselves.
    Subject,
    /// They changed the organization's configuration; named because their account may be in an
    /// attacker's hands.
    Operator,
    /// Nobody is named.
    None,
}

impl Role {
    /// The name written in tables.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Victim => "victim",
            Self::Subject => "subject",
            Self::Operator => "operator",
            Self::None => "none",
        }
    }
}

/// Where the person was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// In `actor`.
    Actor,
    /// In `target[]`.
    Target,
    /// Nowhere.
    None,
}

impl Method {
    /// The name written in tables.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Actor => "actor",
            Self::Target => "target",
            Self::None => "none",
        }
    }
}

/// The person an event is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attribution<'e, 'a> {
    /// The person; null exactly when the role is [`Role::None`].
    pub(crate) person: Option<&'e Entity<'a>>,
    /// What the person is in the event.
    pub(crate) role: Role,
    /// Where the person was found.
    pub(crate) method: Method,
}

/// Where an event type's person stands, in order of preference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    /// Nobody can be named.
    Nobody,
    /// The target is the victim, else the actor.
    TargetVictim,
    /// Only the target is the victim; the actor is an administrator.
    TargetVictimOnly,
    /// The actor is the victim; where the system acts, the target.
    ActorVictim,
    /// The target is the subject; without one the actor did it to themselves.
    SubjectOrSelf,
    /// The target is the subject; without one the actor is an operator.
    SubjectOrOperator,
    /// The actor changed the organization.
    Operator,
}

/// Patterns end in `*` or are whole names; the first that fits decides.
const FAMILIES: [(&str, Family); 44] = [
    ("security.threat.detected", Family::Nobody),
    ("security.attack.*", Family::Nobody),
    // Identity Threat Protection: the actor is the system where the evaluation was asynchronous.
    ("user.risk.*", Family::TargetVictim),
    ("policy.entity_risk.*", Family::TargetVictim),
    ("policy.auth_reevaluate.*", Family::TargetVictim),
    ("policy.continuous_access.*", Family::TargetVictim),
    ("user.session.context.change", Family::TargetVictim),
    (
        "security.events.provider.receive_event",
        Family::TargetVictim,
    ),
    ("device.signals.status.timeout", Family::TargetVictim),
    ("analytics.feedback.provide", Family::TargetVictimOnly),
    // Signing in, and what a person notices or suffers while doing so.
    ("user.session.start", Family::ActorVictim),
    ("user.session.access_admin_app", Family::ActorVictim),
    (
        "user.authentication.universal_logout*",
        Family::SubjectOrSelf,
    ),
    ("user.authentication.*", Family::ActorVictim),
    ("policy.evaluate_sign_on", Family::ActorVictim),
    (
        "application.policy.sign_on.deny_access",
        Family::ActorVictim,
    ),
    ("app.generic.unauth_app_access_attempt", Family::ActorVictim),
    ("system.push.*", Family::ActorVictim),
    ("user.mfa.okta_verify*", Family::ActorVictim),
    ("system.sms.*", Family::ActorVictim),
    ("system.voice.*", Family::ActorVictim),
    ("system.email.template.*", Family::Operator),
    ("system.email.bounce.*", Family::Operator),
    ("system.email.*", Family::ActorVictim),
    ("security.breached_credential.detected", Family::ActorVictim),
    (
        "user.account.report_suspicious_activity_by_enduser",
        Family::ActorVictim,
    ),
    (
        "security.session.detect_client_roaming",
        Family::ActorVictim,
    ),
    ("security.request.blocked", Family::ActorVictim),
    ("user.account.lock", Family::ActorVictim),
    ("user.account.lock.limit", Family::ActorVictim),
    ("app.oauth2.as.token.detect_reuse", Family::ActorVictim),
    ("app.oauth2.token.detect_reuse", Family::ActorVictim),
    // Done to an account.
    ("user.account.privilege.*", Family::SubjectOrOperator),
    ("user.privileged_account.*", Family::SubjectOrOperator),
    ("user.lifecycle.*", Family::SubjectOrOperator),
    ("user.import.*", Family::SubjectOrOperator),
    ("user.session.impersonation.*", Family::SubjectOrOperator),
    ("user.realm.*", Family::SubjectOrOperator),
    ("application.user_membership.*", Family::SubjectOrOperator),
    ("group.user_membership.*", Family::SubjectOrOperator),
    ("device.user.*", Family::SubjectOrSelf),
    ("user.session.clear", Family::SubjectOrOperator),
    ("user.*", Family::SubjectOrSelf),
    // Everything else changes or uses the organization.
    ("*", Family::Operator),
];

impl Attribution<'_, '_> {
    /// The event names nobody.
    pub(crate) const NOBODY: Self = Self {
        person: None,
        role: Role::None,
        method: Method::None,
    };
}

fn family(event_type: &str) -> Family {
    FAMILIES
        .iter()
        .find(|(pattern, _)| match pattern.strip_suffix('*') {
            Some(start) => event_type.starts_with(start),
            None => event_type == *pattern,
        })
        .map_or(Family::Operator, |(_, family)| *family)
}

/// Names the person of an event.
pub(crate) fn attribute<'e, 'a>(
    event_type: &str,
    actor: &'e Entity<'a>,
    targets: &'e [Entity<'a>],
) -> Attribution<'e, 'a> {
    let from_actor = |role| {
        actor.is_person().then_some(Attribution {
            person: Some(actor),
            role,
            method: Method::Actor,
        })
    };
    let from_target = |role| {
        affected(actor, targets).map(|person| Attribution {
            person: Some(person),
            role,
            method: Method::Target,
        })
    };
    let found = match family(event_type) {
        Family::Nobody => None,
        Family::TargetVictim => from_target(Role::Victim).or_else(|| from_actor(Role::Victim)),
        Family::TargetVictimOnly => from_target(Role::Victim),
        Family::ActorVictim => from_actor(Role::Victim).or_else(|| from_target(Role::Victim)),
        Family::SubjectOrSelf => from_target(Role::Subject).or_else(|| from_actor(Role::Subject)),
        Family::SubjectOrOperator => {
            from_target(Role::Subject).or_else(|| from_actor(Role::Operator))
        }
        Family::Operator => from_actor(Role::Operator),
    };
    found.unwrap_or(Attribution::NOBODY)
}

/// The affected user among the targets: a `User`, else an `AppUser`. Among several the choice does
/// not hang on their order: one with an id before one without, another person than the actor
/// before the actor, then the smallest id and name.
fn affected<'e, 'a>(actor: &Entity<'a>, targets: &'e [Entity<'a>]) -> Option<&'e Entity<'a>> {
    ["User", "AppUser"].into_iter().find_map(|kind| {
        targets
            .iter()
            .filter(|target| target.is(kind) && target.names_somebody())
            .min_by_key(|target| {
                (
                    Reverse(target.id.0.is_some()),
                    target.id.0.is_some() && target.id == actor.id,
                    target.id.as_str(),
                    target.alternate_id.as_str(),
                )
            })
    })
}

impl Entity<'_> {
    /// Whether the actor is a person: of type `User` (or without a type, as some exports write it),
    /// with an id or a name, and not one of Okta's own accounts.
    fn is_person(&self) -> bool {
        let user = match self.kind.as_str() {
            Some(kind) => kind.eq_ignore_ascii_case("User"),
            // Without a type an address may stand where the id should.
            None => self
                .id
                .as_str()
                .is_none_or(|id| id.parse::<std::net::IpAddr>().is_err()),
        };
        user && self.names_somebody()
    }

    fn names_somebody(&self) -> bool {
        (self.id.0.is_some() || self.alternate_id.0.is_some()) && !self.is_okta_itself()
    }

    /// Whether this is Okta's system account or support.
    pub(crate) fn is_okta_itself(&self) -> bool {
        self.alternate_id
            .as_str()
            .is_some_and(|name| name.eq_ignore_ascii_case("system@okta.com"))
            || self.id.as_str().is_some_and(|id| id.starts_with("okta"))
    }

    /// Whether the name in `alternateId` was typed in by somebody unknown: there is no id, and the
    /// entity is no machine, whose name nobody types.
    pub(crate) fn name_was_typed(&self, is_actor: bool) -> bool {
        let may_be_typed = match self.kind.as_str() {
            None => true,
            Some(kind) if is_actor => ![
                "SystemPrincipal",
                "PublicClientApp",
                "IP address",
                "SecurityEventProvider",
            ]
            .iter()
            .any(|machine| kind.eq_ignore_ascii_case(machine)),
            Some(_) => self.is("User") || self.is("AppUser"),
        };
        may_be_typed && self.id.0.is_none() && !self.is_okta_itself()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lenient::List;

    fn who(event_type: &str, actor: &str, targets: &str) -> (Option<String>, Role, Method) {
        let actor: Entity<'_> = serde_json::from_str(actor).unwrap();
        let targets: List<Entity<'_>> = serde_json::from_str(targets).unwrap();
        let found = attribute(event_type, &actor, &targets.0);
        let id = found.person.and_then(|person| {
            let name = person.id.as_str().or(person.alternate_id.as_str());
            name.map(str::to_owned)
        });
        (id, found.role, found.method)
    }

    const SYSTEM: &str =
        r#"{"id":"spr1","type":"SystemPrincipal","alternateId":"system@okta.com"}"#;
    const ADMIN: &str = r#"{"id":"00uadmin","type":"User","alternateId":"admin@example.com"}"#;
    const JOE: &str = r#"{"id":"00ujoe","type":"User","alternateId":"joe@example.com"}"#;
    const APP: &str = r#"{"id":"0oa1","type":"AppInstance","alternateId":"Mail"}"#;

    #[test]
    fn an_itp_victim_is_the_target_wherever_it_stands() {
        for targets in [
            format!("[{APP},{JOE}]"),
            format!("[{JOE},{APP}]"),
            JOE.to_owned(),
        ] {
            for event_type in ["user.risk.detect", "policy.entity_risk.evaluate"] {
                assert_eq!(
                    who(event_type, SYSTEM, &targets),
                    (Some("00ujoe".into()), Role::Victim, Method::Target)
                );
            }
        }
        assert_eq!(
            who("policy.auth_reevaluate.fail", JOE, "null"),
            (Some("00ujoe".into()), Role::Victim, Method::Actor)
        );
        assert_eq!(
            who("user.risk.detect", SYSTEM, "[]"),
            (None, Role::None, Method::None)
        );
        assert_eq!(
            who("analytics.feedback.provide", ADMIN, "[]"),
            (None, Role::None, Method::None)
        );
    }

    #[test]
    fn a_sign_in_belongs_to_its_actor_even_with_a_user_target() {
        assert_eq!(
            who("user.session.start", JOE, &format!("[{ADMIN}]")),
            (Some("00ujoe".into()), Role::Victim, Method::Actor)
        );
        assert_eq!(
            who("user.account.lock", SYSTEM, &format!("[{JOE}]")),
            (Some("00ujoe".into()), Role::Victim, Method::Target)
        );
    }

    #[test]
    fn what_an_administrator_does_to_an_account_belongs_to_the_account() {
        for event_type in [
            "user.account.reset_password",
            "user.mfa.factor.deactivate",
            "user.mfa.attempt_bypass",
            "user.session.clear",
            "group.user_membership.add",
        ] {
            assert_eq!(
                who(event_type, ADMIN, &format!("[{APP},{JOE}]")),
                (Some("00ujoe".into()), Role::Subject, Method::Target),
                "{event_type}"
            );
        }
        assert_eq!(
            who("user.account.update_password", JOE, "[]"),
            (Some("00ujoe".into()), Role::Subject, Method::Actor)
        );
        assert_eq!(
            who("user.lifecycle.create", ADMIN, "[]"),
            (Some("00uadmin".into()), Role::Operator, Method::Actor)
        );
    }

    #[test]
    fn an_app_user_stands_in_where_there_is_no_user() {
        let app_user = r#"{"id":"0ua1","type":"AppUser","alternateId":"joe@example.com"}"#;
        assert_eq!(
            who(
                "application.user_membership.add",
                ADMIN,
                &format!("[{app_user},{APP}]")
            )
            .0,
            Some("0ua1".into())
        );
        assert_eq!(
            who(
                "application.user_membership.add",
                ADMIN,
                &format!("[{app_user},{JOE}]")
            )
            .0,
            Some("00ujoe".into())
        );
    }

    #[test]
    fn configuration_names_its_operator() {
        for event_type in [
            "zone.update",
            "policy.rule.update",
            "system.api_token.create",
            "x.y",
        ] {
            assert_eq!(
                who(event_type, ADMIN, &format!("[{JOE}]")),
                (Some("00uadmin".into()), Role::Operator, Method::Actor),
                "{event_type}"
            );
        }
    }

    #[test]
    fn machines_are_never_people() {
        for actor in [
            SYSTEM,
            r#"{"id":"spr1","type":"User","alternateId":"System@Okta.com"}"#,
            r#"{"id":"okta.2b19-support","type":"User","alternateId":"support"}"#,
            r#"{"id":"0oa1","type":"PublicClientApp","alternateId":"cli"}"#,
            r#"{"id":"192.0.2.1","type":"IP address","alternateId":"unknown"}"#,
            r#"{"id":"192.0.2.1","alternateId":"unknown"}"#,
            r#"{"id":"sep1","type":"SecurityEventProvider","alternateId":"edr"}"#,
            r#"{"id":"unknown","type":"User","alternateId":"unknown"}"#,
            "null",
            "\"joe\"",
        ] {
            assert_eq!(
                who("user.session.start", actor, "null"),
                (None, Role::None, Method::None),
                "{actor}"
            );
        }
        assert_eq!(
            who("security.threat.detected", JOE, &format!("[{JOE}]")).1,
            Role::None
        );
    }

    #[test]
    fn an_actor_without_type_is_a_user() {
        let actor = r#"{"id":"00u1","alternateId":"joe@example.com"}"#;
        assert_eq!(
            who("user.session.start", actor, "[]").0,
            Some("00u1".into())
        );
    }

    #[test]
    fn of_two_users_the_choice_does_not_hang_on_their_order() {
        let ann = r#"{"id":"00uann","type":"User","alternateId":"ann@example.com"}"#;
        for targets in [format!("[{ann},{JOE}]"), format!("[{JOE},{ann}]")] {
            assert_eq!(
                who("user.risk.detect", SYSTEM, &targets).0,
                Some("00uann".into())
            );
            // The actor comes last.
            assert_eq!(
                who("user.risk.detect", ann, &targets).0,
                Some("00ujoe".into())
            );
        }
    }

    #[test]
    fn every_pattern_decides_for_some_catalogued_type() {
        for (at, (pattern, _)) in FAMILIES.iter().enumerate() {
            let decides = |name: &str| {
                let hit = |p: &str| {
                    p.strip_suffix('*')
                        .map_or(p == name, |s| name.starts_with(s))
                };
                FAMILIES.iter().position(|(p, _)| hit(p)) == Some(at)
            };
            assert!(
                crate::catalogue::event_types().any(|(name, _)| decides(name)),
                "{pattern}"
            );
        }
    }
}
