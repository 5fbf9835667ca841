//! How fetching from several integrations ends: every failure is named, the worst decides.

use af_okta_client::{Error, ErrorKind};

use crate::exit::Refusal;

/// Nothing when nothing failed; else everything that did, each with what may help. Settings that
/// cannot be used are the user's to mend, unless something else failed, too.
pub(super) fn judge(tried: usize, failed: &[(String, &Error)]) -> Result<(), Refusal> {
    let Some((_, first)) = failed.first() else {
        return Ok(());
    };
    let message = match failed {
        [(label, error)] if tried == 1 => format!("fetch from {label}: {error}"),
        failed => {
            let mut lines = vec![format!(
                "fetch from {} of {tried} integrations",
                failed.len()
            )];
            for (label, error) in failed {
                lines.push(format!("{label}: {error}"));
                if failed.len() > 1 {
                    lines.extend(error.hint().map(|hint| format!("    {hint}")));
                }
            }
            lines.join("\n")
        }
    };
    let is_usage = failed
        .iter()
        .all(|(_, error)| error.kind() == ErrorKind::Usage);
    let hint = match failed {
        [_] => first.hint().map(str::to_owned),
        _ => Some("attack-factor okta check says what each of them needs".to_owned()),
    };
    let refusal = if is_usage {
        Refusal::usage(
            message,
            hint.unwrap_or_else(|| "attack-factor config check".to_owned()),
        )
    } else {
        match hint {
            Some(hint) => Refusal::failed(message).with_hint(hint),
            None => Refusal::failed(message),
        }
    };
    Err(refusal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failures<'e>(errors: &[&'e Error]) -> Vec<(String, &'e Error)> {
        errors
            .iter()
            .enumerate()
            .map(|(number, error)| (format!("acme/{number}"), *error))
            .collect()
    }

    #[test]
    fn every_failure_is_named_with_what_may_help() {
        let denied = Error::new(ErrorKind::Unauthorized, "sign in: E0000011").with_hint("renew it");
        let gone = Error::new(ErrorKind::Unavailable, "reach it");
        assert!(judge(3, &[]).is_ok());
        let one = judge(1, &failures(&[&denied])).unwrap_err();
        assert_eq!(one.to_string(), "fetch from acme/0: sign in: E0000011");
        assert_eq!((one.code(), one.hint()), (1, Some("renew it")));
        let two = judge(3, &failures(&[&denied, &gone])).unwrap_err();
        assert_eq!(
            two.to_string(),
            "fetch from 2 of 3 integrations\nacme/0: sign in: E0000011\n    renew it\nacme/1: reach it"
        );
        assert_eq!(two.code(), 1);
    }

    #[test]
    fn settings_alone_are_a_matter_of_usage() {
        let key = Error::new(ErrorKind::Usage, "read the key").with_hint("PEM or JWK");
        let gone = Error::new(ErrorKind::Unavailable, "reach it");
        let refused = judge(2, &failures(&[&key])).unwrap_err();
        assert_eq!((refused.code(), refused.hint()), (2, Some("PEM or JWK")));
        assert_eq!(judge(2, &failures(&[&key, &gone])).unwrap_err().code(), 1);
    }
}
