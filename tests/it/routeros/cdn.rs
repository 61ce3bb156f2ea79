//! CDN profiles on a router: pushed, kept in step, counted, and taken away, beside what others made there.

mod isp;

use proxpanel::app::CdnOutcome;
use proxpanel::domain::audit::Actor;
use proxpanel::domain::cdn::{CdnMode, CdnProfile, CdnWarning};
use proxpanel::domain::octets::Traffic;
use proxpanel::domain::rate::Rate;
use proxpanel::domain::session::RecordKind;
use proxpanel::operations::cdn;

use isp::{Isp, NOW, profile};

fn is_in_step(outcome: &CdnOutcome) -> bool {
    outcome.error.is_empty() && outcome.left == 0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_push_makes_what_is_missing_and_the_next_one_nothing() {
    let isp = Isp::new().await;
    let before = isp.not_ours();
    let list = "203.0.113.0/24 198.51.100.7 2001:db8:c::/48";
    let id = isp.profile(CdnMode::SpeedOnly, list).await;
    let plan = isp.plan(&[id]).await;
    isp.online("ali", plan, "100.64.0.10").await;
    let other = isp.plan(&[]).await;
    isp.online("mona", other, "100.64.0.11").await;

    // Nothing happens before the operator says so.
    let preview = cdn::preview(&isp.app, isp.nas).await.unwrap();
    assert_eq!((preview.there, preview.warnings.len()), (0, 0));
    let untouched = isp.sync().await;
    assert!(is_in_step(&untouched) && untouched.made == 0);
    assert!(!cdn::keeps(&isp.app, isp.nas).unwrap());
    assert_eq!(isp.all_ours(), 0);

    let pushed = isp.push().await;
    assert!(is_in_step(&pushed), "{pushed:?}");
    assert_eq!(pushed.made, preview.steps.len());
    let lists = isp.ours("/ip/firewall/address-list");
    let entries: Vec<(&str, &str)> = lists
        .iter()
        .map(|row| (row["list"].as_str(), row["address"].as_str()))
        .collect();
    let wanted = [
        ("pp-cdn-1", "198.51.100.7"),
        ("pp-cdn-1", "203.0.113.0/24"),
        ("pp-cdn-1-subscribers", "100.64.0.10"),
    ];
    for entry in wanted {
        assert!(entries.contains(&entry), "{entry:?} of {entries:?}");
    }
    assert_eq!(entries.len(), wanted.len());
    assert_eq!(isp.ours("/ipv6/firewall/address-list").len(), 2);
    assert_eq!(isp.ours("/ip/firewall/mangle").len(), 2);
    assert_eq!(isp.ours("/ipv6/firewall/mangle").len(), 2);
    assert_eq!(isp.ours("/queue/type").len(), 2);
    let queues: Vec<String> = isp
        .router
        .rows("/queue/simple")
        .iter()
        .map(|row| row["name"].clone())
        .collect();
    let place = |name: &str| queues.iter().position(|queue| queue == name).unwrap();
    assert!(place("pp-cdn-1-down") < place("<pppoe-ali>"));
    assert!(place("pp-cdn-1-up") < place("<pppoe-ali>"));

    let again = isp.push().await;
    assert!(is_in_step(&again) && again.made == 0, "{again:?}");
    assert_eq!(isp.not_ours(), before);
    assert_eq!(isp.app.cdn.outcome(isp.nas), Some(again));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_changed_by_hand_is_mended_and_what_changes_here_follows() {
    let isp = Isp::new().await;
    let before = isp.not_ours();
    let id = isp
        .profile(CdnMode::SpeedOnly, "203.0.113.0/24 198.51.100.0/24")
        .await;
    let plan = isp.plan(&[id]).await;
    let ali = isp.online("ali", plan, "100.64.0.10").await;
    isp.push().await;
    let in_step = isp.all_ours();

    isp.with_row(
        "/ip/firewall/mangle",
        "proxpanel:cdn:1:mark-up",
        |state, place| {
            state.table("/ip/firewall/mangle").rows[place].put("disabled", "true");
        },
    );
    isp.with_row(
        "/ip/firewall/address-list",
        "proxpanel:cdn:1:network:203.0.113.0/24",
        |state, place| {
            state.remove_row("/ip/firewall/address-list", place);
        },
    );
    // A session whose queue the router put on top.
    isp.router.change(|state| {
        let table = state.table("/queue/simple");
        let place = table.insert(&[("name", "<pppoe-new>"), ("dynamic", "true")]);
        let row = table.rows.remove(place);
        table.rows.insert(0, row);
    });
    let mended = isp.sync().await;
    assert!(is_in_step(&mended), "{mended:?}");
    assert_eq!(mended.made, 4, "two queues moved, one rule, one network");
    assert_eq!(mended.warnings, [CdnWarning::QueuesAbove(1)]);
    assert_eq!(isp.all_ours(), in_step);
    assert!(isp.sync().await.warnings.is_empty());

    // Another speed, one network less, and the subscriber is gone.
    let faster = CdnProfile {
        rate: Rate::new(30_000, 60_000),
        ..profile(CdnMode::SpeedOnly, "203.0.113.0/24")
    };
    cdn::update(&isp.app, &Actor::CommandLine, id, faster)
        .await
        .unwrap();
    isp.clock.move_to(NOW.plus(60_000));
    isp.account("ali", ali, "100.64.0.10", RecordKind::Stop { cause: 1 });
    assert!(is_in_step(&isp.sync().await));
    let mut rates: Vec<String> = isp
        .ours("/queue/type")
        .iter()
        .map(|row| row["pcq-rate"].clone())
        .collect();
    // A few are added at a time.
    rates.sort_unstable();
    assert_eq!(rates, ["30000000", "60000000"]);
    let lists = isp.ours("/ip/firewall/address-list");
    assert_eq!(lists.len(), 1);
    assert_eq!(lists[0]["address"], "203.0.113.0/24");

    let fasttrack = [("chain", "forward"), ("action", "fasttrack-connection")];
    isp.router.add("/ip/firewall/filter", &fasttrack);
    assert_eq!(isp.sync().await.warnings, [CdnWarning::FastTrack(1)]);

    let removed = cdn::remove_everything(&isp.app, &Actor::CommandLine, isp.nas).await;
    assert!(is_in_step(&removed.unwrap().unwrap()));
    assert_eq!(isp.all_ours(), 0);
    // It is left alone from now on.
    assert_eq!(isp.sync().await.made, 0);
    let new = isp
        .not_ours()
        .into_iter()
        .filter(|(_, row)| row.get("name").is_none_or(|name| name != "<pppoe-new>"));
    assert_eq!(new.collect::<Vec<_>>(), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queues_of_sessions_count_up_to_their_bound() {
    let isp = Isp::new().await;
    let id = isp
        .profile(CdnMode::SpeedAndAccounting, "203.0.113.0/24")
        .await;
    let plan = isp.plan(&[id]).await;
    let ali = isp.online("ali", plan, "100.64.0.10").await;
    isp.online("mona", plan, "100.64.0.11").await;
    let pushed = isp.push().await;
    assert!(is_in_step(&pushed), "{pushed:?}");
    assert_eq!(pushed.warnings, [CdnWarning::LeftOut(1)]);
    let queues = isp.ours("/queue/simple");
    assert_eq!(queues.len(), 1);
    assert_eq!(queues[0]["target"], "100.64.0.10/32");
    assert_eq!(queues[0]["max-limit"], "20000000/50000000");

    assert!(cdn::counts(&isp.app, isp.nas));
    let count = |bytes: &'static str| {
        isp.with_row(
            "/queue/simple",
            &queues[0]["comment"],
            move |state, place| {
                state.table("/queue/simple").rows[place].put("bytes", bytes);
            },
        );
        cdn::read(&isp.app, isp.nas)
    };
    assert_eq!(count("0/0").await.unwrap(), 0);
    assert_eq!(count("500/9000").await.unwrap(), 1);
    assert_eq!(count("500/9000").await.unwrap(), 0, "nothing new");
    // Nothing of it was booked yet; it is taken off once a record has carried it.
    let free = || {
        let live = isp.app.accounting.live();
        live.open_of(ali).next().unwrap().free
    };
    assert_eq!(free(), Traffic::ZERO);
    isp.clock.move_to(NOW.plus(60_000));
    isp.account_totals(
        "ali",
        ali,
        "100.64.0.10",
        RecordKind::Interim,
        Traffic::new(800, 10_000),
    );
    assert_eq!(count("500/9000").await.unwrap(), 0);
    // The discount is behind this record in the journal's queue, so that it is applied before its answer.
    isp.account_totals(
        "ali",
        ali,
        "100.64.0.10",
        RecordKind::Interim,
        Traffic::new(800, 10_000),
    );
    assert_eq!(free(), Traffic::new(500, 9_000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_router_that_fails_half_way_is_told_and_finished_later() {
    let isp = Isp::new().await;
    isp.profile(CdnMode::SpeedOnly, "203.0.113.0/24").await;
    // A name of ours in somebody else's hands.
    let taken = [("name", "pp-cdn-1-up"), ("target", "10.9.9.9/32")];
    let foreign = isp.router.add("/queue/simple", &taken);
    let failed = isp.push().await;
    assert!(failed.error.contains("already have"), "{failed:?}");
    assert!(failed.left > 0 && failed.made > 0);
    assert!(
        isp.ours("/ip/firewall/mangle").is_empty(),
        "nothing is marked without its queue"
    );
    isp.router.change(|state| {
        let place = state.table("/queue/simple").place(&foreign).unwrap();
        state.remove_row("/queue/simple", place);
    });
    let finished = isp.sync().await;
    assert!(is_in_step(&finished), "{finished:?}");
    isp.router.drop_connections();
    // The request that finds the connection gone may fail with it, and says so; the next one is well again.
    let found = isp.sync().await;
    let again = match is_in_step(&found) {
        true => found,
        false => {
            assert!(!found.error.is_empty(), "{found:?}");
            isp.sync().await
        }
    };
    assert!(is_in_step(&again), "{again:?}");
}
