//! A token goes to the org that it is for, and to nobody else; no secret is ever seen.

use std::io::Read;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use af_okta_sim::{Fault, Rule};

use super::org::{Days, Org, TOKEN};
use crate::support::files_holding;

/// Somebody who waits for calls that should never come.
fn listener() -> (String, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let heard = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&heard);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            stream
                .set_read_timeout(Some(Duration::from_millis(200)))
                .unwrap();
            let mut bytes = vec![0; 4096];
            let read = stream.read(&mut bytes).unwrap_or(0);
            into.lock().unwrap().extend_from_slice(b"called:");
            into.lock().unwrap().extend_from_slice(&bytes[..read]);
        }
    });
    (address, heard)
}

#[test]
fn a_link_or_redirect_to_another_host_is_not_followed() {
    let days = Days::demo(60);
    for redirects in [false, true] {
        let (to, heard) = listener();
        let org = Org::of(&days);
        let fault = if redirects {
            Fault::Redirect { to }
        } else {
            Fault::HostileNext { to }
        };
        org.sim.faults().add(Rule::new(fault));
        // No list of the inventory is long enough for a link.
        for line in ["okta pull", "okta inventory", "okta check"] {
            let outcome = org.place.program(line).run();
            let is_struck = redirects || line != "okta inventory";
            assert_eq!(outcome.code != 0, is_struck, "{line}: {}", outcome.stderr);
        }
        let heard = heard.lock().unwrap();
        assert!(heard.is_empty(), "{}", String::from_utf8_lossy(&heard));
    }
}

#[test]
fn the_token_is_in_no_output_and_no_file() {
    let org = Org::of(&Days::demo(60));
    let mut said = String::new();
    let mut hear = |line: &str| {
        let outcome = org.place.program(line).run();
        said.push_str(&outcome.stdout);
        said.push_str(&outcome.stderr);
    };
    for line in [
        "okta check",
        "okta pull -vv",
        "okta inventory -vv --log-format json",
        "okta status --format json",
        "run -vv",
        "config show --format json",
        "config check",
    ] {
        hear(line);
    }
    org.sim
        .faults()
        .add(Rule::new(Fault::Status { status: 401 }));
    hear("okta pull -vv");
    hear("okta check -vv");
    org.sim.faults().clear();
    org.sim.faults().add(Rule::new(Fault::hostile_next()));
    hear("okta pull -vv");
    assert!(!said.contains(TOKEN), "{said}");
    let in_files = files_holding(org.place.path(), TOKEN);
    assert_eq!(in_files, Vec::<String>::new());
}
