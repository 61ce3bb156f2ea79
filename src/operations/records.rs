//! What is recorded: attempts to log in, ended sessions, changes. Newest first, one page at a time.
//!
//! Nothing here counts a whole table: a page ends when it is full or when so many rows were looked at, and says where the
//! next one begins. Invariant: the pages, put together, show every fitting row once.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use crate::app::App;
use crate::domain::access::Reason;
use crate::domain::audit::Entry;
use crate::domain::id::{NasId, SessionId, SubscriberId};
use crate::domain::mac::Mac;
use crate::domain::session::Session;
use crate::domain::text::fold_case;
use crate::domain::time::Timestamp;
use crate::store::auth_log::Attempt;
use crate::store::{View, audit, sessions};

use super::Error;
use super::sessions::Wanted;

/// Rows that one page looks at before it gives up; bounds the time of a page to some 20 ms.
const MOST_LOOKED_AT: usize = 15_000;
/// Ended sessions of one subscriber that its own history reaches back, through an index.
const MOST_OF_ONE: usize = 2_000;

/// Rows of one page, and the number below which the next one begins; `None` at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    pub rows: Vec<T>,
    pub older: Option<u64>,
}

/// From the first instant to the last, which is not included; `None` is open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    pub from: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

impl Span {
    fn contains(self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| at >= from) && self.until.is_none_or(|until| at < until)
    }

    /// Whether everything older lies before the span. Times of neighbours may be a little out of order, those of sessions
    /// by the length that Acct-Delay-Time allows; callers give that as `slack` in milliseconds.
    fn is_past(self, at: Timestamp, slack: i64) -> bool {
        self.from.is_some_and(|from| at.plus(slack) < from)
    }
}

