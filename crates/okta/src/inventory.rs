//! Okta's users as people of the directory.

use af_model::cell::Alias;
use af_model::key::normalize_key;
use af_model::{Person, UtcMillis};
use serde_json::value::RawValue;

use crate::lenient::{List, Scalar, Text, lenient_object};
use crate::parse;
use crate::reject::{Reject, RejectReason};

lenient_object! {
    /// One user, as `GET /api/v1/users` answers.
    User<'a> {
        id: Scalar<'a> = "id",
        status: Text<'a> = "status",
        created: Text<'a> = "created",
        status_changed: Text<'a> = "statusChanged",
        last_login: Text<'a> = "lastLogin",
        profile: Profile<'a> = "profile",
        credentials: Credentials<'a> = "credentials",
    }
}

lenient_object! {
    /// What is known about the person.
    Profile<'a> {
        login: Text<'a> = "login",
        email: Text<'a> = "email",
        second_email: Text<'a> = "secondEmail",
        first_name: Text<'a> = "firstName",
        last_name: Text<'a> = "lastName",
        display_name: Text<'a> = "displayName",
        user_type: Text<'a> = "userType",
        title: Text<'a> = "title",
        department: Text<'a> = "department",
        manager: Text<'a> = "manager",
        manager_id: Text<'a> = "managerId",
        city: Text<'a> = "city",
        state: Text<'a> = "state",
        country_code: Text<'a> = "countryCode",
    }
}

lenient_object! {
    /// Only the addresses are read, never a password or a recovery question.
    Credentials<'a> {
        emails: List<EmailAddress<'a>> = "emails",
    }
}

lenient_object! {
    /// One address of the user.
    EmailAddress<'a> {
        value: Text<'a> = "value",
        status: Text<'a> = "status",
        kind: Text<'a> = "type",
    }
}

/// One user object as a person of the directory.
///
/// * `email` is `profile.email`, else `profile.login` (which is an e-mail address in most
///   organizations); `login` and `email` are normalized.
/// * Verified addresses of `credentials.emails` become aliases, but never the secondary one:
///   `secondEmail` is often private, and two people may share it.
/// * `deactivated` is `statusChanged` of a DEPROVISIONED user.
/// * `manager_uid` is `managerId`, else `manager` if it looks like a key rather than a name.
/// * `location` is city, state and country code, as far as given.
/// * `privileged` and `vip` stay null: the user object does not tell.
///
/// # Errors
/// A [`Reject`] for what is no JSON object, has no `id`, or has neither login nor e-mail. An odd
/// value of any other field counts as absent.
///
/// ```
/// use af_okta::inventory::person;
///
/// let user = br#"{"id":"00u1","status":"ACTIVE","profile":{"login":"Joe@Example.com","firstName":"Joe"}}"#;
/// let joe = person("acme", user, Some("okta"), None).unwrap();
/// assert_eq!(joe.email, "joe@example.com");
/// assert_eq!(joe.display_name.as_deref(), Some("Joe"));
/// ```
pub fn person(
    tenant: &str,
    json: &[u8],
    source: Option<&str>,
    imported_at: Option<UtcMillis>,
) -> Result<Person, Reject> {
    let mut user = User::default();
    parse::object(json, &mut user)?;
    let id = match user.id {
        Scalar::Text(id) if !id.trim().is_empty() => id.trim().to_owned(),
        Scalar::Null | Scalar::Text(_) => {
            return Err(Reject::at(RejectReason::MissingId, "id"));
        }
        _ => return Err(Reject::at(RejectReason::FieldOfWrongType, "id")),
    };
    let profile = user.profile;
    let login = profile.login.as_str().map(normalize_key);
    let email = profile.email.as_str().map(normalize_key);
    let Some(primary) = email.clone().or_else(|| login.clone()) else {
        return Err(Reject::at(RejectReason::MissingLogin, "profile.login"));
    };
    let status = user.status.as_str().map(str::to_ascii_uppercase);
    let deactivated = match status.as_deref() {
        Some("DEPROVISIONED") => instant(&user.status_changed),
        _ => None,
    };
    let display_name = profile
        .display_name
        .as_str()
        .map(str::to_owned)
        .or_else(|| joined(" ", [&profile.first_name, &profile.last_name]));
    let manager = profile.manager.as_str().filter(|text| is_key(text));
    let secondary = profile.second_email.as_str().map(normalize_key);
    let aliases = aliases(
        &user.credentials.emails,
        &[
            Some(primary.as_ref()),
            login.as_deref(),
            secondary.as_deref(),
        ],
    );
    let text = |text: &Text<'_>| text.as_str().map(str::to_owned);
    Ok(Person {
        tenant_uid: tenant.to_owned(),
        user_uid: id,
        email: primary.clone().into_owned(),
        login: login.as_deref().map(str::to_owned),
        aliases: (!aliases.is_empty()).then_some(aliases),
        display_name,
        status,
        user_type: text(&profile.user_type),
        department: text(&profile.department),
        location: joined(", ", [&profile.city, &profile.state, &profile.country_code]),
        manager_uid: profile.manager_id.as_str().or(manager).map(str::to_owned),
        title: text(&profile.title),
        privileged: None,
        vip: None,
        created: instant(&user.created),
        deactivated,
        last_login: instant(&user.last_login),
        source: source.map(str::to_owned),
        imported_at,
    })
}

