//! Fair use of one subscriber: what counts now, and the forms that reset it, sell a top-up and boost for a while.

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use axum::response::IntoResponse;

use crate::domain::Invalid;
use crate::domain::fup::Threshold;
use crate::domain::id::SubscriberId;
use crate::domain::octets::Octets;
use crate::domain::quota::{Credit, CreditScope, QuotaKind, TopUp};
use crate::domain::rate::Rate;
use crate::domain::speed::{self, QuotaState};
use crate::domain::text;
use crate::domain::time::HOUR;
use crate::operations::blocking;
use crate::operations::fair_use::{self as verbs, Holds, MOST_TOP_UP_DAYS, Scope};
use crate::operations::overview::{self, Detail};
use crate::operations::speeds::Gathered;
use crate::web::error::{Failure, Reply, done};
use crate::web::extract::{Signed, Work};
use crate::web::filters;
use crate::web::form::{FormData, Problems, number};
use crate::web::page::Page;
use crate::web::parts::{Badge, Field, Meter, Select, Tone};
use crate::web::shell::{Flash, Nav, Shell};
use crate::web::words::{self, Words};

/// Characters of the reason for a reset.
const LONGEST_REASON: usize = 200;
/// Hours that a boost is offered for.
const USUAL_BOOST: &str = "24";
const MOST_BOOST_HOURS: u32 = 31 * 24;

/// `GET /subscribers/{id}/fair-use`.
#[derive(Template)]
#[template(path = "pages/subscribers/fair_use.html")]
pub struct FairUsePage {
    pub shell: Shell,
    /// `/subscribers/{id}`.
    pub path: String,
    pub user_name: String,
    pub refusal: Option<String>,
    pub quota: QuotaPart,
    pub scope: Select,
    pub reason: Field,
    pub gigabytes: Field,
    pub holds: Select,
    pub days: Field,
    pub boost_download: Field,
    pub boost_upload: Field,
    pub boost_hours: Field,
    /// The boost that holds, in words, or empty.
    pub boosted: String,
    pub top_ups: Vec<TopUpRow>,
    pub credits: Vec<CreditRow>,
}

/// How far usage has come: one bar for each quota or set of tiers.
#[derive(Clone, Default)]
pub struct QuotaPart {
    pub state: Badge,
    pub meters: Vec<Meter>,
    /// Tiers, top-ups and credits that matter now, one sentence each.
    pub notes: Vec<String>,
}

#[derive(Clone, Default)]
pub struct TopUpRow {
    pub bought: String,
    pub size: String,
    pub used: String,
    pub holds: String,
    pub by: String,
}

#[derive(Clone, Default)]
pub struct CreditRow {
    pub at: String,
    pub scope: String,
    pub size: String,
    pub by: String,
    pub reason: String,
}

/// The bars of a subscriber's quotas.
pub fn quota_part(words: &Words<'_>, detail: &Detail) -> QuotaPart {
    let gathered = &detail.speed;
    let facts = gathered.facts();
    let plan = facts.plan;
    let mut part = QuotaPart {
        state: quota_badge(speed::quota_state(&facts)),
        ..QuotaPart::default()
    };
    for kind in QuotaKind::ALL
        .into_iter()
        .filter(|kind| plan.counts_by(*kind))
    {
        let used = plan.quota.direction.of(facts.used.of(kind));
        let raised = match plan.quota.topped_up() == kind {
            true => facts.raised,
            false => 0,
        };
        part.meters.push(meter(gathered, kind, used, raised));
        let tiers = match kind {
            QuotaKind::Day => plan.fair_use.daily.as_slice(),
            QuotaKind::Month => plan.fair_use.monthly.as_slice(),
            QuotaKind::Term => &[],
        };
        let next = tiers.iter().enumerate().find_map(|(index, tier)| {
            let at = tier.threshold.octets(plan.quota.of(kind), raised)?;
            (used < at).then_some((index, at))
        });
        if let Some((index, at)) = next {
            part.notes.push(format!(
                "The {} tier {} begins at {}: {} to go.",
                kind.adjective(),
                index + 1,
                Octets(at),
                Octets(at - used)
            ));
        }
        if raised > 0 {
            part.notes.push(format!(
                "Top-ups add {} to the {} quota.",
                Octets(raised),
                kind.adjective()
            ));
        }
    }
    let told = detail.told.iter();
    part.notes.extend(told.map(|told| {
        let at = words.minute(told.at);
        format!("On {at} it reached {}.", told.notice)
    }));
    if let Some(boost) = facts.boost.filter(|boost| words.now < boost.until) {
        part.notes.push(format!(
            "Boosted to {} until {}.",
            boost.rate,
            words.minute(boost.until)
        ));
    }
    part
}

