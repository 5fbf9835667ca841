//! Hostile input: each piece ends as a counted reject with its place, or as a value safely carried.

use std::io::Write;

use serde_json::{Value, json};

use super::normalize::{account, normalize, sign_in};
use super::support::{files_holding, program, rows};

const SOUND: &str = "2026-11-01T08:00:00.000Z";

fn sound(uuid: &str) -> String {
    sign_in(uuid, SOUND, "ana@example.com").to_string()
}

fn zst(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Normalizes a file and expects `normalized` events and these rejects, by reason, line and byte.
fn expect(name: &str, bytes: &[u8], normalized: u64, rejects: &[(&str, u64, usize)]) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(name), bytes).unwrap();
    let outcome = normalize(folder.path(), name);
    let n = rejects.len() as u64;
    let expected = (normalized + n, normalized, 0, n);
    assert_eq!(account(&outcome), expected, "{name}\n{}", outcome.stderr);
    let mut found: Vec<(String, u64, usize)> = rows(&folder.path().join("store/quarantine"))
        .iter()
        .map(|row| {
            assert_eq!(row["file"], name);
            let place = |column: &str| row[column].as_u64().unwrap();
            let reason = row["reason"].as_str().unwrap().to_owned();
            (
                reason,
                place("line"),
                usize::try_from(place("byte_offset")).unwrap(),
            )
        })
        .collect();
    found.sort_by_key(|(_, line, byte)| (*line, *byte));
    let found: Vec<_> = found
        .iter()
        .map(|(reason, line, byte)| (reason.as_str(), *line, *byte))
        .collect();
    assert_eq!(found, rejects, "{name}");
    // The accounts close again, and what is known is known.
    let again = normalize(folder.path(), name);
    assert_eq!(
        account(&again),
        (normalized + n, 0, normalized + n, 0),
        "{name} again"
    );
}

