//! One page out of many rows in memory.

use std::cmp::Ordering;

/// The rows from `skip` on, at most `limit`, as if all had been sorted by `compare`, which must tell any two apart. Only the
/// rows of the page are put in order, so a page far back costs little more than the first.
pub(super) fn page_of<T>(
    mut rows: Vec<T>,
    skip: usize,
    limit: usize,
    mut compare: impl FnMut(&T, &T) -> Ordering,
) -> Vec<T> {
    let end = skip.saturating_add(limit).min(rows.len());
    if skip >= end {
        return Vec::new();
    }
    if end < rows.len() {
        rows.select_nth_unstable_by(end - 1, &mut compare);
        rows.truncate(end);
    }
    if skip > 0 {
        rows.select_nth_unstable_by(skip, &mut compare);
        rows.drain(..skip);
    }
    rows.sort_unstable_by(compare);
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_those_of_the_whole_in_order() {
        for count in 0..12u32 {
            // 7 and 12 have no common factor: each number once, in no order.
            let rows: Vec<u32> = (0..count).map(|n| n * 7 % 12).collect();
            let mut sorted = rows.clone();
            sorted.sort_unstable();
            for skip in 0..14 {
                for limit in [0, 1, 2, 5, 20, usize::MAX] {
                    let expected: Vec<u32> =
                        sorted.iter().copied().skip(skip).take(limit).collect();
                    assert_eq!(page_of(rows.clone(), skip, limit, u32::cmp), expected);
                }
            }
        }
    }
}
