//! Output as it must look, written by hand.

#![expect(
    clippy::unwrap_used,
    reason = "clippy exempts test functions, but not what they share"
)]

use std::io::{self, Write};

use af_model::UtcMillis;
use af_model::view::{Driver, TopPerson, TopView};
use af_report::{Cell, Column, Format, render_rows, render_top};

fn driver(kind: Option<(&str, &str)>, score_share_micro: i64) -> Driver {
    Driver {
        component: kind.map(|(component, _)| component.to_owned()),
        family: kind.map(|(_, family)| family.to_owned()),
        n: 2,
        score_share_micro,
        rule_ids: vec!["r1".to_owned()],
    }
}

fn person(rank: Option<i64>, user: &str, score_micro: i64, level: &str) -> TopPerson {
    TopPerson {
        rank,
        tenant_uid: "acme".to_owned(),
        user_uid: format!("00u{user}"),
        email: format!("{user}@example.com"),
        display_name: None,
        department: None,
        population: "human".to_owned(),
        population_n: 20,
        level: level.to_owned(),
        score_micro,
        percentile: rank.map(|_| 97.5),
        signal_count: 10,
        last_attack: UtcMillis::parse("2026-11-20T08:00:00Z").ok(),
        drivers: vec![driver(Some(("email", "phishing")), score_micro)],
    }
}

fn view(people: Vec<TopPerson>) -> TopView {
    let as_of = UtcMillis::parse("2026-11-20T23:59:59.999Z").unwrap();
    TopView {
        snapshot: "2026-11-20T235959.999Z/r1".to_owned(),
        as_of,
        known_at: as_of,
        formula: "af-1".to_owned(),
        people,
    }
}

fn two_people() -> TopView {
    let mut ana = person(Some(2), "ana", 6_190_442, "high");
    ana.display_name = Some("Ana Lopez".to_owned());
    ana.department = Some("Finance".to_owned());
    ana.percentile = Some(92.5);
    ana.drivers = vec![
        driver(Some(("identity", "credential_attack")), 4_599_999),
        driver(Some(("identity", "credential_leak")), 1_590_000),
        driver(None, 443),
    ];
    let mut quiet = person(None, "quiet", 0, "none");
    quiet.last_attack = None;
    quiet.signal_count = 0;
    quiet.drivers = Vec::new();
    view(vec![person(Some(1), "dee", 6_614_245, "high"), ana, quiet])
}

