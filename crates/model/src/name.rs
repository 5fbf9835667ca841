//! Names that end up in paths, tables and configuration, checked where they enter.

use std::fmt;

/// A name that breaks the rule of its kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} names match {pattern}")]
pub struct InvalidName {
    /// What was named: tenant, component, family, integration.
    pub kind: &'static str,
    /// The rule, as a regular expression.
    pub pattern: &'static str,
}

/// Where signals are counted whose tenant's name is invalid; no tenant may be called so.
pub const INVALID_TENANT: &str = "invalid";

/// Checks a tenant uid or an integration name: `[a-z0-9][a-z0-9._-]{0,62}`, but not
/// [`INVALID_TENANT`].
///
/// # Errors
/// [`InvalidName`] when it does not match.
///
/// ```
/// use af_model::name::check_tenant;
/// assert!(check_tenant("acme.example").is_ok());
/// assert!(check_tenant("../acme").is_err());
/// ```
pub fn check_tenant(name: &str) -> Result<(), InvalidName> {
    if name == INVALID_TENANT {
        return Err(InvalidName {
            kind: "tenant",
            pattern: "anything but the reserved word",
        });
    }
    check(name, "tenant", "[a-z0-9][a-z0-9._-]{0,62}", |byte| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-')
    })
}

/// Checks a component or family name: `[a-z0-9][a-z0-9_]{0,62}`.
///
/// # Errors
/// [`InvalidName`] when it does not match.
pub fn check_term(name: &str, kind: &'static str) -> Result<(), InvalidName> {
    check(name, kind, "[a-z0-9][a-z0-9_]{0,62}", |byte| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'
    })
}

fn check(
    name: &str,
    kind: &'static str,
    pattern: &'static str,
    allowed: impl Fn(u8) -> bool,
) -> Result<(), InvalidName> {
    let first = name.as_bytes().first().copied();
    let starts_well = first.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if starts_well && name.len() <= 63 && name.bytes().all(allowed) {
        Ok(())
    } else {
        Err(InvalidName { kind, pattern })
    }
}

/// Shows any text safely on a terminal or in a log: control and direction-changing characters
/// become escapes, and the text is cut at 200 characters.
///
/// ```
/// use af_model::name::Printable;
/// assert_eq!(Printable("a\u{1b}[31mred").to_string(), "a\\u{1b}[31mred");
/// ```
pub struct Printable<'a>(pub &'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (shown, character) in self.0.chars().enumerate() {
            if shown == 200 {
                return f.write_str("…");
            }
            let reorders = matches!(character,
                '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            if character.is_control() || reorders {
                write!(f, "{}", character.escape_unicode())?;
            } else {
                write!(f, "{character}")?;
            }
        }
        Ok(())
    }
}
