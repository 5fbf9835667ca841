//! Properties of the normalizer over arbitrary input.

use std::fmt::Write as _;

use af_model::{HashKey, UtcMillis};
use af_okta::{Normalizer, inventory};
use proptest::prelude::*;
use serde_json::{Value, json};

const KEY: HashKey = HashKey::new([9; 32]);

fn normalizer() -> Normalizer<'static> {
    let ingested_at = UtcMillis::parse("2026-11-20T12:00:00Z").expect("an instant");
    Normalizer::new("acme", None, ingested_at, &KEY)
}

/// Any JSON, with Okta's own field names and words often in it.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("User".to_owned()),
        Just("unknown".to_owned()),
        Just("user.risk.detect".to_owned()),
        Just("2026-11-20T11:00:00Z".to_owned()),
        Just("{reasons=a, b, level=HIGH}".to_owned()),
        Just("{\"risk\":{\"level\":\"LOW\"}}".to_owned()),
        Just("system@okta.com".to_owned()),
        "\\PC{0,12}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        let field = prop::sample::select(vec![
            "id",
            "type",
            "alternateId",
            "displayName",
            "actor",
            "target",
            "client",
            "ipAddress",
            "securityContext",
            "risk",
            "level",
            "reasons",
            "debugContext",
            "debugData",
            "behaviors",
            "logOnlySecurityData",
            "tunnels",
            "partnerRisk",
            "threatDetections",
            "clientSecret",
            "url",
            "outcome",
            "result",
            "published",
            "eventType",
            "uuid",
            "profile",
            "login",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((field, inner), 0..6).prop_map(|fields| {
                Value::Object(fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
            }),
        ]
    })
}

/// How a request might write a text into a URL.
fn encoded(text: &str, everything: bool) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() && !everything {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02x}").expect("a string takes any text");
        }
    }
    encoded
}

/// What `Debug` makes of a text inside a string.
fn debugged(text: &str) -> String {
    format!("{text:?}").trim_matches('"').to_owned()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = normalizer().event(&bytes);
        let _ = inventory::person("acme", &bytes, None, None);
        let _ = inventory::people("acme", &bytes, None, None);
    }

    #[test]
    fn broken_events_never_panic(event in any_json(), cut in 0_usize..400) {
        let text = event.to_string();
        let cut = cut.min(text.len());
        let _ = normalizer().event(&text.as_bytes()[..cut]);
    }

    #[test]
    fn an_event_with_its_three_fields_is_never_lost(mut fields in any_json()) {
        let mut event = json!({});
        if let Some(fields) = fields.as_object_mut() {
            event = Value::Object(std::mem::take(fields));
        }
        event["uuid"] = json!("e1");
        event["published"] = json!("2026-11-20T11:00:00Z");
        event["eventType"] = json!("user.session.start");
        let text = event.to_string();
        let normalizer = normalizer();
        let row = normalizer.event(text.as_bytes());
        prop_assert!(row.is_ok(), "{:?}", row);
        // And the same event gives the same row.
        prop_assert_eq!(row, normalizer.event(text.as_bytes()));
    }

    #[test]
    fn arbitrary_users_never_panic(user in any_json()) {
        let _ = inventory::people("acme", user.to_string().as_bytes(), None, None);
    }

    /// A password typed into the user-name field appears in no column, in no spelling.
    #[test]
    fn a_typed_password_is_in_no_column(
        middle in "[!-~äÖ😀€ ]{2,14}",
        mixed_case in any::<bool>(),
        target_too in any::<bool>(),
    ) {
        // The ends keep it from being a word that the event holds anyway.
        let password = format!("Zq{middle}qZ");
        let repeated = if mixed_case { password.to_uppercase() } else { password.clone() };
        let target = json!({"id": if target_too { "unknown" } else { "00u2" }, "type": "User",
            "alternateId": password, "displayName": repeated});
        let event = json!({
            "uuid": "e1", "published": "2026-11-20T11:00:00Z", "eventType": "user.session.start",
            "displayMessage": format!("Sign-in of {repeated} failed ({password})"),
            "actor": {"id": "unknown", "type": "User", "alternateId": password, "displayName": repeated},
            "client": {"userAgent": {"rawUserAgent": format!("agent {password}")}},
            "outcome": {"result": "FAILURE", "reason": format!("no {password}")},
            "target": [target, {"id": "0oa1", "type": "AppInstance", "displayName": password}],
            "securityContext": {"risk": {"level": "HIGH", "reasons": [password], "detectionName": repeated}},
            "debugContext": {"debugData": {
                "plain": password,
                "url": format!("/login?username={}&x=1", encoded(&repeated, false)),
                "requestUri": format!("/login/{}", encoded(&password, true)),
                "twice": encoded(&encoded(&password, false), false),
                "json": json!({"login": password, "list": [repeated]}).to_string(),
                "jsonOfUrl": json!({"u": encoded(&password, false)}).to_string(),
                "object": {"login": repeated},
                "html": repeated.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"),
                "behaviors": format!("{{{password}=POSITIVE}}"),
            }},
        });
        let text = event.to_string();
        let normalizer = normalizer();
        let row = normalizer.event(text.as_bytes()).unwrap();
        let shown = format!("{row:?}").to_lowercase();
        for spelling in [
            debugged(&password),
            debugged(&repeated),
            encoded(&password, false),
            encoded(&password, true),
            encoded(&repeated, false),
            encoded(&encoded(&password, false), false),
            debugged(&debugged(&password)),
            debugged(&encoded(&password, false)),
        ] {
            prop_assert!(!shown.contains(&spelling.to_lowercase()), "{spelling} in {shown}");
        }
        let columns = [row.message.as_deref(), row.actor_user_name.as_deref()];
        prop_assert!(columns.into_iter().flatten().all(|text| text.contains("h:")));
    }

    /// The same for names too short to be searched for inside words.
    #[test]
    fn a_short_typed_name_is_in_no_value_of_its_own(name in "[a-z0-9]{1,3}") {
        let event = json!({
            "uuid": "E1", "published": "2026-11-20T11:00:00Z", "eventType": "user.session.start",
            "displayMessage": format!("Sign-in of {name} failed"),
            "actor": {"id": "unknown", "type": "User", "alternateId": name, "displayName": name},
            "target": [{"id": "unknown", "type": "User", "alternateId": name}],
            "debugContext": {"debugData": {
                "plain": name,
                "url": format!("/?user=x{name}x"),
                "words": format!("for {name}, now"),
            }},
        });
        let text = event.to_string();
        let normalizer = normalizer();
        let row = normalizer.event(text.as_bytes()).unwrap();
        prop_assert_eq!(row.message.as_deref(), None);
        let hash = row.subject_ref.clone().unwrap();
        prop_assert_eq!(row.actor_user_name.as_deref(), Some(&*hash));
        let targets = row.targets.unwrap();
        prop_assert_eq!(targets[0].name.as_deref(), Some(&*hash));
        for (key, value) in row.debug_data.unwrap() {
            match &*key {
                "plain" => prop_assert_eq!(&*value, &*hash),
                "url" => prop_assert_eq!(&*value, "/"),
                _ => prop_assert!(value.split([' ', ',']).all(|word| word != name), "{value}"),
            }
        }
    }
}
