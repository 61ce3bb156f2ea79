//! What the tests of rules begin with.

use super::money::{Currency, Money};
use super::plan::Plan;
use super::rate::Rate;

/// A plan that costs nothing.
pub fn plan(name: &str, rate: Rate) -> Plan {
    let price = Money {
        minor: 0,
        currency: Currency::parse("USD").unwrap(),
    };
    Plan::new(name, price, rate)
}