/// Lines of which some are refused, each for its reason; the others are normalized.
#[test]
fn every_kind_of_broken_line_is_refused_for_its_reason_and_costs_itself_only() {
    let event = |field: &str, value: Value| {
        let mut event = sign_in("odd", SOUND, "ana@example.com");
        event[field] = value;
        event.to_string()
    };
    let nested = |depth: usize| format!("{{\"x\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    let cases: Vec<(Option<&str>, Vec<u8>)> = vec![
        (None, sound("first").into()),
        (Some("too_deep"), nested(10_000).into()),
        (Some("too_deep"), vec![b'['; 10_000]),
        (
            Some("not_utf8"),
            [b"{\"uuid\":\"".as_slice(), b"\xff\xfe", b"\"}"].concat(),
        ),
        (
            Some("not_json"),
            sound("nul").replace("uuid", "uu\0id").into(),
        ),
        (Some("not_json"), vec![0; 300]),
        (Some("not_json"), sound("cut")[..80].into()),
        (Some("not_json"), b"{\"uuid\":\"\\ud800".to_vec()),
        (Some("not_an_object"), b"42".to_vec()),
        (Some("missing_uuid"), event("uuid", json!(null)).into()),
        (
            Some("missing_event_type"),
            event("eventType", json!("")).into(),
        ),
        (
            Some("missing_published"),
            event("published", json!(null)).into(),
        ),
        (Some("field_of_wrong_type"), event("uuid", json!(7)).into()),
        (
            Some("bad_time"),
            event("published", json!("2026-02-30T00:00:00Z")).into(),
        ),
        (
            Some("time_out_of_range"),
            event("published", json!("0000-01-01T00:00:00Z")).into(),
        ),
        (
            Some("time_out_of_range"),
            event("published", json!("0001-01-01T00:00:00Z")).into(),
        ),
        (
            Some("from_the_future"),
            event("published", json!("9999-12-31T23:59:59.999Z")).into(),
        ),
        (
            Some("number_out_of_range"),
            event("version", json!(0))
                .replace("\"version\":0", "\"version\":1e999")
                .into(),
        ),
        (None, sound("last").into()),
    ];
    let mut text = Vec::new();
    let mut rejects = Vec::new();
    let mut normalized = 0;
    for ((reason, line), number) in cases.iter().zip(1..) {
        match reason {
            Some(reason) => rejects.push((*reason, number, text.len())),
            None => normalized += 1,
        }
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    // An array that never ends is refused where its line ends, so it is the structure of the file
    // that must not be taken from it.
    expect("lines.ndjson", &text, normalized, &rejects);
    expect("lines.gz", &gz(&text), normalized, &rejects);
}

#[test]
fn odd_values_are_carried_safely() {
    let folder = tempfile::tempdir().unwrap();
    let mut odd = sign_in("odd", SOUND, "ana@example.com");
    odd["version"] = json!(0);
    odd["published"] = json!(1_793_520_000_000_i64);
    odd["client"]["geographicalContext"] =
        json!({"postalCode": 69001, "geolocation": {"lat": "45.75", "lon": "x"}});
    odd["securityContext"] = json!({"asNumber": "64500", "isProxy": "true"});
    odd["outcome"]["reason"] = json!("a\u{0}b\u{1b}[31m<script>alert(1)</script>");
    let twice = odd
        .to_string()
        .replacen('{', "{\"uuid\":\"not-this\",\"actor\":5,", 1);
    std::fs::write(folder.path().join("a.ndjson"), twice).unwrap();
    assert_eq!(account(&normalize(folder.path(), "a.ndjson")), (1, 1, 0, 0));
    let row = rows(&folder.path().join("store/events")).remove(0);
    assert_eq!(row["metadata_uid"], "odd");
    assert_eq!(row["time"], "2026-11-01T08:00:00.000Z");
    assert_eq!(row["metadata_log_version"], "0");
    assert_eq!(row["src_endpoint_location_postal_code"], "69001");
    assert_eq!(row["src_endpoint_location_lat"], 45.75);
    assert_eq!(row["src_endpoint_location_long"], Value::Null);
    assert_eq!(row["src_endpoint_autonomous_system_number"], 64500);
    assert_eq!(row["okta_is_proxy"], true);
    assert_eq!(
        row["status_detail"],
        "a\u{0}b\u{1b}[31m<script>alert(1)</script>"
    );
    assert_eq!(row["user_name"], "ana@example.com");
}

#[test]
fn a_line_of_a_hundred_megabytes_is_skipped_and_its_neighbours_stay() {
    let mut text = format!("{}\n{{\"uuid\":\"", sound("before")).into_bytes();
    let start = text.len() - 9;
    // Not one letter over and over: this is about the line, not about the archive.
    text.extend(
        (0..100_000_000_u32)
            .map(|n| b'a' + u8::try_from(n.wrapping_mul(2_654_435_761) >> 28).unwrap()),
    );
    text.extend(format!("\"}}\n{}\n", sound("after")).bytes());
    expect("long.zst", &zst(&text), 2, &[("too_large", 2, start)]);
}

#[test]
fn wherever_an_archive_is_cut_what_stood_before_stays() {
    let events: Vec<String> = (0..200).map(|n| sound(&format!("e{n}"))).collect();
    let text = events.join("\n");
    // Several streams one after another, so that something is whole wherever the cut is.
    let parts: Vec<&[u8]> = text.as_bytes().chunks(text.len() / 4 + 1).collect();
    for (name, whole) in [
        (
            "cut.gz",
            parts
                .iter()
                .map(|part| gz(part))
                .collect::<Vec<_>>()
                .concat(),
        ),
        (
            "cut.zst",
            parts
                .iter()
                .map(|part| zst(part))
                .collect::<Vec<_>>()
                .concat(),
        ),
    ] {
        let mut kept = Vec::new();
        for eighth in [1, 3, 5, 7] {
            let folder = tempfile::tempdir().unwrap();
            let bytes = &whole[..whole.len() * eighth / 8];
            std::fs::write(folder.path().join(name), bytes).unwrap();
            let outcome = normalize(folder.path(), name);
            let (read, normalized, duplicate, quarantined) = account(&outcome);
            assert_eq!(
                (read, duplicate, quarantined),
                (normalized + 1, 0, 1),
                "{}",
                outcome.stderr
            );
            let rejects = rows(&folder.path().join("store/quarantine"));
            assert_eq!(rejects[0]["reason"], "truncated_input");
            let place = format!(
                "breaks off at line {}, byte {}",
                rejects[0]["line"], rejects[0]["byte_offset"]
            );
            assert!(
                outcome.stderr.contains(&place),
                "{place} in {}",
                outcome.stderr
            );
            // The cut is behind everything that was read.
            assert_eq!(rejects[0]["line"].as_u64().unwrap(), normalized + 1);
            kept.push(normalized);
            assert_eq!(account(&normalize(folder.path(), name)), (read, 0, read, 0));
        }
        assert!(kept.is_sorted() && kept[3] > 100, "{name}: {kept:?}");
    }
}

#[test]
fn a_decompression_bomb_is_stopped_and_what_stood_before_it_stays() {
    let mut text = format!("{}\n", sound("before")).into_bytes();
    let start = text.len();
    text.resize(400 << 20, b' ');
    let bytes = zst(&text);
    assert!(bytes.len() < 100_000, "{}", bytes.len());
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bomb.zst"), &bytes).unwrap();
    let outcome = normalize(folder.path(), "bomb.zst");
    assert_eq!(account(&outcome), (2, 1, 0, 1), "{}", outcome.stderr);
    let rejects = rows(&folder.path().join("store/quarantine"));
    assert_eq!(rejects[0]["reason"], "decompression_bomb");
    let byte = rejects[0]["byte_offset"].as_u64().unwrap();
    assert!(byte > start as u64 && byte < 300 << 20, "{byte}");
    assert!(
        outcome.stderr.contains("1000 times its size"),
        "{}",
        outcome.stderr
    );
    // Gzip cannot shrink much further than a thousandth: read to its end it is blanks.
    std::fs::write(folder.path().join("blank.gz"), gz(&text)).unwrap();
    let again = account(&normalize(folder.path(), "blank.gz"));
    assert_eq!(again, (1, 0, 1, 0));
}

#[test]
fn an_archive_of_another_kind_is_named_and_not_read_as_lines() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.zip"), b"PK\x03\x04rubbish\nrubbish\n").unwrap();
    std::fs::write(folder.path().join("a.ndjson"), sound("e1")).unwrap();
    let arguments = [
        "normalize",
        "okta",
        "a.zip",
        "a.ndjson",
        "--tenant",
        "acme",
        "--store",
        "store",
        "--format",
        "json",
    ];
    let outcome = program(arguments).inside(folder.path()).succeed();
    assert_eq!(account(&outcome), (1, 1, 0, 0));
    assert!(
        outcome.stderr.contains("skipped a.zip: is a ZIP archive"),
        "{}",
        outcome.stderr
    );
}

