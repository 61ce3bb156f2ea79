//! Pieces that many pages share: badges, fields, facts, meters. Display-ready, no rules. Those of lists are in `pager`.

pub use crate::domain::text::{counted, thousands};

/// Meaning of a colour. The text beside it always says the same in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    Good,
    Warn,
    Bad,
    Info,
    #[default]
    Quiet,
}

impl Tone {
    /// Class in `app.css`.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Info => "info",
            Self::Quiet => "quiet",
        }
    }

    /// Symbol in `static/icons.svg` for notices.
    pub fn icon(&self) -> &'static str {
        match self {
            Self::Good => "circle-check",
            Self::Warn | Self::Bad => "triangle-alert",
            Self::Info | Self::Quiet => "info",
        }
    }
}

/// A state: a dot in the colour of `tone` and the words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Badge {
    pub tone: Tone,
    pub text: String,
}

impl Badge {
    pub fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self {
            tone,
            text: text.into(),
        }
    }
}

/// What an input holds and what is wrong with it. No Debug: it may hold a password.
#[derive(Clone, Default)]
pub struct Field {
    pub value: String,
    pub error: Option<String>,
}

impl Field {
    pub fn new(value: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            error: None,
        }
    }

    pub fn wrong(value: impl Into<String>, error: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            error: Some(error.into()),
        }
    }
}

/// One direction of a speed as typed, `20000` or `20M`, with what it comes to, `20 Mbit/s`, or nothing.
#[derive(Clone, Default)]
pub struct SpeedField {
    pub field: Field,
    pub note: String,
}

/// One of several things that may be ticked.
#[derive(Clone, Default)]
pub struct Tick {
    pub id: String,
    pub name: String,
    pub is_ticked: bool,
}

/// A list to choose one of.
#[derive(Clone, Default)]
pub struct Select {
    pub choices: Vec<Choice>,
    pub error: Option<String>,
}

#[derive(Clone, Default)]
pub struct Choice {
    pub value: String,
    pub label: String,
    pub chosen: bool,
}

impl Select {
    /// `choices` are value and label; the one whose value equals `chosen` is marked.
    pub fn new<V: Into<String>, L: Into<String>>(
        choices: impl IntoIterator<Item = (V, L)>,
        chosen: &str,
    ) -> Self {
        let choices = choices
            .into_iter()
            .map(|(value, label)| {
                let value = value.into();
                Choice {
                    chosen: value == chosen,
                    value,
                    label: label.into(),
                }
            })
            .collect();
        Self {
            choices,
            error: None,
        }
    }
}

/// One line of a list of facts.
#[derive(Clone, Default)]
pub struct Fact {
    pub label: String,
    pub value: String,
    /// Where the value leads, or empty.
    pub href: String,
    /// Small print under the value, or empty.
    pub note: String,
    /// Offer to copy the value.
    pub copy: bool,
}

impl Fact {
    pub fn new(label: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            value: value.into(),
            ..Self::default()
        }
    }

    pub fn link(self, href: impl Into<String>) -> Self {
        Self {
            href: href.into(),
            ..self
        }
    }

    pub fn note(self, note: impl Into<String>) -> Self {
        Self {
            note: note.into(),
            ..self
        }
    }

    pub fn copyable(self) -> Self {
        Self { copy: true, ..self }
    }
}

/// A share of a whole, drawn as a bar: memory, disk, reject reasons.
#[derive(Clone, Default)]
pub struct Meter {
    pub label: String,
    /// What stands at the end of the line, such as `212 MB of 512 MB`.
    pub value: String,
    /// 0 to 100; larger is drawn as full.
    pub percent: u8,
    pub tone: Tone,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn select_marks_the_chosen_value_only() {
        let select = Select::new([("", "Any"), ("7", "Home 10M")], "7");
        let chosen: Vec<_> = select
            .choices
            .iter()
            .filter(|choice| choice.chosen)
            .map(|choice| choice.label.as_str())
            .collect();
        assert_eq!(chosen, ["Home 10M"]);
    }
}
