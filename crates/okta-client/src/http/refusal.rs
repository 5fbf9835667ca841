//! An answer that is none: what it means, in words, with nothing in them that must not be shown.

use af_model::name::Printable;
use reqwest::Url;
use serde::Deserialize;

use super::call::foreign;
use super::transport::Reply;
use crate::error::{Error, ErrorKind};
use crate::origin::Origin;
use crate::scope::Scope;

/// Words of Okta's paths that may be shown; everything else in a path names somebody or something.
const SHOWN_SEGMENTS: [&str; 22] = [
    "api",
    "v1",
    "logs",
    "users",
    "groups",
    "rules",
    "apps",
    "factors",
    "roles",
    "iam",
    "assignees",
    "idps",
    "devices",
    "org",
    "privacy",
    "oktaSupport",
    "zones",
    "api-tokens",
    "threats",
    "configuration",
    "oauth2",
    "token",
];

/// An error document: Okta's own, or that of OAuth.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Document {
    #[serde(rename = "errorCode")]
    code: Option<String>,
    #[serde(rename = "errorSummary")]
    summary: Option<String>,
    #[serde(rename = "errorCauses")]
    causes: Vec<Cause>,
    error: Option<String>,
    error_description: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Cause {
    #[serde(rename = "errorSummary")]
    summary: Option<String>,
}

/// What an error document says, fit to be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// `E0000006`, `invalid_client`, …
    pub(crate) code: Option<String>,
    /// In Okta's words.
    pub(crate) summary: Option<String>,
}

/// Who was refused, for the hint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    ApiToken,
    OAuth,
}

/// Reads an error document; whatever is no such document says nothing.
pub(crate) fn said(body: &[u8], secrets: &[&str]) -> Said {
    // An error document is small; anything else is not worth reading.
    let document = if body.len() <= 1 << 16 {
        serde_json::from_slice::<Document>(body).unwrap_or_default()
    } else {
        Document::default()
    };
    let code = document
        .code
        .or(document.error)
        .filter(|code| is_code(code) && !secrets.contains(&code.as_str()));
    let summary = document.summary.or(document.error_description);
    let cause = document.causes.into_iter().find_map(|cause| cause.summary);
    let words = [summary, cause]
        .into_iter()
        .flatten()
        .map(|text| presentable(&text, secrets))
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>();
    Said {
        code,
        summary: (!words.is_empty()).then(|| words.join("; ")),
    }
}

fn is_code(code: &str) -> bool {
    (1..=40).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Foreign text, cut, escaped, and without what looks like an address, an id, a link or a secret.
fn presentable(text: &str, secrets: &[&str]) -> String {
    let mut text: String = text.chars().take(2_000).collect();
    for secret in secrets.iter().filter(|secret| secret.len() >= 4) {
        text = text.replace(secret, "…");
    }
    let words: Vec<&str> = text
        .split_whitespace()
        .map(|word| if names_something(word) { "…" } else { word })
        .collect();
    Printable(&words.join(" ")).to_string()
}

fn names_something(word: &str) -> bool {
    let bare = word.trim_matches(|c: char| c.is_ascii_punctuation());
    word.contains('@')
        || word.contains("://")
        || bare.len() > 40
        || (bare.len() >= 15 && bare.bytes().any(|b| b.is_ascii_digit()))
}

/// A path without the ids in it.
pub(crate) fn shown_path(path: &str) -> String {
    let mut shown = String::new();
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        shown.push('/');
        shown.push_str(
            SHOWN_SEGMENTS
                .iter()
                .find(|known| **known == segment)
                .unwrap_or(&"{id}"),
        );
    }
    shown
}

/// `read WHAT: Okta answered 403 E0000006: you may not … (request …)`.
pub(crate) fn sentence(what: &str, reply: &Reply, said: &Said) -> String {
    let mut text = format!("read {what}: Okta answered {}", reply.status);
    if let Some(code) = &said.code {
        text.push(' ');
        text.push_str(code);
    }
    if let Some(summary) = &said.summary {
        text.push_str(": ");
        text.push_str(summary);
    }
    if let Some(id) = &reply.head.request_id {
        text = format!("{text} (request {})", Printable(id));
    }
    text
}

