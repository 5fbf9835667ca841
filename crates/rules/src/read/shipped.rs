//! The rules that come with the program, embedded so that it works from any folder.

use include_dir::{Dir, include_dir};

use crate::rule::RuleFile;

static OKTA: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../data/rules/okta");

/// The shipped rule files with their samples, by name. Paths start with `data/rules/okta/`.
///
/// ```
/// let files = af_rules::shipped();
/// assert!(files.iter().all(|file| file.samples.is_some()));
/// ```
pub fn shipped() -> Vec<RuleFile> {
    let mut files: Vec<RuleFile> = OKTA
        .files()
        .filter_map(|file| {
            let name = file.path().file_name()?.to_str()?;
            let stem = name.strip_suffix(".yml")?;
            let samples = OKTA
                .get_file(format!("{stem}.samples.jsonl"))
                .and_then(|samples| samples.contents_utf8());
            Some(RuleFile {
                path: format!("data/rules/okta/{name}"),
                text: file.contents_utf8()?.to_owned(),
                samples: samples.map(str::to_owned),
            })
        })
        .collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}
