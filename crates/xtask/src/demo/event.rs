//! One Okta System Log event, field for field as the API sends it.
//!
//! Structs instead of free JSON values, so that the order of the fields is ours and never that of
//! somebody's map.

use std::collections::BTreeMap;

use af_model::UtcMillis;
use serde::Serialize;

use super::cast::Member;
use super::network::{Client, Place};

/// Strings by key, in key order.
pub(crate) type Texts = BTreeMap<&'static str, String>;

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are Okta's")]
pub(crate) struct Event {
    pub(crate) actor: Principal,
    client: ClientPart,
    device: Option<()>,
    authentication_context: Authentication,
    display_message: Option<String>,
    pub(crate) event_type: &'static str,
    outcome: Outcome,
    pub(crate) published: UtcMillis,
    security_context: Security,
    severity: &'static str,
    debug_context: Debug,
    legacy_event_type: Option<&'static str>,
    transaction: Transaction,
    pub(crate) uuid: String,
    version: &'static str,
    request: Request,
    pub(crate) target: Option<Vec<Principal>>,
}

/// Somebody or something: an actor or a target.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Principal {
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) alternate_id: String,
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
    raw_user_agent: &'static str,
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

#[derive(Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are Okta's")]
struct Authentication {
    authentication_provider: Option<&'static str>,
    credential_provider: Option<&'static str>,
    credential_type: Option<&'static str>,
    issuer: Option<()>,
    interface: Option<()>,
    authentication_step: u8,
    root_session_id: Option<String>,
    external_session_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authenticator_context: Option<Texts>,
}

#[derive(Clone, Serialize)]
struct Outcome {
    result: &'static str,
    reason: Option<String>,
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
    risk: Option<StructuredRisk>,
}

/// Risk as Okta structures it since 2026.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StructuredRisk {
    pub(crate) level: &'static str,
    pub(crate) reasons: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) detection_name: Option<&'static str>,
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

impl Event {
    /// An event of a type at an instant: successful, by the system, without a client.
    pub(crate) fn new(event_type: &'static str, published: UtcMillis) -> Self {
        let kind = super::kinds::kind(event_type);
        Self {
            actor: Principal::system(),
            client: ClientPart::default(),
            device: None,
            authentication_context: Authentication::default(),
            display_message: Some(kind.message.to_owned()),
            event_type,
            outcome: Outcome {
                result: "SUCCESS",
                reason: None,
            },
            published,
            security_context: Security::default(),
            severity: kind.severity,
            debug_context: Debug::default(),
            legacy_event_type: kind.legacy,
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

    /// Somebody acted.
    pub(crate) fn by(mut self, actor: Principal) -> Self {
        self.actor = actor;
        self
    }

    /// The request came from here.
    pub(crate) fn from(mut self, client: &Client) -> Self {
        self.client = ClientPart {
            user_agent: Some(UserAgent {
                raw_user_agent: client.software.raw,
                os: client.software.os,
                browser: client.software.browser,
            }),
            // Okta writes a missing zone as this string.
            zone: Some(client.zone.unwrap_or("null")),
            device: Some(client.software.device),
            id: None,
            ip_address: Some(client.ip.clone()),
            geographical_context: client.place.map(Geography::from),
        };
        self.security_context = Security {
            as_number: Some(client.provider.as_number),
            as_org: Some(client.provider.name),
            isp: Some(client.provider.name),
            domain: Some(client.provider.domain),
            is_proxy: Some(client.is_proxy),
            risk: self.security_context.risk,
        };
        let hop = |ip: &str, place: Option<&Place>| Hop {
            ip: ip.to_owned(),
            geographical_context: place.map(Geography::from),
            version: if ip.contains(':') { "V6" } else { "V4" },
            source: None,
        };
        self.request.ip_chain = vec![hop(&client.ip, client.place)];
        if let Some(inside) = &client.inside {
            self.request.ip_chain.insert(0, hop(inside, None));
        }
        if let Some(dt_hash) = &client.dt_hash {
            self = self.debug("dtHash", dt_hash.clone());
        }
        self.transaction.kind = "WEB";
        self
    }

    /// It ended so.
    pub(crate) fn outcome(mut self, result: &'static str, reason: &str) -> Self {
        if result == "FAILURE" {
            // The older names told success from failure.
            self.legacy_event_type = match self.event_type {
                "user.session.start" => Some("core.user_auth.login_failed"),
                "user.authentication.auth_via_mfa" => None,
                _ => self.legacy_event_type,
            };
        }
        self.outcome = Outcome {
            result,
            reason: Some(reason.to_owned()).filter(|reason| !reason.is_empty()),
        };
        self
    }

    /// It was about this too.
    pub(crate) fn on(mut self, target: Principal) -> Self {
        self.target.get_or_insert_default().push(target);
        self
    }

    /// A detail.
    pub(crate) fn debug(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.debug_context.debug_data.insert(key, value.into());
        self
    }

    /// The request it belongs to.
    pub(crate) fn transaction(mut self, id: &str) -> Self {
        id.clone_into(&mut self.transaction.id);
        self.debug("requestId", id)
    }

    /// The session it belongs to.
    pub(crate) fn session(mut self, id: &str) -> Self {
        self.authentication_context.external_session_id = Some(id.to_owned());
        self.authentication_context.root_session_id = Some(id.to_owned());
        self
    }

    /// What was presented: provider of the factor and credential type.
    pub(crate) fn credential(mut self, provider: &'static str, credential: &'static str) -> Self {
        self.authentication_context.authentication_provider = Some("FACTOR_PROVIDER");
        self.authentication_context.credential_provider = Some(provider);
        self.authentication_context.credential_type = Some(credential);
        self
    }

    /// What the authenticator saw of the page that asked.
    pub(crate) fn authenticator(mut self, context: Texts) -> Self {
        self.authentication_context.authenticator_context = Some(context);
        self
    }

    /// Risk, in the structure of 2026.
    pub(crate) fn structured_risk(mut self, risk: StructuredRisk) -> Self {
        self.security_context.risk = Some(risk);
        self
    }

    /// Another sentence than the type's own.
    pub(crate) fn message(mut self, message: String) -> Self {
        self.display_message = Some(message);
        self
    }
}

impl Principal {
    /// Anything.
    pub(crate) fn new(kind: &'static str, id: &str, alternate_id: &str, name: &str) -> Self {
        Self {
            id: id.to_owned(),
            kind,
            alternate_id: alternate_id.to_owned(),
            display_name: name.to_owned(),
            detail_entry: None,
        }
    }

    /// A person or service account of the organization.
    pub(crate) fn user(member: &Member) -> Self {
        Self::new("User", &member.uid, &member.login, &member.name)
    }

    /// A name that somebody typed and that belongs to no account.
    pub(crate) fn typed(name: &str) -> Self {
        Self::new("User", "unknown", name, "unknown")
    }

    /// The service itself.
    pub(crate) fn system() -> Self {
        Self::new(
            "SystemPrincipal",
            "okta.00000000-0000-4000-8000-000000000000",
            "system@okta.com",
            "Okta System",
        )
    }

    /// With details.
    pub(crate) fn detail(mut self, key: &'static str, value: &str) -> Self {
        self.detail_entry
            .get_or_insert_default()
            .insert(key, value.to_owned());
        self
    }
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
