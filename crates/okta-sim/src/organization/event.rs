//! One event of Okta's System Log, field for field as the API sends it.

use std::collections::BTreeMap;

use af_model::UtcMillis;
use serde::Serialize;

use super::network::{Client, Network};
use super::person::Member;
use super::places::Place;

type Texts = BTreeMap<&'static str, String>;

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are Okta's")]
pub(super) struct Event {
    actor: Principal,
    client: ClientPart,
    device: Option<Device>,
    authentication_context: Authentication,
    display_message: &'static str,
    event_type: &'static str,
    outcome: Outcome,
    pub(super) published: UtcMillis,
    security_context: Security,
    severity: &'static str,
    debug_context: Debug,
    transaction: Transaction,
    pub(super) uuid: String,
    version: &'static str,
    request: Request,
    target: Option<Vec<Principal>>,
}

/// Somebody or something: an actor or a target.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Principal {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    alternate_id: String,
    display_name: String,
    detail_entry: Option<Texts>,
}

#[derive(Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct ClientPart {
    user_agent: Option<UserAgent>,
    zone: Option<&'static str>,
    device: Option<&'static str>,
    id: Option<&'static str>,
    ip_address: Option<String>,
    geographical_context: Option<Geography>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are Okta's")]
struct UserAgent {
    raw_user_agent: String,
    os: &'static str,
    browser: &'static str,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Geography {
    city: &'static str,
    state: &'static str,
    country: &'static str,
    postal_code: &'static str,
    geolocation: Geolocation,
}

#[derive(Clone, Serialize)]
struct Geolocation {
    lat: f64,
    lon: f64,
}

#[derive(Clone, Serialize)]
struct Device {
    id: String,
    name: String,
    managed: bool,
    registered: bool,
}

#[derive(Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are Okta's")]
struct Authentication {
    authentication_provider: Option<&'static str>,
    credential_provider: Option<&'static str>,
    credential_type: Option<&'static str>,
    authentication_step: u8,
    root_session_id: Option<String>,
    external_session_id: Option<String>,
}

#[derive(Clone, Serialize)]
struct Outcome {
    result: &'static str,
    reason: Option<&'static str>,
}

