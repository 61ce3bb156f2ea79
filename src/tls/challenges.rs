//! What is under way with a certificate authority: how far the order has come, and what it may ask for on port 80.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Names of one order, so answers at once.
pub const MOST_ANSWERS: usize = 16;

/// How far an order has come (RFC 8555 section 7.1.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Account,
    Order,
    Challenge,
    Issue,
}

/// Answers by token (RFC 8555 section 8.3). Neither is a secret: the authority sends the one and fetches the other.
#[derive(Debug, Default)]
pub struct Challenges(Mutex<UnderWay>);

#[derive(Debug, Default)]
struct UnderWay {
    step: Option<Step>,
    answers: HashMap<String, String>,
}

impl Challenges {
    /// What stands under `/.well-known/acme-challenge/TOKEN`, while it is asked for.
    pub fn answer(&self, token: &str) -> Option<String> {
        self.lock().answers.get(token).cloned()
    }

    /// `None` when nothing is under way.
    pub fn step(&self) -> Option<Step> {
        self.lock().step
    }

    /// Begins an order, in place of one that was given up.
    pub fn begin(&self) -> Order<'_> {
        *self.lock() = UnderWay {
            step: Some(Step::Account),
            answers: HashMap::new(),
        };
        Order(self)
    }

    fn lock(&self) -> MutexGuard<'_, UnderWay> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An order under way. Once it is dropped, nothing is answered any more.
pub struct Order<'a>(&'a Challenges);

impl Order<'_> {
    pub fn reach(&self, step: Step) {
        self.0.lock().step = Some(step);
    }

    /// Beyond the bound nothing is kept, and the authority will say that it found nothing.
    pub fn answer(&self, token: &str, answer: &str) {
        let mut under_way = self.0.lock();
        if under_way.answers.len() < MOST_ANSWERS {
            under_way
                .answers
                .insert(token.to_owned(), answer.to_owned());
        }
    }
}

impl Drop for Order<'_> {
    fn drop(&mut self) {
        *self.0.lock() = UnderWay::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_there_while_the_order_is() {
        let challenges = Challenges::default();
        assert_eq!((challenges.step(), challenges.answer("a")), (None, None));
        let order = challenges.begin();
        assert_eq!(challenges.step(), Some(Step::Account));
        for number in 0..=MOST_ANSWERS {
            order.answer(&number.to_string(), "yes");
        }
        order.reach(Step::Challenge);
        assert_eq!(challenges.step(), Some(Step::Challenge));
        assert_eq!(challenges.answer("0").as_deref(), Some("yes"));
        assert_eq!(challenges.answer(&MOST_ANSWERS.to_string()), None);
        drop(order);
        assert_eq!((challenges.step(), challenges.answer("0")), (None, None));
    }
}
