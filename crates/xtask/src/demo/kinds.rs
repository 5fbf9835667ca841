//! The event types the demo uses, with Okta's older name and severity where they are known.

/// What is the same for every event of a type.
pub(crate) struct Kind {
    /// Severity word.
    pub(crate) severity: &'static str,
    /// The older name, where the type has one that we know.
    pub(crate) legacy: Option<&'static str>,
    /// The sentence shown to administrators.
    pub(crate) message: &'static str,
}

/// Every type in the demo: name, severity, older name, sentence.
pub(crate) const KINDS: [(&str, &str, &str, &str); 35] = [
    (
        "analytics.feedback.provide",
        "INFO",
        "",
        "Feedback on a detection was given",
    ),
    (
        "application.user_membership.add",
        "INFO",
        "app.generic.provision.assign_user_to_app",
        "Add user to application membership",
    ),
    (
        "group.user_membership.add",
        "INFO",
        "core.user_group_member.user_add",
        "Add user to group membership",
    ),
    (
        "group.user_membership.remove",
        "INFO",
        "core.user_group_member.user_remove",
        "Remove user from group membership",
    ),
    (
        "policy.auth_reevaluate.fail",
        "WARN",
        "",
        "Session no longer meets the sign-on policy",
    ),
    (
        "policy.entity_risk.action",
        "INFO",
        "",
        "Entity risk policy action invoked",
    ),
    (
        "policy.entity_risk.evaluate",
        "INFO",
        "",
        "Evaluation of entity risk policy",
    ),
    (
        "policy.evaluate_sign_on",
        "INFO",
        "",
        "Evaluation of sign-on policy",
    ),
    (
        "security.breached_credential.detected",
        "WARN",
        "",
        "Credential set matches known compromised credentials",
    ),
    (
        "security.events.provider.receive_event",
        "INFO",
        "",
        "A security event was received from a provider",
    ),
    (
        "security.threat.detected",
        "WARN",
        "security.threat.detected",
        "Request from suspicious actor",
    ),
    (
        "system.email.new_device_notification.sent_message",
        "INFO",
        "",
        "New device notification sent",
    ),
    (
        "system.push.send_factor_verify_push",
        "INFO",
        "",
        "A push was sent to a user for verification",
    ),
    (
        "user.account.expire_password",
        "INFO",
        "",
        "Expire password of user",
    ),
    (
        "user.account.lock",
        "DEBUG",
        "core.user_auth.account_locked",
        "Max sign in attempts exceeded",
    ),
    (
        "user.account.report_suspicious_activity_by_enduser",
        "WARN",
        "",
        "User reported suspicious activity",
    ),
    (
        "user.account.reset_password",
        "INFO",
        "",
        "User password reset by administrator",
    ),
    (
        "user.account.unlock_by_admin",
        "INFO",
        "",
        "User account unlocked by administrator",
    ),
    (
        "user.account.update_password",
        "INFO",
        "core.user.config.password_update.success",
        "User update password for Okta",
    ),
    (
        "user.authentication.auth_via_mfa",
        "INFO",
        "core.user.factor.attempt_success",
        "Authentication of user via MFA",
    ),
    (
        "user.authentication.sso",
        "INFO",
        "app.auth.sso",
        "User single sign on to app",
    ),
    (
        "user.authentication.universal_logout",
        "INFO",
        "",
        "Universal Logout of user",
    ),
    (
        "user.lifecycle.create",
        "INFO",
        "core.user.config.user_creation.success",
        "Create okta user",
    ),
    (
        "user.lifecycle.deactivate",
        "INFO",
        "core.user.config.user_deactivated",
        "Deactivate Okta User",
    ),
    (
        "user.lifecycle.suspend",
        "INFO",
        "core.user.config.user_status.suspended",
        "Suspend Okta user",
    ),
    (
        "user.mfa.attempt_bypass",
        "WARN",
        "",
        "Attempt bypass of factor",
    ),
    (
        "user.mfa.factor.activate",
        "INFO",
        "",
        "Activate factor for user",
    ),
    (
        "user.mfa.factor.reset_all",
        "INFO",
        "",
        "Reset all factors for user",
    ),
    ("user.risk.detect", "WARN", "", "User risk detected"),
    (
        "user.session.access_admin_app",
        "INFO",
        "",
        "User accessing Okta admin app",
    ),
    (
        "user.session.clear",
        "INFO",
        "core.user_auth.session_clear",
        "Clear user session",
    ),
    (
        "user.session.context.change",
        "INFO",
        "",
        "Session context of user changed",
    ),
    (
        "user.session.end",
        "INFO",
        "core.user_auth.logout_success",
        "User logout from Okta",
    ),
    (
        "user.session.start",
        "INFO",
        "core.user_auth.login_success",
        "User login to Okta",
    ),
    (
        "user.account.privilege.grant",
        "INFO",
        "core.user.admin_privilege.granted",
        "Grant user privilege",
    ),
];

/// What is the same for every event of this type.
pub(crate) fn kind(event_type: &str) -> Kind {
    let &(_, severity, legacy, message) = KINDS
        .iter()
        .find(|(name, ..)| *name == event_type)
        .expect("the demo uses the types of its own list");
    Kind {
        severity,
        legacy: Some(legacy).filter(|legacy| !legacy.is_empty()),
        message,
    }
}
