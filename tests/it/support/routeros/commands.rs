//! What a sentence asks for, and the commands that read, write and follow tables.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::connection::Out;
use super::live::crowd_row;
use super::menus::Menu;
use super::nas::cause;
use super::query::Query;
use super::state::{Change, State};
use super::table::Trap;
use super::{Shared, monitors, wire};

/// Generated rows made at a time, so that a large list does not keep other commands waiting.
const ROWS_AT_A_TIME: u32 = 500;

/// Options of `print` that change nothing here.
const PRINT_OPTIONS: &[&str] = &["detail", "stats", "without-paging", "terse"];
/// Columns shown to the policy `sensitive` only.
const SENSITIVE: &[(&str, &str)] = &[("/ppp/secret", "password"), ("/radius", "secret")];

/// A parsed sentence.
#[derive(Debug, Clone)]
pub struct Command {
    pub menu: String,
    pub verb: String,
    pub attributes: Vec<(String, String)>,
    pub query: Query,
    pub tag: Option<String>,
}

impl Command {
    /// `None` when a word has none of the forms of mikrotik.md b2.
    pub fn parse(words: &[String]) -> Option<Command> {
        let (first, rest) = words.split_first()?;
        let (menu, verb) = first.rsplit_once('/')?;
        let mut command = Command {
            menu: menu.to_owned(),
            verb: verb.to_owned(),
            attributes: Vec::new(),
            query: Query::default(),
            tag: None,
        };
        for word in rest {
            if let Some(attribute) = word.strip_prefix('=') {
                let (name, value) = attribute.split_once('=').unwrap_or((attribute, ""));
                command.attributes.push((name.to_owned(), value.to_owned()));
            } else if word.starts_with('?') {
                command.query.push(word);
            } else if let Some(tag) = word.strip_prefix(".tag=") {
                command.tag = Some(tag.to_owned());
            } else {
                return None;
            }
        }
        Some(command)
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Everything but the words of the API itself.
    fn values(&self, without: &[&str]) -> Vec<(String, String)> {
        let value = |(name, _): &&(String, String)| !without.contains(&name.as_str());
        self.attributes.iter().filter(value).cloned().collect()
    }

    pub fn proplist(&self) -> Option<Vec<&str>> {
        Some(self.get(".proplist")?.split(',').collect())
    }
}

/// Where the answers to one command go.
#[derive(Clone)]
pub struct Replies {
    pub out: mpsc::Sender<Out>,
    pub tag: Option<String>,
}

impl Replies {
    /// Ends when the connection has: nobody reads the rest.
    pub async fn send(&self, word: &str, attributes: &[(String, String)]) {
        let mut words = vec![word.to_owned()];
        words.extend(self.tag.iter().map(|tag| format!(".tag={tag}")));
        words.extend(
            attributes
                .iter()
                .map(|(name, value)| format!("={name}={value}")),
        );
        let octets = wire::sentence(words.iter().map(String::as_str));
        let _closed = self.out.send(Out::Sentence(octets)).await;
    }

    pub async fn trap(&self, trap: &Trap) {
        let mut attributes = Vec::new();
        if let Some(category) = trap.category {
            attributes.push(("category".to_owned(), category.to_string()));
        }
        attributes.push(("message".to_owned(), trap.message.clone()));
        self.send("!trap", &attributes).await;
    }

    pub async fn done(&self, ret: Option<String>) {
        let ret = ret.map(|ret| ("ret".to_owned(), ret));
        let attributes: Vec<(String, String)> = ret.into_iter().collect();
        self.send("!done", &attributes).await;
    }
}

/// Carries a command out. `Ok` holds what `!done` returns.
pub async fn run(
    shared: &Arc<Shared>,
    policies: &[String],
    command: &Command,
    replies: &Replies,
) -> Result<Option<String>, Trap> {
    let may = |policy: &str| {
        let has = policies.iter().any(|held| held == policy);
        has.then_some(()).ok_or_else(Trap::permission)
    };
    let menu = command.menu.as_str();
    if let Some((policy, rows)) = monitors::find(menu, &command.verb) {
        may(policy)?;
        return monitors::watch(shared, command, replies, rows).await;
    }
    if (menu, command.verb.as_str()) == ("", "ping") {
        may("test")?;
        return monitors::ping(command, replies).await;
    }
    let menu = shared
        .read(|state| state.menu(menu))
        .ok_or_else(Trap::no_such_menu)?;
    match command.verb.as_str() {
        "print" | "getall" => {
            may("read")?;
            print(shared, menu, policies, command, replies).await
        }
        "listen" => {
            may("read")?;
            listen(shared, menu, command, replies).await
        }
        verb if menu.verbs.contains(&verb) => {
            may("write")?;
            if let Some(text) = shared.faults.now().trap_on_write {
                return Err(Trap::failure(text));
            }
            if menu.path == "/ppp/active" {
                return end_sessions(shared, command);
            }
            shared.change(|state| write(state, menu, command))
        }
        _ => Err(Trap::no_such_command()),
    }
}

async fn print(
    shared: &Arc<Shared>,
    menu: &'static Menu,
    policies: &[String],
    command: &Command,
    replies: &Replies,
) -> Result<Option<String>, Trap> {
    for (name, _) in &command.attributes {
        let known = [".proplist", "count-only"].contains(&name.as_str())
            || PRINT_OPTIONS.contains(&name.as_str());
        known
            .then_some(())
            .ok_or_else(|| Trap::unknown_parameter(name))?;
    }
    let sensitive = policies.iter().any(|policy| policy == "sensitive");
    let proplist = command.proplist();
    let choose = |mut row: Vec<(String, String)>| {
        let hidden = |name: &str| !sensitive && SENSITIVE.contains(&(menu.path, name));
        row.retain(|(name, _)| !hidden(name));
        let column = |wanted: &str| {
            let found = row.iter().find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.clone())
        };
        if !command.query.matches(column) {
            return None;
        }
        if let Some(proplist) = &proplist {
            row.retain(|(name, _)| proplist.contains(&name.as_str()));
        }
        Some(row)
    };
    let mut count = 0_u64;
    let count_only = command.get("count-only").is_some();
    let rows = shared.change(|state| {
        state.expire();
        let table = &state.tables[menu.path];
        let rows = table.rows.iter().map(|row| state.view(menu, row));
        rows.filter_map(choose).collect::<Vec<_>>()
    });
    for row in rows {
        count += 1;
        if !count_only {
            replies.send("!re", &row).await;
        }
    }
    for n in 1..=shared.faults.now().crowd {
        let Some(row) = crowd_row(menu.path, n) else {
            break;
        };
        if let Some(row) = choose(row) {
            count += 1;
            if !count_only {
                replies.send("!re", &row).await;
            }
        }
        if n % ROWS_AT_A_TIME == 0 {
            tokio::task::yield_now().await;
        }
    }
    if count_only {
        return Ok(Some(count.to_string()));
    }
    if count == 0 && shared.read(|state| state.version >= (7, 18)) {
        replies.send("!empty", &[]).await;
    }
    Ok(None)
}

