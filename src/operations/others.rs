//! What a new or changed thing must not do to the others of its kind: take the name of one, or be one too many.

use crate::domain::text::fold_case;

use super::Error;

/// `kind` is such as `plan`. Errors: `Field` when one of the others has this name, whatever the case of its letters.
pub(super) fn check_name<'o>(
    kind: &str,
    name: &str,
    others: impl IntoIterator<Item = &'o str>,
) -> Result<(), Error> {
    let wanted = fold_case(name);
    match others.into_iter().any(|other| fold_case(other) == wanted) {
        true => Err(Error::field(
            "name",
            format!("Another {kind} has this name"),
        )),
        false => Ok(()),
    }
}

/// `kinds` is such as `plans`. Errors: `Refused` when there are as many as there may be.
pub(super) fn check_room(kinds: &str, count: usize, most: usize) -> Result<(), Error> {
    match count < most {
        true => Ok(()),
        false => Err(Error::Refused(format!("There are {most} {kinds} already"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_whatever_the_case_of_its_letters() {
        let others = ["Home", "Büro"];
        for (name, is_free) in [("Homes", true), ("home", false), ("BÜRO", false)] {
            assert_eq!(check_name("plan", name, others).is_ok(), is_free, "{name}");
        }
        let error = check_name("plan", "HOME", others).unwrap_err();
        assert_eq!(error.to_string(), "name: Another plan has this name");
        assert!(check_name("plan", "home", []).is_ok());
    }

    #[test]
    fn there_is_room_for_one_below_the_bound() {
        assert!(check_room("plans", 1, 2).is_ok());
        let error = check_room("plans", 2, 2).unwrap_err();
        assert_eq!(error.to_string(), "There are 2 plans already");
    }
}
