//! When the clock alone changes what a plan gives: the edges of its windows, of the rules that may concern it, and the starts
//! of days on which usage is counted anew.
//!
//! Nothing here says what the speed is then; [`super::speed::effective`] does, asked at the edge. Invariant: between two
//! neighbouring edges the clock changes no answer about the plan.

use super::bandwidth_rule::{BandwidthRule, Rules};
use super::plan::Plan;
use super::time::{Calendar, DAY, Timestamp};
use super::window::{WallClock, Window};

/// Edges in one answer; the earliest are kept.
pub const MOST_EDGES: usize = 512;
/// Every window opens and closes within a week; the days of a rule may be further away, and are found when they are this near.
pub const HORIZON: i64 = 8 * DAY;

/// Something that is one way or another by the clock.
enum Watched<'a> {
    Window(Window),
    Rule(&'a BandwidthRule),
    /// Usage is counted by days: at their starts tiers fall back.
    Day,
}

impl Watched<'_> {
    /// Minutes after midnight at which it may change. Midnight is among them, because weekdays change there.
    fn minutes(&self, calendar: &Calendar) -> [u16; 4] {
        let starts = calendar.day_starts();
        match self {
            Watched::Window(window) => [0, window.start, window.end, starts],
            Watched::Rule(rule) => [0, rule.window.start, rule.window.end, starts],
            Watched::Day => [starts; 4],
        }
    }

    /// How it is; two instants differ by it or not.
    fn state(&self, clock: &WallClock) -> i32 {
        match self {
            Watched::Window(window) => i32::from(window.holds(clock)),
            Watched::Rule(rule) => i32::from(rule.is_on(clock)),
            Watched::Day => clock.day.0,
        }
    }
}

/// What is to be watched for a session with this plan, whoever's it is: rules for single subscribers are among it.
fn watched<'a>(plan: &Plan, rules: &'a Rules) -> Vec<Watched<'a>> {
    let speed = plan.speed_windows.iter().map(|window| window.window);
    let free = plan.free_windows.iter().map(|window| window.window);
    let windows = speed.chain(free).chain(plan.login_hours);
    let concerns = |rule: &&BandwidthRule| {
        rule.enabled
            && (!rule.subscribers.is_empty()
                || rule.plans.is_empty()
                || rule.plans.contains(&plan.id))
    };
    let rules = rules.iter().filter(concerns).map(Watched::Rule);
    let day = plan.counts().then_some(Watched::Day);
    windows
        .map(Watched::Window)
        .chain(rules)
        .chain(day)
        .collect()
}

/// The instants after `from`, up to and with `until`, at which a window of the plan (speed, free hours, login hours) or a rule that
/// may concern it opens or closes, and at which a business day starts if the plan counts usage. Rising, without repetition, at most
/// [`MOST_EDGES`]; what is beyond [`HORIZON`] is not looked at. Correct over clock changes: in a gap a window opens at the first
/// instant that exists, in a repeated hour it opens twice (rules.md section 1).
pub fn edges(
    plan: &Plan,
    rules: &Rules,
    calendar: &Calendar,
    from: Timestamp,
    until: Timestamp,
) -> Vec<Timestamp> {
    let until = until.min(from.plus(HORIZON));
    let mut found: Vec<Timestamp> = Vec::new();
    for watched in watched(plan, rules) {
        let readings = calendar.readings(&watched.minutes(calendar), from, until);
        let state = |at| watched.state(&calendar.wall_clock(at));
        let changes = readings
            .into_iter()
            .filter(|at| state(*at) != state(at.plus(-1)));
        found.extend(changes);
    }
    found.sort_unstable();
    found.dedup();
    found.truncate(MOST_EDGES);
    found
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
