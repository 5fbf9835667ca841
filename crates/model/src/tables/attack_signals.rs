//! `attack_signals`: somebody was attacked; the contract for anyone's producer.

use std::borrow::Cow;

use crate::contract::table;
use crate::time::UtcMillis;

table! {
    /// One attack signal: somebody was attacked, in this way, this hard, at this time, because of
    /// these events. Any producer may write this table; at least one `subject_*` column is set.
    "attack_signals", version 1,
    sorted by ["tenant_uid", "subject_ref", "time", "signal_uid"];
    Row<'a> {
        /// The customer organization.
        tenant_uid: Cow<'a, str>, repeats;
        /// Id of the signal, unique with tenant, source and UTC day: the same input gives the same id.
        signal_uid: Cow<'a, str>;
        /// When the attack happened.
        time: UtcMillis;
        /// When the signal became known; null = known from the start.
        ingested_at: Option<UtcMillis>;
        /// Who was attacked, as one string: uid:…, login:…, email:… or h:…; null = the first set of subject_uid, subject_login and subject_email.
        subject_ref: Option<Cow<'a, str>>;
        /// Who was attacked: user id in the source.
        subject_uid: Option<Cow<'a, str>>;
        /// Who was attacked: login.
        subject_login: Option<Cow<'a, str>>;
        /// Who was attacked: e-mail address.
        subject_email: Option<Cow<'a, str>>;
        /// Part of the attack factor: identity, email, malware, ….
        component: Cow<'a, str>, repeats;
        /// Kind of attack inside the component, e.g. credential_attack; repeats of one family on one day count less and less.
        family: Cow<'a, str>, repeats;
        /// low, medium, high or critical.
        level: Cow<'a, str>, repeats;
        /// The rule that found it.
        rule_id: Cow<'a, str>, repeats;
        /// The rule's version.
        rule_version: Option<Cow<'a, str>>, repeats;
        /// What one attack step left behind in several signals; counts once a day. Null = the signal is its own incident.
        incident_uid: Option<Cow<'a, str>>;
        /// The events behind the signal.
        event_uids: Option<Vec<Cow<'a, str>>>;
        /// Who produced the signal, e.g. okta.
        source: Cow<'a, str>, repeats;
        /// The configured integration the events came from.
        integration: Option<Cow<'a, str>>, repeats;
        /// MITRE ATT&CK technique ids.
        attack_techniques: Option<Vec<Cow<'a, str>>>;
    }
}
