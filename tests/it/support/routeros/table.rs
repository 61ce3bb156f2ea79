//! Tables of rows as every menu has them: print, add, set, unset, remove, move, and what each refuses.

use std::net::IpAddr;

use super::menus::Menu;
use super::rate;
use super::session::SessionKey;

/// Why a command fails. `category` as in mikrotik.md b2; the texts that a client may match on are those of the reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trap {
    pub category: Option<u8>,
    pub message: String,
}

impl Trap {
    fn new(category: u8, message: impl Into<String>) -> Trap {
        Trap {
            category: Some(category),
            message: message.into(),
        }
    }

    pub fn no_such_item() -> Trap {
        Trap::new(0, "no such item")
    }

    pub fn no_such_command() -> Trap {
        Trap::new(0, "no such command")
    }

    pub fn no_such_menu() -> Trap {
        Trap::new(0, "no such command prefix")
    }

    pub fn unknown_parameter(name: &str) -> Trap {
        Trap::new(0, format!("unknown parameter {name}"))
    }

    pub fn missing(name: &str) -> Trap {
        Trap::new(0, format!("missing value of {name}"))
    }

    pub fn invalid(name: &str) -> Trap {
        Trap::new(1, format!("invalid value for argument {name}"))
    }

    pub fn interrupted() -> Trap {
        Trap::new(2, "interrupted")
    }

    /// Without a category, as routers send it.
    pub fn failure(message: impl Into<String>) -> Trap {
        Trap {
            category: None,
            message: message.into(),
        }
    }

    pub fn permission() -> Trap {
        Trap::failure("not enough permissions (9)")
    }
}

/// One row. Columns keep the order in which they were first set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub id: u32,
    values: Vec<(String, String)>,
    /// The session that made this row, and takes it away.
    pub session: Option<SessionKey>,
    /// When a row with a timeout goes, on the router's clock.
    pub expires: Option<u64>,
}

impl Row {
    /// As the API writes it.
    pub fn name(&self) -> String {
        format!("*{:X}", self.id)
    }

    pub fn get(&self, column: &str) -> Option<&str> {
        let found = self.values.iter().find(|(name, _)| name == column);
        found.map(|(_, value)| value.as_str())
    }

    pub fn put(&mut self, column: &str, value: impl Into<String>) {
        let value = value.into();
        match self.values.iter_mut().find(|(name, _)| name == column) {
            Some((_, old)) => *old = value,
            None => self.values.push((column.to_owned(), value)),
        }
    }

    pub fn clear(&mut self, column: &str) {
        self.values.retain(|(name, _)| name != column);
    }

    pub fn columns(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub fn is_dynamic(&self) -> bool {
        self.get("dynamic") == Some("true")
    }
}

pub struct Table {
    pub menu: &'static Menu,
    pub rows: Vec<Row>,
    next_id: u32,
}

impl Table {
    pub fn new(menu: &'static Menu) -> Table {
        let mut table = Table {
            menu,
            rows: Vec::new(),
            next_id: 1,
        };
        if menu.settings {
            table.insert(&[]);
        }
        table
    }

    /// Adds a row without asking the rules, as the router itself does. Returns its place.
    pub fn insert(&mut self, values: &[(&str, &str)]) -> usize {
        let mut row = Row {
            id: self.next_id,
            values: Vec::new(),
            session: None,
            expires: None,
        };
        self.next_id += 1;
        for (name, value) in values {
            row.put(name, *value);
        }
        self.rows.push(row);
        self.rows.len() - 1
    }

    pub fn place(&self, id: &str) -> Option<usize> {
        let named = |row: &Row| row.name().eq_ignore_ascii_case(id) || row.get("name") == Some(id);
        self.rows.iter().position(named)
    }

    /// The places that `.id` or `numbers` names, one or several.
    pub fn places(&self, ids: &str) -> Result<Vec<usize>, Trap> {
        ids.split(',')
            .map(|id| self.place(id).ok_or_else(Trap::no_such_item))
            .collect()
    }

    /// Adds a row as an operator does. Returns its place.
    pub fn add(
        &mut self,
        values: &[(String, String)],
        before: Option<&str>,
        now: u64,
        version: (u32, u32),
    ) -> Result<usize, Trap> {
        let mut row = Row {
            id: self.next_id,
            values: Vec::new(),
            session: None,
            expires: None,
        };
        for (name, value) in values {
            self.write(&mut row, name, value, now, version)?;
        }
        for name in self.menu.required {
            row.get(name).ok_or_else(|| Trap::missing(name))?;
        }
        if self.menu.columns.contains(&"disabled") && row.get("disabled").is_none() {
            row.put("disabled", "false");
        }
        if row.get("dynamic").is_none() {
            row.put(
                "dynamic",
                if row.expires.is_some() {
                    "true"
                } else {
                    "false"
                },
            );
        }
        if self.menu.path == "/queue/simple" && row.get("name").is_none() {
            row.put("name", format!("queue{}", row.id));
        }
        self.refuse_copy(&row)?;
        let place = match before {
            Some(id) => self.place(id).ok_or_else(Trap::no_such_item)?,
            None => self.rows.len(),
        };
        self.next_id += 1;
        self.rows.insert(place, row);
        Ok(place)
    }

    /// Changes one row, or nothing.
    pub fn set(
        &mut self,
        place: usize,
        values: &[(String, String)],
        now: u64,
        version: (u32, u32),
    ) -> Result<(), Trap> {
        let mut row = self.rows[place].clone();
        self.refuse_dynamic(&row)?;
        for (name, value) in values {
            self.write(&mut row, name, value, now, version)?;
        }
        self.refuse_copy(&row)?;
        self.rows[place] = row;
        Ok(())
    }

