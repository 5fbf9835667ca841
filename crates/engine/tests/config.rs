//! Whatever stands in a configuration: no panic, every problem has its place, no secret comes back.

use std::path::Path;

use af_engine::config::{self, Auth, Problem, SecretPlace, effective, read, starter};
use af_model::feed::Start;
use af_model::{UtcDay, UtcMillis};
use af_okta::Step;
use proptest::prelude::*;

/// What must hold for any text; the body of a fuzz target, too.
fn reads(text: &str) -> Vec<Problem> {
    let (config, problems) = read(Path::new("attack-factor.toml"), text);
    config
        .params
        .check()
        .expect("parameters that hold are valid");
    let lines = u32::try_from(text.split('\n').count()).expect("a short text");
    for problem in &problems {
        let shown = problem.to_string();
        assert!(
            !shown.contains(|c: char| c.is_control() && c != '\n'),
            "{shown:?}"
        );
        if let Some(place) = problem.place {
            assert!((1..=lines).contains(&place.line), "{shown}");
            assert!(place.column >= 1, "{shown}");
        }
    }
    for setting in effective(&config) {
        assert!(!setting.key.is_empty());
    }
    problems
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text_is_read_without_a_panic(text in "\\PC{0,200}|[a-z\\[\\]=.\"'{}, \n\u{1b}0-9-]{0,200}") {
        reads(&text);
    }

    #[test]
    fn a_starter_file_with_a_wound_is_read_without_a_panic(
        at in 0_usize..7000,
        cut in 0_usize..40,
        put in "[\\[\\]=.\"'{}, \na-z0-9]{0,6}",
    ) {
        let mut text = starter();
        let mut at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let mut end = (at + cut).min(text.len());
        while !text.is_char_boundary(end) {
            end += 1;
        }
        text.replace_range(at..end, &put);
        reads(&text);
    }

    #[test]
    fn a_secret_in_a_new_key_is_never_repeated(
        key in prop::sample::select(vec![
            "[[credential]]\nname",
            "[[credential]]\nauth",
            "[[credential]]\nclient_id",
            "[[credential]]\nfrom_env",
            "[[credential]]\nfrom_file",
            "[[credential]]\nexpires",
            "[[credential]]\ntoken",
            "[[credential]]\nclient_secret",
            "[[tenant]]\nname = \"a\"\n[[tenant.okta]]\nurl",
            "[[tenant]]\nname = \"a\"\n[[tenant.okta]]\ncredential",
            "[[tenant]]\nname = \"a\"\n[[tenant.okta]]\nstart",
            "[[tenant]]\nname = \"a\"\n[[tenant.okta]]\napi_token",
        ]),
        tail in "[A-Za-z0-9_-]{37}",
        begin in "SSWS |Bearer |eyJ|-----BEGIN |",
    ) {
        // As an API token: both cases and digits.
        let secret = format!("{begin}00aZ9{tail}");
        let problems = reads(&format!("{key} = \"{secret}\"\n"));
        prop_assert!(!problems.is_empty());
        for problem in problems {
            let hint = problem.hint.clone().unwrap_or_default();
            prop_assert!(!problem.to_string().contains(&tail) && !hint.contains(&tail), "{problem}");
        }
    }

    #[test]
    fn a_value_that_looks_like_a_secret_is_never_repeated(key in "store|token|tenant", tail in "[A-Za-z0-9]{20,42}") {
        let secret = format!("SSWS {tail}");
        let problems = reads(&format!("{key} = \"{secret}\"\n"));
        prop_assert!(!problems.is_empty());
        for problem in problems {
            prop_assert!(!problem.to_string().contains(&tail));
        }
    }
}