/// Which attempts the authentication log shows; all conditions must hold.
#[derive(Debug, Clone, Default)]
pub struct AttemptFilter {
    /// Part of the user name, or the MAC address.
    pub text: String,
    pub nas: Option<NasId>,
    pub outcome: Option<OutcomeFilter>,
    pub span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutcomeFilter {
    Accepted,
    Rejected,
    Because(Reason),
}

impl OutcomeFilter {
    fn fits(self, reason: Option<Reason>) -> bool {
        match self {
            OutcomeFilter::Accepted => reason.is_none(),
            OutcomeFilter::Rejected => reason.is_some(),
            OutcomeFilter::Because(wanted) => reason == Some(wanted),
        }
    }
}

/// Attempts with a number below `before`, with their numbers.
pub fn attempts(
    app: &App,
    filter: &AttemptFilter,
    before: u64,
    limit: usize,
) -> Result<Page<(u64, Attempt)>, Error> {
    let view = app.store.view()?;
    let text = fold_case(filter.text.trim());
    let mac = Mac::read(filter.text.trim());
    let before = before.min(end_of(filter.span, |below| {
        newest_attempt(app, &view, below)
    })?);
    let mut walk = Walk::new(limit);
    app.auth_log
        .each_before(&view, before, MOST_LOOKED_AT, |number, attempt| {
            if filter.span.is_past(attempt.at, 0) {
                return ControlFlow::Break(());
            }
            let fits = (text.is_empty()
                || fold_case(&attempt.username).contains(&text)
                || (mac.is_some() && attempt.mac == mac))
                && filter
                    .outcome
                    .is_none_or(|outcome| outcome.fits(attempt.reason))
                && filter.nas.is_none_or(|nas| attempt.nas == nas)
                && filter.span.contains(attempt.at);
            walk.look(number, fits.then_some((number, attempt)))
        })?;
    Ok(walk.page())
}

fn newest_attempt(app: &App, view: &View, below: u64) -> Result<Option<(u64, Timestamp)>, Error> {
    let mut newest = None;
    app.auth_log
        .each_before(view, below, 1, |number, attempt| {
            newest = Some((number, attempt.at));
            ControlFlow::Break(())
        })?;
    Ok(newest)
}

/// Which ended sessions the history shows; all conditions must hold.
#[derive(Debug, Clone, Default)]
pub struct HistoryFilter {
    /// Part of the user name, the address or the MAC address.
    pub text: String,
    pub nas: Option<NasId>,
    pub subscriber: Option<SubscriberId>,
    /// When the session began.
    pub span: Span,
}

/// How far the beginnings of sessions may lie from the order in which they became known: a day of Acct-Delay-Time.
const SESSION_SLACK: i64 = crate::domain::time::DAY;

/// Ended sessions with an id below `before`.
pub fn history(
    app: &App,
    filter: &HistoryFilter,
    before: SessionId,
    limit: usize,
) -> Result<Page<Session>, Error> {
    let wanted = Wanted::of(&filter.text);
    let fits = |session: &Session| {
        filter.nas.is_none_or(|nas| session.nas == nas)
            && filter
                .subscriber
                .is_none_or(|id| session.subscriber == Some(id))
            && filter.span.contains(session.started_at)
            && wanted.is_in(session)
    };
    let (view, memory) = ended_in_memory(app)?;
    let end = Span {
        until: filter.span.until.map(|until| until.plus(SESSION_SLACK)),
        ..filter.span
    };
    let before = before
        .0
        .min(end_of(end, |below| newest_session(&view, below))?);
    let mut walk = Walk::new(limit);
    let mut visit = |session: Session| {
        if memory.contains(session.id) {
            return ControlFlow::Continue(());
        }
        if filter.span.is_past(session.started_at, SESSION_SLACK) {
            return ControlFlow::Break(());
        }
        let number = session.id.0;
        walk.look(number, fits(&session).then_some(session))
    };
    match filter.subscriber {
        Some(subscriber) => {
            let own = sessions::closed_of(&view, subscriber, MOST_OF_ONE)?;
            // Breaking off is all that is left to do.
            let _ = own
                .into_iter()
                .filter(|session| session.id.0 < before)
                .try_for_each(&mut visit);
        }
        None => sessions::each_closed_before(&view, SessionId(before), MOST_LOOKED_AT, visit)?,
    }
    let lowest = walk.older.unwrap_or(0);
    let mut page = walk.page();
    let recent = memory.ended.into_values();
    page.rows
        .extend(recent.filter(|session| (lowest..before).contains(&session.id.0) && fits(session)));
    page.rows
        .sort_by_key(|session| std::cmp::Reverse(session.id));
    if page.rows.len() > limit {
        page.rows.truncate(limit);
        page.older = page.rows.last().map(|session| session.id.0);
    }
    Ok(page)
}

/// What memory knows better than the tables.
struct InMemory {
    ended: HashMap<SessionId, Session>,
    /// Ended in the tables, and running again since.
    resumed: HashSet<SessionId>,
}

impl InMemory {
    fn contains(&self, id: SessionId) -> bool {
        self.ended.contains_key(&id) || self.resumed.contains(&id)
    }
}

/// A view and the ended sessions in memory that fit together, copied, so that no record waits for the walk.
fn ended_in_memory(app: &App) -> Result<(View, InMemory), Error> {
    let picture = app.accounting.picture()?;
    let memory = InMemory {
        ended: picture
            .live
            .ended_sessions()
            .map(|session| (session.id, session.clone()))
            .collect(),
        resumed: picture
            .live
            .open_sessions()
            .filter(|session| session.resumed)
            .map(|session| session.id)
            .collect(),
    };
    Ok((picture.view, memory))
}

fn newest_session(view: &View, below: u64) -> Result<Option<(u64, Timestamp)>, Error> {
    let mut newest = None;
    sessions::each_closed_before(view, SessionId(below), 1, |session| {
        newest = Some((session.id.0, session.started_at));
        ControlFlow::Break(())
    })?;
    Ok(newest)
}

/// Which changes the audit log shows; all conditions must hold.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Part of who, what, the action or the address.
    pub text: String,
    pub span: Span,
}

/// Audit entries with a sequence below `before`.
pub fn audit_log(
    app: &App,
    filter: &AuditFilter,
    before: u64,
    limit: usize,
) -> Result<Page<Entry>, Error> {
    let wanted = fold_case(filter.text.trim());
    let has = |field: &str| fold_case(field).contains(&wanted);
    let view = app.store.view()?;
    let newest = |below| -> Result<Option<(u64, Timestamp)>, Error> {
        let found = audit::newest(&view, below, 1, 1, |_| true)?;
        Ok(found.first().map(|entry| (entry.sequence, entry.at)))
    };
    let before = before.min(end_of(filter.span, newest)?);
    let (mut looked, mut lowest, mut is_over) = (0, before, false);
    let rows = audit::newest(&view, before, limit, MOST_LOOKED_AT, |entry| {
        looked += 1;
        lowest = entry.sequence;
        is_over |= filter.span.is_past(entry.at, 0);
        filter.span.contains(entry.at)
            && (wanted.is_empty()
                || has(&entry.actor)
                || has(&entry.object_name)
                || has(&entry.action)
                || has(&entry.address))
    })?;
    let is_cut = (rows.len() >= limit || looked >= MOST_LOOKED_AT) && !is_over && lowest > 0;
    Ok(Page {
        rows,
        older: is_cut.then_some(lowest),
    })
}

