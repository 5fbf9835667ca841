//! Keyed hashes as they are written: how a name that somebody typed meets the directory without being written down.

use af_model::HexHash;

/// Reads 32 hex digits; `None` for anything else.
pub(crate) fn parse_hash(text: &str) -> Option<HexHash> {
    let digits = text.as_bytes();
    if digits.len() != 32 {
        return None;
    }
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let mut hash = [0; 16];
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(HexHash(hash))
}

#[cfg(test)]
mod tests {
    use af_model::HashKey;

    use super::*;

    #[test]
    fn a_written_hash_reads_back_and_nothing_else_does() {
        let hash = HashKey::new([3; 32]).identifier("acme", "ana");
        let written = hash.to_string();
        assert_eq!(parse_hash(&written), Some(hash));
        assert_eq!(parse_hash(&written.to_uppercase()), Some(hash));
        assert_eq!(parse_hash(&written[1..]), None);
        assert_eq!(parse_hash(&format!("{written}0")), None);
        assert_eq!(parse_hash("zz000000000000000000000000000000"), None);
        assert_eq!(parse_hash("é0000000000000000000000000000000"), None);
    }
}