fn meter(gathered: &Gathered, kind: QuotaKind, used: u64, raised: u64) -> Meter {
    let plan = &gathered.plan;
    let label = match kind {
        QuotaKind::Day => "Today".to_owned(),
        QuotaKind::Month => format!(
            "Month from {} to {}",
            gathered.counting.month.start,
            gathered.counting.month.end.plus(-1)
        ),
        QuotaKind::Term => format!("Term from {}", gathered.counting.term),
    };
    // Without a quota the bar runs to the last tier.
    let tiers = match kind {
        QuotaKind::Day => &plan.fair_use.daily,
        _ => &plan.fair_use.monthly,
    };
    let last_tier = tiers.iter().rev().find_map(|tier| match tier.threshold {
        Threshold::Octets(octets) => Some(octets),
        Threshold::Percent(_) => None,
    });
    let quota = plan.quota.of(kind);
    let whole = quota.or(last_tier).unwrap_or(0).saturating_add(raised);
    let percent = match whole {
        0 => 100,
        whole => u128::from(used) * 100 / u128::from(whole),
    };
    let percent = u8::try_from(percent.min(100)).unwrap_or(100);
    Meter {
        label,
        value: match quota {
            Some(_) => format!("{} of {}", Octets(used), Octets(whole)),
            None => format!("{}, no quota", Octets(used)),
        },
        percent,
        tone: match percent {
            100 => Tone::Bad,
            80.. => Tone::Warn,
            _ => Tone::Info,
        },
    }
}

/// One of the four independent facts of a subscriber.
pub fn quota_badge(state: QuotaState) -> Badge {
    match state {
        QuotaState::Ok => Badge::new(Tone::Good, "Full speed"),
        QuotaState::Throttled(_) => Badge::new(Tone::Warn, "Throttled"),
        QuotaState::Blocked { .. } => Badge::new(Tone::Bad, "Quota used up"),
    }
}

pub async fn fair_use(Path(id): Path<u32>, signed: Signed) -> Reply {
    let form = FormData::filled(vec![
        ("holds", "month".to_owned()),
        ("boost_hours", USUAL_BOOST.to_owned()),
        ("scope", Scope::All.word().to_owned()),
    ]);
    let view = page(&signed, SubscriberId(id), &form, &Problems::default()).await?;
    Ok(Page::ok(view).into_response())
}

pub async fn reset_fup(Path(id): Path<u32>, Work { signed, form }: Work) -> Reply {
    let id = SubscriberId(id);
    let mut problems = Problems::default();
    let scope = Scope::from_word(form.text("scope"));
    let scope = problems.take(
        "scope",
        scope.ok_or_else(|| Invalid::new("Choose one of the list")),
    );
    let reason = problems.take("reason", text::line(form.text("reason"), LONGEST_REASON));
    if let Some((scope, reason)) = scope.zip(reason) {
        let reset = verbs::reset(signed.app(), &signed.actor(), id, scope, reason).await;
        if problems.absorb(reset)?.is_some() {
            let flash = Flash::good("Fair use begins anew; the session gets its speed back.");
            return Ok(done(&signed, flash, &words::subscriber_href(id)));
        }
    }
    again(&signed, id, &form, &problems).await
}

pub async fn top_up(Path(id): Path<u32>, Work { signed, form }: Work) -> Reply {
    let id = SubscriberId(id);
    let mut problems = Problems::default();
    let octets = problems.take("gigabytes", Octets::parse_gigabytes(form.text("gigabytes")));
    let holds = holds(&form, &mut problems);
    if let Some((octets, holds)) = octets.zip(holds) {
        let added = verbs::top_up(signed.app(), &signed.actor(), id, octets.0, holds).await;
        if problems.absorb(added)?.is_some() {
            let flash = Flash::good(format!("Topped up by {octets}."));
            return Ok(done(&signed, flash, &words::subscriber_href(id)));
        }
    }
    again(&signed, id, &form, &problems).await
}

fn holds(form: &FormData, problems: &mut Problems) -> Option<Holds> {
    match form.text("holds") {
        "month" => Some(Holds::EndOfMonth),
        "used" => Some(Holds::UntilUsed),
        "days" => {
            let days = number(form.text("days"), 1, MOST_TOP_UP_DAYS);
            problems.take("days", days).map(Holds::Days)
        }
        _ => {
            problems.add("holds", Invalid::new("Choose one of the list"));
            None
        }
    }
}

