//! What becomes of the certificate over failures, restarts and years. The whole way with an authority is in `tests/it`.

use super::*;
use crate::domain::audit::Object;
use crate::domain::time::{DAY, HOUR, SECOND};
use crate::operations::testing::{NOW, TestApp, run};
use crate::store::audit;
use crate::tls::LIFE;

const ACTOR: Actor = Actor::CommandLine;

fn wanted(names: &[&str]) -> Wanted {
    Wanted {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        email: String::new(),
        // Nobody listens there.
        directory: "https://127.0.0.1:9/dir".to_owned(),
        authority: String::new(),
        key_id: String::new(),
    }
}

fn asked(it: &TestApp, wanted: Wanted) -> Result<(), Error> {
    run(use_acme(&it.app, &ACTOR, wanted, None))
}

fn audited(it: &TestApp) -> Vec<String> {
    let view = it.app.store.view().unwrap();
    let entries = audit::of(&view, Object::Settings, 100).unwrap();
    let words = |entry: crate::domain::audit::Entry| format!("{} {}", entry.actor, entry.action);
    entries.into_iter().map(words).collect()
}

#[test]
fn the_choice_survives_a_restart() {
    let it = TestApp::new();
    let pair = it.app.certificates.make_self_signed(NOW).unwrap();
    run(store(&it.app, Source::Own, pair.clone())).unwrap();
    run(take(&it.app, &ACTOR, Source::Own, pair.facts().clone())).unwrap();
    assert_eq!(audited(&it), ["command line certificate changed"]);
    let TestApp { app, folder, .. } = it;
    app.close();
    drop(app);
    let it = TestApp::open(folder);
    let in_use = it.app.certificates.in_use();
    assert_eq!(in_use.source, Source::Own);
    assert_eq!(in_use.facts, *pair.facts());
}

#[test]
fn a_self_signed_certificate_is_renewed_before_it_ends() {
    let it = TestApp::new();
    let first = it.app.certificates.in_use().facts.clone();
    let due = first.not_after.plus(-RENEWED_BEFORE);
    assert!(due.since(NOW) > LIFE - 40 * DAY);
    it.clock.move_to(due.plus(-SECOND));
    assert!(!run(renew_self_signed(&it.app)).unwrap());
    assert_eq!(it.app.certificates.in_use().facts, first);
    it.clock.move_to(due);
    assert!(run(renew_self_signed(&it.app)).unwrap());
    let second = it.app.certificates.in_use().facts.clone();
    assert!(second.not_after > first.not_after.plus(700 * DAY));
    assert_eq!(audited(&it), ["system: certificate certificate changed"]);
    assert!(!run(renew_self_signed(&it.app)).unwrap());
}

#[test]
fn an_order_that_fails_says_why_and_waits_and_the_certificate_stays() {
    let it = TestApp::new();
    let before = it.app.certificates.in_use().facts.clone();
    assert_eq!(next_try(&it.app).unwrap(), None);
    asked(&it, wanted(&["a.example"])).unwrap();
    assert!(next_try(&it.app).unwrap().unwrap() <= NOW);
    let mut now = NOW;
    for (failures, hours) in [(1, 1), (2, 4), (3, 12)] {
        let said = run(order(&it.app)).unwrap();
        assert!(
            said.contains("https://127.0.0.1:9/dir cannot be reached"),
            "{said}"
        );
        let state = state(&it.app).unwrap();
        assert_eq!(state.acme.failures, failures);
        assert!(state.acme.last_error.contains("cannot be reached"));
        assert_eq!(state.next_try, Some(now.plus(hours * HOUR)));
        assert_eq!(state.step, None);
        now = now.plus(hours * HOUR);
        it.clock.move_to(now);
    }
    assert_eq!(it.app.certificates.in_use().facts, before);
    // Saving the form again tries at once; an hour bounds how often.
    for _ in 0..5 {
        asked(&it, wanted(&["a.example"])).unwrap();
        assert!(next_try(&it.app).unwrap().unwrap() <= now);
        run(order(&it.app)).unwrap();
    }
    asked(&it, wanted(&["a.example"])).unwrap();
    assert_eq!(next_try(&it.app).unwrap(), Some(now.plus(HOUR)));
    // Another choice ends it.
    run(use_self_signed(&it.app, &ACTOR, false)).unwrap();
    assert_eq!(next_try(&it.app).unwrap(), None);
    assert_eq!(it.app.certificates.in_use().facts, before);
}

#[test]
fn a_good_certificate_of_the_authority_is_shown_again_without_an_order() {
    let it = TestApp::new();
    let name = "localhost";
    let pair = it.app.certificates.make_self_signed(NOW).unwrap();
    assert!(pair.facts().covers(name));
    run(store(&it.app, Source::Acme, pair)).unwrap();
    let one = || wanted(&[name]);
    // The first time the directory is another one than that of what is stored.
    asked(&it, one()).unwrap();
    assert_eq!(it.app.certificates.in_use().source, Source::SelfSigned);
    asked(&it, one()).unwrap();
    assert_eq!(it.app.certificates.in_use().source, Source::Acme);
    let end = it.app.certificates.in_use().facts.not_after;
    assert_eq!(next_try(&it.app).unwrap(), Some(end.plus(-30 * DAY)));
    // A name that it does not have makes an order due.
    asked(&it, wanted(&[name, "b.example"])).unwrap();
    assert!(next_try(&it.app).unwrap().unwrap() <= NOW);
    assert_eq!(it.app.certificates.in_use().source, Source::Acme);
}

