//! Forms as the browser sent them, and the problems found in them, each beside its field.

use std::fmt::Display;

use axum::body::{Body, Bytes};
use axum::extract::{Form, FromRequest, Request};

use crate::domain::Invalid;
use crate::domain::extra::Extras;
use crate::domain::rate::{Kbps, Rate};
use crate::operations::{self, extras};
use crate::web::error::Failure;
use crate::web::parts::{Field, Select, SpeedField, Tick};

pub use crate::domain::text::{number, optional};

/// Fields of one form; the largest, that of a plan with all its tiers and windows, has about two hundred, and a rule may name
/// every plan.
const MOST_FIELDS: usize = 600;

/// Names and values of a form, in the order sent. No Debug: it may hold a password.
#[derive(Clone, Default)]
pub struct FormData {
    pairs: Vec<(String, String)>,
}

impl FormData {
    /// Reads the body. Errors: `TooLarge` beyond the body limit of the router, `Garbled` for anything but a form.
    pub async fn read(request: Request) -> Result<FormData, Failure> {
        let (parts, body) = request.into_parts();
        let bounded = Request::from_parts(parts.clone(), body);
        let octets = Bytes::from_request(bounded, &()).await.map_err(|error| {
            match error.status().as_u16() {
                413 => Failure::TooLarge,
                _ => Failure::Garbled,
            }
        })?;
        if octets.iter().filter(|octet| **octet == b'&').count() >= MOST_FIELDS {
            return Err(Failure::TooLarge);
        }
        let whole = Request::from_parts(parts, Body::from(octets));
        let Form(pairs) = Form::from_request(whole, &())
            .await
            .map_err(|_| Failure::Garbled)?;
        Ok(FormData { pairs })
    }

    /// A form as it stands for a record, before anybody has typed.
    pub fn filled<N: Into<String>>(pairs: Vec<(N, String)>) -> FormData {
        let owned = |(name, value): (N, String)| (name.into(), value);
        FormData {
            pairs: pairs.into_iter().map(owned).collect(),
        }
    }

    /// The first value of a field as it was sent, or the empty text.
    pub fn text(&self, name: &str) -> &str {
        self.all(name).into_iter().next().unwrap_or_default()
    }

    /// Every value of a field, such as of a list of boxes.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.pairs
            .iter()
            .filter(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
            .collect()
    }

    /// The same form, with a value for a field in which nothing was typed.
    #[must_use]
    pub fn or(self, name: &str, value: &str) -> FormData {
        match self.text(name).trim().is_empty() {
            true => self.with(name, value),
            false => self,
        }
    }

    /// The same form, with another value of a field.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> FormData {
        self.pairs.retain(|(known, _)| known != name);
        self.pairs.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same form, and those fields of another that it does not have, such as of a second form of the page.
    #[must_use]
    pub fn beside(mut self, mut other: FormData) -> FormData {
        other.pairs.retain(|(name, _)| !self.has(name));
        self.pairs.append(&mut other.pairs);
        self
    }

    /// The box of one thing in a list, ticked if it was when the form was sent.
    pub fn tick(&self, list: &str, id: impl Display, name: &str) -> Tick {
        let id = id.to_string();
        Tick {
            is_ticked: self
                .pairs
                .iter()
                .any(|(known, value)| known == list && *value == id),
            id,
            name: name.to_owned(),
        }
    }

    /// Whether the field was sent at all; a box that is not ticked is not.
    pub fn has(&self, name: &str) -> bool {
        self.pairs.iter().any(|(known, _)| known == name)
    }
}

/// What is wrong with a form: all of it, so that one correction suffices.
#[derive(Debug, Default)]
pub struct Problems {
    /// Names of fields with what is wrong there.
    fields: Vec<(String, String)>,
    /// What a rule said of the whole form.
    refusal: Option<String>,
}

impl Problems {
    pub fn add(&mut self, field: impl Into<String>, problem: Invalid) {
        self.fields.push((field.into(), problem.0));
    }

    /// Notes what no single field is the cause of.
    pub fn refuse(&mut self, text: impl Into<String>) {
        self.refusal = Some(text.into());
    }

