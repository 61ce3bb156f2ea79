//! Around a table: sort links, active filters, and links to other pages. Display-ready, no rules.

use crate::web::parts::thousands;
use crate::web::query::Query;

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
    /// Logs have no page numbers: from the newest entry to older ones.
    pub is_log: bool,
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
        Self {
            range,
            previous: (page > 1).then(|| at(page.saturating_sub(1))),
            next: more.then(|| at(page.saturating_add(1))),
            is_log: false,
            sizes: page_sizes(path, &query.clone().without("page"), size),
        }
    }

    /// Links of a list that knows how many rows there are.
    pub fn of(path: &str, query: &Query, paging: Paging, rows: usize, total: usize) -> Self {
        let [rows, total] = [rows, total].map(|n| u64::try_from(n).unwrap_or(u64::MAX));
        let more = paging.page.saturating_mul(paging.size) < total;
        let of = thousands(total);
        Self::new(path, query, paging.page, paging.size, rows, &of, more)
    }

    /// Links of a log, newest entry first: `older` is the cursor of the next page, which goes into `before`. A log that grows
    /// meanwhile repeats no entry this way.
    pub fn log(path: &str, query: &Query, size: u64, rows: usize, older: Option<u64>) -> Self {
        let rows = u64::try_from(rows).unwrap_or(u64::MAX);
        let is_first = query.get("before").is_empty();
        if rows == 0 && is_first && older.is_none() {
            return Self::default();
        }
        let range = match (rows, is_first) {
            (0, _) => "None among those looked at".to_owned(),
            (1, true) => "The newest entry".to_owned(),
            (1, false) => "1 older entry".to_owned(),
            (_, true) => format!("The newest {} entries", thousands(rows)),
            (_, false) => format!("{} older entries", thousands(rows)),
        };
        let newest = query.clone().without("before");
        Self {
            range,
            previous: (!is_first).then(|| newest.href(path)),
            next: older.map(|older| query.clone().with("before", &older.to_string()).href(path)),
            is_log: true,
            sizes: page_sizes(path, &newest, size),
        }
    }
}

impl Pager {
    /// What stands on the link towards the beginning.
    pub fn back_word(&self) -> &'static str {
        if self.is_log { "Newest" } else { "Previous" }
    }

    /// What stands on the link onwards.
    pub fn on_word(&self) -> &'static str {
        if self.is_log { "Older" } else { "Next" }
    }
}

fn page_sizes(path: &str, query: &Query, size: u64) -> Vec<PageSize> {
    let page_size = |choice: u64| PageSize {
        label: choice.to_string(),
        href: query.clone().with("size", &choice.to_string()).href(path),
        current: choice == size,
    };
    PAGE_SIZES.into_iter().map(page_size).collect()
}

/// Which part of a list is asked for: `page`, from 1, and `size` of the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paging {
    pub page: u64,
    pub size: u64,
}

/// Nobody reads further than this; it bounds what a page may skip.
const LAST_PAGE: u64 = 100_000;

impl Paging {
    pub fn of(query: &Query) -> Self {
        let size = query
            .number("size")
            .filter(|size| PAGE_SIZES.contains(size));
        Self {
            page: query.number("page").unwrap_or(1).clamp(1, LAST_PAGE),
            size: size.unwrap_or(DEFAULT_SIZE),
        }
    }

    /// Rows before the page.
    pub fn skip(self) -> usize {
        usize::try_from((self.page - 1).saturating_mul(self.size)).unwrap_or(usize::MAX)
    }

    /// Rows of the page.
    pub fn limit(self) -> usize {
        usize::try_from(self.size).unwrap_or(usize::MAX)
    }
}

const DEFAULT_SIZE: u64 = 50;

/// Rows a page that a list offers. The largest bounds what one page may cost.
pub const PAGE_SIZES: [u64; 3] = [25, 50, 100];

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
    fn a_log_leads_from_the_newest_to_older_entries() {
        let query = Query::new().with("q", "ali");
        assert!(Pager::log("/l", &query, 50, 0, None).range.is_empty());
        let first = Pager::log("/l", &query, 50, 50, Some(951));
        assert_eq!(first.range, "The newest 50 entries");
        assert_eq!(first.next.as_deref(), Some("/l?q=ali&before=951"));
        assert_eq!((first.previous, first.is_log), (None, true));
        let later = Pager::log("/l", &query.with("before", "951"), 50, 1, None);
        assert_eq!((later.range.as_str(), later.next), ("1 older entry", None));
        assert_eq!(later.previous.as_deref(), Some("/l?q=ali"));
        assert_eq!(later.sizes[0].href, "/l?q=ali&size=25");
    }

    #[test]
    fn a_page_that_is_nonsense_is_the_first() {
        let paging = |address| Paging::of(&Query::read(address, &["page", "size"]));
        for address in [
            "/s",
            "/s?page=0&size=7",
            "/s?page=-1",
            "/s?page=x&size=99999999999999999999",
        ] {
            assert_eq!(paging(address), Paging { page: 1, size: 50 }, "{address}");
        }
        let third = paging("/s?page=3&size=25");
        assert_eq!((third.skip(), third.limit()), (50, 25));
        assert_eq!(paging("/s?page=99999999").page, LAST_PAGE);
    }
}
