//! Which crate may depend on which: the crate table of the architecture, checked.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// The binary's package.
const ROOT: &str = "attack-factor";

/// Test support: anybody's tests may use it, nobody's product.
const TESTKIT: &str = "af-testkit";

/// The Okta org on loopback: anybody's tests may use it, and the binary starts it.
const SIMULATOR: &str = "af-okta-sim";

/// Arrows from each crate to others of the workspace. A crate that is not here may have none.
const ARROWS: [(&str, &[&str]); 15] = [
    ("af-model", &[]),
    ("af-score", &["af-model"]),
    ("af-count", &["af-model"]),
    ("af-okta", &["af-model"]),
    ("af-okta-client", &["af-model", "af-okta", "af-store"]),
    // Plays a server: it shares the calendar with us, and no code that it is meant to test.
    (SIMULATOR, &["af-model"]),
    ("af-rules", &["af-model"]),
    ("af-store", &["af-model"]),
    // People in the source's own format are read by the crate that knows the source; it is pure.
    ("af-directory", &["af-model", "af-okta"]),
    (
        "af-engine",
        &[
            "af-model",
            "af-okta",
            "af-rules",
            "af-count",
            "af-score",
            "af-store",
            "af-directory",
        ],
    ),
    // What a score would be without a signal is the kernel's to say, also when a person asks.
    ("af-query", &["af-model", "af-score", "af-store"]),
    ("af-report", &["af-model"]),
    (TESTKIT, &["af-model"]),
    // The simulation runs the real pipeline; polars stays out of reach.
    (
        "xtask",
        &[
            "af-model",
            "af-okta",
            "af-rules",
            "af-store",
            "af-directory",
            "af-engine",
            SIMULATOR,
            TESTKIT,
        ],
    ),
    (
        ROOT,
        &[
            "af-model",
            "af-okta",
            "af-okta-client",
            SIMULATOR,
            "af-rules",
            "af-store",
            "af-directory",
            "af-engine",
            "af-query",
            "af-report",
        ],
    ),
];

/// The crates that may reach polars. Everything else builds and tests in seconds.
const POLARS: [&str; 2] = ["af-query", ROOT];

