//! What the pages say: every link leads somewhere, every command line shown can be typed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::support::program;

/// Pages at the top and folders with pages below.
const PAGES: [&str; 4] = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
];
const FOLDERS: [&str; 3] = ["docs", "data", "tests"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Files below a folder, sorted; what tools leave behind is not looked at.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if name.starts_with('.') || name == "__pycache__" {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// Every page of the repository with its text.
fn pages() -> BTreeMap<PathBuf, String> {
    let below = FOLDERS
        .iter()
        .flat_map(|name| files_below(&root().join(name)));
    let pages = PAGES.iter().map(|name| root().join(name)).chain(below);
    pages
        .filter(|path| path.extension().is_some_and(|kind| kind == "md"))
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            (path, text)
        })
        .collect()
}

/// One line of a page.
struct Line<'a> {
    /// From 1.
    number: usize,
    text: &'a str,
    /// Whether it stands in a block of code.
    is_code: bool,
}

fn lines_of(page: &str) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let mut is_fenced = false;
    for (index, text) in page.lines().enumerate() {
        if text.trim_start().starts_with("```") {
            is_fenced = !is_fenced;
            continue;
        }
        lines.push(Line {
            number: index + 1,
            text,
            is_code: is_fenced || text.starts_with("    "),
        });
    }
    lines
}

fn prose(page: &str) -> impl Iterator<Item = Line<'_>> {
    lines_of(page).into_iter().filter(|line| !line.is_code)
}

/// The targets of all `[text](target)` of a line.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
}

/// The anchors that a renderer gives to a page's headings.
fn anchors(page: &str) -> BTreeSet<String> {
    prose(page)
        .filter(|line| line.text.starts_with('#'))
        .map(|line| {
            let text = line.text.trim_start_matches('#').trim().to_lowercase();
            let kept = text
                .chars()
                .filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
            kept.map(|letter| if letter == ' ' { '-' } else { letter })
                .collect()
        })
        .collect()
}

#[test]
fn every_relative_link_leads_somewhere() {
    let pages = pages();
    let mut broken = Vec::new();
    let mut followed = 0;
    for (path, text) in &pages {
        for line in prose(text) {
            for target in targets(line.text) {
                if target.contains("://") || target.starts_with("mailto:") {
                    continue;
                }
                followed += 1;
                let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
                let found = if file.is_empty() {
                    Ok(path.clone())
                } else {
                    std::fs::canonicalize(path.with_file_name(file))
                };
                let is_there = found.is_ok_and(|found| {
                    let text = pages
                        .get(&found)
                        .or_else(|| pages.get(path).filter(|_| found == *path));
                    anchor.is_empty() || text.is_some_and(|text| anchors(text).contains(anchor))
                });
                if !is_there {
                    broken.push(format!("{}:{}: {target}", path.display(), line.number));
                }
            }
        }
    }
    assert!(followed > 20, "only {followed} links found");
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_page_of_docs_is_in_its_index() {
    let index = std::fs::read_to_string(root().join("docs/README.md")).unwrap();
    let linked: BTreeSet<&str> = index.lines().flat_map(targets).collect();
    for path in files_below(&root().join("docs")) {
        let name = path.strip_prefix(root().join("docs")).unwrap();
        let name = name.to_string_lossy();
        if name.ends_with(".md") && name != "README.md" {
            assert!(
                linked.contains(&*name),
                "docs/README.md does not link {name}"
            );
        }
    }
}

/// Command lines of the program in code of a text: what follows its name, up to where a shell would
/// end the command.
fn command_lines<'a>(line: &'a str, is_code: bool) -> Vec<&'a str> {
    let spans: Vec<&'a str> = if is_code {
        // What follows a number sign is said to people.
        line.split(" #").take(1).collect()
    } else {
        // Every second piece between backticks is code.
        line.split('`').skip(1).step_by(2).collect()
    };
    let mut found = Vec::new();
    for span in spans {
        for (at, name) in span.match_indices("attack-factor ") {
            let before = span[..at].chars().next_back();
            if !before.is_none_or(|letter| " /`\"'(".contains(letter)) {
                continue;
            }
            let rest = &span[at + name.len()..];
            let end = rest
                .find(['|', '&', ';', '>', '"', '\'', ')', '`'])
                .unwrap_or(rest.len());
            if rest.starts_with(|letter: char| letter.is_ascii_lowercase()) {
                found.push(rest[..end].trim_end());
            }
        }
    }
    found
}

