//! The generated pages of `docs/`: written, or compared with what would be written.

use std::path::Path;

use anyhow::{Result, bail};
use fs_err as fs;

mod cell;
mod integrations;
mod rules;
mod tables;

/// Where the pages live.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");

/// Writes the pages, or compares them with what would be written.
pub(crate) fn run(check: bool) -> Result<String> {
    let pages = [
        (tables::PAGE, tables::text()?),
        (rules::PAGE, rules::text()?),
        (integrations::PAGE, integrations::text()?),
    ];
    for (name, text) in &pages {
        let page = Path::new(FOLDER).join(name);
        if !check {
            fs::write(page, text)?;
        } else if fs::read_to_string(page)? != *text {
            bail!("docs/{name} is not as it would be written; run cargo xtask docs");
        }
    }
    let done = if check {
        "are as they would be written"
    } else {
        "are written"
    };
    Ok(format!("{} pages of docs {done}", pages.len()))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_pages_are_as_they_would_be_written() {
        super::run(true).unwrap();
    }
}