/// Asks cargo for the dependency graph and checks it.
pub(crate) fn run() -> Result<String> {
    let output = Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .output()
        .context("failed to run cargo metadata")?;
    if !output.status.success() {
        bail!(
            "cargo metadata failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    let metadata: Metadata =
        serde_json::from_slice(&output.stdout).context("failed to read cargo metadata")?;
    let graph = Graph::from(&metadata);
    let violations = graph.violations();
    if violations.is_empty() {
        Ok(format!(
            "{} crates depend on each other as they may",
            graph.members.len()
        ))
    } else {
        bail!(
            "{} forbidden dependencies\n{}",
            violations.len(),
            violations.join("\n")
        );
    }
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_members: Vec<String>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    kind: Option<String>,
}

/// Who depends on whom, by name; two versions of one crate count as one.
#[derive(Default)]
struct Graph {
    members: BTreeSet<String>,
    /// Ordinary and build dependencies.
    product: BTreeMap<String, BTreeSet<String>>,
    /// What only tests and benches need.
    tests: BTreeMap<String, BTreeSet<String>>,
}

impl From<&Metadata> for Graph {
    fn from(metadata: &Metadata) -> Self {
        let names: BTreeMap<&str, &str> = metadata
            .packages
            .iter()
            .map(|package| (package.id.as_str(), package.name.as_str()))
            .collect();
        let name = |id: &str| names.get(id).copied().unwrap_or(id).to_owned();
        let mut graph = Self {
            members: metadata
                .workspace_members
                .iter()
                .map(|id| name(id))
                .collect(),
            ..Self::default()
        };
        for node in &metadata.resolve.nodes {
            for dependency in &node.deps {
                for kind in &dependency.dep_kinds {
                    let arrows = match kind.kind.as_deref() {
                        Some("dev") => &mut graph.tests,
                        _ => &mut graph.product,
                    };
                    arrows
                        .entry(name(&node.id))
                        .or_default()
                        .insert(name(&dependency.pkg));
                }
            }
        }
        graph
    }
}

impl Graph {
    fn violations(&self) -> Vec<String> {
        let mut violations = Vec::new();
        for member in &self.members {
            let allowed = ARROWS
                .iter()
                .find(|(name, _)| name == member)
                .map_or(&[][..], |(_, allowed)| allowed);
            let ours = |name: &&String| self.members.contains(*name);
            for arrow in arrows(&self.product, member).filter(ours) {
                if !allowed.contains(&arrow.as_str()) {
                    violations.push(format!("{member} depends on {arrow}"));
                }
            }
            // Tests of the binary's package drive whatever they like.
            for arrow in arrows(&self.tests, member).filter(ours) {
                let allowed = allowed.contains(&arrow.as_str())
                    || [TESTKIT, SIMULATOR].contains(&arrow.as_str());
                if !allowed && member != ROOT {
                    violations.push(format!("tests of {member} depend on {arrow}"));
                }
            }
            if !POLARS.contains(&member.as_str())
                && let Some(path) = self.path_to_polars(member)
            {
                violations.push(format!("{member} reaches polars: {}", path.join(" → ")));
            }
        }
        violations
    }

    /// The first chain of dependencies from a member, its tests included, to polars.
    fn path_to_polars(&self, member: &str) -> Option<Vec<String>> {
        let mut seen = BTreeSet::from([member.to_owned()]);
        let mut paths = vec![vec![member.to_owned()]];
        while let Some(path) = paths.pop() {
            let last = path.last().expect("a path starts somewhere");
            if last == "polars" || last.starts_with("polars-") {
                return Some(path);
            }
            // Test dependencies count for the crate itself only: they are not built for others.
            let of_tests = arrows(&self.tests, last).filter(|_| path.len() == 1);
            for next in arrows(&self.product, last).chain(of_tests) {
                if seen.insert(next.clone()) {
                    let mut longer = path.clone();
                    longer.push(next.clone());
                    paths.push(longer);
                }
            }
        }
        None
    }
}

fn arrows<'a>(
    graph: &'a BTreeMap<String, BTreeSet<String>>,
    from: &str,
) -> impl Iterator<Item = &'a String> {
    graph.get(from).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(members: &[&str], product: &[(&str, &str)], tests: &[(&str, &str)]) -> Graph {
        let arrows = |pairs: &[(&str, &str)]| {
            let mut arrows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            for (from, to) in pairs {
                arrows
                    .entry((*from).to_owned())
                    .or_default()
                    .insert((*to).to_owned());
            }
            arrows
        };
        Graph {
            members: members.iter().map(|name| (*name).to_owned()).collect(),
            product: arrows(product),
            tests: arrows(tests),
        }
    }

    #[test]
    fn an_arrow_up_is_named() {
        let graph = graph(
            &["af-model", "af-score"],
            &[("af-score", "af-model"), ("af-model", "af-score")],
            &[],
        );
        assert_eq!(graph.violations(), ["af-model depends on af-score"]);
    }

    #[test]
    fn the_way_to_polars_is_shown_also_through_tests() {
        let graph = graph(
            &["af-query", "af-report", "af-score"],
            &[
                ("af-query", "polars"),
                ("af-report", "x"),
                ("x", "polars-core"),
            ],
            &[("af-score", "polars"), ("x", "af-score")],
        );
        assert_eq!(
            graph.violations(),
            [
                "af-report reaches polars: af-report → x → polars-core",
                "af-score reaches polars: af-score → polars",
            ]
        );
    }

    #[test]
    fn test_support_is_for_tests() {
        let graph = graph(
            &["af-count", "af-score", SIMULATOR, TESTKIT],
            &[("af-count", TESTKIT), ("af-count", SIMULATOR)],
            &[
                ("af-score", TESTKIT),
                ("af-score", SIMULATOR),
                ("af-score", "af-count"),
            ],
        );
        assert_eq!(
            graph.violations(),
            [
                "af-count depends on af-okta-sim",
                "af-count depends on af-testkit",
                "tests of af-score depend on af-count",
            ]
        );
    }

    #[test]
    fn an_unknown_crate_may_depend_on_nobody() {
        let graph = graph(&["af-model", "af-new"], &[("af-new", "af-model")], &[]);
        assert_eq!(graph.violations(), ["af-new depends on af-model"]);
    }
}
