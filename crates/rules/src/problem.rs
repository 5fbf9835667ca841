//! What is wrong with a rule file, where, and what would be right.

use std::fmt;

/// How bad a [`Problem`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The rule cannot be used.
    Error,
    /// The rule works, but something about it is missing or doubtful.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// One thing wrong with one rule file. Shown as `path:line: severity: message`; the hint belongs
/// on a line of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The rule file.
    pub path: String,
    /// The line, counted from 1; none when the problem is something that is absent.
    pub line: Option<u32>,
    /// Whether the rule can be used all the same.
    pub severity: Severity,
    /// What is wrong: a lower-case fragment.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}: {}", self.severity, self.message)
    }
}

/// Collects the problems of one file and finds their lines.
pub(crate) struct Reporter<'a> {
    path: &'a str,
    text: &'a str,
    problems: Vec<Problem>,
}

impl<'a> Reporter<'a> {
    pub(crate) fn new(path: &'a str, text: &'a str) -> Self {
        Self {
            path,
            text,
            problems: Vec::new(),
        }
    }

    pub(crate) fn error(&mut self, line: Option<u32>, message: String, hint: Option<String>) {
        self.push(Severity::Error, line, message, hint);
    }

    pub(crate) fn push(
        &mut self,
        severity: Severity,
        line: Option<u32>,
        message: String,
        hint: Option<String>,
    ) {
        self.problems.push(Problem {
            path: self.path.to_owned(),
            line,
            severity,
            message,
            hint,
        });
    }

    /// The first line on which `key` stands as a YAML key, with or without Sigma modifiers.
    pub(crate) fn line_of_key(&self, key: &str) -> Option<u32> {
        self.line_where(|line| {
            let line = line.trim_start_matches(['-', ' ', '\t', '"', '\'', '{']);
            line.strip_prefix(key)
                .is_some_and(|rest| rest.starts_with([':', '|', '"', '\'', '[']))
        })
        .or_else(|| self.line_of_text(key))
    }

    /// The first line that holds `text`.
    pub(crate) fn line_of_text(&self, text: &str) -> Option<u32> {
        (!text.is_empty())
            .then(|| self.line_where(|line| line.contains(text)))
            .flatten()
    }

    fn line_where(&self, holds: impl Fn(&str) -> bool) -> Option<u32> {
        let index = self.text.lines().position(holds)?;
        u32::try_from(index + 1).ok()
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.problems
            .iter()
            .any(|problem| problem.severity == Severity::Error)
    }

    pub(crate) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }
}

/// Up to three candidates that resemble `name`, the most alike first.
pub(crate) fn nearest<'c>(
    name: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Vec<&'c str> {
    // Jaro-Winkler is linear in memory and quadratic in length: a hostile name is cut.
    let name: String = name.to_lowercase().chars().take(100).collect();
    let mut alike: Vec<(f64, &str)> = candidates
        .into_iter()
        .map(|candidate| {
            (
                strsim::jaro_winkler(&name, &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(similarity, _)| *similarity >= 0.8)
        .collect();
    alike.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    alike.into_iter().take(3).map(|(_, name)| name).collect()
}

/// The hint for a misspelt name: the nearest ones, else all of them if they are few.
pub(crate) fn nearest_hint(name: &str, candidates: &[&str]) -> Option<String> {
    let near = nearest(name, candidates.iter().copied());
    if !near.is_empty() {
        return Some(format!("did you mean {}?", near.join(", ")));
    }
    (candidates.len() <= 16).then(|| format!("one of {}", candidates.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_with_modifiers_in_lists_and_in_quotes() {
        let text = "a: 1\nselection:\n  - outcome.reason|contains: x\n  'eventType': y\n";
        let reporter = Reporter::new("r.yml", text);
        assert_eq!(reporter.line_of_key("outcome.reason"), Some(3));
        assert_eq!(reporter.line_of_key("eventType"), Some(4));
        assert_eq!(reporter.line_of_key("absent"), None);
    }

    #[test]
    fn a_misspelt_name_brings_its_neighbours() {
        assert_eq!(
            nearest_hint("famly", &["family", "class"]).as_deref(),
            Some("did you mean family?")
        );
        assert_eq!(
            nearest_hint("zzz", &["family", "class"]).as_deref(),
            Some("one of family, class")
        );
    }

    #[test]
    fn a_problem_reads_like_a_compiler_message() {
        let mut reporter = Reporter::new("r.yml", "");
        reporter.error(Some(3), "unknown field x".to_owned(), None);
        assert!(reporter.has_errors());
        assert_eq!(
            reporter.into_problems()[0].to_string(),
            "r.yml:3: error: unknown field x"
        );
    }
}
