//! Which integrations of the configuration are meant.

use af_engine::config::{Config, Credential, OktaApi, OktaSource, Tenant};
use af_model::name::Printable;
use af_store::feed::FeedName;

use crate::exit::Refusal;

/// One integration that is asked over the network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Integration<'c> {
    /// Whose it is.
    pub(crate) tenant: &'c Tenant,
    /// The Okta org.
    pub(crate) source: &'c OktaSource,
    /// How it is asked.
    pub(crate) api: &'c OktaApi,
    /// Its credential; the configuration's check says when there is none.
    pub(crate) credential: Option<&'c Credential>,
}

impl Integration<'_> {
    /// Its feed in the store.
    pub(crate) fn feed(&self) -> FeedName {
        self.source.feed_name(&self.tenant.name)
    }

    /// What it is called on the command line and in messages: `acme/prod`.
    pub(crate) fn label(&self) -> String {
        format!("{}/{}", self.tenant.name, self.source.label())
    }
}

/// All integrations with a `url`, in the order of the configuration.
pub(crate) fn all(config: &Config) -> Vec<Integration<'_>> {
    let mut all = Vec::new();
    for tenant in &config.tenants {
        for source in &tenant.okta {
            let Some(api) = &source.api else { continue };
            let credential = config
                .credentials
                .iter()
                .find(|credential| credential.name == api.credential);
            all.push(Integration {
                tenant,
                source,
                api,
                credential,
            });
        }
    }
    all
}

/// The integrations that were named as `TENANT` or `TENANT/INTEGRATION`, each once and in the order
/// of the configuration; all of them when none was named.
///
/// # Errors
/// Nothing is called so, or there is no integration with a `url` at all.
pub(crate) fn select<'c>(
    config: &'c Config,
    asked: &[String],
) -> Result<Vec<Integration<'c>>, Refusal> {
    let all = all(config);
    if all.is_empty() {
        return Err(Refusal::usage(
            "find an integration to ask: no [[tenant.okta]] of the configuration has a url",
            "attack-factor config show --example shows how one is written",
        ));
    }
    if asked.is_empty() {
        return Ok(all);
    }
    for name in asked {
        if !all.iter().any(|one| is_called(one, name)) {
            return Err(unknown(config, &all, name));
        }
    }
    Ok(all
        .into_iter()
        .filter(|one| asked.iter().any(|name| is_called(one, name)))
        .collect())
}

fn is_called(integration: &Integration<'_>, name: &str) -> bool {
    match name.split_once('/') {
        None => integration.tenant.name == name,
        Some((tenant, source)) => {
            integration.tenant.name == tenant && integration.source.label() == source
        }
    }
}

