//! Which factor and protocol a sign-in used, as far as the event says it. Best effort: Okta has no
//! one field for either.
//!
//! The factor is `debugData.factor`, else the name of the enrolled authenticator among the targets,
//! else `credentialType`, else what the event type implies (a text message is SMS). The protocol is
//! `debugData.signOnMode`, else what the event type or the credential type implies. A second factor
//! is told only for event types that say it: `auth_via_mfa` (which Okta also writes for a password
//! used as a factor: no), pushes, Okta Verify, and sent verification codes. Everything else is null.

use std::borrow::Cow;

/// What an event says about how somebody proved who they are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Factor<'a> {
    /// The factor as Okta named it.
    pub(crate) name: Option<Cow<'a, str>>,
    /// OCSF's factor type.
    pub(crate) type_id: Option<i64>,
    /// Whether a second factor took part.
    pub(crate) is_mfa: Option<bool>,
}

const PASSWORD: i64 = 11;

impl<'a> Factor<'a> {
    /// Of an event, by the sources in order of preference.
    pub(crate) fn of(
        event_type: &str,
        factor: Option<Cow<'a, str>>,
        authenticator: Option<Cow<'a, str>>,
        credential_type: Option<&str>,
    ) -> Self {
        let name = factor.or(authenticator);
        let type_id = name
            .as_deref()
            .map(factor_type)
            .or_else(|| credential_type.and_then(credential_factor))
            .or_else(|| implied_factor(event_type));
        let speaks_of_mfa = matches!(
            event_type,
            "user.authentication.auth_via_mfa"
                | "system.push.send_factor_verify_push"
                | "system.sms.send_factor_verify_message"
                | "system.email.send_factor_verify_message"
                | "system.voice.send_mfa_challenge_call"
        ) || event_type.starts_with("user.mfa.okta_verify");
        Self {
            is_mfa: speaks_of_mfa.then(|| type_id != Some(PASSWORD)),
            name,
            type_id,
        }
    }
}

/// `OKTA_VERIFY_PUSH` is a push, `token:software:totp` a one-time password: special words first.
const FACTOR_WORDS: [(&str, i64); 17] = [
    ("PUSH", 5),
    ("WEBAUTHN", 10),
    ("FIDO2", 10),
    ("U2F", 9),
    ("PASSWORD", PASSWORD),
    ("QUESTION", 2),
    ("SMS", 1),
    ("CALL", 3),
    ("VOICE", 3),
    ("EMAIL", 8),
    ("BIOMETRIC", 4),
    ("OTP", 7),
    ("SOFT_TOKEN", 7),
    ("GOOGLE", 7),
    ("HARDWARE", 6),
    ("YUBIKEY", 6),
    ("RSA", 6),
];

/// OCSF's number of a factor's name: 1 SMS, 2 question, 3 call, 4 biometric, 5 push, 6 hardware
/// token, 7 one-time password, 8 e-mail, 9 U2F, 10 `WebAuthn`, 11 password, 99 other.
fn factor_type(name: &str) -> i64 {
    let name = name.to_ascii_uppercase();
    FACTOR_WORDS
        .iter()
        .find(|(word, _)| name.contains(word))
        .map_or(99, |(_, type_id)| *type_id)
}

fn credential_factor(credential_type: &str) -> Option<i64> {
    match credential_type {
        "SMS" => Some(1),
        "EMAIL" => Some(8),
        "OTP" => Some(7),
        "PASSWORD" => Some(PASSWORD),
        _ => None,
    }
}

fn implied_factor(event_type: &str) -> Option<i64> {
    let starts = |start: &str| event_type.starts_with(start);
    if starts("system.push.") || starts("user.mfa.okta_verify.deny_push") {
        Some(5)
    } else if starts("system.sms.send_") {
        Some(1)
    } else if starts("system.voice.send_") {
        Some(3)
    } else if event_type == "system.email.send_factor_verify_message"
        || event_type == "system.email.challenge_factor_redeemed"
    {
        Some(8)
    } else {
        None
    }
}

/// OCSF's number of the protocol: 4 `OpenID`, 5 SAML, 6 OAuth 2, 10 RADIUS, 11 basic, 12 LDAP,
/// 99 other; `None` when the event does not tell.
pub(crate) fn protocol_id(
    event_type: &str,
    sign_on_mode: Option<&str>,
    credential_type: Option<&str>,
) -> Option<i64> {
    if let Some(mode) = sign_on_mode {
        let mode = mode.to_ascii_uppercase();
        return Some(if mode.contains("OPENID") {
            4
        } else if mode.contains("SAML") {
            5
        } else if mode.contains("OAUTH") {
            6
        } else if mode.contains("BASIC") {
            11
        } else {
            99
        });
    }
    match event_type {
        "user.authentication.auth_via_inbound_SAML" => Some(5),
        "user.authentication.auth_via_radius" => Some(10),
        "user.authentication.auth_via_LDAP_agent" => Some(12),
        _ if event_type.starts_with("app.oauth2.") => Some(6),
        _ if credential_type == Some("OAuth 2.0") => Some(6),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn type_id(name: &'static str) -> Option<i64> {
        Factor::of("user.session.start", Some(name.into()), None, None).type_id
    }

    #[test]
    fn factors_get_their_numbers() {
        for (name, expected) in [
            ("OKTA_VERIFY_PUSH", 5),
            ("FIDO_WEBAUTHN", 10),
            ("PASSWORD_AS_FACTOR", 11),
            ("OKTA_SOFT_TOKEN", 7),
            ("token:software:totp", 7),
            ("token:hardware", 6),
            ("SECURITY_QUESTION", 2),
            ("SMS_FACTOR", 1),
            ("SIGNED_NONCE", 99),
        ] {
            assert_eq!(type_id(name), Some(expected), "{name}");
        }
    }

    #[test]
    fn a_password_as_factor_is_no_second_factor() {
        let mfa = |factor: Option<&'static str>| {
            let factor = factor.map(Cow::Borrowed);
            Factor::of("user.authentication.auth_via_mfa", factor, None, None).is_mfa
        };
        assert_eq!(mfa(Some("PASSWORD_AS_FACTOR")), Some(false));
        assert_eq!(mfa(Some("OKTA_VERIFY_PUSH")), Some(true));
        assert_eq!(mfa(None), Some(true));
        assert_eq!(
            Factor::of("user.session.start", None, None, None).is_mfa,
            None
        );
    }

    #[test]
    fn the_next_source_speaks_where_one_is_silent() {
        let push = Factor::of("system.push.send_factor_verify_push", None, None, None);
        assert_eq!((push.name, push.type_id), (None, Some(5)));
        let otp = Factor::of("user.authentication.verify", None, None, Some("OTP"));
        assert_eq!(otp.type_id, Some(7));
        let target = Factor::of(
            "user.mfa.factor.activate",
            None,
            Some("Email".into()),
            Some("OTP"),
        );
        assert_eq!(
            (target.name.as_deref(), target.type_id),
            (Some("Email"), Some(8))
        );
    }

    #[test]
    fn protocols_get_their_numbers() {
        assert_eq!(protocol_id("x", Some("OpenID Connect"), None), Some(4));
        assert_eq!(protocol_id("x", Some("SAML 2.0"), None), Some(5));
        assert_eq!(protocol_id("x", Some("WS_FEDERATION"), None), Some(99));
        assert_eq!(
            protocol_id("user.authentication.auth_via_radius", None, None),
            Some(10)
        );
        assert_eq!(protocol_id("app.oauth2.token.grant", None, None), Some(6));
        assert_eq!(protocol_id("user.session.start", None, None), None);
    }
}