/// Tells every change of a table until it is cancelled.
async fn listen(
    shared: &Arc<Shared>,
    menu: &'static Menu,
    command: &Command,
    replies: &Replies,
) -> Result<Option<String>, Trap> {
    let mut changes = shared.read(|state| state.changes.subscribe());
    let proplist = command.proplist();
    loop {
        // A listener that is too slow misses changes, as the reference warns.
        let Ok(Change { path, mut columns }) = changes.recv().await else {
            continue;
        };
        if path != menu.path {
            continue;
        }
        if let Some(proplist) = &proplist {
            columns.retain(|(name, _)| name.starts_with('.') || proplist.contains(&name.as_str()));
        }
        replies.send("!re", &columns).await;
    }
}

/// Everything that changes a table.
fn write(
    state: &mut State,
    menu: &'static Menu,
    command: &Command,
) -> Result<Option<String>, Trap> {
    let (now, version) = (state.now(), state.version);
    let ids = command.get(".id").or_else(|| command.get("numbers"));
    let ids = ids.map(str::to_owned);
    let table = state.table(menu.path);
    if command.verb == "add" {
        let before = command.get("place-before");
        let values = command.values(&["place-before"]);
        let place = table.add(&values, before, now, version)?;
        let ret = table.rows[place].name();
        state.tell(menu.path, place);
        return Ok(Some(ret));
    }
    let places = match &ids {
        None if menu.settings => vec![0],
        None => return Err(Trap::missing("numbers")),
        Some(ids) => table.places(ids)?,
    };
    let disabled = |value: &str| vec![("disabled".to_owned(), value.to_owned())];
    match command.verb.as_str() {
        "set" => {
            let values = command.values(&[".id", "numbers"]);
            set_all(state, menu, &places, &values)?;
        }
        "enable" => set_all(state, menu, &places, &disabled("no"))?,
        "disable" => set_all(state, menu, &places, &disabled("yes"))?,
        "unset" => {
            let column = command
                .get("value-name")
                .ok_or_else(|| Trap::missing("value-name"))?;
            for place in places {
                state.table(menu.path).unset(place, column, version)?;
                state.tell(menu.path, place);
            }
        }
        "move" => {
            let ids = ids.ok_or_else(|| Trap::missing("numbers"))?;
            table.shift(&ids, command.get("destination"))?;
        }
        "remove" => {
            let mut places = places;
            places.sort_unstable();
            places.dedup();
            for place in &places {
                table.may_remove(*place)?;
            }
            for place in places.into_iter().rev() {
                state.remove_row(menu.path, place);
            }
        }
        _ => return Err(Trap::no_such_command()),
    }
    Ok(None)
}

fn set_all(
    state: &mut State,
    menu: &'static Menu,
    places: &[usize],
    values: &[(String, String)],
) -> Result<(), Trap> {
    let (now, version) = (state.now(), state.version);
    for place in places {
        state.table(menu.path).set(*place, values, now, version)?;
        state.tell(menu.path, *place);
    }
    Ok(())
}

/// Removing a row of the active list ends its session.
fn end_sessions(shared: &Arc<Shared>, command: &Command) -> Result<Option<String>, Trap> {
    let ids = command.get(".id").or_else(|| command.get("numbers"));
    let ids = ids.ok_or_else(|| Trap::missing("numbers"))?;
    let ended = shared.change(|state| -> Result<_, Trap> {
        let table = state.table("/ppp/active");
        let keys: Vec<_> = table
            .places(ids)?
            .into_iter()
            .filter_map(|place| table.rows[place].session)
            .collect();
        let now = state.now();
        let closed = keys.into_iter().filter_map(|key| state.close(key));
        Ok(closed
            .map(|session| {
                let counters = session.counters(now);
                (session, counters)
            })
            .collect::<Vec<_>>())
    })?;
    for (session, counters) in ended {
        shared.stop_later(session, counters, cause::ADMIN_RESET);
    }
    Ok(None)
}
