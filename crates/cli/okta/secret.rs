//! Reading a secret from where the configuration says it is. Its value is never shown, whatever goes
//! wrong with it.

use std::ffi::OsString;
use std::io::Read;
use std::path::Path;

use af_engine::config::{Auth, Credential, SecretPlace};
use af_model::name::Printable;
use af_okta_client::{Error, ErrorKind};
use secrecy::SecretString;

/// A key of 16,384 bits fits many times; a log file given by mistake does not.
const MAX_BYTES: u64 = 64 << 10;

/// A secret, and what should be mended about the place where it lies.
pub(crate) struct Found {
    /// The secret, white space around it taken off.
    pub(crate) secret: SecretString,
    /// What a user should read.
    pub(crate) warning: Option<String>,
}

/// Reads the secret of a credential from the environment of this process or from its file.
///
/// # Errors
/// It is not there, empty, not UTF-8, or cannot be what the credential needs.
pub(crate) fn read(credential: &Credential) -> Result<Found, Error> {
    read_with(credential, |name| std::env::var_os(name))
}

fn read_with(
    credential: &Credential,
    environment: impl Fn(&str) -> Option<OsString>,
) -> Result<Found, Error> {
    let whose = Printable(&credential.name).to_string();
    let refuse = |problem: &str, hint: String| {
        Error::new(
            ErrorKind::Usage,
            format!("read the secret of credential {whose}: {problem}"),
        )
        .with_hint(hint)
    };
    let (text, warning, place) = match &credential.from {
        SecretPlace::Environment(name) => {
            let shown = Printable(name).to_string();
            let value = environment(name).ok_or_else(|| {
                refuse(
                    &format!("the environment has no {shown}"),
                    format!("export {shown}=… in the shell, the unit or the job that runs this"),
                )
            })?;
            let text = value.into_string().map_err(|_| {
                refuse(
                    &format!("{shown} is not UTF-8"),
                    "secrets of Okta are plain letters and digits".to_owned(),
                )
            })?;
            (text, None, shown)
        }
        SecretPlace::File(path) => {
            let shown = Printable(&path.display().to_string()).to_string();
            let text = read_file(path).map_err(|problem| {
                refuse(
                    &format!("{shown}: {problem}"),
                    "from_file is relative to the configuration and holds the secret alone"
                        .to_owned(),
                )
            })?;
            let warning = is_open_to_others(path).then(|| {
                format!(
                    "credential {whose}: {shown} may be read by others; chmod 600 makes it its \
                     owner's alone"
                )
            });
            (text, warning, shown)
        }
    };
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(refuse(
            &format!("{place} is empty"),
            "put the secret there, alone".to_owned(),
        ));
    }
    if let Some(problem) = misfit(&credential.auth, trimmed) {
        return Err(refuse(
            &format!("{place} {problem}"),
            "auth = \"api_token\" and \"client_secret\" need one word, \"private_key\" a key in PEM \
             or as JWK"
                .to_owned(),
        ));
    }
    Ok(Found {
        secret: SecretString::from(trimmed),
        warning,
    })
}

/// What tells already by its shape that this is another kind of secret.
fn misfit(auth: &Auth, secret: &str) -> Option<&'static str> {
    let is_key = secret.starts_with("-----BEGIN") || secret.starts_with('{');
    match auth {
        Auth::PrivateKey { .. } => (!is_key).then_some("holds no private key"),
        Auth::ApiToken | Auth::ClientSecret { .. } => {
            if is_key {
                Some("holds a key instead of a token or secret")
            } else if secret.contains(|letter: char| {
                letter.is_whitespace() || letter.is_control() || !letter.is_ascii()
            }) {
                Some("holds more than one word")
            } else {
                None
            }
        }
    }
}

fn read_file(path: &Path) -> Result<String, String> {
    // The path is in the message already.
    let say = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => "no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "may not be read".to_owned(),
        kind => kind.to_string(),
    };
    let file = std::fs::File::open(path).map_err(say)?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(say)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("larger than {MAX_BYTES} bytes; no secret is"));
    }
    String::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())
}

