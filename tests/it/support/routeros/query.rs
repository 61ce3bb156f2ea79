//! The queries of `print`: a stack machine (mikrotik.md b4).

/// One word behind the `?`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Has(String),
    Lacks(String),
    Equal(String, String),
    Less(String, String),
    Greater(String, String),
    Operations(String),
}

/// The query words of one command, in their order. Without any, every row matches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query(Vec<Step>);

impl Query {
    /// Takes one word with its `?`.
    pub fn push(&mut self, word: &str) {
        let body = word.strip_prefix('?').unwrap_or(word);
        let pair = |text: &str| {
            let (name, value) = text.split_once('=')?;
            Some((name.to_owned(), value.to_owned()))
        };
        let step = if let Some(operations) = body.strip_prefix('#') {
            Step::Operations(operations.to_owned())
        } else if let Some(name) = body.strip_prefix('-') {
            Step::Lacks(name.to_owned())
        } else if let Some((name, value)) = body.strip_prefix('<').and_then(pair) {
            Step::Less(name, value)
        } else if let Some((name, value)) = body.strip_prefix('>').and_then(pair) {
            Step::Greater(name, value)
        } else if let Some((name, value)) = pair(body.strip_prefix('=').unwrap_or(body)) {
            // librouteros writes `?=name=value`, which routers take as well.
            Step::Equal(name, value)
        } else {
            Step::Has(body.to_owned())
        };
        self.0.push(step);
    }

    /// Whether a row matches, given how its columns are read.
    pub fn matches(&self, column: impl Fn(&str) -> Option<String>) -> bool {
        let mut stack: Vec<bool> = Vec::new();
        for step in &self.0 {
            let value = match step {
                Step::Has(name) => column(name).is_some(),
                Step::Lacks(name) => column(name).is_none(),
                Step::Equal(name, wanted) => column(name).is_some_and(|found| same(&found, wanted)),
                Step::Less(name, limit) => column(name).is_some_and(|found| less(&found, limit)),
                Step::Greater(name, limit) => column(name).is_some_and(|found| less(limit, &found)),
                Step::Operations(operations) => {
                    if operate(operations, &mut stack).is_none() {
                        return false;
                    }
                    continue;
                }
            };
            stack.push(value);
        }
        stack.into_iter().all(|value| value)
    }
}

/// `None` when the stack is too short for an operation, or an operation is none.
fn operate(operations: &str, stack: &mut Vec<bool>) -> Option<()> {
    let mut rest = operations.chars().peekable();
    while let Some(operation) = rest.next() {
        match operation {
            '!' => {
                let top = stack.pop()?;
                stack.push(!top);
            }
            '&' | '|' => {
                let (second, first) = (stack.pop()?, stack.pop()?);
                stack.push(if operation == '&' {
                    first && second
                } else {
                    first || second
                });
            }
            '.' => stack.push(*stack.last()?),
            '0'..='9' => {
                let mut digits = operation.to_string();
                while let Some(digit) = rest.next_if(char::is_ascii_digit) {
                    digits.push(digit);
                }
                // The top of the stack has index 0. A point behind an index only ends it.
                let from_top: usize = digits.parse().ok()?;
                let place = stack.len().checked_sub(from_top + 1)?;
                stack.push(*stack.get(place)?);
                rest.next_if_eq(&'.');
            }
            _ => return None,
        }
    }
    Some(())
}

/// Booleans are written in two ways.
fn same(found: &str, wanted: &str) -> bool {
    fn plain(value: &str) -> &str {
        match value {
            "yes" => "true",
            "no" => "false",
            other => other,
        }
    }
    plain(found) == plain(wanted)
}

/// By number where both are numbers.
fn less(a: &str, b: &str) -> bool {
    match (a.parse::<u64>(), b.parse::<u64>()) {
        (Ok(a), Ok(b)) => a < b,
        _ => a < b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_select_what_the_reference_says() {
        let row = |name: &str| -> Option<String> {
            let value = match name {
                "name" => "ether1",
                "type" => "ether",
                "mtu" => "1500",
                "disabled" => "false",
                "comment" => "a=b",
                _ => return None,
            };
            Some(value.to_owned())
        };
        let cases: [(&[&str], bool); 30] = [
            (&[], true),
            (&["?name"], true),
            (&["?vlan-id"], false),
            (&["?-vlan-id"], true),
            (&["?-name"], false),
            (&["?type=ether"], true),
            (&["?=type=ether"], true),
            (&["?type=vlan"], false),
            (&["?vlan-id="], false),
            (&["?comment=a=b"], true),
            (&["?disabled=no"], true),
            (&["?disabled=yes"], false),
            (&["?<mtu=1500"], false),
            (&["?<mtu=1501"], true),
            (&["?>mtu=1500"], false),
            (&["?>mtu=200"], true),
            (&["?type=vlan", "?#!"], true),
            (&["?type=ether", "?type=vlan"], false),
            (&["?type=ether", "?type=vlan", "?#|"], true),
            (&["?type=vlan", "?type=ether", "?#|"], true),
            (&["?type=ether", "?type=vlan", "?#&"], false),
            (&["?type=ether", "?type=vlan", "?#!&"], true),
            (&["?type=ether", "?type=vlan", "?#&!"], true),
            (
                &["?type=x", "?type=ether", "?name=ether1", "?#&", "?#|"],
                true,
            ),
            (&["?type=vlan", "?type=ether", "?#1.!&|"], true),
            (&["?type=vlan", "?type=ether", "?#1!&|"], true),
            (&["?type=ether", "?#.!"], false),
            (&["?type=ether", "?#.&"], true),
            (&["?type=ether", "?#&"], false),
            (&["?type=ether", "?#x"], false),
        ];
        for (words, expected) in cases {
            let mut query = Query::default();
            for word in words {
                query.push(word);
            }
            assert_eq!(query.matches(row), expected, "{words:?}");
        }
    }
}
