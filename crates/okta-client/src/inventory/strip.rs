//! What must not be kept of what Okta sends: passwords, recovery questions, client secrets, tokens.

use af_okta::Step;
use serde_json::Value;
use serde_json::value::RawValue;

/// Members that hold something secret whatever is in them.
const SECRET_WHATEVER: [&str; 5] = [
    "password",
    "recoveryquestion",
    "activation",
    "secrets",
    "qrcode",
];

/// Words in the name of a member whose text or number is a secret.
const SECRET_WORDS: [&str; 12] = [
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "cookie",
    "authorization",
    "credential",
];

/// Members that are secrets by their whole name.
const SECRET_NAMES: [&str; 4] = ["answer", "pin", "nonce", "challenge"];

/// Endings of a name that only speaks about a secret: when it changed, of which kind it is.
const ABOUT: [&str; 23] = [
    "at",
    "alg",
    "algorithm",
    "changed",
    "count",
    "created",
    "date",
    "enabled",
    "endpoint",
    "expiration",
    "expires",
    "id",
    "ids",
    "lifetime",
    "lifetimeminutes",
    "method",
    "name",
    "policy",
    "scheme",
    "server",
    "status",
    "type",
    "url",
];

/// One object without anything secret.
///
/// # Errors
/// It is no JSON, or nested too deeply.
pub(super) fn read(step: Step, object: &RawValue) -> Result<Value, serde_json::Error> {
    let mut value: Value = serde_json::from_str(object.get())?;
    strip(step, &mut value);
    Ok(value)
}

fn strip(step: Step, object: &mut Value) {
    if let Value::Object(members) = object {
        match step {
            Step::Users => {
                // Links of a user only lead to what may be done with the account.
                members.remove("_links");
                keep_only(members, &["emails", "provider"]);
            }
            Step::AppUsers => keep_only(members, &["userName"]),
            Step::Apps => keep_only(members, &[]),
            _ => {}
        }
    }
    strip_named(object);
}

/// Leaves only these members of `credentials`, and not even an empty rest.
fn keep_only(members: &mut serde_json::Map<String, Value>, kept: &[&str]) {
    let Some(Value::Object(credentials)) = members.get_mut("credentials") else {
        members.remove("credentials");
        return;
    };
    credentials.retain(|name, _| kept.contains(&name.as_str()));
    if credentials.is_empty() {
        members.remove("credentials");
    }
}

/// Removes whatever is called a secret, at any depth.
fn strip_named(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, value| !is_secret(name, value));
            members.values_mut().for_each(strip_named);
        }
        Value::Array(items) => items.iter_mut().for_each(strip_named),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn is_secret(name: &str, value: &Value) -> bool {
    let name: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|character| character.to_ascii_lowercase())
        .collect();
    if SECRET_WHATEVER.contains(&name.as_str()) {
        // A switch called `password` is none.
        return !matches!(value, Value::Null | Value::Bool(_));
    }
    let named = SECRET_NAMES.contains(&name.as_str())
        || (SECRET_WORDS.iter().any(|word| name.contains(word))
            && !ABOUT.iter().any(|ending| name.ends_with(ending)));
    named && holds_text(value)
}

