//! The windows that plans have: speed windows and free hours, kept apart (rules.md section 4).

use super::quota::Direction;
use super::rate::Rate;
use super::window::{WallClock, Window};
use std::fmt;

/// Windows of one kind that a plan may have.
pub const MOST_WINDOWS: usize = 8;

/// What a speed window does to a session that fair use has slowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhenThrottled {
    /// The window is for those who are not throttled.
    #[default]
    Skip,
    /// The throttled speed is multiplied by what the window makes of the plan's speed.
    Multiply,
    /// Fair use is ignored in the window; usage still counts.
    Lift,
}

impl WhenThrottled {
    pub const ALL: [WhenThrottled; 3] = [
        WhenThrottled::Skip,
        WhenThrottled::Multiply,
        WhenThrottled::Lift,
    ];

    pub fn word(self) -> &'static str {
        match self {
            WhenThrottled::Skip => "skip",
            WhenThrottled::Multiply => "multiply",
            WhenThrottled::Lift => "lift",
        }
    }

    pub fn from_word(word: &str) -> Option<WhenThrottled> {
        Self::ALL.into_iter().find(|when| when.word() == word)
    }
}

/// TimeSpeed: another speed, absolutely, in some hours. Of several that hold, the first wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpeedWindow {
    pub window: Window,
    pub rate: Rate,
    pub when_throttled: WhenThrottled,
}

/// Hours in which octets count less: counted = raw x (100 - free) / 100. Of several that hold, the first wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FreeWindow {
    pub window: Window,
    /// 1 to 100.
    pub free_percent: u8,
    pub direction: Direction,
}

/// The free window that holds at this hour, if one does.
pub fn free_at<'a>(windows: &'a [FreeWindow], clock: &WallClock) -> Option<&'a FreeWindow> {
    windows.iter().find(|window| window.window.holds(clock))
}

impl FreeWindow {
    /// `1 GB counts as 0.3 GB`, `1 GB of download counts as 0 GB`.
    pub fn counts_as(&self) -> String {
        let counted = 100 - self.free_percent.min(100);
        let hundredths = format!("{:02}", counted % 100);
        let whole = counted / 100;
        let amount = match hundredths.trim_end_matches('0') {
            "" => whole.to_string(),
            fraction => format!("{whole}.{fraction}"),
        };
        let of = match self.direction {
            Direction::Both => String::new(),
            direction => format!(" of {}", direction.word()),
        };
        format!("1 GB{of} counts as {amount} GB")
    }
}

impl fmt::Display for SpeedWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.window, self.rate)?;
        match self.when_throttled {
            WhenThrottled::Skip => Ok(()),
            WhenThrottled::Multiply => f.write_str(", multiplies a throttled speed"),
            WhenThrottled::Lift => f.write_str(", lifts fair use"),
        }
    }
}

impl fmt::Display for FreeWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.window, self.counts_as())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_hours_say_what_a_gigabyte_counts() {
        for (free_percent, direction, words) in [
            (70, Direction::Both, "1 GB counts as 0.3 GB"),
            (75, Direction::Both, "1 GB counts as 0.25 GB"),
            (95, Direction::Upload, "1 GB of upload counts as 0.05 GB"),
            (100, Direction::Download, "1 GB of download counts as 0 GB"),
            (1, Direction::Both, "1 GB counts as 0.99 GB"),
            (0, Direction::Both, "1 GB counts as 1 GB"),
        ] {
            let window = FreeWindow {
                window: Window::parse("01:00-06:00").unwrap(),
                free_percent,
                direction,
            };
            assert_eq!(window.counts_as(), words);
        }
    }

    #[test]
    fn words_of_throttling_read_back() {
        for when in WhenThrottled::ALL {
            assert_eq!(WhenThrottled::from_word(when.word()), Some(when));
        }
        assert_eq!(WhenThrottled::from_word(""), None);
    }
}