/// The error for an answer that is neither a success nor worth a repetition.
pub(crate) fn error(what: &str, scope: Scope, who: Who, reply: &Reply, said: &Said) -> Error {
    let code = said.code.as_deref();
    let kind = kind(reply.status, code);
    let error = Error::new(kind, sentence(what, reply, said)).with_answer(reply.status, code);
    match hint(kind, scope, who, code) {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

fn kind(status: u16, code: Option<&str>) -> ErrorKind {
    match (status, code) {
        // "No permission to access the feature": the credential itself is good.
        (_, Some("E0000015")) | (403, _) => ErrorKind::Forbidden,
        (401, _) => ErrorKind::Unauthorized,
        (404, _) => ErrorKind::NotFound,
        (429, _) => ErrorKind::RateLimited,
        (400..=499 | 501, _) => ErrorKind::Refused,
        (500..=599, _) => ErrorKind::Unavailable,
        _ => ErrorKind::NotOkta,
    }
}

fn hint(kind: ErrorKind, scope: Scope, who: Who, code: Option<&str>) -> Option<String> {
    let scope = scope.as_str();
    let text = match (kind, who) {
        (ErrorKind::Forbidden, _) if code == Some("E0000015") => {
            "the org does not have this feature, or the credential may not use it".to_owned()
        }
        (ErrorKind::Forbidden, Who::OAuth) => format!(
            "grant {scope} to the app (Okta API Scopes), and assign it an admin role that may read this, e.g. Read-only Administrator"
        ),
        (ErrorKind::Forbidden, Who::ApiToken) => {
            "an API token may do what the administrator who made it may; that role does not allow this".to_owned()
        }
        (ErrorKind::Unauthorized, Who::ApiToken) => {
            "the API token is wrong, was revoked, was not used for 30 days, may not be used from this network, or its owner was deactivated; make a new one".to_owned()
        }
        (ErrorKind::Unauthorized, Who::OAuth) => {
            "a fresh access token was refused; check that the app is active, may be used from this network, and whether it requires DPoP".to_owned()
        }
        (ErrorKind::NotFound, _) if code.is_none() => {
            "check that the address is the one of an Okta org".to_owned()
        }
        (ErrorKind::Unavailable, _) => "see status.okta.com; it is tried again at the next run".to_owned(),
        _ => return None,
    };
    Some(text)
}

/// What helps when somebody else than Okta answers.
pub(crate) const IN_BETWEEN: &str = "check the address; if it is right, something between us and Okta answers, e.g. a proxy that wants a login";

/// The error for a redirect. None is ever followed: a credential goes to the origin only, and
/// Okta's API has no redirects.
pub(crate) fn redirect(what: &str, reply: &Reply, asked: &Url, origin: &Origin) -> Error {
    let status = reply.status;
    let target = reply
        .head
        .location
        .as_deref()
        .and_then(|location| asked.join(location).ok());
    match target {
        Some(url) if !origin.covers(&url) => foreign(&format!(
            "read {what}: the answer ({status}) sends us to another host; nothing was sent there"
        )),
        _ => Error::new(
            ErrorKind::NotOkta,
            format!(
                "read {what}: the answer ({status}) sends us elsewhere, which Okta's API never does"
            ),
        )
        .with_hint(IN_BETWEEN),
    }
    .with_answer(status, None)
}

/// Whether an answer that should be JSON is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Looks {
    /// Like JSON.
    Well,
    /// Like the page of somebody between us and Okta.
    Foreign(&'static str),
    /// Like JSON whose end is missing.
    Cut,
}

/// Looks at the two ends of a body. What lies between them is the reader's business.
pub(super) fn looks(reply: &Reply) -> Looks {
    let body = reply.body.trim_ascii();
    let (Some(first), Some(last)) = (body.first(), body.last()) else {
        return if reply.status == 204 {
            Looks::Well
        } else {
            Looks::Cut
        };
    };
    match (first, last) {
        _ if reply.head.is_html => Looks::Foreign("a web page"),
        (b'<', _) => Looks::Foreign("a web page"),
        (b'[', b']') | (b'{', b'}') => Looks::Well,
        (b'[' | b'{', _) => Looks::Cut,
        _ => Looks::Foreign("no JSON"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::head::Head;
    use super::*;
    use proptest::prelude::*;

    fn reply(status: u16, body: &str) -> Reply {
        Reply {
            status,
            head: Head {
                request_id: Some("req-1".to_owned()),
                ..Head::default()
            },
            body: body.as_bytes().to_vec(),
            next: Ok(None),
            has_links: false,
        }
    }

    fn refused(status: u16, body: &str, who: Who) -> Error {
        let reply = reply(status, body);
        error(
            "/api/v1/logs",
            Scope::LogsRead,
            who,
            &reply,
            &said(&reply.body, &[]),
        )
    }

    #[test]
    fn statuses_and_codes_become_kinds() {
        let body = |code: &str| format!("{{\"errorCode\":\"{code}\",\"errorSummary\":\"No.\"}}");
        for (status, code, kind) in [
            (400, "E0000001", ErrorKind::Refused),
            (400, "E0000031", ErrorKind::Refused),
            (401, "E0000004", ErrorKind::Unauthorized),
            (401, "E0000011", ErrorKind::Unauthorized),
            (401, "E0000015", ErrorKind::Forbidden),
            (403, "E0000006", ErrorKind::Forbidden),
            (403, "E0000038", ErrorKind::Forbidden),
            (404, "E0000007", ErrorKind::NotFound),
            (405, "E0000022", ErrorKind::Refused),
            (410, "E0000053", ErrorKind::Refused),
            (500, "E0000009", ErrorKind::Unavailable),
            (501, "E0000060", ErrorKind::Refused),
            (503, "E0000010", ErrorKind::Unavailable),
        ] {
            let error = refused(status, &body(code), Who::ApiToken);
            assert_eq!(error.kind(), kind, "{status} {code}");
            assert_eq!((error.status(), error.code()), (Some(status), Some(code)));
        }
        assert_eq!(refused(403, "", Who::OAuth).kind(), ErrorKind::Forbidden);
    }

    #[test]
    fn the_message_says_what_okta_said() {
        let error = refused(
            403,
            r#"{"errorCode":"E0000006","errorSummary":"You do not have permission.","errorCauses":[{"errorSummary":"role"}]}"#,
            Who::OAuth,
        );
        assert_eq!(
            error.to_string(),
            "read /api/v1/logs: Okta answered 403 E0000006: You do not have permission.; role (request req-1)"
        );
        assert!(error.hint().unwrap().contains("okta.logs.read"));
    }

    #[test]
    fn people_ids_links_and_secrets_are_left_out() {
        let said = said(
            br#"{"errorCode":"s3cret_value","errorSummary":"Not found: 00u1abcdefGHIJKLMN0h7 (User) alice@acme.example at https://x.example/?t=1 with s3cret_value!\u001b[31m"}"#,
            &["s3cret_value"],
        );
        assert_eq!(said.code, None);
        assert_eq!(
            said.summary.as_deref(),
            Some("Not found: … (User) … at … with …!\\u{1b}[31m")
        );
    }

    #[test]
    fn ids_in_paths_are_left_out() {
        assert_eq!(
            shown_path("/api/v1/users/00u1/factors"),
            "/api/v1/users/{id}/factors"
        );
        assert_eq!(
            shown_path("/api/v1/users/alice@acme.example"),
            "/api/v1/users/{id}"
        );
        assert_eq!(
            shown_path("/api/v1/org/privacy/oktaSupport"),
            "/api/v1/org/privacy/oktaSupport"
        );
    }

    #[test]
    fn bodies_are_told_apart_by_their_ends() {
        for (body, expected) in [
            ("[]", Looks::Well),
            (" {\"a\":1}\n", Looks::Well),
            ("[{\"a\":1}", Looks::Cut),
            ("[1,2", Looks::Cut),
            ("", Looks::Cut),
            ("<html>", Looks::Foreign("a web page")),
            ("\n<!DOCTYPE html>", Looks::Foreign("a web page")),
            ("OK", Looks::Foreign("no JSON")),
        ] {
            assert_eq!(looks(&reply(200, body)), expected, "{body}");
        }
        assert_eq!(looks(&reply(204, "")), Looks::Well);
        let mut html = reply(200, "[]");
        html.head.is_html = true;
        assert_eq!(looks(&html), Looks::Foreign("a web page"));
    }

    proptest! {
        #[test]
        fn any_error_document_is_bounded_and_printable(
            code in "\\PC{0,60}",
            summary in "(\\PC|[\u{0}-\u{1f}\u{202e}]){0,400}",
        ) {
            let body = serde_json::json!({"errorCode": code, "errorSummary": summary}).to_string();
            let error = refused(400, &body, Who::OAuth);
            let shown = error.to_string();
            // 200 characters, each escaped in at most 8 more, and the frame of the sentence.
            prop_assert!(shown.chars().count() < 200 * 9 + 120);
            let misleads = |c: char| c.is_control() || c == '\u{202e}';
            prop_assert!(!shown.chars().any(misleads));
        }

        #[test]
        fn any_body_is_read_without_a_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
            said(&body, &["secret"]);
        }
    }
}
