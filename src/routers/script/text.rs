//! How commands of a script are put together: quotes, guards, and looking before adding.

use crate::routers::RouterError;

/// What would end a quoted value or be run inside of it (mikrotik.md c).
const REFUSED: [char; 8] = ['"', '$', '[', ']', '{', '}', ';', '\\'];

/// A value in quotes. `what` names it in the error, which does not hold the value.
///
/// Errors: `ScriptValue`.
pub fn quoted(what: &str, value: &str) -> Result<String, RouterError> {
    let is_refused = |c: char| REFUSED.contains(&c) || c.is_control();
    match value.chars().any(is_refused) {
        true => Err(RouterError::ScriptValue(what.to_owned())),
        false => Ok(format!("\"{value}\"")),
    }
}

/// Commands whose failure is said on the terminal and does not stop what follows.
pub fn guarded(what: &str, commands: &str) -> String {
    let commands = commands.replace('\n', "\n  ");
    format!(":do {{\n  {commands}\n}} on-error={{ :put \"proxpanel: refused: {what}\" }}\n")
}

/// Adds where `key` finds nothing in the menu, else sets what was found.
pub fn ensure(menu: &str, key: &str, add: &str, set: &str) -> String {
    let found = format!("[{menu} find where {key}]");
    format!(
        ":if ([:len {found}] = 0) do={{\n  {menu} add {add}\n}} else={{\n  {menu} set {found} {set}\n}}"
    )
}

/// Adds where `key` finds nothing in the menu; else the operator's own stays as it is.
pub fn unless_there(menu: &str, key: &str, add: &str) -> String {
    format!(":if ([:len [{menu} find where {key}]] = 0) do={{\n  {menu} add {add}\n}}")
}

/// As [`ensure`], and a new one stands before all others of its chain: the rules there may drop everything.
pub fn ensure_first(menu: &str, chain: &str, key: &str, fields: &str) -> String {
    let found = format!("[{menu} find where {key}]");
    let add = format!("{menu} add chain={chain} {fields} {key}");
    format!(
        ":if ([:len {found}] = 0) do={{\n  :local others [{menu} find where chain={chain} dynamic=no]\n  :if ([:len $others] = 0) do={{\n    {add}\n  }} else={{\n    {add} place-before=[:pick $others 0]\n  }}\n}} else={{\n  {menu} set {found} chain={chain} {fields} disabled=no\n}}"
    )
}