/// Everything a password is typed into, through the whole program: no file and no output holds it.
#[test]
fn a_password_as_user_name_is_in_no_file_and_no_output() {
    const PASSWORD: &str = "Tr0ub4dor&3-xyzzy";
    let folder = tempfile::tempdir().unwrap();
    let failed = |uuid: &str| {
        let mut event = sign_in(uuid, SOUND, PASSWORD);
        event["actor"] = json!({"id": "unknown", "type": "User", "alternateId": PASSWORD, "displayName": PASSWORD});
        event["outcome"] =
            json!({"result": "FAILURE", "reason": format!("VERIFICATION_ERROR {PASSWORD}")});
        event["displayMessage"] = json!(format!("Sign-in of {PASSWORD} failed"));
        event["client"]["userAgent"]["rawUserAgent"] = json!(format!("agent {PASSWORD}"));
        event["debugContext"] = json!({"debugData": {"risk": "{level=HIGH}", "url": format!("/login?username={PASSWORD}"),
            "login": PASSWORD, "threatSuspected": "true"}});
        event
    };
    let mut leak = sign_in("leak", SOUND, "ana@example.com");
    leak["eventType"] = json!("security.breached_credential.detected");
    let broken = failed("broken").to_string();
    let mut no_uuid = failed("none");
    no_uuid["uuid"] = json!(null);
    let mut texts = failed("texts");
    for part in ["actor", "client", "debugContext"] {
        texts[part] = json!(texts[part].to_string());
    }
    let lines = [
        leak.to_string(),
        failed("bare").to_string(),
        json!({"time": 1, "host": PASSWORD, "event": failed("hec").to_string()}).to_string(),
        json!({"_raw": json!({"message": failed("nested").to_string()}).to_string(), "user": PASSWORD}).to_string(),
        texts.to_string(),
        broken[..broken.len() - 9].to_owned(),
        no_uuid.to_string(),
        json!({"event": {"original": broken[..400]}}).to_string(),
        format!("{{\"uuid\":\"{PASSWORD}"),
        json!({"note": PASSWORD}).to_string(),
    ];
    std::fs::write(folder.path().join("events.ndjson"), lines.join("\n")).unwrap();
    // A directory in which somebody kept passwords: in a column that is not read, in a row that is
    // refused, in a line of the wrong length, and as a name of a column.
    let people = format!(
        "id,email,initial {PASSWORD},status\n00u00000000000000015,ana@example.com,{PASSWORD},ACTIVE\nx2,,{PASSWORD},ACTIVE\nx3,bob@example.com,{PASSWORD},ACTIVE,{PASSWORD}\nx4,cho@example.com,{PASSWORD},\n"
    );
    let people = people.replace(&format!("initial {PASSWORD}"), "initial secret");
    std::fs::write(folder.path().join("people.csv"), people).unwrap();

    let at = "2026-11-05T00:00:00Z";
    let mut said = String::new();
    for arguments in [
        &[
            "users",
            "import",
            "people.csv",
            "--tenant",
            "acme",
            "--store",
            "store",
            "--imported-at",
            at,
        ][..],
        &[
            "normalize",
            "okta",
            "events.ndjson",
            "--tenant",
            "acme",
            "--store",
            "store",
            "--ingested-at",
            at,
        ],
        &["detect", "--store", "store"],
        &["score", "--store", "store"],
        &["top", "--store", "store"],
        &["top", "--store", "store", "--format", "json"],
        &["top", "--store", "store", "--format", "csv"],
    ] {
        let outcome = program(arguments).inside(folder.path()).run();
        assert_eq!(outcome.code, 0, "{arguments:?}\n{}", outcome.stderr);
        said.push_str(&outcome.stdout);
        said.push_str(&outcome.stderr);
    }
    assert!(said.contains("ana@example.com"), "{said}");
    assert_eq!(rows(&folder.path().join("store/events")).len(), 5);
    assert_eq!(rows(&folder.path().join("store/quarantine")).len(), 5);
    for spelling in [
        PASSWORD,
        "Tr0ub4dor%263-xyzzy",
        "Tr0ub4dor\\u00263-xyzzy",
        "tr0ub4dor&3-xyzzy",
    ] {
        assert!(!said.contains(spelling), "{spelling} in\n{said}");
        let holding = files_holding(&folder.path().join("store"), spelling);
        assert_eq!(holding, Vec::<String>::new());
    }
}

