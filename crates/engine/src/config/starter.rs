//! The starter file, made from the table of keys.

use std::fmt::Write;

use super::key::{Key, Starter};
use super::keys::{KEYS, SECTIONS};

/// A commented configuration to begin with: every key with its meaning and its default.
///
/// ```
/// let text = af_engine::config::starter();
/// let (config, problems) = af_engine::config::read(std::path::Path::new("attack-factor.toml"), &text);
/// assert!(problems.is_empty());
/// assert_eq!(config.tenants[0].name, "acme");
/// ```
pub fn starter() -> String {
    let mut text = String::from(
        "# attack-factor.toml: what `attack-factor run` does, and settings for the other verbs.\n\
         # Lines that begin with # show the default or an example. Secrets never stand here.\n",
    );
    for section in SECTIONS {
        let keys = || KEYS.iter().filter(|key| key.split().0 == section.path);
        let is_other = |key: &&Key| matches!(key.starter, Starter::Other(_) | Starter::Instead(_));
        let header = match (section.path, section.repeats) {
            ("", _) => String::new(),
            (path, true) => format!("[[{path}]]\n"),
            (path, false) => format!("[{path}]\n"),
        };
        // Writing to a String cannot fail.
        let _ = write!(text, "\n# {}\n", section.meaning);
        let is_all_other = keys().all(|key| is_other(&key));
        if !is_all_other {
            text.push_str(&header);
        }
        for key in keys().filter(|key| !is_other(key)) {
            line(&mut text, key);
        }
        if keys().any(|key| is_other(&key)) {
            if !is_all_other {
                text.push_str(
                    "\n# Another one, asked over the network; it needs a name of its own.\n",
                );
            }
            let _ = write!(text, "# {header}");
            if !is_all_other {
                text.push_str("# name = \"live\"\n");
            }
        }
        for key in keys().filter(is_other) {
            line(&mut text, key);
        }
    }
    text
}

fn line(text: &mut String, key: &Key) {
    let (mark, value) = match key.starter {
        Starter::Set(value) => ("", value),
        Starter::Comment(value) | Starter::Other(value) => ("# ", value),
        Starter::Instead(value) => ("# or: ", value),
        Starter::Default => ("# ", key.default),
    };
    let name = key.split().1;
    let _ = writeln!(text, "# {}\n{mark}{name} = {value}", key.meaning);
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;

    #[test]
    fn every_comment_taken_away_is_a_valid_setting() {
        let text: String = starter()
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(setting)
                    if setting.starts_with("[[")
                        || setting
                            .split_once(" = ")
                            .is_some_and(|(key, _)| !key.contains(' ')) =>
                {
                    format!("{setting}\n")
                }
                _ => format!("{line}\n"),
            })
            .collect();
        let (config, problems) = read(std::path::Path::new("x.toml"), &text);
        assert_eq!(problems, []);
        let (defaults, _) = read(std::path::Path::new("x.toml"), "");
        assert_eq!(config.params.config_hash(), defaults.params.config_hash());
        assert_eq!(config.gates.quarantined_permille, 10);
        assert_eq!(config.gates.left_out_tenants, Some(0));
        assert_eq!(config.rules.disable, ["okta_context_plain_failure"]);
        assert_eq!(config.rules.exclude.len(), 1);
        assert_eq!(config.rules.exclude[0].addresses.len(), 1);
        assert_eq!(config.rules.own_networks["acme"].len(), 2);
        assert_eq!(config.tenants[0].people[0].map.len(), 1);
        assert_eq!(config.credentials.len(), 1);
        let live = config.tenants[0].okta[1].api.as_ref().unwrap();
        assert_eq!(
            (live.credential.as_str(), live.inventory.len()),
            ("acme-okta", 4)
        );
        assert_eq!(config.tenants[0].own_domains, ["acme.example"]);
        // Every key is there.
        for key in KEYS {
            let name = key.split().1;
            let is_there = [format!("\n{name} = "), format!("\n# or: {name} = ")]
                .iter()
                .any(|line| text.contains(line));
            assert!(is_there, "{}", key.path);
        }
    }
}
