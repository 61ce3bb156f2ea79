//! Query words of `print`, evaluated as a router does (mikrotik.md b4; MikroTik manual, API, "Queries").
//!
//! For choosing among rows already read, and for the router that tests pretend to have. Every test pushes a truth
//! value, `?#` works on the stack of them, and all that remain must be true. Invariant: the stack is bounded by
//! [`MOST_VALUES`].

use std::cmp::Ordering;

use crate::routers::RouterError;

/// Values on the stack: as many as a sentence has words; copies could make more.
const MOST_VALUES: usize = super::wire::SENTENCE_MAX_WORDS;

/// Whether an item passes the query. `property` gives the item's values.
///
/// Errors: `Query` with the word that is no query, takes from an empty stack or grows it too far.
pub fn selects<'a>(
    words: &[&str],
    property: impl Fn(&str) -> Option<&'a str>,
) -> Result<bool, RouterError> {
    let mut stack = Vec::new();
    for word in words {
        let query = word.strip_prefix('?');
        query
            .and_then(|query| step(query, &property, &mut stack))
            .filter(|()| stack.len() <= MOST_VALUES)
            .ok_or_else(|| RouterError::Query(word.chars().take(80).collect()))?;
    }
    Ok(stack.into_iter().all(|value| value))
}

fn step<'a>(
    query: &str,
    property: &impl Fn(&str) -> Option<&'a str>,
    stack: &mut Vec<bool>,
) -> Option<()> {
    if let Some(operations) = query.strip_prefix('#') {
        return operate(operations, stack);
    }
    let test = |named: &str, wanted: Ordering| {
        let (name, value) = named.split_once('=').filter(|(name, _)| !name.is_empty())?;
        Some(property(name).is_some_and(|present| compare(present, value) == wanted))
    };
    let value = match query.split_at_checked(1)? {
        ("<", named) => test(named, Ordering::Less)?,
        (">", named) => test(named, Ordering::Greater)?,
        ("=", named) => test(named, Ordering::Equal)?,
        ("-", name) => property(name).is_none(),
        _ if query.contains('=') => test(query, Ordering::Equal)?,
        _ => property(query).is_some(),
    };
    stack.push(value);
    Some(())
}

/// Numbers by value, anything else by its octets.
fn compare(present: &str, value: &str) -> Ordering {
    match (present.parse::<i64>(), value.parse::<i64>()) {
        (Ok(present), Ok(value)) => present.cmp(&value),
        _ => present.cmp(value),
    }
}

/// An index counts from the top. At the end of the word it replaces the stack by that value, else it pushes a copy;
/// a dot then only ends it, and a dot elsewhere copies the top.
fn operate(operations: &str, stack: &mut Vec<bool>) -> Option<()> {
    let mut rest = operations;
    while let Some(next) = rest.chars().next() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        if digits > 0 {
            let (index, after) = rest.split_at_checked(digits)?;
            let value = from_top(stack, index.parse().ok()?)?;
            if after.is_empty() {
                stack.clear();
            }
            stack.push(value);
            rest = after.strip_prefix('.').unwrap_or(after);
        } else {
            match next {
                '!' => {
                    let top = stack.pop()?;
                    stack.push(!top);
                }
                '&' => {
                    let (right, left) = (stack.pop()?, stack.pop()?);
                    stack.push(left && right);
                }
                '|' => {
                    let (right, left) = (stack.pop()?, stack.pop()?);
                    stack.push(left || right);
                }
                '.' => stack.push(from_top(stack, 0)?),
                _ => return None,
            }
            rest = rest.get(1..)?;
        }
        if stack.len() > MOST_VALUES {
            return None;
        }
    }
    Some(())
}

fn from_top(stack: &[bool], index: usize) -> Option<bool> {
    stack.iter().rev().nth(index).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routers::vectors::vector;

    #[test]
    fn queries_of_the_vector() {
        let vector = vector("ros-api-queries");
        let items = vector["inputs"]["items"].as_array().unwrap();
        let queries = vector["inputs"]["queries"].as_array().unwrap();
        let expected = vector["expected"]["selected"].as_array().unwrap();
        assert_eq!((items.len(), queries.len()), (3, 5));
        for (query, expected) in queries.iter().zip(expected) {
            let words: Vec<&str> = query
                .as_array()
                .unwrap()
                .iter()
                .map(|word| word.as_str().unwrap())
                .collect();
            let selected: Vec<&str> = items
                .iter()
                .filter(|item| selects(&words, |name| item[name].as_str()).unwrap())
                .map(|item| item[".id"].as_str().unwrap())
                .collect();
            assert_eq!(serde_json::json!(selected), *expected, "{query}");
        }
    }

    fn item(name: &str) -> Option<&'static str> {
        match name {
            "type" => Some("ether"),
            "mtu" => Some("1500"),
            "comment" => Some(""),
            "rule" => Some("a=b"),
            _ => None,
        }
    }

    #[test]
    fn tests_and_operations() {
        for (words, expected) in [
            (vec![], true),
            (vec!["?type"], true),
            (vec!["?speed"], false),
            (vec!["?-speed"], true),
            (vec!["?=type=ether"], true),
            (vec!["?type=eth"], false),
            (vec!["?comment="], true),
            (vec!["?>comment="], false),
            (vec!["?rule=a=b"], true),
            (vec!["?mtu=01500"], true),
            (vec!["?<mtu=1501"], true),
            (vec!["?<mtu=1500"], false),
            (vec!["?>mtu=999"], true),
            (vec!["?>mtu=1500"], false),
            (vec!["?>type=eth"], true),
            (vec!["?<speed=9"], false),
            (vec!["?type", "?speed"], false),
            (vec!["?type", "?speed", "?#|"], true),
            (vec!["?type", "?speed", "?#&!"], true),
            (vec!["?type", "?speed", "?#!&"], true),
            (vec!["?speed", "?#!"], true),
            (vec!["?speed", "?type", "?#0"], true),
            (vec!["?speed", "?type", "?#1"], false),
            (vec!["?speed", "?type", "?#1!&|"], true),
            (vec!["?speed", "?type", "?#1.||"], true),
            (vec!["?speed", "?#.|!"], true),
            (vec!["?type", "?#"], true),
        ] {
            assert_eq!(selects(&words, item), Ok(expected), "{words:?}");
        }
    }

    #[test]
    fn nonsense_is_an_error() {
        let long = format!("?#{}", ".".repeat(MOST_VALUES));
        for words in [
            vec!["type"],
            vec![""],
            vec!["?"],
            vec!["?=type"],
            vec!["?<mtu"],
            vec!["?=="],
            vec!["?#!"],
            vec!["?#."],
            vec!["?type", "?#&"],
            vec!["?type", "?#1"],
            vec!["?type", "?#99999999999999999999"],
            vec!["?type", "?#~"],
            vec!["?type", "?#é"],
            vec!["?type", &long],
        ] {
            let last: String = words[words.len() - 1].chars().take(80).collect();
            assert_eq!(
                selects(&words, item),
                Err(RouterError::Query(last)),
                "{words:?}"
            );
        }
        assert!(selects(&["?type", &long[..long.len() - 1]], item).is_ok());
    }

    #[test]
    fn any_words_are_safe() {
        bolero::check!().for_each(|octets: &[u8]| {
            let text = String::from_utf8_lossy(octets);
            let words: Vec<&str> = text.split(' ').collect();
            let _ = selects(&words, item);
        });
    }
}