#[test]
fn names_with_markup_and_terminal_escapes_reach_no_terminal_unescaped() {
    let folder = tempfile::tempdir().unwrap();
    let name = "<img src=x onerror=alert(1)> \u{1b}]0;owned\u{7}\u{202e}nosrep";
    let people = format!(
        "id,email,display_name,department\n00u00000000000000015,ana@example.com,{name},\u{1b}[2J{name}\n"
    );
    std::fs::write(folder.path().join("people.csv"), people).unwrap();
    let mut leak = sign_in("leak", SOUND, "ana@example.com");
    leak["eventType"] = json!("security.breached_credential.detected");
    leak["actor"]["displayName"] = json!(name);
    std::fs::write(
        folder.path().join("e\u{1b}[31m.ndjson"),
        format!("{leak}\n{{\"\u{1b}[2J"),
    )
    .unwrap();
    let at = "2026-11-05T00:00:00Z";
    for arguments in [
        &[
            "users",
            "import",
            "people.csv",
            "--tenant",
            "acme",
            "--store",
            "store",
            "--imported-at",
            at,
        ][..],
        &[
            "normalize",
            "okta",
            "e\u{1b}[31m.ndjson",
            "--tenant",
            "acme",
            "--store",
            "store",
            "--ingested-at",
            at,
        ],
        &["score", "--store", "store"],
        &["top", "--store", "store"],
        &["top", "--store", "store", "--format", "csv"],
        &["top", "--store", "store", "--format", "json"],
        &["top", "--store", "store", "--format", "jsonl"],
    ] {
        let outcome = program(arguments).inside(folder.path()).run();
        assert_eq!(outcome.code, 0, "{arguments:?}\n{}", outcome.stderr);
        // What is written for programs holds what the name holds, as JSON and CSV write it; what is
        // written for people holds nothing that acts.
        let for_programs = arguments.contains(&"--format");
        let acts = if for_programs {
            ""
        } else {
            "\u{1b}\u{7}\u{202e}"
        };
        for said in [&outcome.stdout, &outcome.stderr] {
            assert!(
                !said.contains(|c| acts.contains(c)),
                "{arguments:?}: {said:?}"
            );
        }
        if arguments.contains(&"json") || arguments.contains(&"jsonl") {
            assert!(!outcome.stdout.contains('\u{1b}'), "{}", outcome.stdout);
        }
    }
}
