//! The org itself, its identity providers and its devices.

use af_model::UtcMillis;
use serde_json::{Value, json};

use super::list::{PageSize, page};
use super::{Account, Asked, Directory, Found};
use crate::answer::Answer;
use crate::random::Random;
use crate::route::SCOPES;

const CREATED: UtcMillis = UtcMillis(1_736_150_400_000);

/// Platform, manufacturer, model, version.
const MACHINES: [(&str, &str, &str, &str); 4] = [
    ("WINDOWS", "Example", "Laptop 14", "11.0"),
    ("MACOS", "Example", "Notebook 13", "15.6"),
    ("IOS", "Example", "Telephone 5", "18.5"),
    ("ANDROID", "Example", "Telephone 7", "15"),
];

impl Directory {
    pub(super) fn org(&self, asked: Asked<'_>) -> Answer {
        Answer::ok(&json!({
            "id": self.org_id,
            "subdomain": "simulated",
            "companyName": "Simulated Organization",
            "status": "ACTIVE",
            "website": "https://www.example.com",
            "created": CREATED.to_string(),
            "lastUpdated": CREATED.to_string(),
            "expiresAt": Value::Null,
            "_links": { "uploadLogo": { "href": format!("{}/api/v1/org/logo", asked.base) } },
        }))
    }

    pub(super) fn well_known(&self, base: &str) -> Answer {
        Answer::ok(&json!({
            "id": self.org_id,
            "pipeline": "idx",
            "settings": { "analyticsCollectionEnabled": false },
            "_links": { "organization": { "href": base } },
        }))
    }

    pub(super) fn idps(asked: Asked<'_>) -> Found {
        let idps = [("Partners", "SAML2", "0oi"), ("Contractors", "OIDC", "0oi")];
        let idps =
            idps.map(|(name, kind, prefix)| (Random::of(5, name).okta_id(prefix), name, kind));
        let size = PageSize {
            usual: 20,
            largest: 200,
        };
        page(
            asked,
            &idps,
            size,
            |(id, _, _)| id,
            |(id, name, kind)| {
                json!({
                    "id": id,
                    "type": kind,
                    "issuerMode": "ORG_URL",
                    "name": name,
                    "status": "ACTIVE",
                    "created": CREATED.to_string(),
                    "lastUpdated": CREATED.to_string(),
                    "protocol": { "type": kind },
                    "policy": { "provisioning": { "action": "AUTO", "profileMaster": false } },
                })
                .to_string()
            },
        )
    }

    /// Two accounts in three have a registered device.
    pub(super) fn devices(&self, asked: Asked<'_>) -> Found {
        let expand = asked.call.parameter("expand").is_some();
        let devices: Vec<(String, &Account)> = self
            .accounts
            .iter()
            .filter(|account| account.is_active(asked.now))
            .filter(|account| account.number("device") % 3 < 2)
            .map(|account| (Random::of(11, &account.id).okta_id("guo"), account))
            .collect();
        let size = PageSize {
            usual: 200,
            largest: 200,
        };
        page(
            asked,
            &devices,
            size,
            |(id, _)| id,
            |(id, account)| {
                let mut random = Random::of(13, id);
                let (platform, manufacturer, model, version) = *random.pick(&MACHINES);
                let name = format!("{model} {:04}", random.below(10_000));
                let created = UtcMillis(account.created()).to_string();
                let mut device = json!({
                    "id": id,
                    "status": "ACTIVE",
                    "created": created,
                    "lastUpdated": created,
                    "profile": {
                        "displayName": name,
                        "platform": platform,
                        "manufacturer": manufacturer,
                        "model": model,
                        "osVersion": version,
                        "registered": true,
                        "secureHardwarePresent": true,
                        "diskEncryptionType": "ALL_INTERNAL_VOLUMES",
                    },
                    "resourceType": "UDDevice",
                    "resourceDisplayName": { "value": name, "sensitive": false },
                    "resourceId": id,
                    "resourceAlternateId": Value::Null,
                });
                if expand {
                    device["_embedded"] = json!({ "users": [{
                        "created": created,
                        "managementStatus": "MANAGED",
                        "screenLockType": "BIOMETRIC",
                        "user": {
                            "id": account.id,
                            "profile": { "login": account.login, "email": account.email },
                        },
                    }]});
                }
                device.to_string()
            },
        )
    }
}

/// Whether Okta's support may look inside.
pub(super) fn support(base: &str) -> Answer {
    Answer::ok(&json!({
        "support": "DISABLED",
        "expiration": Value::Null,
        "caseNumber": Value::Null,
        "_links": { "grant": {
            "href": format!("{base}/api/v1/org/privacy/oktaSupport/grant"),
            "hints": { "allow": ["POST"] },
        }},
    }))
}

/// What the org's authorization server can do.
pub(super) fn server(base: &str) -> Answer {
    Answer::ok(&json!({
        "issuer": base,
        "token_endpoint": format!("{base}/oauth2/v1/token"),
        "grant_types_supported": ["client_credentials"],
        "scopes_supported": SCOPES,
        "token_endpoint_auth_methods_supported":
            ["client_secret_basic", "client_secret_post", "private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS256", "ES256"],
        "dpop_signing_alg_values_supported": ["RS256", "ES256"],
    }))
}