    /// The parsed value, or `None` after its problem was noted.
    pub fn take<T>(&mut self, field: impl Into<String>, parsed: Result<T, Invalid>) -> Option<T> {
        match parsed {
            Ok(value) => Some(value),
            Err(problem) => {
                self.add(field, problem);
                None
            }
        }
    }

    /// What a verb gave that carried the form out, or `None` after its answer was noted: a problem beside its field, a refusal for
    /// the top of the form. Every other error is not the form's business.
    pub fn absorb<T>(
        &mut self,
        outcome: Result<T, operations::Error>,
    ) -> Result<Option<T>, Failure> {
        match outcome {
            Ok(value) => return Ok(Some(value)),
            Err(operations::Error::Field { field, problem }) => self.add(field, problem),
            Err(operations::Error::Refused(text)) => self.refuse(text),
            Err(other) => return Err(other.into()),
        }
        Ok(None)
    }

    pub fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.refusal.is_none()
    }

    /// What no single field is the cause of.
    pub fn refusal(&self) -> Option<String> {
        self.refusal.clone()
    }

    /// One line above the form, if anything is wrong: the fields may be out of sight.
    pub fn summary(&self) -> Option<String> {
        if self.refusal.is_some() {
            return self.refusal();
        }
        match self.fields.len() {
            0 => None,
            1 => Some("One field needs your attention.".to_owned()),
            count => Some(format!("{count} fields need your attention.")),
        }
    }

    /// The first problem of all, with its field.
    pub fn first(&self) -> Option<(&str, &str)> {
        let first = self.fields.first();
        first.map(|(field, problem)| (field.as_str(), problem.as_str()))
    }

    /// The first problem of a field.
    pub fn of(&self, field: &str) -> Option<String> {
        self.fields
            .iter()
            .find(|(known, _)| known == field)
            .map(|(_, problem)| problem.clone())
    }

    /// The field with what was typed, and its problem beside it.
    pub fn field(&self, form: &FormData, name: &str) -> Field {
        Field {
            value: form.text(name).to_owned(),
            error: self.of(name),
        }
    }

    /// One direction of a speed with what was typed, and what that comes to.
    pub fn speed(&self, form: &FormData, name: &str) -> SpeedField {
        let field = self.field(form, name);
        let kbps = Rate::parse_kbps(&field.value).ok();
        SpeedField {
            note: kbps.map_or_else(String::new, |kbps| Kbps(kbps).to_string()),
            field,
        }
    }

    /// The field of a password: what was typed does not go back into the page.
    pub fn secret(&self, name: &str) -> Field {
        Field {
            value: String::new(),
            error: self.of(name),
        }
    }

    /// The list with the problem of its field.
    pub fn select(&self, name: &str, select: Select) -> Select {
        Select {
            error: self.of(name),
            ..select
        }
    }
}

/// The extra attributes of a plan or a subscriber, out of the fields of the macro `extras`; `None` once a problem was noted.
pub fn extras(form: &FormData, problems: &mut Problems) -> Option<Extras> {
    let check = problems.take("extra_check", extras::parse_check(form.text("extra_check")));
    let reply = problems.take("extra_reply", extras::parse_reply(form.text("extra_reply")));
    Some(Extras {
        check: check?,
        reply: reply?,
    })
}

