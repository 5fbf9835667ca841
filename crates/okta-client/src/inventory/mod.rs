//! Who and what an org has: users, groups, applications, factors, roles, devices.
//!
//! An inventory is taken step by step ([`af_okta::Step`]) and becomes part of the store as a whole. One
//! object a line, compact JSON as Okta sent it, without anything secret:
//!
//! | file | lines | one line |
//! |---|---|---|
//! | `org`, `support` | 1 | the settings |
//! | `users` | users of every status | the user; of `credentials` only `emails` and `provider`; no `_links` |
//! | `groups` | groups, sizes in `_embedded.stats` | the group |
//! | `group_members` | a group's members, not those of Everyone | `{"group":"00g…","user":"00u…"}`: ids only, the person stands in `users` |
//! | `group_rules` | rules | the rule |
//! | `apps` | applications | the application without `credentials` |
//! | `app_users` | assignments | `{"app":"0oa…","user":{…}}`; of `credentials` only `userName` |
//! | `app_groups` | assignments | `{"app":"0oa…","group":{…}}` |
//! | `factors` | factors of users who are not deprovisioned | `{"factor":{…},"user":"00u…"}` |
//! | `user_roles` | roles of users | `{"role":{…},"user":"00u…"}` |
//! | `group_roles` | roles of groups of type `OKTA_GROUP` | `{"group":"00g…","role":{…}}` |
//! | `idps`, `devices` | identity providers; devices with `_embedded.users` | the object |
//!
//! `summary.json` beside them ([`Summary`]) says what became of every step. Members of an object are
//! where a JSON reader finds them; their order is no part of the contract. Lists keep Okta's order;
//! what was asked object by object is sorted by the id of that object. So equal answers give equal
//! files, whichever call was answered first.
//!
//! * A step that Okta refuses is `skipped`, one that breaks off is `failed` and leaves no file; the
//!   others go on. Only without users there is no inventory, and the one before stays.
//! * Memory holds the ids of users, groups and applications and a few pages, nothing that grows with
//!   what is asked about them.
//! * The document [`USER_COUNTS`] of the feed keeps how many users there were on which day.

mod about;
mod administrators;
mod known;
mod landing;
mod lists;
mod pages;
pub(crate) mod plan;
mod record;
mod scope;
mod strip;
mod take;

pub use record::{DayCount, Summary, USER_COUNTS, UserCounts};
pub use scope::scope_of;
pub use take::{InventoryOptions, InventoryReport, take};
