//! Invented data for plans, bandwidth rules and the simulator.

use askama::Template;

use super::{Sample, Wish, good, quiet};
use crate::domain::Invalid;
use crate::domain::fup::{Threshold, Tier, TierAction};
use crate::domain::hours::{FreeWindow, SpeedWindow, WhenThrottled};
use crate::domain::id::PlanId;
use crate::domain::money::{Currency, Money};
use crate::domain::plan::Plan;
use crate::domain::quota::Direction;
use crate::domain::rate::{Burst, Rate};
use crate::domain::window::Window;
use crate::operations::simulator::{Change, PreviewRow};
use crate::web::form::{FormData, Problems};
use crate::web::pages::deletion::DeletePage;
use crate::web::pages::{plans, rules, simulator};
use crate::web::parts::{Fact, Field, Select, Tick};
use crate::web::shell::Nav;

pub(super) fn samples(wish: Wish) -> Vec<Sample> {
    let page = |path, html: askama::Result<String>| Sample {
        path,
        html: html.unwrap(),
    };
    vec![
        page("/plans", plan_list(wish).render()),
        page(
            "/plans/empty",
            plans::ListPage {
                rows: vec![],
                ..plan_list(wish)
            }
            .render(),
        ),
        page("/plans/new", plan_new(wish).render()),
        page("/plans/1/edit", plan_form(wish).render()),
        page("/plans/1/delete", plan_delete(wish).render()),
        page("/rules", rule_list(wish).render()),
        page(
            "/rules/empty",
            rules::ListPage {
                rows: vec![],
                ..rule_list(wish)
            }
            .render(),
        ),
        page("/rules/1/edit", rule_form(wish).render()),
        page(
            "/rules/1/delete",
            DeletePage {
                shell: wish.shell("Delete rule", Nav::Rules),
                list: "Bandwidth rules",
                list_href: "/rules",
                verb: "Delete",
                thing: "rule",
                action: "/rules/1/delete".into(),
                back: "/rules/1/edit".into(),
                name: wish.said("Night double"),
                consequences: vec!["Its changes stay in the audit log.".into()],
                blocked: String::new(),
            }
            .render(),
        ),
        page("/simulator", simulator(wish, None).render()),
        page(
            "/simulator/answer",
            simulator(wish, Some(answer(wish))).render(),
        ),
    ]
}

fn plan_list(wish: Wish) -> plans::ListPage {
    let row = |name: &str,
               price: &str,
               down: &str,
               up: &str,
               burst: &str,
               on_expiry: &str,
               count: &str| plans::Row {
        href: "/plans/1".into(),
        name: wish.said(name),
        price: price.into(),
        term: "1 month".into(),
        download: down.into(),
        upload: up.into(),
        burst: burst.into(),
        pool: wish.said("home"),
        on_expiry: on_expiry.into(),
        subscribers: count.into(),
        subscribers_href: "/subscribers?plan=1".into(),
    };
    plans::ListPage {
        shell: wish.shell("Plans", Nav::Plans),
        rows: vec![
            row(
                "Home 10M",
                "USD 15.00",
                "10 Mbps",
                "2 Mbps",
                "",
                "Reject",
                "2,804",
            ),
            row(
                "Home 20M",
                "USD 25.00",
                "20 Mbps",
                "5 Mbps",
                "30 Mbps for 8 s",
                "Reject",
                "1,911",
            ),
            row(
                "Business 100M",
                "USD 120.00",
                "100 Mbps",
                "50 Mbps",
                "",
                "Expired pool",
                "96",
            ),
        ],
    }
}

/// With something in every group.
fn plan(wish: Wish) -> Plan {
    let price = Money {
        minor: 2_500,
        currency: Currency::parse("USD").unwrap(),
    };
    let rate = Rate::new(5_000, 20_000);
    let window = |text| Window::parse(text).unwrap();
    let mut plan = Plan {
        burst: Some(Burst {
            rate: Rate::new(10_000, 40_000),
            threshold: Rate::new(4_000, 16_000),
            time_s: 16,
        }),
        pool: wish.said("home"),
        speed_windows: vec![SpeedWindow {
            window: window("1-5 01:00-07:00"),
            rate: Rate::new(10_000, 40_000),
            when_throttled: WhenThrottled::Lift,
        }],
        free_windows: vec![FreeWindow {
            window: window("22:00-06:00"),
            free_percent: 70,
            direction: Direction::Both,
        }],
        ..Plan::new(&wish.said("Home 20M"), price, rate)
    };
    plan.quota.monthly = Some(500_000_000_000);
    plan.fair_use.daily = vec![
        Tier {
            threshold: Threshold::Octets(10_000_000_000),
            action: TierAction::Throttle(Rate::new(1_000, 4_000)),
        },
        Tier {
            threshold: Threshold::Octets(20_000_000_000),
            action: TierAction::Percent(10),
        },
    ];
    plan
}

fn plan_new(wish: Wish) -> plans::FormPage {
    let form = FormData::filled(vec![("currency", "USD".to_owned())]);
    plans::form_page(
        wish.shell("New plan", Nav::Plans),
        None,
        &form,
        &Problems::default(),
    )
}

fn plan_form(wish: Wish) -> plans::FormPage {
    let mut problems = Problems::default();
    problems.add("price", Invalid::new("Write the price like 25.00."));
    problems.add("daily_tier_2_threshold", Invalid::new("Too low."));
    let page = plans::form_page(
        wish.shell("Plan", Nav::Plans),
        Some(PlanId(1)),
        &plans::filled(&plan(wish)),
        &problems,
    );
    plans::FormPage {
        cdn: vec![Tick {
            id: "1".into(),
            name: wish.said("Cache"),
            is_ticked: true,
        }],
        notice: "1,204 subscribers with this plan are online. A new speed reaches them within a minute, without a drop.".into(),
        warnings: vec!["Daily tier 2 is faster than the tier before it.".into()],
        preview: preview(wish),
        ..page
    }
}

