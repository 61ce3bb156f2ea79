//! Pieces that many pages share: badges, fields, sort links, pagers. Display-ready, no rules.

use crate::web::query::Query;

/// Meaning of a colour. The text beside it always says the same in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    Good,
    Warn,
    Bad,
    Info,
    #[default]
    Quiet,
}

impl Tone {
    /// Class in `app.css`.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Info => "info",
            Self::Quiet => "quiet",
        }
    }

    /// Symbol in `static/icons.svg` for notices.
    pub fn icon(&self) -> &'static str {
        match self {
            Self::Good => "circle-check",
            Self::Warn | Self::Bad => "triangle-alert",
            Self::Info | Self::Quiet => "info",
        }
    }
}

/// A state: a dot in the colour of `tone` and the words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Badge {
    pub tone: Tone,
    pub text: String,
}

impl Badge {
    pub fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self {
            tone,
            text: text.into(),
        }
    }
}

/// What an input holds and what is wrong with it. No Debug: it may hold a password.
#[derive(Clone, Default)]
pub struct Field {
    pub value: String,
    pub error: Option<String>,
}

impl Field {
    pub fn new(value: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            error: None,
        }
    }

    pub fn wrong(value: impl Into<String>, error: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            error: Some(error.into()),
        }
    }
}

/// A list to choose one of.
#[derive(Clone, Default)]
pub struct Select {
    pub choices: Vec<Choice>,
    pub error: Option<String>,
}

#[derive(Clone, Default)]
pub struct Choice {
    pub value: String,
    pub label: String,
    pub chosen: bool,
}

impl Select {
    /// `choices` are value and label; the one whose value equals `chosen` is marked.
    pub fn new<V: Into<String>, L: Into<String>>(
        choices: impl IntoIterator<Item = (V, L)>,
        chosen: &str,
    ) -> Self {
        let choices = choices
            .into_iter()
            .map(|(value, label)| {
                let value = value.into();
                Choice {
                    chosen: value == chosen,
                    value,
                    label: label.into(),
                }
            })
            .collect();
        Self {
            choices,
            error: None,
        }
    }
}

/// One line of a list of facts.
#[derive(Clone, Default)]
pub struct Fact {
    pub label: String,
    pub value: String,
    /// Where the value leads, or empty.
    pub href: String,
    /// Small print under the value, or empty.
    pub note: String,
    /// Offer to copy the value.
    pub copy: bool,
}

impl Fact {
    pub fn new(label: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            value: value.into(),
            ..Self::default()
        }
    }

    pub fn link(self, href: impl Into<String>) -> Self {
        Self {
            href: href.into(),
            ..self
        }
    }

    pub fn note(self, note: impl Into<String>) -> Self {
        Self {
            note: note.into(),
            ..self
        }
    }

    pub fn copyable(self) -> Self {
        Self { copy: true, ..self }
    }
}

/// A share of a whole, drawn as a bar: memory, disk, reject reasons.
#[derive(Clone, Default)]
pub struct Meter {
    pub label: String,
    /// What stands at the end of the line, such as `212 MB of 512 MB`.
    pub value: String,
    /// 0 to 100; larger is drawn as full.
    pub percent: u8,
    pub tone: Tone,
}

/// A filter that is set, with the address of the list without it.
#[derive(Clone, Default)]
pub struct ActiveFilter {
    pub text: String,
    pub remove_href: String,
}

/// Direction of a sorted column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Ascending,
    Descending,
}

/// Link in a table head. Pressing the sorted column again turns the order round.
#[derive(Clone, Default)]
pub struct SortHead {
    pub href: String,
    /// None when the list is sorted by another column.
    pub direction: Option<Direction>,
}

impl SortHead {
    /// `sort` in the address is a column, with `-` before it for descending. Other filters stay;
    /// the page goes back to the first.
    pub fn new(path: &str, query: &Query, column: &str, sort: &str) -> Self {
        let (name, direction) = match sort.strip_prefix('-') {
            Some(name) => (name, Direction::Descending),
            None => (sort, Direction::Ascending),
        };
        let direction = (name == column).then_some(direction);
        let next = match direction {
            Some(Direction::Ascending) => format!("-{column}"),
            _ => column.to_owned(),
        };
        Self {
            href: query.clone().without("page").with("sort", &next).href(path),
            direction,
        }
    }

    /// Value of `aria-sort`.
    pub fn aria(&self) -> &'static str {
        match self.direction {
            None => "none",
            Some(Direction::Ascending) => "ascending",
            Some(Direction::Descending) => "descending",
        }
    }

    /// Symbol beside the label.
    pub fn icon(&self) -> &'static str {
        match self.direction {
            None => "chevrons-up-down",
            Some(Direction::Ascending) => "arrow-up",
            Some(Direction::Descending) => "arrow-down",
        }
    }
}