fn rendered(view: &TopView, format: Format, width: Option<u16>) -> String {
    let mut out = Vec::new();
    render_top(view, format, width, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn list(columns: &[Column], rows: &[Vec<Cell>], format: Format, width: Option<u16>) -> String {
    let mut out = Vec::new();
    render_rows(columns, rows, format, width, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_table_of_the_most_attacked() {
    let expected = "\
snapshot 2026-11-20T235959.999Z/r1, as of 2026-11-20T23:59:59.999Z, formula af-1

#  person                       department  level  score   pct  drivers                                               attacks  last
1  dee@example.com              -           high     6.6  97.5  phishing 6.6                                               10  2026-11-20
2  Ana Lopez <ana@example.com>  Finance     high     6.1  92.5  credential_attack 4.5, credential_leak 1.5, rest 0.0       10  2026-11-20
-  quiet@example.com            -           none     0.0     -  -                                                           0  -
";
    assert_eq!(rendered(&two_people(), Format::Table, None), expected);
    assert_eq!(rendered(&two_people(), Format::Table, Some(200)), expected);
}

#[test]
fn a_narrow_table_leaves_out_and_cuts_but_never_wraps() {
    let at_120 = rendered(&two_people(), Format::Table, Some(120));
    let expected = "\
#  person             level  score   pct  drivers                                               attacks  last
1  dee@example.com    high     6.6  97.5  phishing 6.6                                               10  2026-11-20
2  ana@example.com    high     6.1  92.5  credential_attack 4.5, credential_leak 1.5, rest 0.0       10  2026-11-20
-  quiet@example.com  none     0.0     -  -                                                           0  -
";
    assert_eq!(at_120.split_once("\n\n").unwrap().1, expected);

    let at_80 = rendered(&two_people(), Format::Table, Some(80));
    let expected = "\
#  person             level  score   pct  drivers                attacks
1  dee@example.com    high     6.6  97.5  phishing 6.6                10
2  ana@example.com    high     6.1  92.5  credential_attack 4.5       10
-  quiet@example.com  none     0.0     -  -                            0
";
    assert_eq!(at_80.split_once("\n\n").unwrap().1, expected);

    let at_60 = rendered(&two_people(), Format::Table, Some(60));
    let expected = "\
#  person          level  score   pct  drivers       attacks
1  dee@example.c…  high     6.6  97.5  phishing 6.6       10
2  ana@example.c…  high     6.1  92.5  credential_…       10
-  quiet@example…  none     0.0     -  -                   0
";
    assert_eq!(at_60.split_once("\n\n").unwrap().1, expected);
}

#[test]
fn several_tenants_and_another_cut_are_said() {
    let mut view = two_people();
    view.people[1].tenant_uid = "globex".to_owned();
    view.known_at = UtcMillis::parse("2026-11-21T00:00:00Z").unwrap();
    let text = rendered(&view, Format::Table, None);
    assert!(text.contains(", known at 2026-11-21T00:00:00.000Z, formula af-1\n"));
    assert!(text.contains("\n#  tenant  person "));
    assert!(text.contains("\n2  globex  Ana Lopez"));
}

#[test]
fn nobody_is_said_in_words_and_in_data() {
    let nobody = view(Vec::new());
    assert!(rendered(&nobody, Format::Table, None).ends_with("\n\nNobody matches.\n"));
    assert_eq!(rendered(&nobody, Format::Jsonl, None), "");
    assert_eq!(rendered(&nobody, Format::Csv, None).lines().count(), 1);
    assert!(rendered(&nobody, Format::Json, None).ends_with("\"people\": []\n}\n"));
}

#[test]
fn json_is_the_view() {
    let text = rendered(&two_people(), Format::Json, None);
    assert!(text.ends_with("}\n"));
    assert_eq!(
        serde_json::from_str::<TopView>(&text).unwrap(),
        two_people()
    );
}

#[test]
fn a_json_line_stands_alone() {
    let text = rendered(
        &view(vec![person(Some(1), "dee", 6_614_245, "high")]),
        Format::Jsonl,
        None,
    );
    let expected = concat!(
        r#"{"as_of":"2026-11-20T23:59:59.999Z","known_at":"2026-11-20T23:59:59.999Z","formula":"af-1","#,
        r#""rank":1,"tenant_uid":"acme","user_uid":"00udee","email":"dee@example.com","display_name":null,"#,
        r#""department":null,"population":"human","population_n":20,"level":"high","score_micro":6614245,"#,
        r#""percentile":97.5,"signal_count":10,"last_attack":"2026-11-20T08:00:00.000Z","#,
        r#""drivers":[{"component":"email","family":"phishing","n":2,"score_share_micro":6614245,"rule_ids":["r1"]}]}"#,
        "\n"
    );
    assert_eq!(text, expected);
}

#[test]
fn csv_rows_carry_the_circumstances_and_exact_figures() {
    let text = rendered(&two_people(), Format::Csv, None);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines[0],
        "as_of,known_at,formula,rank,tenant_uid,user_uid,email,display_name,department,population,\
         population_n,level,score,score_micro,percentile,signal_count,last_attack,drivers"
    );
    let cut = "2026-11-20T23:59:59.999Z,2026-11-20T23:59:59.999Z,af-1";
    assert_eq!(
        lines[2],
        format!(
            "{cut},2,acme,00uana,ana@example.com,Ana Lopez,Finance,human,20,high,6.1,6190442,92.5,10,\
             2026-11-20T08:00:00.000Z,identity/credential_attack=4599999;identity/credential_leak=1590000;rest=443"
        )
    );
    assert_eq!(
        lines[3],
        format!("{cut},,acme,00uquiet,quiet@example.com,,,human,20,none,0.0,0,,0,,")
    );
}

const HOSTILE: &str = "\u{1b}[31mred\u{9b}0m\nnew\r\u{202e}gpj.exe\0\u{7}";

#[test]
fn hostile_names_reach_no_terminal() {
    let mut view = view(vec![person(Some(1), "dee", 6_614_245, "high")]);
    let dee = &mut view.people[0];
    dee.display_name = Some(HOSTILE.to_owned());
    dee.email = HOSTILE.to_owned();
    dee.department = Some(HOSTILE.to_owned());
    dee.level = HOSTILE.to_owned();
    dee.drivers[0].family = Some(HOSTILE.to_owned());
    view.snapshot = HOSTILE.to_owned();
    view.formula = HOSTILE.to_owned();
    let rows = [vec![
        Cell::from(HOSTILE),
        Cell::List(vec![HOSTILE.to_owned()]),
    ]];
    let columns = [Column::new(HOSTILE), Column::new("b").titled(HOSTILE)];
    for width in [None, Some(80), Some(10)] {
        let text = rendered(&view, Format::Table, width);
        assert_eq!(text.lines().count(), 4, "{text}");
        let list = list(&columns, &rows, Format::Table, width);
        assert_eq!(list.lines().count(), 2, "{list}");
        for character in [text, list].concat().chars() {
            let harmless = character == '\n' || !character.is_control();
            assert!(harmless && character != '\u{202e}', "{character:?}");
        }
    }
}

#[test]
fn hostile_names_stay_data_in_json_and_one_cell_in_csv() {
    let columns = [Column::new("name"), Column::new("n")];
    let rows = [vec![Cell::from(HOSTILE), Cell::Int(1)]];
    for format in [Format::Json, Format::Jsonl] {
        let text = list(&columns, &rows, format, None);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let name = value.pointer("/0/name").or(value.pointer("/name")).unwrap();
        assert_eq!(name, HOSTILE);
        assert!(!text.contains('\u{1b}'));
    }
    let text = list(&columns, &rows, Format::Csv, None);
    assert_eq!(text, format!("name,n\n\"{HOSTILE}\",1\n"));
}

#[test]
fn no_cell_is_a_formula_but_figures_stay_figures() {
    let columns = [
        Column::new("text"),
        Column::new("figure"),
        Column::new("list"),
    ];
    let row = |text: &str| {
        vec![
            Cell::from(text),
            Cell::Int(-1),
            Cell::List(vec![text.to_owned(), "b".to_owned()]),
        ]
    };
    let hostile = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "a=1"];
    let text = list(&columns, &hostile.map(row), Format::Csv, None);
    let expected = "\
text,figure,list
'=1+1,-1,'=1+1;b
'+1,-1,'+1;b
'-1,-1,'-1;b
'@SUM(A1),-1,'@SUM(A1);b
'\t=1,-1,'\t=1;b
a=1,-1,a=1;b
";
    assert_eq!(text, expected);
    let text = list(
        &columns[..1],
        &[vec![Cell::from("\r=1")]],
        Format::Csv,
        None,
    );
    assert_eq!(text, "text\n\"'\r=1\"\n");
}

#[test]
fn every_kind_of_cell_in_every_format() {
    let columns = [
        "null", "text", "int", "count", "micro", "percent", "flag", "at", "list",
    ]
    .map(Column::new);
    let row = vec![
        Cell::from(None::<i64>),
        Cell::from("a,b"),
        Cell::from(-3_i64),
        Cell::from(u64::MAX),
        Cell::Micro(5_999_999),
        Cell::Percent(99.975),
        Cell::from(true),
        Cell::from(UtcMillis(0)),
        Cell::from(vec!["x".to_owned(), "y".to_owned()]),
    ];
    let rows = [row];
    let table = "\
null  text  int  count                 micro  percent  flag  at                        list
-     a,b   -3   18446744073709551615  5.9    99.9     yes   1970-01-01T00:00:00.000Z  x, y
";
    assert_eq!(list(&columns, &rows, Format::Table, None), table);
    let csv = "\
null,text,int,count,micro,percent,flag,at,list
,\"a,b\",-3,18446744073709551615,5999999,99.975,true,1970-01-01T00:00:00.000Z,x;y
";
    assert_eq!(list(&columns, &rows, Format::Csv, None), csv);
    let jsonl = "{\"null\":null,\"text\":\"a,b\",\"int\":-3,\"count\":18446744073709551615,\"micro\":5999999,\
        \"percent\":99.975,\"flag\":true,\"at\":\"1970-01-01T00:00:00.000Z\",\"list\":[\"x\",\"y\"]}\n";
    assert_eq!(list(&columns, &rows, Format::Jsonl, None), jsonl);
}

#[test]
fn only_columns_that_may_shrink_do() {
    let columns = [Column::new("id"), Column::new("title").shrinks(8)];
    let rows = [vec![
        Cell::from("a_rather_long_identifier"),
        Cell::from("a title that goes on and on"),
    ]];
    let text = list(&columns, &rows, Format::Table, Some(36));
    let expected = "\
id                        title
a_rather_long_identifier  a title…
";
    assert_eq!(text, expected);
    // Narrower than the floors allow: long lines, nothing lost of what may not shrink.
    let text = list(&columns, &rows, Format::Table, Some(5));
    assert!(
        text.contains("a_rather_long_identifier  a title…"),
        "{text}"
    );
}

#[test]
fn wide_characters_count_as_two_columns() {
    let columns = [Column::new("a"), Column::new("b")];
    let rows = [
        vec![Cell::from("日本"), Cell::Int(1)],
        vec![Cell::from("abcd"), Cell::Int(2)],
    ];
    assert_eq!(
        list(&columns, &rows, Format::Table, None),
        "a     b\n日本  1\nabcd  2\n"
    );
}

#[test]
fn a_row_of_another_length_is_refused_before_anything_is_written() {
    let mut out = Vec::new();
    let columns = [Column::new("a")];
    let error = render_rows(&columns, &[vec![]], Format::Csv, None, &mut out).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    assert!(out.is_empty());
}

struct ClosedPipe;

impl Write for ClosedPipe {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
}

#[test]
fn a_closed_pipe_is_seen_as_one_in_every_format() {
    for format in Format::ALL {
        let error = render_top(&two_people(), format, None, &mut ClosedPipe).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe, "{format}");
        let error = render_rows(
            &[Column::new("a")],
            &[vec![Cell::Null]],
            format,
            None,
            &mut ClosedPipe,
        )
        .unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe, "{format}");
    }
}