#[cfg(unix)]
fn is_open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs_err::metadata(path).is_ok_and(|facts| facts.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use secrecy::ExposeSecret;

    use super::*;

    fn credential(auth: Auth, from: SecretPlace) -> Credential {
        Credential {
            key: "credential[0]".to_owned(),
            name: "acme-okta".to_owned(),
            description: None,
            auth,
            from,
            expires: None,
        }
    }

    fn from_environment(auth: Auth, value: Option<&str>) -> Result<Found, Error> {
        let credential = credential(auth, SecretPlace::Environment("ACME".to_owned()));
        read_with(&credential, |name| {
            assert_eq!(name, "ACME");
            value.map(OsString::from)
        })
    }

    fn key() -> Auth {
        Auth::PrivateKey {
            client_id: "0oa1".to_owned(),
            key_id: None,
            dpop: true,
        }
    }

    fn message(found: Result<Found, Error>) -> String {
        match found {
            Ok(_) => panic!("it was taken"),
            Err(error) => format!("{error} / {}", error.hint().unwrap_or_default()),
        }
    }

    #[test]
    fn a_secret_of_the_environment_is_trimmed() {
        let found = from_environment(Auth::ApiToken, Some(" 00abc\n")).unwrap();
        assert_eq!(found.secret.expose_secret(), "00abc");
        assert_eq!(found.warning, None);
    }

    #[test]
    fn what_is_missing_or_empty_is_said_by_its_name() {
        let missing = message(from_environment(Auth::ApiToken, None));
        assert!(missing.starts_with(
            "read the secret of credential acme-okta: the environment has no ACME / export ACME=…"
        ));
        let empty = message(from_environment(Auth::ApiToken, Some(" \n ")));
        assert!(empty.contains("ACME is empty"), "{empty}");
    }

    #[test]
    fn another_kind_of_secret_is_refused_and_never_shown() {
        let secret = Auth::ClientSecret {
            client_id: "0oa1".to_owned(),
        };
        for (auth, text, problem) in [
            (Auth::ApiToken, "hidden1 hidden2", "more than one word"),
            (secret, "{\"hidden\":1}", "a key instead of"),
            (key(), "hidden", "holds no private key"),
            (Auth::ApiToken, "hidd\u{e9}n", "more than one word"),
        ] {
            let said = message(from_environment(auth, Some(text)));
            assert!(said.contains(problem), "{said}");
            assert!(!said.contains("hidd"), "{said}");
        }
        assert!(from_environment(key(), Some("-----BEGIN PRIVATE KEY-----\n…")).is_ok());
        assert!(from_environment(key(), Some("{\"kty\":\"EC\"}")).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn a_name_that_is_not_utf8_is_refused_and_never_shown() {
        use std::os::unix::ffi::OsStringExt;
        let credential = credential(Auth::ApiToken, SecretPlace::Environment("ACME".to_owned()));
        let found = read_with(&credential, |_| {
            Some(OsString::from_vec(b"hid\xffden".to_vec()))
        });
        let said = message(found);
        assert!(
            said.contains("ACME is not UTF-8") && !said.contains("hid"),
            "{said}"
        );
    }

    fn from_file(bytes: Option<&[u8]>, mode: u32) -> (Result<Found, Error>, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        if let Some(bytes) = bytes {
            fs_err::write(&path, bytes).unwrap();
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                let permissions = std::fs::Permissions::from_mode(mode);
                fs_err::set_permissions(&path, permissions).unwrap();
            }
        }
        let credential = credential(Auth::ApiToken, SecretPlace::File(path.clone()));
        (read_with(&credential, |_| None), path)
    }

    #[cfg(unix)]
    #[test]
    fn a_file_open_to_others_is_taken_with_a_warning() {
        for mode in [0o644, 0o640] {
            let (found, path) = from_file(Some(b"00abc\n"), mode);
            let found = found.unwrap();
            assert_eq!(found.secret.expose_secret(), "00abc");
            let warning = found.warning.unwrap();
            let said = format!("{} may be read by others", path.display());
            assert!(warning.contains(&said), "{warning}");
        }
        for mode in [0o600, 0o400] {
            assert_eq!(from_file(Some(b"00abc"), mode).0.unwrap().warning, None);
        }
    }

    #[test]
    fn a_broken_file_is_said_and_never_shown() {
        let large = vec![b'x'; 64 * 1024 + 1];
        for (bytes, problem) in [
            (None, "no such file"),
            (Some(&b"\n"[..]), "is empty"),
            (Some(&b"hid\xffden"[..]), "not UTF-8"),
            (Some(&large[..]), "larger than 65536 bytes"),
        ] {
            let said = message(from_file(bytes, 0o600).0);
            assert!(said.contains(problem), "{said}");
            assert!(!said.contains("hid"), "{said}");
        }
    }
}
