//! Why Okta said no, and what an administrator can do about it.

use af_okta::Step;

use crate::auth::Credential;
use crate::error::{Error, ErrorKind};
use crate::scope::Scope;

/// What is lacking when Okta refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lack {
    /// The credential itself is not accepted.
    Credential,
    /// The scope was not granted.
    Scope,
    /// The scope is there, but no admin role that allows the call.
    Role,
    /// The org does not have such a thing, or it is switched off.
    Feature,
}

/// Okta's own word for "the org does not have this feature", said with a 401.
const NO_FEATURE: &str = "E0000015";

/// What the token endpoint and a resource answer when a scope is not granted.
const NO_SCOPE: [&str; 4] = [
    "invalid_scope",
    "insufficient_scope",
    "access_denied",
    "consent_required",
];

impl Lack {
    /// Why a call was refused; none when it failed for another reason than a missing right.
    ///
    /// A token is asked for one scope at a time, so a call that is refused although there was a token
    /// lacks the role, not the scope.
    pub(crate) fn of(error: &Error, credential: &Credential) -> Option<Self> {
        if is_credential_refused(error) {
            return Some(Self::Credential);
        }
        let code = error.code().unwrap_or_default();
        if code == NO_FEATURE {
            return Some(Self::Feature);
        }
        if NO_SCOPE.contains(&code) {
            return Some(Self::Scope);
        }
        match error.kind() {
            // Those services have no admin role: their scopes are all they have.
            ErrorKind::Forbidden if matches!(credential, Credential::ClientSecret { .. }) => {
                Some(Self::Scope)
            }
            ErrorKind::Forbidden => Some(Self::Role),
            ErrorKind::NotFound => Some(Self::Feature),
            _ if error.status() == Some(501) => Some(Self::Feature),
            _ => None,
        }
    }

    /// What is lacking, in words: goes on from "failed to list groups: ".
    pub(crate) fn reason(self, scope: Scope, credential: &Credential) -> String {
        let scope = scope.as_str();
        match self {
            Self::Credential => "Okta does not accept the credential".into(),
            Self::Scope => format!("the scope {scope} is not granted"),
            Self::Role => match credential {
                Credential::ApiToken(_) => {
                    "the administrator who made the API token may not do this".into()
                }
                Credential::ClientSecret { .. } | Credential::PrivateKey { .. } => format!(
                    "the scope {scope} is granted, but no admin role of the app allows this"
                ),
            },
            Self::Feature => "this org does not have it, or it is switched off".into(),
        }
    }

    /// What an administrator can do, and where; none when there is nothing to do. Where a token was
    /// refused for a reason of its own, the client knows better what helps. `step` is what was asked
    /// for, if it was a step of an inventory.
    pub(crate) fn hint(
        self,
        error: &Error,
        scope: Scope,
        step: Option<Step>,
        credential: &Credential,
    ) -> Option<String> {
        let is_own = self == Self::Credential || error.code() == Some("access_denied");
        if is_own
            && !matches!(credential, Credential::ApiToken(_))
            && let Some(hint) = error.hint()
        {
            return Some(hint.to_owned());
        }
        let name = scope.as_str();
        let role = role(scope, step);
        match (self, credential) {
            (Self::Feature, _) => None,
            (Self::Credential, Credential::ApiToken(_)) => Some(
                "a token dies with its maker's account and after 30 days without use; make a new one in \
                 the Admin Console: Security > API > Tokens"
                    .into(),
            ),
            (Self::Credential, Credential::ClientSecret { .. }) => Some(
                "check client id and secret in the Admin Console: Applications > API Service \
                 Integrations > the integration"
                    .into(),
            ),
            (Self::Credential, Credential::PrivateKey { .. }) => Some(
                "check in the Admin Console: Applications > Applications > the app > General: the app is \
                 active, the client id is this one, the public key (its kid too) is this key's, and \
                 \"Require DPoP\" is set as here"
                    .into(),
            ),
            (Self::Scope, Credential::ClientSecret { .. }) => Some(format!(
                "an API service integration has the scopes it was registered with; install one with \
                 {name}, or use an API services app with a key"
            )),
            (Self::Scope, _) => Some(format!(
                "grant {name} in the Admin Console: Applications > Applications > the app > Okta API \
                 Scopes"
            )),
            (Self::Role, Credential::ApiToken(_)) => Some(format!(
                "make the token as {role}, in the Admin Console: Security > API > Tokens"
            )),
            (Self::Role, _) => Some(format!(
                "give the app the role of {role}, in the Admin Console: Applications > Applications > \
                 the app > Admin roles"
            )),
        }
    }
}

