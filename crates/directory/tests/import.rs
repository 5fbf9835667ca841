//! Whole files through the door: every format, and what is wrong with them.

#![expect(
    clippy::unwrap_used,
    reason = "clippy exempts test functions, but not what they share"
)]

use std::path::PathBuf;
use std::sync::Arc;

use af_directory::{ErrorKind, ImportOptions, Imported, import};
use af_model::cell::Alias;
use af_model::tables::directory;
use af_model::{Person, UtcMillis};
use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array,
    RecordBatch, StringArray, TimestampMicrosecondArray, TimestampNanosecondArray,
};
use arrow::datatypes::Int8Type;
use parquet::arrow::ArrowWriter;
use proptest::prelude::*;
use tempfile::TempDir;

struct Sample {
    _folder: TempDir,
    path: PathBuf,
}

fn sample(content: impl AsRef<[u8]>) -> Sample {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people");
    std::fs::write(&path, content).unwrap();
    Sample {
        _folder: folder,
        path,
    }
}

fn options() -> ImportOptions {
    ImportOptions {
        tenant: Some("acme".to_owned()),
        source: "hr".to_owned(),
        imported_at: Some(UtcMillis(1_700_000_000_000)),
        map: Vec::new(),
    }
}

fn imported(content: impl AsRef<[u8]>) -> Imported {
    let imported = import(&sample(content).path, &options()).unwrap();
    assert!(imported.closes(), "{imported:?}");
    imported
}

fn error_kind(content: impl AsRef<[u8]>) -> ErrorKind {
    import(&sample(content).path, &options())
        .unwrap_err()
        .kind()
}

fn emails(imported: &Imported) -> Vec<&str> {
    let people = imported.people.iter();
    people.map(|person| person.email.as_str()).collect()
}

fn rejects(imported: &Imported) -> Vec<(u64, &str)> {
    let rejects = imported.rejects.iter();
    rejects.map(|reject| (reject.line, reject.reason)).collect()
}

fn parquet(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    parquet_of(&RecordBatch::try_from_iter(columns).unwrap())
}

fn parquet_of(batch: &RecordBatch) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    bytes
}

#[test]
fn one_person_is_the_same_in_every_text_format() {
    let expected = imported("user_uid,email,display_name\n17,ana@example.com,Ana\n").people;
    assert_eq!(expected[0].user_uid, "17");
    for content in [
        "\u{feff}User UID;E-Mail;Display Name\r\n17;Ana@Example.com;Ana\r\n",
        "id\tmail\tfull name\n17\tana@example.com\tAna\n",
        "\"id\",\"mail\",\"full name\"\n\"17\",\"ana@example.com\",\"Ana\"",
        r#"{"id": "17", "email": "ana@example.com", "name": "Ana", "shoe": {"size": 9}}"#,
        r#"{"id": 17, "email": "ana@example.com", "firstName": "Ana", "lastName": null}"#,
        "\u{feff}[\n {\"id\": 17, \"mail\": \"ana@example.com\",\n \"display-name\": \"Ana\"}\n]\n",
        "{\n \"id\": 17,\n \"mail\": \"ana@example.com\", \"name\": \"Ana\"\n}\n",
    ] {
        assert_eq!(imported(content).people, expected, "{content}");
    }
}

#[test]
fn people_are_sorted_and_every_row_is_accounted_for() {
    let imported = imported(
        "id,email,last_login\n\
         2,b@example.com,\n\
         1,a@example.com,2026-01-01\n\
         1,a@example.com,2026-01-01\n\
         1,old@example.com,2025-01-01\n\
         ,,\n\
         3\n",
    );
    assert_eq!(emails(&imported), ["a@example.com", "b@example.com"]);
    assert_eq!((imported.read, imported.duplicates), (6, 1));
    assert_eq!(imported.conflicts, [5]);
    assert_eq!(
        rejects(&imported),
        [(6, "empty_row"), (7, "wrong_column_count")]
    );
}

#[test]
fn lines_are_right_behind_blank_lines_quoted_line_breaks_and_windows_line_ends() {
    let imported = imported(
        "email,title\r\n\r\na@example.com,\"one\r\ntwo\"\r\n\r\n,lost\r\nx@example.com\r\n",
    );
    assert_eq!(imported.people[0].title.as_deref(), Some("one\r\ntwo"));
    assert_eq!(
        rejects(&imported),
        [(6, "no_email_and_no_login"), (7, "wrong_column_count")]
    );
}

