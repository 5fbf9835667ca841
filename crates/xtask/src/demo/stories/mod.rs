//! The attacks of the demo, and what only looks like one.

use super::log::Log;

mod administrator;
mod false_alarm;
mod former_name;
mod hijacked_session;
mod incident;
mod leaked_password;
mod leaver;
mod lockouts;
mod partner_risk;
mod password_spray;
mod phishing_page;
mod push_bombing;
mod travelling;

/// Writes every story.
pub(crate) fn write(log: &mut Log) {
    push_bombing::write(log);
    leaked_password::write(log);
    hijacked_session::write(log);
    phishing_page::write(log);
    password_spray::write(log);
    lockouts::write(log);
    travelling::write(log);
    administrator::write(log);
    leaver::write(log);
    partner_risk::write(log);
    former_name::write(log);
    false_alarm::write(log);
}