/// The line under a list: which rows these are, and links to the neighbours.
#[derive(Clone, Default)]
pub struct Pager {
    /// Such as `51 to 100 of 1,240`; empty hides the pager.
    pub range: String,
    pub previous: Option<String>,
    pub next: Option<String>,
    /// Page sizes to choose from; empty hides the choice.
    pub sizes: Vec<PageSize>,
}

#[derive(Clone, Default)]
pub struct PageSize {
    pub label: String,
    pub href: String,
    pub current: bool,
}

impl Pager {
    /// Links for page `page` (from 1) of `total` rows at `size` rows a page; other filters stay.
    /// `total` is text since a list may know only "more than 10,000".
    pub fn new(
        path: &str,
        query: &Query,
        page: u64,
        size: u64,
        rows: u64,
        total: &str,
        more: bool,
    ) -> Self {
        if rows == 0 && page <= 1 {
            return Self::default();
        }
        let before = page.saturating_sub(1).saturating_mul(size);
        let at = |page: u64| match page {
            1 => query.clone().without("page").href(path),
            _ => query.clone().with("page", &page.to_string()).href(path),
        };
        let range = match rows {
            0 => format!("No rows on page {page} of {total}"),
            _ => format!(
                "{} to {} of {total}",
                thousands(before.saturating_add(1)),
                thousands(before.saturating_add(rows))
            ),
        };
        let sizes = PAGE_SIZES
            .iter()
            .map(|&choice| PageSize {
                label: choice.to_string(),
                href: query
                    .clone()
                    .without("page")
                    .with("size", &choice.to_string())
                    .href(path),
                current: choice == size,
            })
            .collect();
        Self {
            range,
            previous: (page > 1).then(|| at(page.saturating_sub(1))),
            next: more.then(|| at(page.saturating_add(1))),
            sizes,
        }
    }
}

/// Rows a page that a list offers. The largest bounds what one page may cost.
pub const PAGE_SIZES: [u64; 3] = [25, 50, 100];

/// `1234567` as `1,234,567`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorting_turns_round_and_goes_to_the_first_page() {
        let query = Query::new().with("q", "ali").with("page", "3");
        let other = SortHead::new("/s", &query, "user", "expiry");
        assert_eq!(
            (other.href.as_str(), other.aria()),
            ("/s?q=ali&sort=user", "none")
        );
        let up = SortHead::new("/s", &query, "user", "user");
        assert_eq!(
            (up.href.as_str(), up.aria()),
            ("/s?q=ali&sort=-user", "ascending")
        );
        let down = SortHead::new("/s", &query, "user", "-user");
        assert_eq!(
            (down.href.as_str(), down.aria()),
            ("/s?q=ali&sort=user", "descending")
        );
    }

    #[test]
    fn pager_links_keep_the_filters() {
        let query = Query::new().with("plan", "7").with("page", "2");
        let pager = Pager::new("/s", &query, 2, 50, 50, "1,240", true);
        assert_eq!(pager.range, "51 to 100 of 1,240");
        assert_eq!(pager.previous.as_deref(), Some("/s?plan=7"));
        assert_eq!(pager.next.as_deref(), Some("/s?plan=7&page=3"));
        assert_eq!(pager.sizes.iter().filter(|size| size.current).count(), 1);
        assert_eq!(pager.sizes[0].href, "/s?plan=7&size=25");
    }

    #[test]
    fn pager_at_the_edges() {
        let query = Query::new();
        let only = Pager::new("/s", &query, 1, 50, 3, "3", false);
        assert_eq!(
            (only.range.as_str(), only.previous, only.next),
            ("1 to 3 of 3", None, None)
        );
        assert!(
            Pager::new("/s", &query, 1, 50, 0, "0", false)
                .range
                .is_empty()
        );
        let beyond = Pager::new("/s", &query, 9, 50, 0, "3", false);
        assert_eq!(
            (beyond.range.as_str(), beyond.previous.as_deref()),
            ("No rows on page 9 of 3", Some("/s?page=8"))
        );
    }

    #[test]
    fn thousands_are_grouped_from_the_right() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (123_456, "123,456"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(thousands(number), text);
        }
    }

    #[test]
    fn select_marks_the_chosen_value_only() {
        let select = Select::new([("", "Any"), ("7", "Home 10M")], "7");
        let chosen: Vec<_> = select
            .choices
            .iter()
            .filter(|choice| choice.chosen)
            .map(|choice| choice.label.as_str())
            .collect();
        assert_eq!(chosen, ["Home 10M"]);
    }
}