/// All users of one answer: a list of user objects, or a single one.
///
/// Each user stands alone: one that is refused does not touch the others.
///
/// # Errors
/// A [`Reject`] when the answer as a whole is no JSON list and no JSON object.
pub fn people(
    tenant: &str,
    answer: &[u8],
    source: Option<&str>,
    imported_at: Option<UtcMillis>,
) -> Result<Vec<Result<Person, Reject>>, Reject> {
    let text = parse::checked_text(answer)?;
    if !text.starts_with('[') {
        return Ok(vec![person(tenant, text.as_bytes(), source, imported_at)]);
    }
    let users: Vec<&RawValue> =
        serde_json::from_str(text).map_err(|error| Reject::whole(parse::reason_of(&error)))?;
    Ok(users
        .into_iter()
        .map(|user| person(tenant, user.get().as_bytes(), source, imported_at))
        .collect())
}

fn instant(text: &Text<'_>) -> Option<UtcMillis> {
    text.as_str().and_then(|text| UtcMillis::parse(text).ok())
}

fn joined<const N: usize>(separator: &str, parts: [&Text<'_>; N]) -> Option<String> {
    let parts: Vec<&str> = parts.into_iter().filter_map(Text::as_str).collect();
    (!parts.is_empty()).then(|| parts.join(separator))
}

/// Whether a text can be a user id, a login or an e-mail address; a person's name has blanks.
fn is_key(text: &str) -> bool {
    text.contains('@') || (text.starts_with("00u") && !text.contains(char::is_whitespace))
}

fn aliases(emails: &List<EmailAddress<'_>>, known: &[Option<&str>]) -> Vec<Alias> {
    let mut keys: Vec<String> = emails
        .0
        .iter()
        .filter(|email| {
            let is = |field: &Text<'_>, word: &str| {
                field
                    .as_str()
                    .is_some_and(|have| have.eq_ignore_ascii_case(word))
            };
            is(&email.status, "VERIFIED") && !is(&email.kind, "SECONDARY")
        })
        .filter_map(|email| email.value.as_str())
        .map(|value| normalize_key(value).into_owned())
        .filter(|key| !known.contains(&Some(key.as_str())))
        .collect();
    keys.sort();
    keys.dedup();
    keys.into_iter()
        .map(|key| Alias {
            key,
            valid_from: None,
            valid_to: None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Person, Reject> {
        person("acme", json.as_bytes(), Some("okta"), Some(UtcMillis(7)))
    }

    #[test]
    fn a_full_user_fills_every_column_okta_knows() {
        let joe = read(
            r#"{"id":"00ujoe","status":"active","created":"2020-08-27T18:14:15.000Z",
            "statusChanged":"2021-01-01T00:00:00.000Z","lastLogin":"2026-11-01T08:00:00.000Z",
            "profile":{"login":"Joe.Doe@Corp.Example","email":"joe@example.com","secondEmail":"private@mail.example",
              "firstName":"Joe","lastName":"Doe","userType":"employee","title":"Clerk","department":"Sales",
              "managerId":"00uboss","manager":"The Boss","city":"Lyon","state":null,"countryCode":"FR"},
            "credentials":{"password":{"value":"x"},"emails":[
              {"value":"joe@example.com","status":"VERIFIED","type":"PRIMARY"},
              {"value":"Joe.Old@example.com","status":"VERIFIED","type":"OTHER"},
              {"value":"new@example.com","status":"UNVERIFIED","type":"OTHER"},
              {"value":"private@mail.example","status":"VERIFIED","type":"OTHER"},
              {"value":"other@mail.example","status":"VERIFIED","type":"SECONDARY"}]}}"#,
        )
        .unwrap();
        let old = Alias {
            key: "joe.old@example.com".into(),
            ..Alias::default()
        };
        let expected = Person {
            tenant_uid: "acme".into(),
            user_uid: "00ujoe".into(),
            email: "joe@example.com".into(),
            login: Some("joe.doe@corp.example".into()),
            aliases: Some(vec![old]),
            display_name: Some("Joe Doe".into()),
            status: Some("ACTIVE".into()),
            user_type: Some("employee".into()),
            department: Some("Sales".into()),
            location: Some("Lyon, FR".into()),
            manager_uid: Some("00uboss".into()),
            title: Some("Clerk".into()),
            privileged: None,
            vip: None,
            created: Some(UtcMillis::parse("2020-08-27T18:14:15Z").unwrap()),
            deactivated: None,
            last_login: Some(UtcMillis::parse("2026-11-01T08:00:00Z").unwrap()),
            source: Some("okta".into()),
            imported_at: Some(UtcMillis(7)),
        };
        assert_eq!(joe, expected);
    }

    #[test]
    fn a_leaver_left_when_the_status_changed() {
        let leaver = read(
            r#"{"id":"00u1","status":"DEPROVISIONED","statusChanged":"2026-02-03T00:00:00Z","profile":{"login":"a@example.com"}}"#,
        )
        .unwrap();
        assert_eq!(
            leaver.deactivated,
            UtcMillis::parse("2026-02-03T00:00:00Z").ok()
        );
    }

    #[test]
    fn a_login_stands_in_for_a_missing_address() {
        let user = read(r#"{"id":"00u1","profile":{"login":"svc-backup","email":null}}"#).unwrap();
        assert_eq!(
            (user.email.as_str(), user.login.as_deref()),
            ("svc-backup", Some("svc-backup"))
        );
        let user =
            read(r#"{"id":"00u1","profile":{"email":"A@example.com","manager":"Ann Boss"}}"#)
                .unwrap();
        assert_eq!(
            (user.email.as_str(), user.login, user.manager_uid),
            ("a@example.com", None, None)
        );
    }

    #[test]
    fn rejects_say_what_is_missing() {
        let reason = |json: &str| read(json).unwrap_err();
        assert_eq!(
            reason(r#"{"profile":{"login":"a"}}"#),
            Reject::at(RejectReason::MissingId, "id")
        );
        assert_eq!(
            reason(r#"{"id":5}"#),
            Reject::at(RejectReason::FieldOfWrongType, "id")
        );
        assert_eq!(
            reason(r#"{"id":"00u1","profile":[]}"#),
            Reject::at(RejectReason::MissingLogin, "profile.login")
        );
        assert_eq!(reason("[]").reason, RejectReason::NotAnObject);
    }

    #[test]
    fn one_bad_user_of_a_list_does_not_touch_the_others() {
        let answer =
            br#"[{"id":"00u1","profile":{"login":"a"}}, 7, {"id":"00u2","profile":{"login":"b"}}]"#;
        let people = people("acme", answer, None, None).unwrap();
        let found: Vec<_> = people
            .iter()
            .map(|user| {
                user.as_ref()
                    .map(|user| user.user_uid.as_str())
                    .map_err(|r| r.reason)
            })
            .collect();
        assert_eq!(
            found,
            [Ok("00u1"), Err(RejectReason::NotAnObject), Ok("00u2")]
        );
        assert_eq!(
            super::people("acme", b"{\"id\":\"00u1\"}", None, None)
                .unwrap()
                .len(),
            1
        );
        assert!(super::people("acme", b"[{", None, None).is_err());
    }
}