    pub fn unset(&mut self, place: usize, column: &str, version: (u32, u32)) -> Result<(), Trap> {
        if !self.menu.takes(column, version) {
            return Err(Trap::unknown_parameter(column));
        }
        self.refuse_dynamic(&self.rows[place])?;
        self.rows[place].clear(column);
        Ok(())
    }

    /// `Err` for rows that only the router itself may take away.
    pub fn may_remove(&self, place: usize) -> Result<(), Trap> {
        let row = &self.rows[place];
        // Sessions, timed address-list entries and flows are dynamic, and may be removed.
        let kept = self.menu.verbs.contains(&"move") || self.menu.path == "/interface";
        if kept && row.is_dynamic() {
            return Err(Trap::failure("failure: can not remove dynamic item"));
        }
        Ok(())
    }

    /// Puts rows in front of another, or at the end.
    pub fn shift(&mut self, ids: &str, destination: Option<&str>) -> Result<(), Trap> {
        let mut places = self.places(ids)?;
        let target = match destination {
            Some(id) => Some(self.rows[self.place(id).ok_or_else(Trap::no_such_item)?].id),
            None => None,
        };
        places.sort_unstable();
        let mut moved: Vec<Row> = Vec::new();
        for place in places.into_iter().rev() {
            if Some(self.rows[place].id) == target {
                return Err(Trap::failure("failure: can not move before itself"));
            }
            moved.insert(0, self.rows.remove(place));
        }
        let at = target
            .and_then(|id| self.rows.iter().position(|row| row.id == id))
            .unwrap_or(self.rows.len());
        self.rows.splice(at..at, moved);
        Ok(())
    }

    fn refuse_dynamic(&self, row: &Row) -> Result<(), Trap> {
        if row.is_dynamic() && self.menu.path != "/ip/firewall/address-list" {
            return Err(Trap::failure("failure: can not change dynamic item"));
        }
        Ok(())
    }

    fn refuse_copy(&self, row: &Row) -> Result<(), Trap> {
        let unique = self.menu.unique;
        let copy = |other: &Row| {
            other.id != row.id && unique.iter().all(|name| other.get(name) == row.get(name))
        };
        if !unique.is_empty() && self.rows.iter().any(copy) {
            return Err(Trap::failure("failure: already have such entry"));
        }
        Ok(())
    }

    fn write(
        &self,
        row: &mut Row,
        name: &str,
        value: &str,
        now: u64,
        version: (u32, u32),
    ) -> Result<(), Trap> {
        if !self.menu.takes(name, version) {
            return Err(Trap::unknown_parameter(name));
        }
        if name == "timeout" && self.menu.path.ends_with("/address-list") {
            let seconds = duration(value).ok_or_else(|| Trap::invalid(name))?;
            row.expires = Some(now + seconds * 1000);
            row.put("dynamic", "true");
            return Ok(());
        }
        let value = normal(self.menu.path, name, value).ok_or_else(|| Trap::invalid(name))?;
        row.put(name, value);
        Ok(())
    }
}

/// A value as the router shows it afterwards.
fn normal(path: &str, name: &str, value: &str) -> Option<String> {
    Some(match name {
        "disabled" | "dynamic" => match value {
            "yes" | "true" => "true".to_owned(),
            "no" | "false" => "false".to_owned(),
            _ => return None,
        },
        "max-limit" | "limit-at" | "burst-limit" | "burst-threshold" if value.contains('/') => {
            rate::pair(value)?.to_string()
        }
        // A host loses its length in the IPv4 list, and gets one in the IPv6 list.
        "address" if path == "/ip/firewall/address-list" => {
            value.strip_suffix("/32").unwrap_or(value).to_owned()
        }
        "address" if path == "/ipv6/firewall/address-list" && !value.contains('/') => {
            format!("{value}/128")
        }
        "target" => {
            let whole = |target: &str| match target.parse::<IpAddr>() {
                Ok(IpAddr::V4(_)) => format!("{target}/32"),
                Ok(IpAddr::V6(_)) => format!("{target}/128"),
                Err(_) => target.to_owned(),
            };
            value.split(',').map(whole).collect::<Vec<_>>().join(",")
        }
        _ => value.to_owned(),
    })
}

/// Seconds of `1w2d3h4m5s`, of `01:02:03`, or of plain digits.
pub fn duration(text: &str) -> Option<u64> {
    if text.contains(':') {
        return text.split(':').try_fold(0_u64, |sum, part| {
            sum.checked_mul(60)?.checked_add(part.parse().ok()?)
        });
    }
    let (mut total, mut digits) = (0_u64, String::new());
    for letter in text.chars() {
        let unit = match letter {
            'w' => 604_800,
            'd' => 86_400,
            'h' => 3_600,
            'm' => 60,
            's' => 1,
            _ => {
                digits.push(letter);
                continue;
            }
        };
        total = total.checked_add(digits.parse::<u64>().ok()?.checked_mul(unit)?)?;
        digits.clear();
    }
    if digits.is_empty() && !text.is_empty() {
        return Some(total);
    }
    total.checked_add(digits.parse().ok()?)
}

/// `1w2d3h4m5s`, without the units that are zero.
pub fn duration_text(mut seconds: u64) -> String {
    if seconds == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (unit, length) in [
        ('w', 604_800),
        ('d', 86_400),
        ('h', 3_600),
        ('m', 60),
        ('s', 1),
    ] {
        if seconds >= length {
            text.push_str(&format!("{}{unit}", seconds / length));
            seconds %= length;
        }
    }
    text
}
