//! The windows that plans have: speed windows and free hours, kept apart (rules.md section 4).

use super::quota::Direction;
use super::rate::Rate;
use super::window::Window;

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
