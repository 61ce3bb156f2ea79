//! A week of hours as a picture: seven rows of 24 cells, with what holds drawn over them.

use crate::domain::hours::{FreeWindow, SpeedWindow};
use crate::domain::time::Day;
use crate::domain::window::{WallClock, Window, weekday_name};

const MINUTES_OF_DAY: u16 = 1440;
/// Where the first hour and the first day stand; an hour is 15 wide, a day 18 high.
const LEFT: u16 = 32;
const TOP: u16 = 14;
const DAY_HEIGHT: u16 = 18;
const MINUTES_TO_WIDTH: u16 = 4;

/// Templates draw it with `_week.html`.
#[derive(Clone, Default)]
pub struct Week {
    pub title: &'static str,
    /// Class of the hours that hold.
    pub tone: &'static str,
    /// The same in words.
    pub summary: String,
    pub days: Vec<WeekDay>,
}

#[derive(Clone, Default)]
pub struct WeekDay {
    pub name: &'static str,
    pub y: u16,
    pub runs: Vec<Run>,
}

/// Hours in which the same window holds.
#[derive(Clone, Default, Debug, PartialEq, Eq)]
pub struct Run {
    pub x: u16,
    pub width: u16,
    pub title: String,
}

/// The pictures of the windows of a plan: none for what it does not have.
pub(super) fn weeks(speed: &[SpeedWindow], free: &[FreeWindow]) -> Vec<Week> {
    let speed: Vec<(Window, String)> = speed
        .iter()
        .map(|w| (w.window, w.rate.to_string()))
        .collect();
    let free: Vec<(Window, String)> = free.iter().map(|w| (w.window, w.counts_as())).collect();
    [
        week("Speed windows", "info", &speed),
        week("Free hours", "good", &free),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn week(title: &'static str, tone: &'static str, windows: &[(Window, String)]) -> Option<Week> {
    if windows.is_empty() {
        return None;
    }
    let words: Vec<String> = windows
        .iter()
        .map(|(window, what)| format!("{window}: {what}"))
        .collect();
    let days = (1..=7u8).map(|weekday| WeekDay {
        name: weekday_name(weekday),
        y: TOP + u16::from(weekday - 1) * DAY_HEIGHT,
        runs: runs(weekday, windows),
    });
    Some(Week {
        title,
        tone,
        summary: words.join("; "),
        days: days.collect(),
    })
}

/// Stretches of a day in which the same window is the first that holds.
fn runs(weekday: u8, windows: &[(Window, String)]) -> Vec<Run> {
    let holds = |minute: u16| {
        let clock = WallClock {
            day: Day(0),
            weekday,
            minute,
        };
        windows.iter().position(|(window, _)| window.holds(&clock))
    };
    let mut runs = Vec::new();
    let mut begins = 0;
    for minute in 1..=MINUTES_OF_DAY {
        let held = holds(begins);
        if minute < MINUTES_OF_DAY && holds(minute) == held {
            continue;
        }
        if let Some((_, what)) = held.and_then(|place| windows.get(place)) {
            let time = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
            runs.push(Run {
                x: LEFT + begins / MINUTES_TO_WIDTH,
                // A short window is still to be seen.
                width: ((minute - begins) / MINUTES_TO_WIDTH).max(1),
                title: format!(
                    "{} {}-{}: {what}",
                    weekday_name(weekday),
                    time(begins),
                    time(minute)
                ),
            });
        }
        begins = minute;
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(weekday: u8, windows: &[(&str, &str)]) -> Vec<(u16, u16, String)> {
        let windows: Vec<(Window, String)> = windows
            .iter()
            .map(|(window, what)| (Window::parse(window).unwrap(), (*what).to_owned()))
            .collect();
        let runs = runs(weekday, &windows);
        runs.into_iter()
            .map(|run| (run.x, run.width, run.title))
            .collect()
    }

    #[test]
    fn a_night_is_drawn_on_both_days_and_the_first_window_wins() {
        let night = [("1 22:00-06:00", "fast")];
        assert_eq!(
            drawn(1, &night),
            [(362, 30, "Mon 22:00-24:00: fast".to_owned())]
        );
        assert_eq!(
            drawn(2, &night),
            [(32, 90, "Tue 00:00-06:00: fast".to_owned())]
        );
        assert_eq!(drawn(3, &night), []);
        let both = [("08:00-10:00", "one"), ("09:00-12:00", "two")];
        assert_eq!(
            drawn(5, &both),
            [
                (152, 30, "Fri 08:00-10:00: one".to_owned()),
                (182, 30, "Fri 10:00-12:00: two".to_owned())
            ]
        );
        assert_eq!(
            drawn(7, &[("00:00-00:00", "all")]),
            [(32, 360, "Sun 00:00-24:00: all".to_owned())]
        );
        assert_eq!(drawn(1, &[("12:00-12:01", "a")])[0].1, 1);
    }

    #[test]
    fn only_what_there_is_is_drawn() {
        assert!(weeks(&[], &[]).is_empty());
    }
}
