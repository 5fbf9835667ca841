//! The demo's files: written, or compared with what would be written.

use std::io::{Read, Write as _};
use std::path::Path;

use anyhow::{Context, Result, bail};
use flate2::read::GzDecoder;
use flate2::{Compression, GzBuilder};
use fs_err as fs;

/// One file of the demo.
pub(super) struct DemoFile {
    /// Its name in the demo's folder.
    pub(super) name: &'static str,
    /// Whether it is stored with gzip.
    pub(super) is_compressed: bool,
    /// Its content before compression.
    pub(super) content: String,
}

/// Writes the files into a folder, which is made when it is absent.
pub(super) fn write(folder: &Path, files: &[DemoFile]) -> Result<()> {
    fs::create_dir_all(folder)?;
    for file in files {
        let bytes = if file.is_compressed {
            compress(file.content.as_bytes())?
        } else {
            file.content.clone().into_bytes()
        };
        fs::write(folder.join(file.name), bytes)?;
    }
    Ok(())
}

/// Compares the files of a folder with what would be written, compressed ones by their content:
/// compressors may change, what they compress may not.
pub(super) fn check(folder: &Path, files: &[DemoFile]) -> Result<()> {
    for file in files {
        let path = folder.join(file.name);
        let bytes = fs::read(&path)?;
        let found = if file.is_compressed {
            let mut content = Vec::new();
            GzDecoder::new(bytes.as_slice())
                .read_to_end(&mut content)
                .with_context(|| format!("failed to decompress {}", path.display()))?;
            content
        } else {
            bytes
        };
        if found != file.content.as_bytes() {
            let line = first_difference(&found, file.content.as_bytes());
            bail!(
                "{} differs from line {line}; run cargo xtask demo-data",
                file.name
            );
        }
    }
    Ok(())
}

fn compress(content: &[u8]) -> Result<Vec<u8>> {
    // No time and no operating system in the header: equal content, equal bytes.
    let mut encoder = GzBuilder::new()
        .mtime(0)
        .operating_system(255)
        .write(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    Ok(encoder.finish()?)
}

/// The first line, from 1, on which two texts differ.
fn first_difference(a: &[u8], b: &[u8]) -> usize {
    let lines = |text: &[u8]| -> Vec<Vec<u8>> {
        text.split(|byte| *byte == b'\n')
            .map(<[u8]>::to_vec)
            .collect()
    };
    let (a, b) = (lines(a), lines(b));
    1 + a.iter().zip(&b).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compressed_is_the_content() {
        let bytes = compress(b"one\ntwo\n").unwrap();
        assert_eq!(bytes[4..8], [0; 4], "no time");
        let mut content = String::new();
        GzDecoder::new(bytes.as_slice())
            .read_to_string(&mut content)
            .unwrap();
        assert_eq!(content, "one\ntwo\n");
    }

    #[test]
    fn the_first_difference_is_named_by_line() {
        assert_eq!(first_difference(b"a\nb\nc", b"a\nx\nc"), 2);
        assert_eq!(first_difference(b"a\n", b"a\nb"), 2);
    }
}
