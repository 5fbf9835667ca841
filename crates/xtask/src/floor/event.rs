//! A raw event as typed values: every field that becomes a column, borrowed from the line.

use std::borrow::Cow;

use serde::Deserialize;

/// A text. Of its own, because serde copies the `Cow` inside an `Option`.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Borrowed<'a>(#[serde(borrow)] Cow<'a, str>);

type Text<'a> = Option<Borrowed<'a>>;

/// Declares an object of optional fields, each known by its name in the event.
macro_rules! object {
    ($name:ident { $($field:ident: $type:ty = $key:literal),* $(,)? }) => {
        #[derive(Deserialize)]
        #[expect(dead_code, reason = "parsing them is what is measured")]
        pub(super) struct $name<'a> {
            $(#[serde(borrow, default, rename = $key)] $field: $type,)*
        }
    };
}

object!(Event {
    uuid: Text<'a> = "uuid",
    published: Text<'a> = "published",
    kind: Text<'a> = "eventType",
    display_message: Text<'a> = "displayMessage",
    severity: Text<'a> = "severity",
    legacy_event_type: Text<'a> = "legacyEventType",
    outcome: Option<Outcome<'a>> = "outcome",
    actor: Option<Entity<'a>> = "actor",
    client: Option<Client<'a>> = "client",
    security: Option<Security<'a>> = "securityContext",
    authentication: Option<Authentication<'a>> = "authenticationContext",
    transaction: Option<Transaction<'a>> = "transaction",
    debug: Option<Debug<'a>> = "debugContext",
    target: Option<Vec<Entity<'a>>> = "target",
});

impl Event<'_> {
    /// Whether it is an event at all.
    pub(super) fn is_known(&self) -> bool {
        let is_set = |text: &Text<'_>| text.as_ref().is_some_and(|text| !text.0.is_empty());
        is_set(&self.uuid) && is_set(&self.kind)
    }
}

object!(Outcome {
    result: Text<'a> = "result",
    reason: Text<'a> = "reason",
});

object!(Entity {
    id: Text<'a> = "id",
    kind: Text<'a> = "type",
    alternate_id: Text<'a> = "alternateId",
    display_name: Text<'a> = "displayName",
});

object!(Client {
    ip_address: Text<'a> = "ipAddress",
    zone: Text<'a> = "zone",
    device: Text<'a> = "device",
    user_agent: Option<UserAgent<'a>> = "userAgent",
    place: Option<Place<'a>> = "geographicalContext",
});

object!(UserAgent {
    raw: Text<'a> = "rawUserAgent",
    os: Text<'a> = "os",
    browser: Text<'a> = "browser",
});

object!(Place {
    city: Text<'a> = "city",
    state: Text<'a> = "state",
    country: Text<'a> = "country",
    postal_code: Text<'a> = "postalCode",
});

object!(Security {
    as_org: Text<'a> = "asOrg",
    isp: Text<'a> = "isp",
    domain: Text<'a> = "domain",
});

object!(Authentication {
    external_session_id: Text<'a> = "externalSessionId",
    root_session_id: Text<'a> = "rootSessionId",
    credential_type: Text<'a> = "credentialType",
});

object!(Transaction {
    id: Text<'a> = "id",
});

object!(Debug {
    data: Option<DebugData<'a>> = "debugData",
});

object!(DebugData {
    request_uri: Text<'a> = "requestUri",
    dt_hash: Text<'a> = "dtHash",
});