#[derive(Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Security {
    as_number: Option<u32>,
    as_org: Option<&'static str>,
    isp: Option<&'static str>,
    domain: Option<&'static str>,
    is_proxy: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip_details: Option<Details>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Details {
    as_number: u32,
    as_org: &'static str,
    ip_service_categories: [Category; 1],
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Category {
    is_anonymous: bool,
    operator: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Debug {
    debug_data: Texts,
}

#[derive(Clone, Serialize)]
struct Transaction {
    #[serde(rename = "type")]
    kind: &'static str,
    id: String,
    detail: Texts,
}

#[derive(Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    ip_chain: Vec<Hop>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Hop {
    ip: String,
    geographical_context: Option<Geography>,
    version: &'static str,
    source: Option<()>,
}

/// Types whose severity is not the usual one.
const SEVERITIES: [(&str, &str); 9] = [
    ("policy.auth_reevaluate.fail", "WARN"),
    ("security.breached_credential.detected", "WARN"),
    ("security.threat.detected", "WARN"),
    ("system.org.rate_limit.violation", "WARN"),
    ("system.org.rate_limit.warning", "WARN"),
    ("user.account.lock", "DEBUG"),
    ("user.account.report_suspicious_activity_by_enduser", "WARN"),
    ("user.mfa.attempt_bypass", "WARN"),
    ("user.risk.detect", "WARN"),
];

/// What administrators read about the frequent types.
const MESSAGES: [(&str, &str); 8] = [
    ("policy.evaluate_sign_on", "Evaluation of sign-on policy"),
    ("security.threat.detected", "Request from suspicious actor"),
    (
        "system.push.send_factor_verify_push",
        "A push was sent to a user for verification",
    ),
    ("user.account.lock", "Max sign in attempts exceeded"),
    (
        "user.authentication.auth_via_mfa",
        "Authentication of user via MFA",
    ),
    ("user.authentication.sso", "User single sign on to app"),
    ("user.session.end", "User logout from Okta"),
    ("user.session.start", "User login to Okta"),
];

fn look_up(table: &[(&str, &'static str)], key: &str) -> Option<&'static str> {
    let found = table.iter().find(|(name, _)| *name == key);
    found.map(|(_, value)| *value)
}

impl Event {
    /// An event of a type at an instant: successful, by the service, without a client.
    pub(super) fn new(event_type: &'static str, published: UtcMillis) -> Self {
        Self {
            actor: Principal::service(),
            client: ClientPart::default(),
            device: None,
            authentication_context: Authentication::default(),
            display_message: look_up(&MESSAGES, event_type).unwrap_or(event_type),
            event_type,
            outcome: Outcome {
                result: "SUCCESS",
                reason: None,
            },
            published,
            security_context: Security::default(),
            severity: look_up(&SEVERITIES, event_type).unwrap_or("INFO"),
            debug_context: Debug::default(),
            transaction: Transaction {
                kind: "JOB",
                id: "unknown".to_owned(),
                detail: Texts::new(),
            },
            uuid: String::new(),
            version: "0",
            request: Request::default(),
            target: None,
        }
    }

    /// The same at another instant.
    pub(super) fn at(mut self, published: UtcMillis) -> Self {
        self.published = published;
        self
    }

    /// Somebody acted.
    pub(super) fn by(mut self, actor: Principal) -> Self {
        self.actor = actor;
        self
    }

    /// The request came from here.
    pub(super) fn from(mut self, client: &Client) -> Self {
        self = self.network(&client.network);
        self.client.user_agent = Some(UserAgent {
            raw_user_agent: client.software.raw.clone(),
            os: client.software.os,
            browser: client.software.browser,
        });
        self.client.device = Some(client.software.device);
        self.device = client.device.as_ref().map(|id| Device {
            id: id.clone(),
            name: format!("{} of its owner", client.software.device),
            managed: true,
            registered: true,
        });
        if let Some(token) = client.token {
            let hash = format!("{token:032x}{:032x}", token.rotate_left(41) ^ 0x5a5a);
            self = self.debug("dtHash", hash);
        }
        self
    }

    fn network(mut self, network: &Network) -> Self {
        let geography = network.place.map(Geography::from);
        let chained = |ip: &str, geographical_context| Hop {
            ip: ip.to_owned(),
            geographical_context,
            version: if ip.contains(':') { "V6" } else { "V4" },
            source: None,
        };
        let inside = network.inside.iter().map(|ip| chained(ip, None));
        let outside = chained(&network.ip, geography.clone());
        self.request.ip_chain = inside.chain([outside]).collect();
        let provider = network.provider;
        self.security_context = Security {
            as_number: Some(provider.as_number),
            as_org: Some(provider.name),
            isp: Some(provider.name),
            domain: Some(provider.domain),
            is_proxy: Some(network.is_proxy),
            ip_details: network.service.map(|(kind, operator)| Details {
                as_number: provider.as_number,
                as_org: provider.name,
                ip_service_categories: [Category {
                    is_anonymous: true,
                    operator,
                    kind,
                }],
            }),
        };
        // Okta writes a missing zone as this string.
        self.client.zone = Some(network.zone.unwrap_or("null"));
        self.client.ip_address = Some(network.ip.clone());
        self.client.geographical_context = geography;
        self.transaction.kind = "WEB";
        self
    }

    /// It ended so.
    pub(super) fn outcome(mut self, result: &'static str, reason: &'static str) -> Self {
        self.outcome = Outcome {
            result,
            reason: Some(reason).filter(|reason| !reason.is_empty()),
        };
        self
    }

    /// It was about this too.
    pub(super) fn on(mut self, target: Principal) -> Self {
        self.target.get_or_insert_default().push(target);
        self
    }

    /// A detail.
    pub(super) fn debug(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.debug_context.debug_data.insert(key, value.into());
        self
    }

    /// The request it belongs to.
    pub(super) fn request(mut self, id: &str) -> Self {
        id.clone_into(&mut self.transaction.id);
        self.debug("requestId", id)
    }

    /// The session it belongs to.
    pub(super) fn session(mut self, id: &str) -> Self {
        self.authentication_context.external_session_id = Some(id.to_owned());
        self.authentication_context.root_session_id = Some(id.to_owned());
        self
    }

    /// What was presented.
    pub(super) fn credential(mut self, credential_type: &'static str) -> Self {
        self.authentication_context.authentication_provider = Some("FACTOR_PROVIDER");
        self.authentication_context.credential_provider = Some("OKTA_CREDENTIAL_PROVIDER");
        self.authentication_context.credential_type = Some(credential_type);
        self
    }
}

impl Principal {
    /// Anything.
    pub(super) fn new(kind: &'static str, id: &str, alternate_id: &str, name: &str) -> Self {
        Self {
            id: id.to_owned(),
            kind,
            alternate_id: alternate_id.to_owned(),
            display_name: name.to_owned(),
            detail_entry: None,
        }
    }

    /// An account of the organization.
    pub(super) fn member(member: &Member) -> Self {
        Self::new("User", &member.uid, &member.login, &member.name)
    }

    /// A name that somebody typed and that belongs to no account.
    pub(super) fn typed(name: &str) -> Self {
        Self::new("User", "unknown", name, "unknown")
    }

    /// The service itself.
    pub(super) fn service() -> Self {
        Self::new(
            "SystemPrincipal",
            "okta.00000000-0000-4000-8000-000000000000",
            "system@okta.com",
            "Okta System",
        )
    }

    /// An application.
    pub(super) fn app(name: &str) -> Self {
        Self::new(
            "AppInstance",
            &format!("0oa{:0>17}", short(name)),
            name,
            name,
        )
    }

    /// A way of verifying somebody.
    pub(super) fn enrollment(member: &Member, name: &str) -> Self {
        let id = format!("pfd{}", &member.uid[3..]);
        Self::new("AuthenticatorEnrollment", &id, "unknown", name)
    }
}

/// Letters and digits of a name, for an id.
fn short(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .take(17)
        .collect()
}

impl From<&Place> for Geography {
    fn from(place: &Place) -> Self {
        Self {
            city: place.city,
            state: place.state,
            country: place.country,
            postal_code: place.postal_code,
            geolocation: Geolocation {
                lat: place.lat,
                lon: place.lon,
            },
        }
    }
}