/// Collects fitting rows until there are enough of them or enough were looked at.
struct Walk<T> {
    rows: Vec<T>,
    limit: usize,
    looked: usize,
    /// Where the next page begins, once this one broke off.
    older: Option<u64>,
}

impl<T> Walk<T> {
    fn new(limit: usize) -> Self {
        Walk {
            rows: Vec::new(),
            limit,
            looked: 0,
            older: None,
        }
    }

    /// Takes the row with this number, if it fits.
    fn look(&mut self, number: u64, row: Option<T>) -> ControlFlow<()> {
        self.looked += 1;
        self.rows.extend(row);
        if self.rows.len() < self.limit && self.looked < MOST_LOOKED_AT {
            return ControlFlow::Continue(());
        }
        self.older = Some(number);
        ControlFlow::Break(())
    }

    fn page(self) -> Page<T> {
        Page {
            rows: self.rows,
            older: self.older,
        }
    }
}

/// The number below which everything happened before the end of the span, found by halving: numbers grow with time.
/// `newest` gives the newest entry below a number.
fn end_of(
    span: Span,
    newest: impl Fn(u64) -> Result<Option<(u64, Timestamp)>, Error>,
) -> Result<u64, Error> {
    let Some(until) = span.until else {
        return Ok(u64::MAX);
    };
    let mut low = 0;
    let mut high = match newest(u64::MAX)? {
        Some((number, at)) if at >= until => number,
        _ => return Ok(u64::MAX),
    };
    // The entry `high` is too new, and everything below `low` is not.
    while low < high {
        let middle = low + (high - low) / 2;
        match newest(middle.saturating_add(1))? {
            Some((number, at)) if at >= until => high = number,
            _ => low = middle + 1,
        }
    }
    Ok(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The newest entry below a number, of entries whose number is its place and whose time is the value.
    fn newest_of(times: &[Option<i64>]) -> impl Fn(u64) -> Result<Option<(u64, Timestamp)>, Error> {
        move |below| {
            let fitting = (0u64..).zip(times).filter(|(number, _)| *number < below);
            let last = fitting
                .filter_map(|(number, at)| Some((number, (*at)?)))
                .last();
            Ok(last.map(|(number, at)| (number, Timestamp(at))))
        }
    }

    #[test]
    fn the_end_of_a_span_is_found_by_halving() {
        let times = [
            None,
            Some(10),
            None,
            Some(20),
            Some(20),
            Some(30),
            None,
            Some(40),
        ];
        for (until, end) in [
            (Some(0), 0),
            (Some(10), 1),
            (Some(11), 2),
            (Some(20), 3),
            (Some(21), 5),
            (Some(30), 5),
            (Some(40), 7),
            (Some(41), u64::MAX),
            (None, u64::MAX),
        ] {
            let span = Span {
                until: until.map(Timestamp),
                from: None,
            };
            let found = end_of(span, newest_of(&times)).unwrap();
            // Numbers without an entry may stand on either side.
            let below = |number: u64| newest_of(&times)(number).unwrap();
            assert_eq!(below(found), below(end), "until {until:?}");
        }
        assert_eq!(
            end_of(
                Span {
                    until: Some(Timestamp(5)),
                    from: None
                },
                newest_of(&[])
            )
            .unwrap(),
            u64::MAX
        );
    }

    #[test]
    fn a_walk_ends_when_the_page_is_full_or_long_enough() {
        let mut walk = Walk::new(2);
        assert!(walk.look(9, Some("a")).is_continue());
        assert!(walk.look(8, None).is_continue());
        assert!(walk.look(7, Some("b")).is_break());
        assert_eq!(
            walk.page(),
            Page {
                rows: vec!["a", "b"],
                older: Some(7)
            }
        );
        let mut long = Walk::<()>::new(1);
        for number in (1..MOST_LOOKED_AT).rev() {
            assert!(
                long.look(u64::try_from(number).unwrap(), None)
                    .is_continue()
            );
        }
        assert!(long.look(0, None).is_break());
        assert_eq!(long.older, Some(0));
    }

    #[test]
    fn a_span_has_its_first_instant_and_not_its_last() {
        let span = Span {
            from: Some(Timestamp(10)),
            until: Some(Timestamp(20)),
        };
        for (at, inside) in [(9, false), (10, true), (19, true), (20, false)] {
            assert_eq!(span.contains(Timestamp(at)), inside, "{at}");
        }
        assert!(Span::default().contains(Timestamp(-1)));
        assert!(!span.is_past(Timestamp(10), 0) && span.is_past(Timestamp(9), 0));
        assert!(!span.is_past(Timestamp(9), 1));
    }
}
