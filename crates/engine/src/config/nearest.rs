//! The valid name that somebody probably meant.

/// The hint for a misspelt name: the nearest ones, else all of them if they are few.
pub(super) fn hint(name: &str, candidates: &[&str]) -> Option<String> {
    // The measure is quadratic in length: a hostile name is cut.
    let name: String = name.to_lowercase().chars().take(100).collect();
    let mut alike: Vec<(f64, &str)> = candidates
        .iter()
        .map(|candidate| (strsim::jaro_winkler(&name, candidate), *candidate))
        .filter(|(similarity, _)| *similarity >= 0.8)
        .collect();
    alike.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    if alike.is_empty() {
        return (!candidates.is_empty() && candidates.len() <= 16)
            .then(|| format!("one of {}", candidates.join(", ")));
    }
    let names: Vec<&str> = alike.into_iter().take(3).map(|(_, name)| name).collect();
    Some(format!("did you mean {}?", names.join(", ")))
}

/// Whether a name is one of the candidates with a slip of the finger in it.
pub(super) fn is_slip(name: &str, candidates: &[&str]) -> bool {
    let name: String = name.to_lowercase().chars().take(100).collect();
    let slips = |candidate: &&&str| strsim::damerau_levenshtein(&name, candidate);
    candidates.iter().any(|candidate| slips(&candidate) <= 2)
}
