//! `[[credential]]`: who we are to a service, and where the secret is that proves it.

use af_model::UtcDay;
use af_model::name::Printable;

use super::nearest;
use super::read::Reader;
use super::settings::{Auth, Config, Credential, SecretPlace};

const AUTHS: [&str; 3] = ["api_token", "client_secret", "private_key"];

/// Credentials that can be used, and the names of all, so that a broken one is not called absent.
#[derive(Debug, Default)]
pub(super) struct Credentials {
    pub(super) usable: Vec<Credential>,
    pub(super) names: Vec<String>,
}

impl Reader<'_> {
    pub(super) fn credentials(&mut self) -> Credentials {
        let mut found = Credentials::default();
        for n in 0..self.document.length("credential") {
            let path = format!("credential[{n}]");
            let name = self.name(&path, "credential");
            let auth = self.auth(&path);
            let from = self.secret_place(&path);
            let expires = self.expires(&path);
            let Some(name) = name else { continue };
            if found.names.contains(&name) {
                let message = format!("a second credential {name}");
                self.say(&format!("{path}.name"), message, None);
                continue;
            }
            found.names.push(name.clone());
            if let (Some(auth), Some(from)) = (auth, from) {
                found.usable.push(Credential {
                    description: self.described(&path),
                    key: path,
                    name,
                    auth,
                    from,
                    expires,
                });
            }
        }
        found
    }

    pub(super) fn described(&self, path: &str) -> Option<String> {
        let description = self.document.text(&format!("{path}.description"))?;
        Some(description.to_owned())
    }

    fn auth(&mut self, path: &str) -> Option<Auth> {
        let is_written = |key: &str| self.document.place(&format!("{path}.{key}")).is_some();
        let (has_client, has_key) = (
            is_written("client_id"),
            is_written("key_id") || is_written("dpop"),
        );
        let auth = format!("{path}.auth");
        let kind = match self.document.text(&auth) {
            Some(written) => {
                let Some(known) = AUTHS.into_iter().find(|known| *known == written) else {
                    let hint = nearest::hint(written, &AUTHS);
                    let message = format!("{auth}: there is no {}", Printable(written));
                    self.say(&auth, message, hint);
                    return None;
                };
                known
            }
            // One of another type was said already.
            None if is_written("auth") => return None,
            None if has_key => "private_key",
            None if has_client => {
                let message = format!("{path} does not say its auth");
                let hint = "auth = \"private_key\" or auth = \"client_secret\"";
                self.say(path, message, Some(hint.to_owned()));
                return None;
            }
            None => "api_token",
        };
        let mut is_right = true;
        for (key, is_meant) in [
            ("client_id", kind != "api_token"),
            ("key_id", kind == "private_key"),
            ("dpop", kind == "private_key"),
        ] {
            let key = format!("{path}.{key}");
            if !is_meant && self.document.place(&key).is_some() {
                let message = format!("{key} does not go with auth {kind}");
                let hint = "take it out, or say the auth that it belongs to";
                self.say(&key, message, Some(hint.to_owned()));
                is_right = false;
            }
        }
        let client_id = self.document.text(&format!("{path}.client_id"));
        let client_id = client_id.unwrap_or_default().trim().to_owned();
        if kind != "api_token" && client_id.is_empty() {
            let message = format!("{path} has auth {kind} and no client_id");
            let hint = "client_id = the id of the app in Okta, 0oa…";
            self.say(path, message, Some(hint.to_owned()));
            is_right = false;
        }
        let auth = match kind {
            "api_token" => Auth::ApiToken,
            "client_secret" => Auth::ClientSecret { client_id },
            _ => Auth::PrivateKey {
                client_id,
                key_id: self
                    .document
                    .text(&format!("{path}.key_id"))
                    .map(str::to_owned),
                dpop: self
                    .document
                    .boolean(&format!("{path}.dpop"))
                    .unwrap_or(true),
            },
        };
        is_right.then_some(auth)
    }

    fn secret_place(&mut self, path: &str) -> Option<SecretPlace> {
        let (env, file) = (format!("{path}.from_env"), format!("{path}.from_file"));
        let is_written = |key: &str| self.document.place(key).is_some();
        match (is_written(&env), is_written(&file)) {
            (true, true) => {
                let message = format!("{path} has from_env and from_file");
                let hint = "the secret is in one place: take one of them out";
                self.say(&file, message, Some(hint.to_owned()));
                None
            }
            (false, false) => {
                let message = format!("{path} does not say where its secret is");
                let hint = "from_env = \"ACME_OKTA_KEY\" or from_file = \"secrets/acme.pem\"";
                self.say(path, message, Some(hint.to_owned()));
                None
            }
            (true, false) => {
                let name = self.document.text(&env)?;
                if is_variable(name) {
                    return Some(SecretPlace::Environment(name.to_owned()));
                }
                // What stands there may be the secret itself.
                let message = format!("{env} is no name of an environment variable");
                let hint =
                    "the name alone, e.g. ACME_OKTA_KEY; the secret stays in the environment";
                self.say(&env, message, Some(hint.to_owned()));
                None
            }
            (false, true) => {
                let written = self.document.text(&file)?;
                if !written.trim().is_empty() {
                    return Some(SecretPlace::File(Config::resolve(&self.folder, written)));
                }
                self.say(&file, format!("{file} is empty"), None);
                None
            }
        }
    }

    fn expires(&mut self, path: &str) -> Option<UtcDay> {
        let key = format!("{path}.expires");
        let written = self.document.text(&key)?;
        let day = UtcDay::parse(written).ok();
        if day.is_none() {
            let message = format!("{key}: {} is no date", Printable(written));
            let hint = "write it as 2027-01-31";
            self.say(&key, message, Some(hint.to_owned()));
        }
        day
    }
}

fn is_variable(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (1..=128).contains(&name.len())
        && name.bytes().all(is_part)
        && !name.starts_with(|first: char| first.is_ascii_digit())
}
