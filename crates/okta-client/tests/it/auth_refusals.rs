//! Access tokens that are not given, in plain words, and secrets that stay where they are.

use std::time::Duration;

use af_okta_client::{Client, Credential, ErrorKind};
use secrecy::SecretString;

use crate::auth::{ACCESS, SECRET, client, is_token_call, logs, with_key, with_secret};
use crate::auth_keys::{EC, RSA};
use crate::scripted::{Reply, Scripted};

#[tokio::test]
async fn refusals_say_what_to_do() {
    let secret = with_secret;
    let plain = || with_key(EC, None, false);
    let bound = || with_key(EC, None, true);
    let cases: [(Credential, u16, &str, ErrorKind, &str); 13] = [
        (
            secret(),
            401,
            "invalid_client",
            ErrorKind::Unauthorized,
            "secret is wrong",
        ),
        (
            plain(),
            401,
            "invalid_client",
            ErrorKind::Unauthorized,
            "public half of this key",
        ),
        (
            secret(),
            400,
            "invalid_scope",
            ErrorKind::Forbidden,
            "grant okta.logs.read",
        ),
        (
            plain(),
            400,
            "invalid_scope",
            ErrorKind::Forbidden,
            "grant okta.logs.read",
        ),
        (
            plain(),
            403,
            "access_denied",
            ErrorKind::Forbidden,
            "policy",
        ),
        (
            plain(),
            400,
            "unauthorized_client",
            ErrorKind::Forbidden,
            "API services app",
        ),
        (
            plain(),
            400,
            "invalid_dpop_proof",
            ErrorKind::Unauthorized,
            "dpop = true",
        ),
        (
            plain(),
            400,
            "use_dpop_nonce",
            ErrorKind::Unauthorized,
            "dpop = true",
        ),
        (
            secret(),
            400,
            "invalid_dpop_proof",
            ErrorKind::Unauthorized,
            "private_key",
        ),
        (
            bound(),
            400,
            "invalid_dpop_proof",
            ErrorKind::Unauthorized,
            "between us and Okta",
        ),
        (
            plain(),
            400,
            "invalid_request",
            ErrorKind::Refused,
            "settings",
        ),
        (
            plain(),
            501,
            "E0000060",
            ErrorKind::Unavailable,
            "status.okta.com",
        ),
        (
            plain(),
            418,
            "a code\nthat is none",
            ErrorKind::Refused,
            "settings",
        ),
    ];
    for (credential, status, code, kind, hint) in cases {
        let code = code.replace('\n', "\\n");
        let server = Scripted::list([Reply::oauth_error(status, &code)]).await;
        let error = client(&server, credential).get(&logs()).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.status()),
            (kind, Some(status)),
            "{code}"
        );
        assert!(
            error.hint().unwrap().contains(hint),
            "{code}: {:?}",
            error.hint()
        );
        assert!(
            error
                .to_string()
                .starts_with("read an access token: Okta answered "),
            "{error}"
        );
        assert!(!error.to_string().contains('\n'));
        assert_eq!(server.seen().len(), 1, "{code}");
    }
}

#[tokio::test]
async fn oktas_own_form_of_a_refusal_is_understood_too() {
    let server = Scripted::list([Reply::error(401, "invalid_client")]).await;
    let error = client(&server, with_secret())
        .get(&logs())
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Unauthorized, Some("invalid_client"))
    );
}

#[tokio::test]
async fn a_scope_that_is_not_granted_is_named() {
    let server = Scripted::list([Reply::oauth_error(400, "invalid_scope")]).await;
    let error = client(&server, with_secret())
        .get(&logs())
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("okta.logs.read is not granted"),
        "{error}"
    );
}

#[tokio::test]
async fn a_token_of_another_kind_is_not_used() {
    for (kind, dpop, hint) in [
        ("Bearer", true, "dpop = false"),
        ("DPoP", false, "dpop = true"),
        ("MAC", false, "dpop"),
    ] {
        let server = Scripted::list([Reply::token(kind, ACCESS, 3600)]).await;
        let error = client(&server, with_key(EC, None, dpop))
            .get(&logs())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert!(error.hint().unwrap().contains(hint));
        assert_eq!(server.seen().len(), 1);
    }
    // Its letters may be large or small.
    let server = Scripted::list([Reply::token("bearer", ACCESS, 3600), Reply::ok()]).await;
    client(&server, with_secret()).get(&logs()).await.unwrap();
}

#[tokio::test]
async fn an_answer_that_is_no_token_is_not_okta() {
    for reply in [
        Reply::html(200),
        Reply::json(200, "{}"),
        Reply::json(200, "[]"),
        Reply::json(200, &format!("{{\"access_token\":\"{ACCESS}\"}}")),
    ] {
        let server = Scripted::list([reply]).await;
        let error = client(&server, with_secret())
            .get(&logs())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotOkta);
        assert!(!format!("{error:?}").contains(ACCESS));
    }
    // A token that no header can carry.
    let server = Scripted::list([Reply::token("Bearer", "two words", 3600)]).await;
    assert!(client(&server, with_secret()).get(&logs()).await.is_err());
}