pub async fn boost(Path(id): Path<u32>, Work { signed, form }: Work) -> Reply {
    let id = SubscriberId(id);
    let mut problems = Problems::default();
    let mut kbps = |name| problems.take(name, Rate::parse_kbps(form.text(name)));
    let (download, upload) = (kbps("boost_download"), kbps("boost_upload"));
    let hours = number(form.text("boost_hours"), 1, MOST_BOOST_HOURS);
    let hours = problems.take("boost_hours", hours);
    if let (Some(download), Some(upload), Some(hours)) = (download, upload, hours) {
        let until = signed.app().now().plus(i64::from(hours) * HOUR);
        let rate = Rate::new(upload, download);
        let boosted = verbs::boost(signed.app(), &signed.actor(), id, rate, until).await;
        if problems.absorb(boosted)?.is_some() {
            let flash = Flash::good(format!("Boosted to {rate}."));
            return Ok(done(&signed, flash, &words::subscriber_href(id)));
        }
    }
    again(&signed, id, &form, &problems).await
}

pub async fn end_boost(Path(id): Path<u32>, work: Work) -> Reply {
    let signed = work.signed;
    let id = SubscriberId(id);
    verbs::end_boost(signed.app(), &signed.actor(), id).await?;
    let flash = Flash::good("The boost is over.");
    Ok(done(&signed, flash, &words::subscriber_href(id)))
}

async fn again(signed: &Signed, id: SubscriberId, form: &FormData, problems: &Problems) -> Reply {
    let view = page(signed, id, form, problems).await?;
    Ok(Page::unprocessable(view).into_response())
}

async fn page(
    signed: &Signed,
    id: SubscriberId,
    form: &FormData,
    problems: &Problems,
) -> Result<FairUsePage, Failure> {
    let app = Arc::clone(&signed.panel.app);
    let detail: Detail = blocking(move || overview::subscriber(&app, id)).await??;
    let words = Words::of(signed.app());
    let subscriber = &detail.subscriber;
    let name = subscriber.username.as_str().to_owned();
    let boost = subscriber.boost.filter(|boost| words.now < boost.until);
    let field = |name| problems.field(form, name);
    let select = |name, choices: &[(&str, &str)]| {
        problems.select(name, Select::new(choices.iter().copied(), form.text(name)))
    };
    Ok(FairUsePage {
        shell: signed.shell(&name, Nav::Subscribers),
        path: words::subscriber_href(id),
        user_name: name,
        refusal: problems.summary(),
        quota: quota_part(&words, &detail),
        scope: select(
            "scope",
            &[
                ("all", "Day, month and term"),
                ("day", "The day only"),
                ("month", "The month only"),
            ],
        ),
        reason: field("reason"),
        gigabytes: field("gigabytes"),
        holds: select(
            "holds",
            &[
                ("month", "To the end of the month of usage"),
                ("days", "For some days"),
                ("used", "Until it is used"),
            ],
        ),
        days: field("days"),
        boost_download: field("boost_download"),
        boost_upload: field("boost_upload"),
        boost_hours: field("boost_hours"),
        boosted: boost.map_or_else(String::new, |boost| {
            format!("{} until {}", boost.rate, words.minute(boost.until))
        }),
        top_ups: subscriber
            .top_ups
            .iter()
            .map(|top_up| top_up_row(&words, top_up))
            .collect(),
        credits: subscriber
            .credits
            .iter()
            .map(|credit| credit_row(&words, credit))
            .collect(),
    })
}

fn top_up_row(words: &Words<'_>, top_up: &TopUp) -> TopUpRow {
    TopUpRow {
        bought: words.minute(top_up.bought_at),
        size: words::octets(top_up.octets),
        used: words::octets(top_up.used),
        holds: verbs::holds_until(top_up.validity, words.calendar()),
        by: top_up.by.clone(),
    }
}

fn credit_row(words: &Words<'_>, credit: &Credit) -> CreditRow {
    CreditRow {
        at: words.minute(credit.at),
        scope: match credit.scope {
            CreditScope::Day(day) => format!("Day {day}"),
            CreditScope::Month(start) => format!("Month from {start}"),
            CreditScope::Term(start) => format!("Term from {start}"),
        },
        size: words::octets(credit.octets.total()),
        by: credit.by.clone(),
        reason: credit.reason.clone(),
    }
}