#[test]
fn blank_cells_behind_the_last_column_do_no_harm() {
    let imported = imported("email\na@example.com,,\nb@example.com,surplus\n");
    assert_eq!(emails(&imported), ["a@example.com"]);
    assert_eq!(rejects(&imported), [(3, "wrong_column_count")]);
}

#[test]
fn the_report_says_which_column_was_taken_for_what() {
    let file = sample("Mail,Work City,Badge\na@example.com,Oslo,7\n");
    let options = ImportOptions {
        map: vec![("location".to_owned(), "work city".to_owned())],
        ..options()
    };
    let imported = import(&file.path, &options).unwrap();
    assert_eq!(
        imported.mapping,
        [
            ("Mail".to_owned(), "email"),
            ("Work City".to_owned(), "location")
        ]
    );
    assert_eq!(imported.ignored_columns, ["Badge"]);
    assert_eq!(imported.people[0].location.as_deref(), Some("Oslo"));
}

#[test]
fn okta_user_objects_are_recognized_wrapped_or_not() {
    let user = r#"{"id":"00u1","status":"ACTIVE","profile":{"login":"ana@example.com","email":"ana@example.com"}}"#;
    let other = user.replace("00u1", "00u2");
    for content in [
        format!("[{user},\n{other}]"),
        format!("{user}\n{other}\n"),
        format!("{{\"object\":{user}}}\n{{\"object\":{other},\"collected\":1}}\n"),
    ] {
        let imported = imported(&content);
        let ids: Vec<&str> = imported
            .people
            .iter()
            .map(|p| p.user_uid.as_str())
            .collect();
        assert_eq!(ids, ["00u1", "00u2"], "{content}");
        assert_eq!(imported.people[0].source.as_deref(), Some("hr"));
        assert_eq!(imported.people[0].tenant_uid, "acme");
    }
    let nobody = ImportOptions {
        tenant: None,
        ..options()
    };
    let error = import(&sample(user).path, &nobody).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tenant);
}

#[test]
fn an_okta_object_that_is_no_user_is_one_reject() {
    let content = "{\"id\":\"00u1\",\"profile\":{}}\n{\"id\":\"00u2\",\"profile\":{\"login\":\"a@example.com\",\"email\":\"a@example.com\"}}\n";
    let imported = imported(content);
    assert_eq!(imported.people.len(), 1);
    assert_eq!(imported.rejects.len(), 1);
    assert_eq!(imported.rejects[0].line, 1);
}

#[test]
fn json_lines_that_are_no_people_are_counted_by_line() {
    let mut content = b"{\"email\":\"a@example.com\"}\nnonsense\n\n[1]\n{\"email\":\"".to_vec();
    content
        .extend(b"\xff\"}\n{\"email\":{\"work\":\"b@example.com\"}}\n{\"email\":\"c@example.com\"");
    let imported = imported(content);
    assert_eq!(emails(&imported), ["a@example.com"]);
    assert_eq!(
        rejects(&imported),
        [
            (2, "not_an_object"),
            (4, "not_an_object"),
            (5, "not_utf8"),
            (6, "wrong_type"),
            (7, "not_json"),
        ]
    );
}

#[test]
fn a_list_of_aliases_may_be_text_texts_or_objects() {
    for aliases in [
        r#""old@example.com[2024-01-01..]; x""#,
        r#"["x", "OLD@example.com[2024-01-01..]"]"#,
        r#"[{"key":"old@example.com","valid_from":"2024-01-01T00:00:00Z","valid_to":null},"x"]"#,
    ] {
        let imported = imported(format!(
            r#"{{"email":"a@example.com","aliases":{aliases}}}"#
        ));
        let expected = [
            Alias {
                key: "old@example.com".to_owned(),
                valid_from: UtcMillis::parse("2024-01-01T00:00:00Z").ok(),
                valid_to: None,
            },
            Alias {
                key: "x".to_owned(),
                ..Alias::default()
            },
        ];
        assert_eq!(imported.people[0].aliases.as_deref(), Some(&expected[..]));
        assert_eq!(imported.warnings, []);
    }
}