/// The same fields as they stand for a record.
pub fn extras_filled(extras: &Extras) -> [(&'static str, String); 2] {
    [
        ("extra_check", extras::to_text(&extras.check)),
        ("extra_reply", extras::to_text(&extras.reply)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{Method, header};

    async fn read(content_type: &str, body: String) -> Result<FormData, Failure> {
        let request = Request::builder()
            .method(Method::POST)
            .header(header::CONTENT_TYPE, content_type);
        FormData::read(request.body(Body::from(body)).unwrap()).await
    }

    const FORM: &str = "application/x-www-form-urlencoded";

    #[tokio::test]
    async fn values_are_kept_as_typed() {
        let form = read(FORM, "a=+x%20&b=&c=1&c=2&d=%D8%B9".into())
            .await
            .ok()
            .unwrap();
        assert_eq!(
            (form.text("a"), form.text("b"), form.text("d")),
            (" x ", "", "ع")
        );
        assert_eq!((form.text("c"), form.all("c")), ("1", vec!["1", "2"]));
        assert!(form.has("b") && !form.has("e"));
        assert_eq!(form.text("e"), "");
        let ticks = [1, 2, 3].map(|id| form.tick("c", id, "name").is_ticked);
        assert_eq!(ticks, [true, true, false]);
        assert!(!form.tick("a", 1, "").is_ticked);
    }

    #[tokio::test]
    async fn what_is_no_form_is_refused() {
        assert!(matches!(
            read("application/json", "{}".into()).await,
            Err(Failure::Garbled)
        ));
        let most = vec!["a=1"; MOST_FIELDS].join("&");
        assert_eq!(
            read(FORM, most.clone()).await.ok().unwrap().all("a").len(),
            MOST_FIELDS
        );
        assert!(matches!(
            read(FORM, most + "&a=1").await,
            Err(Failure::TooLarge)
        ));
        // Without a limit of the router, that of axum holds: 2 MiB.
        assert!(matches!(
            read(FORM, "a".repeat(3 << 20)).await,
            Err(Failure::TooLarge)
        ));
    }

    #[tokio::test]
    async fn problems_stand_beside_their_fields_and_passwords_do_not_come_back() {
        let form = read(FORM, "name=a+b&password=hunter2".into())
            .await
            .ok()
            .unwrap();
        let mut problems = Problems::default();
        assert!(problems.is_empty());
        assert_eq!(problems.take("name", Ok::<_, Invalid>(7)), Some(7));
        assert_eq!(
            problems.take("name", Err::<(), _>(Invalid::new("No blanks"))),
            None
        );
        problems.add("name", Invalid::new("Later"));
        let field = problems.field(&form, "name");
        assert_eq!(
            (field.value.as_str(), field.error.as_deref()),
            ("a b", Some("No blanks"))
        );
        assert!(problems.secret("password").value.is_empty());
        assert_eq!(
            problems.select("name", Select::default()).error.as_deref(),
            Some("No blanks")
        );
        assert!(!problems.is_empty());
    }

    #[test]
    fn what_a_verb_answers_goes_where_it_belongs() {
        let mut problems = Problems::default();
        assert_eq!(problems.absorb(Ok(7)).ok().unwrap(), Some(7));
        assert!(problems.is_empty());
        let field = operations::Error::Field {
            field: "name",
            problem: Invalid::new("Taken"),
        };
        assert_eq!(problems.absorb::<()>(Err(field)).ok().unwrap(), None);
        assert_eq!(problems.of("name").as_deref(), Some("Taken"));
        assert_eq!(problems.refusal(), None);
        let missing = operations::Error::Missing("plan");
        assert!(matches!(
            problems.absorb::<()>(Err(missing)),
            Err(Failure::Missing)
        ));
    }

    #[test]
    fn a_refusal_stands_above_the_form_in_place_of_the_count() {
        let mut problems = Problems::default();
        let refused = operations::Error::Refused("No".into());
        assert_eq!(problems.absorb::<()>(Err(refused)).ok().unwrap(), None);
        assert!(!problems.is_empty() && problems.first().is_none());
        problems.add("name", Invalid::new("Taken"));
        assert_eq!(problems.refusal().as_deref(), Some("No"));
        assert_eq!(problems.summary().as_deref(), Some("No"));
    }

    #[tokio::test]
    async fn speeds_say_what_they_come_to_and_blanks_can_be_filled() {
        let form = read(FORM, "down=20M&up=fast&name=+".into())
            .await
            .ok()
            .unwrap();
        let problems = Problems::default();
        let down = problems.speed(&form, "down");
        assert_eq!(
            (down.field.value.as_str(), down.note.as_str()),
            ("20M", "20 Mbit/s")
        );
        assert_eq!(problems.speed(&form, "up").note, "");
        let form = form.or("name", "this").or("down", "1M");
        assert_eq!((form.text("name"), form.text("down")), ("this", "20M"));
    }

    #[test]
    fn the_summary_counts_the_problems() {
        let mut problems = Problems::default();
        assert_eq!(problems.summary(), None);
        problems.add("a", Invalid::new("No"));
        assert_eq!(
            problems.summary().unwrap(),
            "One field needs your attention."
        );
        problems.add("b", Invalid::new("No"));
        assert_eq!(problems.summary().unwrap(), "2 fields need your attention.");
    }
}