#[tokio::test]
async fn a_redirect_of_the_token_server_gets_no_credential() {
    let trap = Scripted::list([]).await;
    let server = Scripted::list([
        Reply::json(307, "").header("location", format!("{}/oauth2/v1/token", trap.url())),
        Reply::json(302, "").header("location", "/login"),
    ])
    .await;
    for kind in [ErrorKind::ForeignLink, ErrorKind::NotOkta] {
        let error = client(&server, with_secret())
            .get(&logs())
            .await
            .unwrap_err();
        assert_eq!((error.kind(), error.status().is_some()), (kind, true));
    }
    assert!(trap.seen().is_empty());
}

#[tokio::test]
async fn failures_of_the_token_server_that_pass_are_repeated() {
    for first in [
        Reply::json(503, ""),
        Reply::json(500, "{\"error\":\"server_error\"}"),
        Reply::oauth_error(400, "temporarily_unavailable"),
        Reply::nothing(),
        Reply::token("Bearer", ACCESS, 3600).cut_after(9),
        Reply::error(429, "E0000047").header("retry-after", "0"),
        Reply::error(429, "E0000047").limits(0, 0, 60).date(0),
    ] {
        let server =
            Scripted::list([first, Reply::token("Bearer", ACCESS, 3600), Reply::ok()]).await;
        client(&server, with_key(EC, None, false))
            .get(&logs())
            .await
            .unwrap();
        let seen = server.seen();
        assert_eq!(seen.len(), 3);
        // Each request has an assertion of its own: a server may refuse one that it knows.
        assert_ne!(
            seen[0].field("client_assertion"),
            seen[1].field("client_assertion")
        );
    }
}

#[tokio::test]
async fn it_stops_while_it_waits_for_a_token() {
    let server = Scripted::list([Reply::token("Bearer", ACCESS, 3600).stall_after(9)]).await;
    let (stopper, stop) = af_okta_client::Stopper::new();
    let mut options = server.options(with_secret());
    options.stop = stop;
    let client = Client::new(options).unwrap();
    let call = logs();
    let (answer, ()) = tokio::join!(client.get(&call), async {
        while server.seen().is_empty() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        stopper.stop();
    });
    assert_eq!(answer.unwrap_err().kind(), ErrorKind::Stopped);
}

#[tokio::test]
async fn client_ids_and_secrets_that_cannot_be_are_refused() {
    let server = Scripted::list([]).await;
    for (client_id, secret) in [
        ("", SECRET),
        ("a:b", SECRET),
        ("a b", SECRET),
        ("0oa1", ""),
        ("0oa1", "two words"),
    ] {
        let credential = Credential::ClientSecret {
            client_id: client_id.into(),
            secret: SecretString::from(secret),
        };
        let error = Client::new(server.options(credential)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(!format!("{error:?}").contains("two words"));
    }
}

/// Everything that could be shown, whatever a server does, holds no secret and no token.
#[tokio::test]
async fn no_secret_and_no_token_is_in_any_text_of_ours() {
    let key_line = RSA.lines().nth(1).unwrap();
    for status in [200, 302, 400, 401, 403, 404, 429, 500, 501] {
        for credential in [with_secret(), with_key(RSA, None, false)] {
            // First the token is not given, then the call is refused; both answers throw back all
            // that they were sent, and what is secret in it.
            for token_is_given in [false, true] {
                let server = Scripted::answering(move |seen, _| {
                    if token_is_given && is_token_call(seen) {
                        return Reply::token("Bearer", ACCESS, 3600);
                    }
                    let sent = seen
                        .header("authorization")
                        .unwrap_or_default()
                        .replace('"', "");
                    let summary = format!("{sent} {SECRET} {ACCESS} {}", seen.body);
                    Reply::json(
                        status,
                        &serde_json::json!({
                            "errorCode": ACCESS, "errorSummary": summary, "error": SECRET,
                            "error_description": summary, "token_type": "Bearer",
                        })
                        .to_string(),
                    )
                    .header("retry-after", "0")
                    .header("location", format!("/{ACCESS}"))
                })
                .await;
                let client = client(&server, credential.clone());
                let shown = match client.get(&logs()).await {
                    Ok(answer) => format!("{:?} {client:?}", answer.code),
                    Err(error) => format!(
                        "{error} {error:?} {:?} {:?} {client:?} {:?}",
                        error.hint(),
                        error.problem(),
                        client.options()
                    ),
                };
                let assertion = server.seen()[0]
                    .field("client_assertion")
                    .unwrap_or_default();
                for secret in [SECRET, ACCESS, key_line, &assertion] {
                    // Words that a server made up itself are nobody's secret.
                    let is_ours = match secret {
                        SECRET => matches!(credential, Credential::ClientSecret { .. }),
                        ACCESS => token_is_given,
                        other => !other.is_empty(),
                    };
                    let is_there = is_ours && shown.contains(secret);
                    assert!(!is_there, "{status} {token_is_given}: {shown}");
                }
            }
        }
    }
}