/// Okta's codes for a token request that will never do, whatever scope it asks for.
pub(crate) fn is_credential_refused(error: &Error) -> bool {
    const NO_CREDENTIAL: [&str; 6] = [
        "invalid_client",
        "unauthorized_client",
        "invalid_grant",
        "invalid_dpop_proof",
        "unsupported_grant_type",
        "invalid_request",
    ];
    let code = error.code().unwrap_or_default();
    if code == NO_FEATURE || NO_SCOPE.contains(&code) {
        return false;
    }
    error.kind() == ErrorKind::Unauthorized || NO_CREDENTIAL.contains(&code)
}

/// The least admin role that may read what a scope opens, or what a step asks for.
const fn role(scope: Scope, step: Option<Step>) -> &'static str {
    match (scope, step) {
        (Scope::RolesRead, _) => {
            "a super administrator, or a custom role with \"View roles, resources, and admin \
             assignments\""
        }
        (_, Some(Step::Support)) => "a super administrator",
        _ => "a read-only administrator",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> Credential {
        Credential::ApiToken("s".to_owned().into())
    }

    fn service() -> Credential {
        Credential::ClientSecret {
            client_id: "0oa".into(),
            secret: "s".to_owned().into(),
        }
    }

    fn error(kind: ErrorKind, status: u16, code: &str) -> Error {
        Error::new(kind, "refused").with_answer(status, Some(code))
    }

    #[test]
    fn a_refusal_is_laid_at_the_right_door() {
        for (error, credential, lack) in [
            (
                error(ErrorKind::Unauthorized, 401, "E0000011"),
                token(),
                Some(Lack::Credential),
            ),
            (
                error(ErrorKind::Unauthorized, 401, "E0000015"),
                token(),
                Some(Lack::Feature),
            ),
            (
                error(ErrorKind::Forbidden, 401, "E0000015"),
                service(),
                Some(Lack::Feature),
            ),
            (
                error(ErrorKind::Forbidden, 403, "E0000006"),
                token(),
                Some(Lack::Role),
            ),
            (
                error(ErrorKind::Forbidden, 403, "E0000006"),
                service(),
                Some(Lack::Scope),
            ),
            (
                error(ErrorKind::Forbidden, 400, "invalid_scope"),
                service(),
                Some(Lack::Scope),
            ),
            (
                error(ErrorKind::Forbidden, 400, "unauthorized_client"),
                service(),
                Some(Lack::Credential),
            ),
            (
                error(ErrorKind::NotFound, 404, "E0000007"),
                token(),
                Some(Lack::Feature),
            ),
            (
                error(ErrorKind::Unavailable, 501, "E0000060"),
                token(),
                Some(Lack::Feature),
            ),
            (
                error(ErrorKind::Unavailable, 503, "E0000010"),
                token(),
                None,
            ),
            (
                error(ErrorKind::RateLimited, 429, "E0000047"),
                token(),
                None,
            ),
        ] {
            assert_eq!(Lack::of(&error, &credential), lack, "{error:?}");
        }
    }

    #[test]
    fn a_wrong_scope_is_no_wrong_credential() {
        assert!(is_credential_refused(&error(
            ErrorKind::Refused,
            400,
            "invalid_client"
        )));
        assert!(is_credential_refused(&error(
            ErrorKind::Unauthorized,
            401,
            "E0000011"
        )));
        assert!(!is_credential_refused(&error(
            ErrorKind::Unauthorized,
            401,
            "E0000015"
        )));
        assert!(!is_credential_refused(&error(
            ErrorKind::Refused,
            400,
            "invalid_scope"
        )));
    }

    #[test]
    fn words_name_the_scope_or_the_role() {
        let reason = Lack::Scope.reason(Scope::GroupsRead, &service());
        assert_eq!(reason, "the scope okta.groups.read is not granted");
        let refused = error(ErrorKind::Forbidden, 403, "E0000006");
        let hint = Lack::Role
            .hint(&refused, Scope::RolesRead, None, &token())
            .unwrap();
        assert!(hint.contains("super administrator"), "{hint}");
        // The two steps of one scope need different roles.
        for (step, role) in [
            (Step::Support, "a super administrator"),
            (Step::Org, "a read-only administrator"),
        ] {
            let hint = Lack::Role.hint(&refused, Scope::OrgsRead, Some(step), &token());
            let hint = hint.unwrap();
            assert!(hint.contains(role), "{hint}");
        }
        assert_eq!(
            Lack::Feature.hint(&refused, Scope::DevicesRead, None, &token()),
            None
        );
    }
}
