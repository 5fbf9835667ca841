//! Which column of a file is which fact about a person.

use std::path::Path;

use crate::error::{Error, ErrorKind, listed};
use crate::field::{Field, canonical};

const MAP_HINT: &str =
    "say which one with --map <ours>=<theirs>, e.g. --map user_uid=\"Employee ID\"";

/// The columns of a file that are read, and those that are not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mapping {
    /// Position in the file and what it holds. One column may serve two fields.
    pub(crate) used: Vec<(usize, Field)>,
    /// Their name, our name; in the order of our fields, then of the file.
    pub(crate) named: Vec<(String, &'static str)>,
    /// Names of columns nobody asked for, sorted.
    pub(crate) ignored: Vec<String>,
}

impl Mapping {
    pub(crate) fn has(&self, field: Field) -> bool {
        self.used.iter().any(|&(_, used)| used == field)
    }
}

/// Finds the column of every field: what was mapped by hand wins, then our own name, then the only
/// column with a synonym. Aliases are the union of all columns that hold any.
pub(crate) fn resolve(
    path: &Path,
    headers: &[String],
    by_hand: &[(String, String)],
) -> Result<Mapping, Error> {
    let canonical_headers: Vec<String> = headers.iter().map(|name| canonical(name)).collect();
    let mut chosen: Vec<(usize, Field)> = Vec::new();
    for (ours, theirs) in by_hand {
        let field = Field::from_name(ours).ok_or_else(|| unknown_field(path, ours))?;
        let column = find_named(path, headers, &canonical_headers, theirs)?;
        let taken = chosen
            .iter()
            .find(|&&(other, used)| used == field && other != column);
        if let Some(&(other, _)) = taken
            && field != Field::Aliases
        {
            return Err(ambiguous(path, headers, &[other, column], field));
        }
        if !chosen.contains(&(column, field)) {
            chosen.push((column, field));
        }
    }
    let mapped_by_hand: Vec<usize> = chosen.iter().map(|&(column, _)| column).collect();
    for field in Field::ALL {
        if chosen.iter().any(|&(_, used)| used == field) {
            continue;
        }
        let free = |wanted: &dyn Fn(&str) -> bool| -> Vec<usize> {
            (0..headers.len())
                .filter(|column| !mapped_by_hand.contains(column))
                .filter(|&column| wanted(&canonical_headers[column]))
                .collect()
        };
        let ours = canonical(field.name());
        let mut found = free(&|name| name == ours);
        if found.len() > 1 && field != Field::Aliases {
            // `email` beside `E-Mail`: the one spelled exactly as ours.
            let exact: Vec<usize> = found
                .iter()
                .copied()
                .filter(|&column| headers[column] == field.name())
                .collect();
            if exact.len() == 1 {
                found = exact;
            }
        }
        if found.is_empty() || field == Field::Aliases {
            found.extend(free(&|name| field.synonyms().contains(&name)));
        }
        if found.len() > 1 && field != Field::Aliases {
            return Err(ambiguous(path, headers, &found, field));
        }
        chosen.extend(found.into_iter().map(|column| (column, field)));
    }
    if !chosen
        .iter()
        .any(|&(_, field)| matches!(field, Field::Email | Field::Login))
    {
        return Err(no_key(path, headers));
    }
    chosen.sort_by_key(|&(column, field)| (field, column));
    let mut ignored: Vec<String> = (0..headers.len())
        .filter(|&column| chosen.iter().all(|&(used, _)| used != column))
        .map(|column| headers[column].clone())
        .collect();
    ignored.sort();
    Ok(Mapping {
        named: chosen
            .iter()
            .map(|&(column, field)| (headers[column].clone(), field.name()))
            .collect(),
        used: chosen,
        ignored,
    })
}

fn find_named(
    path: &Path,
    headers: &[String],
    canonical_headers: &[String],
    theirs: &str,
) -> Result<usize, Error> {
    let exact = positions(headers, |name| name == theirs.trim());
    let found = if exact.is_empty() {
        let wanted = canonical(theirs);
        positions(canonical_headers, |name| name == wanted)
    } else {
        exact
    };
    match found.as_slice() {
        [column] => Ok(*column),
        [] => Err(Error::new(
            path,
            ErrorKind::BadMapping,
            format!(
                "has no column {}; its columns are {}",
                listed([theirs]),
                listed(headers.iter().map(String::as_str)),
            ),
        )),
        _ => Err(Error::new(
            path,
            ErrorKind::AmbiguousColumns,
            format!("has {} columns named {}", found.len(), listed([theirs])),
        )
        .with_hint("give each column of the file a name of its own")),
    }
}

fn positions(names: &[String], wanted: impl Fn(&str) -> bool) -> Vec<usize> {
    (0..names.len())
        .filter(|&column| wanted(&names[column]))
        .collect()
}