fn preview(wish: Wish) -> plans::PreviewPart {
    let row = |when: &str, download: &str, upload: &str, note: &str| PreviewRow {
        when: when.into(),
        download: download.into(),
        upload: upload.into(),
        note: wish.said(note),
    };
    let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let days = (0u16..).zip(days).map(|(place, name)| plans::WeekDay {
        name,
        y: 14 + place * 18,
        runs: vec![plans::Run {
            x: 47,
            width: 90,
            title: wish.said("01:00-07:00: 40 Mbit/s down, 10 Mbit/s up"),
        }],
    });
    plans::PreviewPart {
        missing: wish.said("Not yet: A name is needed"),
        warnings: vec!["The burst is slower than the plain speed, so it never helps.".into()],
        rows: vec![
            row("now", "20 Mbit/s", "5 Mbit/s", ""),
            row("from 10.0 GB a day", "4 Mbit/s", "1 Mbit/s", "Daily tier 1"),
        ],
        burst: "40 Mbit/s down for 6 s, 10 Mbit/s up for 6 s at full rate from idle".into(),
        free_hours: vec!["22:00-06:00: 1 GB counts as 0.3 GB".into()],
        weeks: vec![plans::Week {
            title: "Speed windows",
            tone: "info",
            summary: wish.said("Mon-Fri 01:00-07:00"),
            days: days.collect(),
        }],
        reply: wish.said("Mikrotik-Rate-Limit = \"5M/20M\""),
    }
}

fn plan_delete(wish: Wish) -> DeletePage {
    DeletePage {
        shell: wish.shell("Delete plan", Nav::Plans),
        list: "Plans",
        list_href: "/plans",
        verb: "Delete",
        thing: "plan",
        action: "/plans/1/delete".into(),
        back: "/plans/1/edit".into(),
        name: wish.said("Home 10M"),
        consequences: vec![],
        blocked: "2,804 subscribers have this plan. Give them another one first.".into(),
    }
}

fn rule_list(wish: Wish) -> rules::ListPage {
    let row = |name: &str, is_enabled| rules::Row {
        href: "/rules/1".into(),
        priority: "100".into(),
        name: wish.said(name),
        hints: vec![wish.said("Same priority and hours as Ramadan.")],
        hours: "Mon-Fri 01:00-07:00".into(),
        days: "2027-02-08 to 2027-03-09".into(),
        download: "200 %".into(),
        upload: "–".into(),
        whom: wish.said("Home 10M, Home 20M"),
        state: if is_enabled {
            good("On now")
        } else {
            quiet("Disabled")
        },
        is_enabled,
    };
    rules::ListPage {
        shell: wish.shell("Bandwidth rules", Nav::Rules),
        rows: vec![row("Night double", true), row("Ramadan", false)],
    }
}

fn rule_form(wish: Wish) -> rules::FormPage {
    let plan = |id: &str, name: &str, is_ticked| Tick {
        id: id.into(),
        name: wish.said(name),
        is_ticked,
    };
    rules::FormPage {
        shell: wish.shell("Edit rule", Nav::Rules),
        action: "/rules/1/edit".into(),
        back: "/rules".into(),
        is_new: false,
        refusal: Some("One field needs your attention.".into()),
        warnings: vec![wish.said("Same priority and hours as Ramadan.")],
        name: Field::new(wish.said("Night double")),
        priority: Field::new("100"),
        enabled: true,
        download: Field::new("200%"),
        upload: Field::default(),
        days: Field::new("Mon-Fri"),
        from: Field::new("01:00"),
        to: Field::new("07:00"),
        first_day: Field::default(),
        last_day: Field::default(),
        plans: vec![plan("1", "Home 10M", true), plan("2", "Home 20M", false)],
        plans_problem: Some("A plan is gone. Choose again".into()),
        subscribers: Field::wrong(wish.said("nobody"), "Nobody is called nobody"),
    }
}

fn simulator(wish: Wish, answer: Option<simulator::AnswerPart>) -> simulator::ShowPage {
    simulator::ShowPage {
        shell: wish.shell("Simulator", Nav::Simulator),
        subscriber: Field::wrong(wish.said("ali"), "Nobody has this user name"),
        plan: Select::new([("", "The subscriber's"), ("1", "Home 10M")], ""),
        at: Field::new("2026-12-31T18:30"),
        today: Field::new("12.5"),
        month: Field::default(),
        term: Field::default(),
        expires: Field::default(),
        answer,
    }
}

fn answer(wish: Wish) -> simulator::AnswerPart {
    simulator::AnswerPart {
        title: wish.said("ali, plan Home 20M, 2026-12-31 18:30"),
        login: good("Login accepted"),
        facts: vec![
            Fact::new("Speed", "4 Mbit/s down, 1 Mbit/s up"),
            Fact::new("Session-Timeout", "86400 s"),
        ],
        steps: vec![
            wish.said("Plan Home 20M: 20 Mbit/s down, 5 Mbit/s up"),
            wish.said("Daily tier 1 at 10.0 GB (12.5 GB used): 4 Mbit/s down, 1 Mbit/s up"),
        ],
        changes: vec![Change {
            at: "2027-01-01 00:05".into(),
            what: wish.said("20 Mbit/s down, 5 Mbit/s up"),
        }],
        reply: wish.said("Mikrotik-Rate-Limit = \"1M/4M\""),
    }
}