#[test]
fn a_misspelt_key_brings_the_nearest_name_in_every_table() {
    for (text, hint) in [
        ("stroe = \"x\"", "did you mean store?"),
        ("[formula]\nlamda = 1", "did you mean lambda?"),
        ("[formula.points]\nhigth = 9", "did you mean high?"),
        ("[gates]\nfeed_age_hour = 9", "did you mean feed_age_hours?"),
        (
            "[[tenant]]\nname = \"a\"\n[[tenant.okta]]\nfile = []\nfiles = []",
            "did you mean files?",
        ),
    ] {
        let problems = reads(text);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(problems[0].hint.as_deref(), Some(hint), "{text}");
    }
}

#[test]
fn tables_and_lists_of_tables_are_told_apart() {
    let one = reads("[tenant]\nname = \"a\"");
    assert!(one[0].message.contains("[[tenant]]"), "{one:?}");
    let list = reads("[[formula]]\nlambda = 9");
    assert!(list[0].message.contains("[formula]"), "{list:?}");
}

/// A configuration with everything there is, in which one line is replaced.
fn whole(written: &str, instead: &str) -> String {
    let text = "\
[[credential]]
name = \"acme-okta\"
auth = \"private_key\"
client_id = \"0oa1\"
from_file = \"secrets/acme.pem\"
key_id = \"SIMcCQNY3uwXoW3y0vf6VxiBb5n9pf8L2fK8dFIbm40\"
dpop = false
expires = 2027-01-31
[[tenant]]
name = \"acme\"
own_domains = [\"acme.example\"]
[[tenant.okta]]
name = \"prod\"
description = \"production org\"
url = \"https://acme.okta.com\"
credential = \"acme-okta\"
start = \"2026-11-01\"
poll_seconds = 0
rate_percent = 30
inventory_hours = 12
inventory = [\"users\", \"org\"]
keep_raw = true
";
    assert!(written.is_empty() || text.contains(written), "{written}");
    text.replacen(written, instead, usize::from(!written.is_empty()))
}

#[test]
fn an_org_that_is_asked_is_read_with_all_its_settings() {
    let (config, problems) = read(Path::new("/etc/af/attack-factor.toml"), &whole("", ""));
    assert_eq!(problems, []);
    let credential = &config.credentials[0];
    assert_eq!(credential.name, "acme-okta");
    assert_eq!(
        credential.from,
        SecretPlace::File("/etc/af/secrets/acme.pem".into())
    );
    assert_eq!(credential.expires, UtcDay::parse("2027-01-31").ok());
    let Auth::PrivateKey {
        client_id, dpop, ..
    } = &credential.auth
    else {
        panic!("{credential:?}");
    };
    assert_eq!((client_id.as_str(), *dpop), ("0oa1", false));
    let tenant = &config.tenants[0];
    assert_eq!(tenant.own_domains, ["acme.example"]);
    let api = tenant.okta[0].api.as_ref().unwrap();
    let start = UtcMillis::parse("2026-11-01T00:00:00Z").unwrap();
    assert_eq!(api.start, Start::At(start));
    assert_eq!(
        (api.poll_seconds, api.rate_percent, api.inventory_hours),
        (0, 30, 12)
    );
    assert_eq!(api.inventory, [Step::Org, Step::Users]);
    assert!(api.people && api.keep_raw && !api.custom_domain);
    // What is not written has its default.
    let text = "[[credential]]\nname = \"t\"\nfrom_env = \"T\"\n[[tenant]]\nname = \"a\"\n\
        [[tenant.people]]\nfiles = [\"p.csv\"]\n[[tenant.okta]]\nurl = \"http://[::1]:80\"\ncredential = \"t\"\n";
    let (config, problems) = read(Path::new("x.toml"), text);
    assert_eq!(problems, []);
    assert_eq!(config.credentials[0].auth, Auth::ApiToken);
    let api = config.tenants[0].okta[0].api.as_ref().unwrap();
    assert_eq!(api.start, Start::Backfill);
    assert_eq!(
        (api.poll_seconds, api.rate_percent, api.inventory_hours),
        (60, 50, 24)
    );
    assert_eq!(api.inventory.len(), 14);
    // Others are its people.
    assert!(!api.people && !api.keep_raw);
    let shown = effective(&config);
    for key in ["credential[0].from_env", "tenant[0].okta[0].url"] {
        assert!(shown.iter().any(|setting| setting.key == key), "{key}");
    }
    assert!(!shown.iter().any(|setting| setting.key == "credential.name"));
}

#[test]
fn whatever_is_wrong_with_an_org_or_a_credential_is_said_with_place_and_hint() {
    let name = "name = \"prod\"";
    let url = "url = \"https://acme.okta.com\"";
    for (written, instead, place, message, hint) in [
        (
            "credential = \"acme-okta\"",
            "credential = \"acme-otka\"",
            (16, 1),
            "there is no credential acme-otka",
            "did you mean acme-okta?",
        ),
        (
            "credential = \"acme-okta\"\n",
            "",
            (12, 1),
            "no credential",
            "acme-okta",
        ),
        (
            url,
            "url = \"http://acme.okta.com\"",
            (15, 1),
            "not https",
            "https://",
        ),
        (
            url,
            "url = \"https://login.acme.example\"",
            (15, 1),
            "none of Okta's domains",
            "allow_custom_domain",
        ),
        (
            url,
            "url = \"https://acme-admin.okta.com\"",
            (15, 1),
            "admin console",
            "-admin",
        ),
        (
            url,
            "files = [\"x\"]\nurl = \"https://acme.okta.com\"",
            (16, 1),
            "files and a url",
            "take one of them out",
        ),
        (
            "url = \"https://acme.okta.com\"\n",
            "",
            (12, 1),
            "without files or a url",
            "files = ",
        ),
        (
            url,
            "files = [\"x\"]",
            (17, 1),
            "start without a url",
            "write its url",
        ),
        (
            "start = \"2026-11-01\"",
            "start = \"yesterday\"",
            (17, 1),
            "yesterday is no start",
            "backfill",
        ),
        (
            "poll_seconds = 0",
            "poll_seconds = -1",
            (18, 16),
            "from 0 to 86400",
            "",
        ),
        (
            "rate_percent = 30",
            "rate_percent = 101",
            (19, 16),
            "from 1 to 100",
            "",
        ),
        (
            "[\"users\", \"org\"]",
            "[\"users\", \"group\"]",
            (21, 23),
            "no step group",
            "did you mean groups",
        ),
        (
            "[\"users\", \"org\"]",
            "[]",
            (21, 1),
            "names no step",
            "inventory_hours",
        ),
        (
            "keep_raw = true",
            "keep_raw = \"yes\"",
            (22, 12),
            "must be true or false",
            "",
        ),
        (
            "[\"users\", \"org\"]",
            "[\"org\"]\npeople = true",
            (22, 1),
            "without the step users",
            "users",
        ),
        (
            "own_domains = [\"acme.example\"]",
            "own_domains = [\"@acme.example\"]",
            (11, 16),
            "is no domain",
            "behind the @",
        ),
        (
            "auth = \"private_key\"",
            "auth = \"privat_key\"",
            (3, 1),
            "there is no privat_key",
            "did you mean private_key?",
        ),
        (
            "auth = \"private_key\"",
            "auth = \"client_secret\"",
            (6, 1),
            "key_id does not go with auth client_secret",
            "take it out",
        ),
        (
            "auth = \"private_key\"",
            "auth = \"api_token\"",
            (4, 1),
            "client_id does not go with auth api_token",
            "take it out",
        ),
        ("client_id = \"0oa1\"\n", "", (1, 1), "no client_id", "0oa"),
        (
            "from_file",
            "from_env = \"KEY\"\nfrom_file",
            (6, 1),
            "from_env and from_file",
            "one of them",
        ),
        (
            "from_file = \"secrets/acme.pem\"\n",
            "",
            (1, 1),
            "where its secret is",
            "from_env",
        ),
        (
            "from_file = \"secrets/acme.pem\"",
            "from_env = \"00abc-def\"",
            (5, 1),
            "no name of an environment variable",
            "ACME_OKTA_KEY",
        ),
        (
            "expires = 2027-01-31",
            "expires = \"soon\"",
            (8, 1),
            "soon is no date",
            "2027-01-31",
        ),
        (
            "name = \"acme-okta\"\n",
            "",
            (1, 1),
            "a credential without a name",
            "",
        ),
        (
            "[[tenant]]",
            "[[credential]]\nname = \"acme-okta\"\nfrom_env = \"K\"\n[[tenant]]",
            (10, 1),
            "a second credential",
            "",
        ),
        (
            "[[credential]]",
            "[[credentials]]",
            (1, 3),
            "unknown key credentials",
            "credential",
        ),
        (
            name,
            "name = \"prod\"\ncredentials = \"x\"",
            (14, 1),
            "unknown key",
            "did you mean credential?",
        ),
    ] {
        let text = whole(written, instead);
        let problems = reads(&text);
        let found = problems
            .iter()
            .find(|problem| problem.message.contains(message));
        let Some(found) = found else {
            panic!("{instead}: {message} is not among {problems:#?}");
        };
        let at = found.place.unwrap();
        assert_eq!((at.line, at.column), place, "{instead}: {found}");
        let said = found.hint.clone().unwrap_or_default();
        assert!(said.contains(hint), "{instead}: {said}");
    }
    // People of one name from two places.
    let text = whole("", "") + "[[tenant.people]]\nsource = \"prod\"\nfiles = [\"x\"]\n";
    assert_eq!(reads(&text).len(), 0, "others are its people then");
    let text = whole("keep_raw = true", "people = true")
        + "[[tenant.people]]\nsource = \"prod\"\nfiles = [\"x\"]\n";
    let problems = reads(&text);
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(
        problems[0]
            .message
            .contains("a second source of people prod")
    );
    assert_eq!(problems[0].place.map(|place| place.line), Some(23));
}

#[test]
fn checking_warns_of_credentials_that_end_or_lie_open() {
    let folder = tempfile::tempdir().unwrap();
    let check = |text: &str, today: &str| -> Vec<String> {
        let (config, problems) = read(&folder.path().join("x.toml"), text);
        assert_eq!(problems, []);
        let found = config::check(&config, UtcDay::parse(today).unwrap());
        assert!(found.iter().all(|problem| !problem.is_error()), "{found:?}");
        let found = found.into_iter();
        found
            .map(|problem| problem.message)
            .filter(|message| message != "no store")
            .collect()
    };
    let text = whole("", "");
    let one = |said: Vec<String>, wanted: &str| {
        assert!(
            said.iter().any(|message| message.contains(wanted)),
            "{wanted}: {said:?}"
        );
    };
    one(check(&text, "2026-11-22"), "acme.pem: no such file");
    std::fs::create_dir(folder.path().join("secrets")).unwrap();
    let secret = folder.path().join("secrets/acme.pem");
    std::fs::write(&secret, "never read").unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |mode| std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(&secret, mode(0o640)).unwrap();
        one(check(&text, "2026-11-22"), "acme.pem may be read by others");
        std::fs::set_permissions(&secret, mode(0o600)).unwrap();
    }
    assert_eq!(check(&text, "2027-01-16"), Vec::<String>::new());
    one(
        check(&text, "2027-01-17"),
        "credential acme-okta expires on 2027-01-31",
    );
    one(check(&text, "2027-01-31"), "expires today");
    one(check(&text, "2027-02-01"), "expired on 2027-01-31");
    let custom = whole(
        "url = \"https://acme.okta.com\"",
        "url = \"https://login.acme.example\"\nallow_custom_domain = true\npeople = false",
    );
    let said = check(&custom, "2026-11-22");
    one(said.clone(), "a domain that is not Okta's");
    one(said, "tenant acme has no people");
    let unused = whole("", "") + "[[credential]]\nname = \"other\"\nfrom_env = \"K\"\n";
    one(
        check(&unused, "2026-11-22"),
        "nothing uses the credential other",
    );
}