#[test]
fn hostile_cells_are_counted_and_their_neighbours_stay() {
    let huge = "x".repeat(10_000_000);
    let mut content =
        format!("id,email,title\n1,a@example.com,{huge}\n{huge},b@example.com,t\n").into_bytes();
    content.extend(b"2,c@example.com,\xff\xfe\n3,\xff@example.com,t\n4,d\0@example.com,t\n5,e@example.com,t\0t\n");
    let imported = imported(content);
    assert_eq!(
        emails(&imported),
        ["a@example.com", "c@example.com", "e@example.com"]
    );
    assert_eq!(
        rejects(&imported),
        [(3, "too_long"), (5, "not_utf8"), (6, "control_character")]
    );
    let warnings: Vec<_> = imported
        .warnings
        .iter()
        .map(|w| (w.kind, w.first_line))
        .collect();
    assert_eq!(warnings, [("not_utf8", 4), ("too_long", 2)]);
}

#[test]
fn a_file_that_breaks_off_is_no_smaller_organization() {
    assert_eq!(
        error_kind("[{\"email\":\"a@example.com\"},"),
        ErrorKind::Broken
    );
    assert_eq!(
        error_kind("email,title\na@example.com,\"one\nb@example.com,two\n"),
        ErrorKind::Broken
    );
    let header = import(
        &sample("email,\"title\na@example.com,one\n").path,
        &options(),
    )
    .unwrap_err();
    assert_eq!(header.kind(), ErrorKind::Broken);
    assert!(!header.to_string().contains("example"), "{header}");
    let whole = parquet(vec![(
        "email",
        Arc::new(StringArray::from(vec!["a@example.com"])),
    )]);
    assert_eq!(error_kind(&whole[..whole.len() - 3]), ErrorKind::Broken);
}

#[test]
fn a_quote_inside_an_unquoted_cell_is_only_a_quote() {
    let imported = imported("email,title\na@example.com,5\" disk\n");
    assert_eq!(imported.people[0].title.as_deref(), Some("5\" disk"));
}

#[test]
fn what_cannot_be_read_as_a_whole_is_a_clear_error() {
    let absent = import(&PathBuf::from("no/such/file"), &options()).unwrap_err();
    assert!(absent.is_not_found());
    assert_eq!(error_kind(""), ErrorKind::Empty);
    assert_eq!(error_kind(b"PK\x03\x04rest"), ErrorKind::UnknownFormat);
    assert_eq!(error_kind(b"em\xffail,title\n"), ErrorKind::UnknownFormat);
    assert_eq!(error_kind("shoe,hat\n"), ErrorKind::NoKeyColumn);
    assert_eq!(error_kind("{\"shoe\":1}\n"), ErrorKind::NoKeyColumn);
    let nameless = ImportOptions {
        source: " ".to_owned(),
        ..options()
    };
    let error = import(&sample("email\n").path, &nameless).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Source);
    let tenant = ImportOptions {
        tenant: Some("A C M E".to_owned()),
        ..options()
    };
    let error = import(&sample("email\n").path, &tenant).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tenant);
}

#[test]
fn a_header_without_people_is_an_empty_organization() {
    let imported = imported("email,title\n");
    assert_eq!((imported.read, imported.people.len()), (0, 0));
}

#[test]
fn a_file_of_several_tenants_names_them_itself() {
    let anyone = ImportOptions {
        tenant: None,
        ..options()
    };
    let file =
        sample("tenant_uid,email\nglobex,a@example.com\nacme,a@example.com\n,b@example.com\n");
    let imported = import(&file.path, &anyone).unwrap();
    let tenants: Vec<&str> = imported
        .people
        .iter()
        .map(|p| p.tenant_uid.as_str())
        .collect();
    assert_eq!(tenants, ["acme", "globex"]);
    assert_eq!(rejects(&imported), [(4, "no_tenant")]);
    let error = import(&sample("email\na@example.com\n").path, &anyone).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tenant);
}

fn everything(user_uid: &str) -> Person {
    Person {
        tenant_uid: "acme".to_owned(),
        user_uid: user_uid.to_owned(),
        email: format!("{user_uid}@example.com"),
        login: Some(format!("login.{user_uid}")),
        aliases: Some(vec![Alias {
            key: "former@example.com".to_owned(),
            valid_from: None,
            valid_to: Some(UtcMillis(1_600_000_000_123)),
        }]),
        display_name: Some("Ana \u{202e}".to_owned()),
        status: Some("LOCKED_OUT".to_owned()),
        user_type: Some("Employee".to_owned()),
        department: Some("Finance".to_owned()),
        location: None,
        manager_uid: Some("m1".to_owned()),
        title: Some("=1+1".to_owned()),
        privileged: Some(true),
        vip: Some(false),
        created: Some(UtcMillis(-1)),
        deactivated: None,
        last_login: Some(UtcMillis(1_700_000_000_001)),
        source: Some("hr".to_owned()),
        imported_at: Some(UtcMillis(1_700_000_000_000)),
    }
}

