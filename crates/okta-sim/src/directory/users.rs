//! Users and what they prove themselves with.

use af_model::UtcMillis;
use serde_json::json;

use super::list::{PageSize, page, whole};
use super::{Account, Asked, Directory, Found};
use crate::answer::{Answer, Refusal};
use crate::filter::Filter;
use crate::random::Random;

/// Ways of proving oneself: type, provider, vendor, of a hundred people.
const FACTORS: [(&str, &str, &str, u64); 6] = [
    ("push", "OKTA", "OKTA", 70),
    ("signed_nonce", "OKTA", "OKTA", 45),
    ("token:software:totp", "GOOGLE", "GOOGLE", 35),
    ("webauthn", "FIDO", "FIDO", 25),
    ("sms", "OKTA", "OKTA", 20),
    ("question", "OKTA", "OKTA", 10),
];

impl Directory {
    /// Who an id or a login names, if the account exists yet.
    pub(super) fn account(&self, key: &str, now: i64) -> Result<&Account, Refusal> {
        let login = key.to_lowercase();
        self.accounts
            .iter()
            .find(|account| account.id == key || account.login == login)
            .filter(|account| account.status(now).is_some())
            .ok_or_else(|| Refusal::not_found("the user"))
    }

    /// A list without the deprovisioned, unless a search or a filter asks for them.
    pub(super) fn users(&self, asked: Asked<'_>) -> Found {
        let expression = asked
            .call
            .parameter("search")
            .or_else(|| asked.call.parameter("filter"));
        let filter = expression
            .map(Filter::parse)
            .transpose()
            .map_err(|refusal| Refusal::search(&refusal.summary))?;
        let keyword = asked.call.parameter("q").map(str::to_lowercase);
        let users: Vec<&Account> = self
            .accounts
            .iter()
            .filter(|account| match &filter {
                Some(filter) => {
                    account.status(asked.now).is_some()
                        && filter.holds(account.json(asked.base, asked.now).as_bytes())
                }
                None => account.is_active(asked.now),
            })
            .filter(|account| match &keyword {
                Some(word) => account.login.starts_with(word.as_str()),
                None => true,
            })
            .collect();
        let size = PageSize {
            usual: if keyword.is_some() { 10 } else { 200 },
            largest: 200,
        };
        page(
            asked,
            &users,
            size,
            |account| &account.id,
            |account| account.json(asked.base, asked.now),
        )
    }

    pub(super) fn user(&self, key: &str, asked: Asked<'_>) -> Found {
        let account = self.account(key, asked.now)?;
        let body = account.json(asked.base, asked.now).into_bytes();
        Ok((Answer::of(200, body), None))
    }

    pub(super) fn factors(&self, key: &str, asked: Asked<'_>) -> Found {
        let account = self.account(key, asked.now)?;
        if !account.is_active(asked.now) {
            return Err(Refusal::wrong_status());
        }
        Ok(whole(
            FACTORS
                .iter()
                .filter(|(kind, _, _, of_hundred)| account.number(kind) % 100 < *of_hundred)
                .map(|(kind, provider, vendor, _)| {
                    let id = Random::of(account.number(kind), "factor").okta_id("ost");
                    let created = UtcMillis(account.created()).to_string();
                    json!({
                        "id": id,
                        "factorType": kind,
                        "provider": provider,
                        "vendorName": vendor,
                        "status": "ACTIVE",
                        "created": created,
                        "lastUpdated": created,
                        "profile": { "credentialId": account.login },
                        "_links": { "self": { "href":
                            format!("{}/api/v1/users/{}/factors/{id}", asked.base, account.id) } },
                    })
                    .to_string()
                }),
        ))
    }
}