/// Help texts by the words of a verb, asked once.
#[derive(Default)]
struct Help(BTreeMap<String, Option<String>>);

impl Help {
    fn of(&mut self, verb: &[&str]) -> Option<&str> {
        let key = verb.join(" ");
        let text = self.0.entry(key).or_insert_with(|| {
            let outcome = program(verb.iter().copied().chain(["--help"])).run();
            (outcome.code == 0).then_some(outcome.stdout)
        });
        text.as_deref()
    }

    /// What is wrong with a command line, if anything.
    fn fault(&mut self, command: &str) -> Option<String> {
        let words: Vec<&str> = command.split_whitespace().collect();
        let mut verb = vec![words[0]];
        let Some(text) = self.of(&verb) else {
            return Some(format!("no verb {}", words[0]));
        };
        if text.contains("\nCommands:") {
            // `rules` alone is the name of a group; anything after it is one of its verbs.
            if let Some(next) = words.get(1).filter(|word| !word.starts_with('-')) {
                for alternative in next.split(',') {
                    verb.truncate(1);
                    verb.push(alternative);
                    if self.of(&verb).is_none() {
                        return Some(format!("{} has no {alternative}", words[0]));
                    }
                }
            }
        }
        let text = self.of(&verb).unwrap_or_default().to_owned();
        for word in &words {
            let flag = word.split('=').next().unwrap_or(word);
            if flag.starts_with("--") && !has_flag(&text, flag) {
                return Some(format!("{} has no {flag}", verb.join(" ")));
            }
        }
        None
    }
}

fn has_flag(help: &str, flag: &str) -> bool {
    help.match_indices(flag).any(|(at, _)| {
        let after = help[at + flag.len()..].chars().next();
        !after.is_some_and(|letter| letter.is_ascii_alphanumeric() || letter == '-')
    })
}

#[test]
fn every_command_line_shown_can_be_typed() {
    let mut commands: Vec<(String, String)> = Vec::new();
    for (path, text) in pages() {
        for line in lines_of(&text) {
            for command in command_lines(line.text, line.is_code) {
                let place = format!("{}:{}", path.display(), line.number);
                commands.push((place, command.to_owned()));
            }
        }
    }
    for path in files_below(&root().join("docs/operate")) {
        let text = std::fs::read_to_string(&path).unwrap();
        for (index, content) in text.lines().enumerate() {
            for command in command_lines(content, true) {
                let place = format!("{}:{}", path.display(), index + 1);
                commands.push((place, command.to_owned()));
            }
        }
    }
    assert!(commands.len() > 30, "only {} commands", commands.len());
    let mut help = Help::default();
    let faults: Vec<String> = commands
        .iter()
        .filter_map(|(place, command)| {
            let fault = help.fault(command)?;
            Some(format!("{place}: attack-factor {command}: {fault}"))
        })
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_wrong_command_line_is_found() {
    let mut help = Help::default();
    assert_eq!(help.fault("top --store s --limit 3"), None);
    assert_eq!(help.fault("rules list,show --rules mine"), None);
    assert_eq!(
        help.fault("topp --store s").as_deref(),
        Some("no verb topp")
    );
    assert_eq!(
        help.fault("rules lost").as_deref(),
        Some("rules has no lost")
    );
    assert_eq!(
        help.fault("top --lim 3").as_deref(),
        Some("top has no --lim")
    );
    let line = "run `attack-factor top --store x` or `attack-factor-demo`, not attack-factor topp";
    assert_eq!(command_lines(line, false), ["top --store x"]);
    let line =
        "/usr/local/bin/attack-factor run --strict && attack-factor top | head # attack-factor x";
    assert_eq!(command_lines(line, true), ["run --strict", "top"]);
}

#[test]
fn headings_give_the_anchors_that_links_use() {
    let page = "# One\n## Where to add X\n```\n# no heading\n```\n### `a_b`, c!\n";
    let expected = ["a_b-c", "one", "where-to-add-x"].map(str::to_owned);
    assert_eq!(anchors(page), BTreeSet::from(expected));
}