fn unknown_field(path: &Path, ours: &str) -> Error {
    Error::new(
        path,
        ErrorKind::BadMapping,
        format!(
            "cannot map to {}, which is none of our columns: {}",
            listed([ours]),
            Field::ALL.map(Field::name).join(", "),
        ),
    )
}

fn ambiguous(path: &Path, headers: &[String], columns: &[usize], field: Field) -> Error {
    let names = columns.iter().map(|&column| headers[column].as_str());
    Error::new(
        path,
        ErrorKind::AmbiguousColumns,
        format!("columns {} could all be {}", listed(names), field.name()),
    )
    .with_hint(MAP_HINT)
}

fn no_key(path: &Path, headers: &[String]) -> Error {
    let error = |problem: String| Error::new(path, ErrorKind::NoKeyColumn, problem);
    // Without a header the first person stands where the names should be; do not print them.
    if headers.iter().any(|name| name.contains('@')) {
        return error("its first line holds an e-mail address instead of column names".to_owned())
            .with_hint("put a line of column names on top, e.g. user_uid,email,display_name");
    }
    error(format!(
        "has neither an e-mail nor a login column; its columns are {}",
        listed(headers.iter().map(String::as_str)),
    ))
    .with_hint("name it with --map email=<theirs> or --map login=<theirs>")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapped(headers: &[&str], by_hand: &[(&str, &str)]) -> Result<Mapping, Error> {
        let headers: Vec<String> = headers.iter().map(|&name| name.to_owned()).collect();
        let by_hand: Vec<(String, String)> = by_hand
            .iter()
            .map(|&(ours, theirs)| (ours.to_owned(), theirs.to_owned()))
            .collect();
        resolve(Path::new("people.csv"), &headers, &by_hand)
    }

    fn named(headers: &[&str], by_hand: &[(&str, &str)]) -> Vec<(String, &'static str)> {
        mapped(headers, by_hand).unwrap().named
    }

    fn pairs(expected: &[(&str, &'static str)]) -> Vec<(String, &'static str)> {
        expected
            .iter()
            .map(|&(theirs, ours)| (theirs.to_owned(), ours))
            .collect()
    }

    #[test]
    fn columns_are_found_however_they_are_written() {
        let headers = [
            "Job Title",
            "E-mail Address",
            "EMPLOYEE_ID",
            "hire.date",
            "Shoe Size",
        ];
        let mapping = mapped(&headers, &[]).unwrap();
        assert_eq!(
            mapping.named,
            pairs(&[
                ("EMPLOYEE_ID", "user_uid"),
                ("E-mail Address", "email"),
                ("Job Title", "title"),
                ("hire.date", "created"),
            ])
        );
        assert_eq!(mapping.ignored, ["Shoe Size"]);
    }

    #[test]
    fn our_own_name_beats_a_synonym() {
        assert_eq!(named(&["mail", "Email"], &[]), pairs(&[("Email", "email")]));
        assert_eq!(
            named(&["E-Mail", "email"], &[]),
            pairs(&[("email", "email")])
        );
    }

    #[test]
    fn what_is_mapped_by_hand_beats_everything() {
        assert_eq!(
            named(&["email", "mail"], &[("email", "mail")]),
            pairs(&[("mail", "email")])
        );
        assert_eq!(
            named(&["upn"], &[("email", "UPN"), ("login", "upn")]),
            pairs(&[("upn", "email"), ("upn", "login")])
        );
    }

    #[test]
    fn two_candidates_are_an_error_that_names_both() {
        let error = mapped(&["email", "id", "Employee ID"], &[]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AmbiguousColumns);
        assert_eq!(
            error.to_string(),
            "people file `people.csv`: columns `id`, `Employee ID` could all be user_uid"
        );
        assert!(error.hint().unwrap().contains("--map"));
        let error = mapped(&["a", "b"], &[("email", "a"), ("email", "b")]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AmbiguousColumns);
    }

    #[test]
    fn columns_of_aliases_are_united() {
        assert_eq!(
            named(
                &["email", "proxyAddresses", "former"],
                &[("aliases", "former")]
            ),
            pairs(&[("email", "email"), ("former", "aliases")])
        );
        assert_eq!(
            named(&["email", "proxyAddresses", "alias"], &[]),
            pairs(&[
                ("email", "email"),
                ("proxyAddresses", "aliases"),
                ("alias", "aliases")
            ])
        );
    }

    #[test]
    fn a_mapping_to_nothing_is_an_error() {
        for by_hand in [("emial", "email"), ("email", "nowhere")] {
            let error = mapped(&["email"], &[by_hand]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BadMapping);
        }
    }

    #[test]
    fn a_missing_header_line_does_not_print_the_person_in_its_place() {
        let error = mapped(&["Joe", "joe@example.com"], &[]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoKeyColumn);
        assert!(!error.to_string().contains("joe"));
    }
}
