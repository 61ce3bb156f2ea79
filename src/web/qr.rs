//! A QR code as one drawn path, so that it can stand in a page under the strict policy. What is in it is decided elsewhere.

use fast_qr::{ECL, QRBuilder};

/// Light modules around the code, as readers expect them (ISO/IEC 18004 section 6.3.8).
const MARGIN: usize = 4;

/// Dark modules on a light square. No Debug: it may hold a secret.
#[derive(Clone, Default)]
pub struct QrCode {
    /// Modules along each side, margin included.
    pub size: usize,
    /// The dark modules as an SVG path, one step for each run in a row.
    pub path: String,
}

impl QrCode {
    /// `None` for a text that is too long for any code.
    pub fn of(text: &str) -> Option<QrCode> {
        let code = QRBuilder::new(text).ecl(ECL::M).build().ok()?;
        let rows: Vec<Vec<bool>> = code
            .data
            .chunks(code.size.max(1))
            .take(code.size)
            .map(|row| row.iter().map(|module| module.value()).collect())
            .collect();
        Some(QrCode {
            size: code.size + 2 * MARGIN,
            path: path(&rows),
        })
    }
}

fn path(rows: &[Vec<bool>]) -> String {
    let mut path = String::new();
    for (y, row) in rows.iter().enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|left, right| left == right) {
            if run.first() == Some(&true) {
                let (left, top, length) = (x + MARGIN, y + MARGIN, run.len());
                path.push_str(&format!("M{left} {top}h{length}v1h-{length}z"));
            }
            x += run.len();
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_dark_modules_become_steps() {
        let rows = [vec![true, true, false, true], vec![false; 4]];
        assert_eq!(path(&rows), "M4 4h2v1h-2zM7 4h1v1h-1z");
    }

    #[test]
    fn a_code_has_its_three_corners_and_a_bound() {
        let code = QrCode::of("otpauth://totp/Cedar:rania?secret=GEZDGNBVGY3TQOJQ").unwrap();
        let last = code.size - MARGIN - 7;
        for corner in [
            format!("M{MARGIN} {MARGIN}h7"),
            format!("M{last} {MARGIN}h7"),
            format!("M{MARGIN} {last}h7"),
        ] {
            assert!(code.path.contains(&corner), "{corner}");
        }
        assert!(QrCode::of(&"x".repeat(4_000)).is_none());
    }
}