#[test]
fn our_own_table_comes_back_as_it_was_written() {
    let mut service = everything("svc");
    service.email = "login.svc".to_owned();
    service.aliases = None;
    let people = [everything("1"), everything("2"), service];
    let imported = imported(parquet_of(&directory::batch(&people)));
    assert_eq!(imported.people, people);
    assert_eq!(imported.warnings, []);
    assert_eq!(imported.ignored_columns, ["imported_at", "source"]);
}

#[test]
fn parquet_of_other_tools_is_read_whatever_its_types() {
    let department: DictionaryArray<Int8Type> = vec!["Finance", "IT"].into_iter().collect();
    let id = Decimal128Array::from(vec![17, 18])
        .with_precision_and_scale(10, 0)
        .unwrap();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("employee_id", Arc::new(id)),
        (
            "mail",
            Arc::new(StringArray::from(vec!["a@example.com", "b@example.com"])),
        ),
        ("dept", Arc::new(department)),
        (
            "manager",
            Arc::new(Float64Array::from(vec![17.0, f64::NAN])),
        ),
        (
            "created at",
            Arc::new(
                TimestampMicrosecondArray::from(vec![-1, 1_999]).with_timezone("Mars/Olympus"),
            ),
        ),
        (
            "last_login",
            Arc::new(TimestampNanosecondArray::from(vec![Some(1_999_999), None])),
        ),
        ("end date", Arc::new(Date32Array::from(vec![None, Some(1)]))),
        ("vip", Arc::new(BooleanArray::from(vec![Some(true), None]))),
    ];
    let imported = imported(parquet(columns));
    let [ana, bob] = imported.people.as_slice() else {
        panic!("{imported:?}")
    };
    assert_eq!((ana.user_uid.as_str(), bob.user_uid.as_str()), ("17", "18"));
    assert_eq!(ana.department.as_deref(), Some("Finance"));
    assert_eq!(
        (ana.manager_uid.as_deref(), &bob.manager_uid),
        (Some("17"), &None)
    );
    // Half a millisecond before the epoch is in the millisecond before it.
    assert_eq!(
        (ana.created, bob.created),
        (Some(UtcMillis(-1)), Some(UtcMillis(1)))
    );
    assert_eq!((ana.last_login, bob.last_login), (Some(UtcMillis(1)), None));
    assert_eq!(bob.deactivated, Some(UtcMillis(86_400_000)));
    assert_eq!((ana.vip, bob.vip), (Some(true), None));
    assert_eq!(imported.warnings, []);
}

#[test]
fn damaged_parquet_is_an_error_or_an_account_but_never_a_panic() {
    let whole = parquet_of(&directory::batch(&[everything("1"), everything("2")]));
    for length in (4..whole.len()).step_by(97) {
        assert_eq!(error_kind(&whole[..length]), ErrorKind::Broken);
    }
    for position in (4..whole.len()).step_by(41) {
        let mut damaged = whole.clone();
        damaged[position] ^= 0x55;
        if let Ok(imported) = import(&sample(damaged).path, &options()) {
            assert!(imported.closes());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_bytes_end_as_an_error_or_a_closed_account(
        start in proptest::sample::select(vec!["", "email,id\n", "email;aliases\n", "{\"email\":", "[{\"email\":\"a@x\"}", "{\"id\":\"1\",\"profile\":{"]),
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let content = [start.as_bytes(), &bytes].concat();
        if let Ok(imported) = import(&sample(content).path, &options()) {
            prop_assert!(imported.closes());
        }
    }

    #[test]
    fn the_order_of_rows_changes_no_person(rows in proptest::collection::vec(("[1-3]", "[ab]", "[xy]"), 1..8)) {
        let lines: Vec<String> = rows.iter().map(|(id, email, title)| format!("{id},{email}@example.com,{title}")).collect();
        let forward = imported(format!("id,email,title\n{}\n", lines.join("\n")));
        let backward = imported(format!("id,email,title\n{}\n", lines.iter().rev().cloned().collect::<Vec<_>>().join("\n")));
        prop_assert_eq!(forward.people, backward.people);
        prop_assert_eq!(forward.duplicates, backward.duplicates);
    }
}