#[test]
fn what_was_issued_must_be_what_was_asked_for() {
    let it = TestApp::new();
    let pair = it.app.certificates.make_self_signed(NOW).unwrap();
    let Facts {
        not_before,
        not_after,
        ..
    } = *pair.facts();
    for (names, at, problem) in [
        (&["localhost"][..], NOW, None),
        (&["localhost"], not_before, None),
        (&["localhost"], not_after, None),
        (
            &["localhost", "b.example"],
            NOW,
            Some("not good for b.example"),
        ),
        (&["localhost"], not_before.plus(-1), Some("not good before")),
        (&["localhost"], not_after.plus(1), Some("It ended on")),
    ] {
        let asked = Acme {
            names: wanted(names).names,
            ..Acme::default()
        };
        let said = acme::verify(&pair, &asked, at).err();
        let is_right = match (&said, problem) {
            (Some(said), Some(problem)) => said.contains(problem),
            (said, problem) => said.is_none() && problem.is_none(),
        };
        assert!(is_right, "{names:?} {at:?}: {said:?}");
    }
}

#[test]
fn a_certificate_that_comes_late_does_not_undo_another_choice() {
    let other_directory = || Wanted {
        directory: "https://127.0.0.1:9/other".to_owned(),
        ..wanted(&["localhost"])
    };
    for meanwhile in [
        "nothing",
        "other names",
        "another authority",
        "another choice",
    ] {
        let it = TestApp::new();
        asked(&it, wanted(&["localhost"])).unwrap();
        run(order(&it.app)).unwrap();
        let order = || rows::get(&it.app.store.view().unwrap()).unwrap().acme;
        let of_the_order = order();
        assert_eq!(of_the_order.failures, 1);
        let before = it.app.certificates.in_use().facts.clone();
        match meanwhile {
            "other names" => asked(&it, wanted(&["b.example"])).unwrap(),
            "another authority" => asked(&it, other_directory()).unwrap(),
            "another choice" => run(use_self_signed(&it.app, &ACTOR, false)).unwrap(),
            _ => {}
        }
        let pair = it.app.certificates.make_self_signed(NOW).unwrap();
        run(acme::install(&it.app, &of_the_order, pair.clone())).unwrap();
        let in_use = it.app.certificates.in_use();
        let is_shown = meanwhile == "nothing";
        assert_eq!(in_use.source == Source::Acme, is_shown, "{meanwhile}");
        let expected = if is_shown { pair.facts() } else { &before };
        assert_eq!(in_use.facts, *expected, "{meanwhile}");
        if is_shown {
            let state = state(&it.app).unwrap();
            assert_eq!(
                (state.acme.failures, state.acme.last_error.as_str()),
                (0, "")
            );
            assert_eq!(audited(&it)[0], "system: ACME certificate changed");
        }
    }
}

#[test]
fn an_authority_of_ones_own_must_be_one() {
    let it = TestApp::new();
    let wrong = Wanted {
        authority: "nonsense".to_owned(),
        ..wanted(&["a.example"])
    };
    let refused = asked(&it, wrong).unwrap_err();
    assert!(refused.to_string().starts_with("authority: "), "{refused}");
    assert_eq!(next_try(&it.app).unwrap(), None);
    assert!(audited(&it).is_empty());
}

#[test]
fn an_account_elsewhere_has_an_id_and_a_key_that_is_kept_until_either_changes() {
    let it = TestApp::new();
    let bound = |key_id: &str| Wanted {
        key_id: key_id.to_owned(),
        ..wanted(&["a.example"])
    };
    let order = |key_id: &str, key: &str| {
        let key = (!key.is_empty()).then(|| Secret::new(key.to_owned()));
        run(use_acme(&it.app, &ACTOR, bound(key_id), key.as_ref()))
    };
    let stored = || rows::get(&it.app.store.view().unwrap()).unwrap();
    for (key_id, key) in [("kid-1", ""), ("kid-1", "not a key"), ("kid-1", "=")] {
        let refused = order(key_id, key).unwrap_err().to_string();
        assert!(refused.starts_with("binding_key: "), "{key}: {refused}");
    }
    assert_eq!(stored(), rows::Stored::default());
    order("kid-1", " c2VjcmV0LWtleQ== ").unwrap();
    let sealed = stored().binding_key.unwrap();
    let key = it.app.store.sealer().unseal(rows::BINDING_CONTEXT, &sealed);
    assert_eq!(key.unwrap().expose(), b"secret-key");
    // An account stays as long as nothing of it changes.
    let with_account = || {
        let made = |tx: &mut Tx<'_>| -> Result<(), Error> {
            let mut stored = rows::get(tx)?;
            stored.account = Some(vec![1]);
            Ok(rows::put(tx, &stored)?)
        };
        it.app.store.write("test", made).wait().unwrap();
    };
    for (key_id, key, keeps_key, keeps_account) in [
        ("kid-1", "", true, true),
        ("kid-1", "b3RoZXI", true, false),
        ("", "", false, false),
    ] {
        with_account();
        order(key_id, key).unwrap();
        let now = stored();
        assert_eq!(now.binding_key.is_some(), keeps_key, "{key_id} {key}");
        assert_eq!(now.account.is_some(), keeps_account, "{key_id} {key}");
    }
    order("kid-1", "b3RoZXI").unwrap();
    assert!(order("kid-2", "").is_err(), "a key belongs to its ID");
}