/// Whether there is a text or a figure, directly or in a list. An object is looked into instead: an
/// endpoint called `token` has an address, not a token.
fn holds_text(value: &Value) -> bool {
    match value {
        Value::String(_) | Value::Number(_) => true,
        Value::Array(items) => items.iter().any(holds_text),
        Value::Null | Value::Bool(_) | Value::Object(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// Any JSON, with names that matter here among its members.
    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "s3cr3t|\\PC{0,6}".prop_map(Value::from),
        ];
        let name =
            "id|credentials|emails|password|passwordChanged|client_secret|token|_links|\\PC{0,4}";
        leaf.prop_recursive(4, 32, 5, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(name, inner, 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    /// Whether a text stands directly under one of these names.
    fn has_text_under(value: &Value, names: &[&str]) -> bool {
        match value {
            Value::Object(members) => members.iter().any(|(name, value)| {
                (names.contains(&name.as_str()) && value.is_string())
                    || has_text_under(value, names)
            }),
            Value::Array(items) => items.iter().any(|item| has_text_under(item, names)),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn nothing_called_a_secret_is_left_of_any_json(
            object in any_json(),
            step in prop::sample::select(Step::ALL.to_vec()),
        ) {
            let once = stripped(step, &object);
            prop_assert!(!has_text_under(&once, &["password", "client_secret", "token"]));
            prop_assert_eq!(stripped(step, &once), once);
        }
    }

    fn stripped(step: Step, object: &Value) -> Value {
        let text = RawValue::from_string(object.to_string()).unwrap();
        read(step, &text).unwrap()
    }

    #[test]
    fn a_user_keeps_addresses_and_provider_only() {
        let user = json!({
            "id": "00u1", "status": "ACTIVE", "passwordChanged": "2026-01-01T00:00:00.000Z",
            "profile": {"login": "joe@example.com", "githubToken": "s3cr3t", "badgePin": 7},
            "credentials": {
                "password": {"value": "s3cr3t", "hash": {"salt": "s3cr3t"}},
                "recovery_question": {"question": "s3cr3t?", "answer": "s3cr3t"},
                "emails": [{"value": "joe@example.com", "status": "VERIFIED", "type": "PRIMARY"}],
                "provider": {"type": "OKTA", "name": "OKTA"}
            },
            "_links": {"self": {"href": "https://acme.example/api/v1/users/00u1"}}
        });
        assert_eq!(
            stripped(Step::Users, &user),
            json!({
                "id": "00u1", "status": "ACTIVE", "passwordChanged": "2026-01-01T00:00:00.000Z",
                "profile": {"login": "joe@example.com", "badgePin": 7},
                "credentials": {
                    "emails": [{"value": "joe@example.com", "status": "VERIFIED", "type": "PRIMARY"}],
                    "provider": {"type": "OKTA", "name": "OKTA"}
                }
            })
        );
        let bare = json!({"id": "00u2", "credentials": {"password": {}}});
        assert_eq!(stripped(Step::Users, &bare), json!({"id": "00u2"}));
        let odd = json!({"id": "00u3", "credentials": "s3cr3t"});
        assert_eq!(stripped(Step::Users, &odd), json!({"id": "00u3"}));
    }

    #[test]
    fn an_application_keeps_no_credentials_and_no_secret_setting() {
        let app = json!({
            "id": "0oa1",
            "credentials": {"signing": {"kid": "k"}, "oauthClient": {"client_secret": "s3cr3t"}},
            "settings": {
                "app": {"secretKey": "s3cr3t", "apiToken": "s3cr3t", "secretKeyEnc": "s3cr3t",
                        "awsEnvironmentType": "aws.amazon"},
                "oauthClient": {"token_endpoint_auth_method": "private_key_jwt",
                                "client_secrets": ["s3cr3t"]}
            }
        });
        assert_eq!(
            stripped(Step::Apps, &app),
            json!({
                "id": "0oa1",
                "settings": {
                    "app": {"awsEnvironmentType": "aws.amazon"},
                    "oauthClient": {"token_endpoint_auth_method": "private_key_jwt"}
                }
            })
        );
        let user = json!({"id": "00u1", "credentials": {"userName": "joe", "password": {}}});
        assert_eq!(
            stripped(Step::AppUsers, &user),
            json!({"id": "00u1", "credentials": {"userName": "joe"}})
        );
    }

    #[test]
    fn an_identity_provider_keeps_its_endpoints() {
        let idp = json!({"id": "0oa1", "protocol": {
            "endpoints": {"token": {"url": "https://idp.example/token", "binding": "HTTP-POST"}},
            "credentials": {"client": {"client_id": "c", "client_secret": "s3cr3t"}}
        }});
        assert_eq!(
            stripped(Step::Idps, &idp),
            json!({"id": "0oa1", "protocol": {
                "endpoints": {"token": {"url": "https://idp.example/token", "binding": "HTTP-POST"}},
                "credentials": {"client": {"client_id": "c"}}
            }})
        );
    }

    #[test]
    fn a_factor_keeps_neither_answer_nor_seed() {
        let factor = json!({
            "id": "ufs1", "factorType": "question",
            "profile": {"question": "color", "answer": "s3cr3t", "credentialId": "joe@example.com"},
            "_embedded": {"activation": {"sharedSecret": "s3cr3t"}, "challenge": "s3cr3t"}
        });
        assert_eq!(
            stripped(Step::Factors, &factor),
            json!({
                "id": "ufs1", "factorType": "question",
                "profile": {"question": "color", "credentialId": "joe@example.com"},
                "_embedded": {}
            })
        );
    }

    #[test]
    fn switches_and_what_only_speaks_of_secrets_stay() {
        let kept = json!({
            "password": true, "tokens": false, "secret": null, "passwordPolicy": "default",
            "token_endpoint": "x", "tokenType": "DPoP", "lastPasswordChanged": "2026"
        });
        assert_eq!(stripped(Step::Groups, &kept), kept);
    }
}