fn unknown(config: &Config, all: &[Integration<'_>], name: &str) -> Refusal {
    let shown = Printable(name);
    let (tenant, source) = match name.split_once('/') {
        None => (name, None),
        Some((tenant, source)) => (tenant, Some(source)),
    };
    let has_files_only = config.tenants.iter().any(|known| {
        known.name == tenant
            && known
                .okta
                .iter()
                .any(|known| source.is_none_or(|source| known.label() == source))
    });
    if has_files_only {
        return Refusal::usage(
            format!("ask {shown}: it has files and no url"),
            "attack-factor run reads its files",
        );
    }
    let mut names: Vec<String> = all.iter().map(Integration::label).collect();
    names.extend(all.iter().map(|one| one.tenant.name.clone()));
    names.sort();
    names.dedup();
    Refusal::usage(
        format!("find an integration called {shown}"),
        nearest(name, &names),
    )
}

/// The names that somebody probably meant, else the first of those there are.
pub(crate) fn nearest(name: &str, known: &[String]) -> String {
    // The measure is quadratic in length: a hostile name is cut.
    let name: String = name.to_lowercase().chars().take(200).collect();
    let mut alike: Vec<(f64, &String)> = known
        .iter()
        .map(|known| (strsim::jaro_winkler(&name, known), known))
        .filter(|(similarity, _)| *similarity >= 0.8)
        .collect();
    alike.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    let names: Vec<&str> = alike
        .iter()
        .take(3)
        .map(|(_, name)| name.as_str())
        .collect();
    if names.is_empty() {
        let all: Vec<&str> = known.iter().take(16).map(String::as_str).collect();
        return format!("there is {}", all.join(", "));
    }
    format!("did you mean {}?", names.join(", "))
}

#[cfg(test)]
pub(crate) mod tests {
    use af_model::feed::Start;

    use super::*;

    /// Two tenants: one with two orgs to ask and one of files, one with an org without a name.
    pub(crate) fn config() -> Config {
        let api = |credential: &str| OktaApi {
            url: "https://acme.okta.com".to_owned(),
            custom_domain: false,
            credential: credential.to_owned(),
            start: Start::Backfill,
            poll_seconds: 60,
            rate_percent: 50,
            inventory_hours: 24,
            inventory: Vec::new(),
            people: true,
            keep_raw: false,
        };
        let source = |name: Option<&str>, api: Option<OktaApi>| OktaSource {
            name: name.map(str::to_owned),
            api,
            ..OktaSource::default()
        };
        let tenant = |name: &str, okta: Vec<OktaSource>| Tenant {
            name: name.to_owned(),
            okta,
            ..Tenant::default()
        };
        let mut config = Config::default();
        config.tenants = vec![
            tenant(
                "acme",
                vec![
                    source(Some("prod"), Some(api("a"))),
                    source(Some("dropped"), None),
                    source(Some("preview"), Some(api("b"))),
                ],
            ),
            tenant("beta", vec![source(None, Some(api("a")))]),
            tenant("gamma", vec![source(None, None)]),
        ];
        config
    }

    fn labels(asked: &[&str]) -> Vec<String> {
        let config = config();
        let asked: Vec<String> = asked.iter().map(|&name| name.to_owned()).collect();
        let selected = select(&config, &asked).unwrap();
        selected.iter().map(Integration::label).collect()
    }

    fn refused(asked: &str) -> String {
        let config = config();
        let refusal = select(&config, &[asked.to_owned()]).unwrap_err();
        format!("{refusal} / {}", refusal.hint().unwrap_or_default())
    }

    #[test]
    fn names_select_in_the_order_of_the_configuration_and_each_once() {
        let every = ["acme/prod", "acme/preview", "beta/okta"];
        assert_eq!(labels(&[]), every);
        assert_eq!(labels(&["acme"]), &every[..2]);
        assert_eq!(
            labels(&["beta", "acme/preview", "acme/preview"]),
            &every[1..]
        );
        assert_eq!(labels(&["beta/okta"]), &every[2..]);
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest() {
        assert_eq!(
            refused("acme/pord"),
            "find an integration called acme/pord / did you mean acme/prod, acme, acme/preview?"
        );
        assert_eq!(
            refused("zzz"),
            "find an integration called zzz / there is acme, acme/preview, acme/prod, beta, beta/okta"
        );
        // One tenant's integration is not the other's.
        assert!(refused("beta/prod").starts_with("find an integration called beta/prod"));
        assert!(refused("a\u{1b}[31m").contains("\\u{1b}"));
    }

    #[test]
    fn what_has_files_only_is_said_to() {
        assert_eq!(
            refused("acme/dropped"),
            "ask acme/dropped: it has files and no url / attack-factor run reads its files"
        );
        assert!(refused("gamma").starts_with("ask gamma: it has files"));
    }

    #[test]
    fn nothing_to_ask_is_an_error_with_the_way_to_an_example() {
        let mut config = config();
        config.tenants.retain(|tenant| tenant.name == "gamma");
        let refusal = select(&config, &[]).unwrap_err();
        assert!(refusal.hint().unwrap().contains("config show --example"));
    }
}
