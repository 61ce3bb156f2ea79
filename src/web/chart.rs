//! Charts as SVG: numbers in, coordinates as text out. Templates only place what is computed here.
//!
//! Coordinates are whole numbers in a box of 1000 units of height, stretched by the browser, so that
//! rounding is below a pixel and no inline style is needed.

/// Height of every chart in its own units.
pub const HEIGHT: u32 = 1000;

/// Most values that one chart draws; later ones are left out.
const MAX_VALUES: usize = 400;

/// One bar and its gap, in units of width.
const BAR_STEP: u32 = 100;
const BAR_GAP: u32 = 28;

/// A line over time with the area under it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sparkline {
    /// `x,y` pairs of the line.
    pub points: String,
    /// The same, closed along the bottom.
    pub area: String,
    /// Units of width; at least 1.
    pub width: u32,
    /// What the chart says, for those who do not see it.
    pub summary: String,
}

impl Sparkline {
    /// Draws `values`, oldest first, from 0 to the larger of `top` and the largest value.
    pub fn new(values: &[u64], top: u64, summary: impl Into<String>) -> Self {
        let values = values
            .get(..values.len().min(MAX_VALUES))
            .unwrap_or_default();
        let top = values.iter().copied().max().unwrap_or(0).max(top);
        let mut points = String::new();
        let mut x = 0_u32;
        for value in values {
            if !points.is_empty() {
                points.push(' ');
                x = x.saturating_add(10);
            }
            points.push_str(&format!(
                "{x},{}",
                HEIGHT.saturating_sub(scaled(*value, top))
            ));
        }
        let area = match points.is_empty() {
            true => String::new(),
            false => format!("0,{HEIGHT} {points} {x},{HEIGHT}"),
        };
        Self {
            points,
            area,
            width: x.max(1),
            summary: summary.into(),
        }
    }

    /// The part of the SVG that is shown.
    pub fn view_box(&self) -> String {
        format!("0 0 {} {HEIGHT}", self.width)
    }
}

/// What one bar of a usage chart stands for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Day {
    /// Shown when the pointer rests on the bar: `Mon 3 Aug: 2.1 GB down, 310 MB up`.
    pub title: String,
    pub download_octets: u64,
    pub upload_octets: u64,
}

/// Upload stacked on download, one bar a day.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bars {
    pub bars: Vec<Bar>,
    pub width: u32,
    /// What the chart says, for those who do not see it.
    pub summary: String,
    /// Text at the two ends of the axis, and at the top.
    pub first: String,
    pub last: String,
    pub top: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bar {
    pub title: String,
    pub x: u32,
    pub width: u32,
    pub download_y: u32,
    pub download_height: u32,
    pub upload_y: u32,
    pub upload_height: u32,
}

impl Bars {
    /// Draws `days`, oldest first; the largest day fills the height. Bars without traffic are empty.
    pub fn new(days: &[Day], summary: impl Into<String>) -> Self {
        let days = days.get(..days.len().min(MAX_VALUES)).unwrap_or_default();
        let total = |day: &Day| day.download_octets.saturating_add(day.upload_octets);
        let top = days.iter().map(total).max().unwrap_or(0);
        let mut bars = Vec::with_capacity(days.len());
        let mut x = 0_u32;
        for day in days {
            let all = scaled(total(day), top);
            let download_height = scaled(day.download_octets, top).min(all);
            bars.push(Bar {
                title: day.title.clone(),
                x,
                width: BAR_STEP - BAR_GAP,
                download_y: HEIGHT.saturating_sub(download_height),
                download_height,
                upload_y: HEIGHT.saturating_sub(all),
                upload_height: all.saturating_sub(download_height),
            });
            x = x.saturating_add(BAR_STEP);
        }
        Self {
            bars,
            width: x.saturating_sub(BAR_GAP).max(1),
            summary: summary.into(),
            ..Self::default()
        }
    }

    /// Text under the first and last bar, and beside the tallest.
    pub fn labelled(self, first: &str, last: &str, top: &str) -> Self {
        Self {
            first: first.into(),
            last: last.into(),
            top: top.into(),
            ..self
        }
    }

    /// The part of the SVG that is shown.
    pub fn view_box(&self) -> String {
        format!("0 0 {} {HEIGHT}", self.width)
    }
}

/// `value` of `top` in units of height, rounded down; 0 when there is nothing to compare with.
fn scaled(value: u64, top: u64) -> u32 {
    if top == 0 {
        return 0;
    }
    let units = u128::from(value) * u128::from(HEIGHT) / u128::from(top);
    u32::try_from(units).unwrap_or(HEIGHT).min(HEIGHT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_runs_from_the_bottom_to_the_top() {
        let line = Sparkline::new(&[0, 5, 10], 0, "");
        assert_eq!(line.points, "0,1000 10,500 20,0");
        assert_eq!(line.area, "0,1000 0,1000 10,500 20,0 20,1000");
        assert_eq!(line.view_box(), "0 0 20 1000");
    }

    #[test]
    fn a_quiet_hour_does_not_look_busy() {
        assert_eq!(Sparkline::new(&[1, 1], 10, "").points, "0,900 10,900");
        assert_eq!(Sparkline::new(&[0, 0], 0, "").points, "0,1000 10,1000");
    }

    #[test]
    fn nothing_to_draw_is_no_fault() {
        let line = Sparkline::new(&[], 0, "");
        assert_eq!(
            (line.points.as_str(), line.area.as_str(), line.width),
            ("", "", 1)
        );
        assert_eq!(Bars::new(&[], "").width, 1);
    }

    #[test]
    fn upload_stands_on_download() {
        let day = |download_octets, upload_octets| Day {
            title: String::new(),
            download_octets,
            upload_octets,
        };
        let bars = Bars::new(&[day(600, 400), day(300, 0), day(0, 0)], "");
        let shape: Vec<_> = bars
            .bars
            .iter()
            .map(|b| {
                (
                    b.x,
                    b.download_y,
                    b.download_height,
                    b.upload_y,
                    b.upload_height,
                )
            })
            .collect();
        assert_eq!(
            shape,
            [
                (0, 400, 600, 0, 400),
                (100, 700, 300, 700, 0),
                (200, 1000, 0, 1000, 0)
            ]
        );
        assert_eq!(bars.width, 272);
    }

    #[test]
    fn the_largest_counters_fit() {
        let bars = Bars::new(
            &[Day {
                title: String::new(),
                download_octets: u64::MAX,
                upload_octets: u64::MAX,
            }],
            "",
        );
        assert_eq!(
            (bars.bars[0].upload_y, bars.bars[0].download_height),
            (0, 1000)
        );
    }

    #[test]
    fn a_long_series_is_bounded() {
        assert_eq!(
            Sparkline::new(&[1; 1000], 0, "").points.split(' ').count(),
            MAX_VALUES
        );
    }
}
