//! Access-Request: check the credential, gather the facts, decide, and say it in the router's words.

use std::sync::Arc;
use std::time::Duration;

use crate::app::{App, LoginFacts, NasEntry};
use crate::domain::access::{self, Accepted, AccessFacts, Decision, OpenSession, Reason};
use crate::domain::id::{LoginId, NasId, SessionId, SubscriberId};
use crate::domain::mac::Mac;
use crate::domain::plan::Plan;
use crate::domain::subscriber::MacMode;
use crate::domain::time::Timestamp;
use crate::operations::speeds::{self, Gathered};
use crate::operations::{Error, extras};
use crate::radius::auth::{
    Attempt, AttemptError, Credential, Method, Proof, RefusalCode, Verdict, push_eap_failure,
};
use crate::radius::{AccessOutcome, AccessRequest, AttributeBuffer, number};
use crate::routers::profile;
use crate::store::auth_log;
use crate::store::outbox::{self, Work};
use crate::store::subscribers::{self, password_context};

use super::address::{self, Line};

/// Rejects wait this long, so that passwords are not guessed quickly (radius.md section 2).
const REJECT_DELAY: Duration = Duration::from_secs(1);

/// Everything known of a request when it is decided.
struct Login<'a> {
    app: &'a App,
    request: &'a AccessRequest<'a>,
    nas: Arc<NasEntry>,
    mac: Option<Mac>,
    now: Timestamp,
}

/// What the log and the reply need to know of a refusal.
struct Refused {
    reason: Reason,
    subscriber: Option<SubscriberId>,
}

impl Refused {
    fn unknown(reason: Reason) -> Refused {
        Refused {
            reason,
            subscriber: None,
        }
    }
}

pub(super) fn decide(
    app: &App,
    request: &AccessRequest<'_>,
    reply: &mut AttributeBuffer,
) -> AccessOutcome {
    let Some(nas) = app.nas(NasId(request.peer.nas)) else {
        // Deleted a moment ago.
        return AccessOutcome::Silence;
    };
    let mac = request
        .packet
        .text(number::CALLING_STATION_ID)
        .and_then(Mac::read);
    let login = Login {
        app,
        request,
        nas,
        mac,
        now: app.now(),
    };
    let attempt = Attempt::from_request(request);
    let outcome = match &attempt {
        Ok(attempt) => login.check(attempt, reply),
        Err(error) => Err(Refused::unknown(malformed(error))),
    };
    let method = match &attempt {
        Ok(attempt) => logged_method(attempt.method()),
        Err(AttemptError::Eap { .. }) => auth_log::Method::Eap,
        Err(_) => auth_log::Method::None,
    };
    match outcome {
        Ok(subscriber) => {
            login.log(method, Some(subscriber), None);
            AccessOutcome::Accept
        }
        Err(refused) => {
            login.log(method, refused.subscriber, Some(refused.reason));
            reply.clear();
            if let Err(error) = push_refusal(attempt.as_ref(), refused.reason, reply) {
                tracing::error!(%error, "a reject leaves without its attributes");
                reply.clear();
            }
            AccessOutcome::Reject {
                delay: REJECT_DELAY,
            }
        }
    }
}

fn malformed(error: &AttemptError) -> Reason {
    match error {
        AttemptError::Eap { .. } => Reason::EapNotSupported,
        _ => Reason::BadRequest,
    }
}

fn logged_method(method: Method) -> auth_log::Method {
    match method {
        Method::Pap => auth_log::Method::Pap,
        Method::Chap => auth_log::Method::Chap,
        Method::MsChap => auth_log::Method::MsChapV1,
        Method::MsChap2 => auth_log::Method::MsChapV2,
    }
}

impl Login<'_> {
    /// Accepts the login and fills the reply, or says why not.
    fn check(
        &self,
        attempt: &Attempt<'_>,
        reply: &mut AttributeBuffer,
    ) -> Result<SubscriberId, Refused> {
        let octets = self.request.user_name().unwrap_or_default();
        let Ok(username) = std::str::from_utf8(octets) else {
            return Err(Refused::unknown(Reason::UnknownUser));
        };
        let found = self.app.login_facts().find(&self.app.store, username);
        let facts = match found {
            Ok(Some(facts)) => facts,
            Ok(None) => return Err(self.unknown_user(attempt, octets)),
            Err(error) => return Err(fault(&error, None)),
        };
        let id = facts.id;
        let refused = |reason| Refused {
            reason,
            subscriber: Some(id),
        };

        let proof = self.verify(attempt, &facts, octets).map_err(refused)?;
        let plan = self
            .app
            .plan(facts.plan)
            .ok_or_else(|| refused(Reason::Fault))?;
        let login_id = self.app.login_ids.next();
        let profile = self.nas.nas.profile;
        let gathered = speeds::gather(self.app, facts, plan, profile, self.now)
            .map_err(|error| fault(&error, Some(id)))?;
        let accepted = match self.decision(&gathered, login_id) {
            Decision::Accept(accepted) => accepted,
            Decision::Reject(reason) => return Err(refused(reason)),
        };
        let class = login_id.to_class(id);
        self.fill(reply, &proof, &gathered.plan, &accepted, &class)
            .map_err(|error| fault(&error, Some(id)))?;
        self.app.promises.make(login_id, accepted.entitlement.limit);
        self.follow_up(id, accepted);
        Ok(id)
    }

    /// A PAP password that is garbage says more about the secret than about the user.
    fn unknown_user(&self, attempt: &Attempt<'_>, username: &[u8]) -> Refused {
        // An empty password never matches a garbled one; only the verdict's hint is of interest.
        match attempt.verify(&Credential::Password(b""), username) {
            Verdict::Mismatch { garbled: true } => {
                self.nas.stats.saw_garbled(self.now);
                Refused::unknown(Reason::WrongSecret)
            }
            _ => Refused::unknown(Reason::UnknownUser),
        }
    }

    fn verify(
        &self,
        attempt: &Attempt<'_>,
        facts: &LoginFacts,
        username: &[u8],
    ) -> Result<Proof, Reason> {
        let context = password_context(facts.id);
        let password = match self
            .app
            .store
            .sealer()
            .unseal(context.as_bytes(), &facts.sealed_password)
        {
            Ok(password) => password,
            Err(error) => {
                tracing::error!(%error, subscriber = facts.id.0, "a password cannot be unsealed");
                return Err(Reason::Fault);
            }
        };
        match attempt.verify(&Credential::Password(password.expose()), username) {
            Verdict::Match(proof) => Ok(proof),
            Verdict::Mismatch { garbled: true } => {
                self.nas.stats.saw_garbled(self.now);
                Err(Reason::WrongSecret)
            }
            Verdict::Mismatch { garbled: false } | Verdict::CannotVerify => {
                Err(Reason::WrongPassword)
            }
        }
    }

    fn decision(&self, gathered: &Gathered, login: LoginId) -> Decision {
        let (facts, plan) = (&gathered.about, &gathered.plan);
        let (open, online) = self.open_sessions(facts.id);
        let checks = plan.extras.check.iter().chain(&facts.extras.check);
        let checks_hold = extras::hold(self.request.packet, checks);
        let line = Line {
            subscriber: facts.id,
            nas: self.nas.nas.id,
            mac: self.mac,
            is_alone: facts.max_sessions.unwrap_or(plan.max_sessions) <= 1,
            open: &open,
        };
        let facts = AccessFacts {
            status: &facts.status,
            speed: gathered.facts(),
            max_sessions: facts.max_sessions,
            on_limit: facts.on_limit,
            mac_mode: facts.mac_mode,
            macs: &facts.macs,
            only_nas: facts.only_nas,
            static_address: facts.static_address,
            static_prefix: facts.static_prefix,
            checks_hold,
            extra_reply: &facts.extras.reply,
            open: &open,
            nas: self.nas.nas.id,
            mac: self.mac,
            login,
            interim_interval: access::interim_interval(self.nas.nas.interim_interval, online),
        };
        match access::decide(&facts, self.now) {
            Decision::Accept(mut accepted) => {
                match address::choose(self.app, &line, &mut accepted, self.now) {
                    Ok(()) => Decision::Accept(accepted),
                    Err(reason) => Decision::Reject(reason),
                }
            }
            rejected => rejected,
        }
    }

    /// The open sessions of a subscriber, and how many are open in all.
    fn open_sessions(&self, subscriber: SubscriberId) -> (Vec<OpenSession>, usize) {
        let live = self.app.accounting.live();
        let online = live.open_count();
        let open = live
            .open_of(subscriber)
            .map(|s| OpenSession {
                id: s.id,
                nas: s.nas,
                mac: s.place.mac,
                started_at: s.started_at,
                heard_at: s.heard_at,
                presence: s.presence(
                    self.now,
                    access::interim_interval(self.own_interval(s.nas), online),
                ),
            })
            .collect();
        (open, online)
    }

    fn own_interval(&self, nas: NasId) -> Option<u32> {
        self.app
            .nas(nas)
            .and_then(|entry| entry.nas.interim_interval)
    }

    fn fill(
        &self,
        reply: &mut AttributeBuffer,
        proof: &Proof,
        plan: &Plan,
        accepted: &Accepted,
        class: &str,
    ) -> Result<(), crate::routers::RouterError> {
        profile::accept(self.nas.nas.profile, &accepted.entitlement, reply)?;
        reply.push_octets(number::CLASS, class.as_bytes())?;
        proof.push_success(reply)?;
        if plan.send_mppe {
            proof.push_mppe(reply, self.request, false)?;
        }
        Ok(())
    }

    /// What an accepted login changes is written behind its back: the subscriber does not wait for the disk.
    fn follow_up(&self, subscriber: SubscriberId, accepted: Accepted) {
        if let Some(mac) = accepted.learns {
            learn(self.app, subscriber, mac);
        }
        if !accepted.replaces.is_empty() {
            replace(self.app, accepted.replaces);
        }
    }

    fn log(
        &self,
        method: auth_log::Method,
        subscriber: Option<SubscriberId>,
        reason: Option<Reason>,
    ) {
        let counters = &self.app.telemetry.counters;
        let stats = &self.nas.stats;
        match reason {
            None => {
                counters.access_accepts.increment();
                stats
                    .accepts
                    .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
            Some(reason) => {
                counters.rejects(reject_slot(reason)).increment();
                stats
                    .rejects
                    .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
        }
        stats.saw_auth(self.now);
        let username = String::from_utf8_lossy(self.request.user_name().unwrap_or_default());
        self.app.auth_log.add(auth_log::Attempt {
            at: self.now,
            username: username.into_owned().into(),
            subscriber,
            nas: self.nas.nas.id,
            source: self.request.source.ip(),
            mac: self.mac,
            method,
            reason,
        });
    }
}

/// The place of a reason among the counters.
pub fn reject_slot(reason: Reason) -> usize {
    Reason::ALL
        .iter()
        .position(|r| *r == reason)
        .unwrap_or(usize::MAX)
}

fn fault(error: &dyn std::fmt::Display, subscriber: Option<SubscriberId>) -> Refused {
    tracing::error!(%error, "a login was rejected by a fault of ours");
    Refused {
        reason: Reason::Fault,
        subscriber,
    }
}

fn push_refusal(
    attempt: Result<&Attempt<'_>, &AttemptError>,
    reason: Reason,
    reply: &mut AttributeBuffer,
) -> Result<(), crate::radius::EncodeError> {
    match attempt {
        Ok(attempt) => attempt.push_refusal(reply, mschap_code(reason), reason.reply_message())?,
        Err(error) => push_eap_failure(error, reply)?,
    }
    reply.push_text(number::REPLY_MESSAGE, reason.reply_message())
}

fn mschap_code(reason: Reason) -> RefusalCode {
    match reason {
        Reason::OutsideHours => RefusalCode::RestrictedHours,
        Reason::Disabled => RefusalCode::AccountDisabled,
        Reason::Expired | Reason::QuotaBlocked => RefusalCode::PasswordExpired,
        Reason::WrongMac | Reason::WrongNas | Reason::SessionLimit => {
            RefusalCode::NoDialInPermission
        }
        _ => RefusalCode::AuthenticationFailed,
    }
}

/// Remembers a MAC address, if there is still room for it when the write comes.
pub(in crate::operations) fn learn(app: &App, subscriber: SubscriberId, mac: Mac) {
    let ticket = app.store.write("learn MAC", move |tx| -> Result<(), Error> {
        let Some(mut stored) = subscribers::get(tx, subscriber)? else { return Ok(()) };
        let macs = &mut stored.subscriber.macs;
        let has_room = matches!(stored.subscriber.mac_mode, MacMode::Learn(most) if macs.len() < usize::from(most));
        if has_room && !macs.contains(&mac) {
            macs.push(mac);
            subscribers::put(tx, &stored)?;
            outbox::add(tx, Work::IndexSubscriber(subscriber))?;
        }
        Ok(())
    });
    drop(ticket);
}

/// Ends the sessions whose place a new login took.
fn replace(app: &App, sessions: Vec<SessionId>) {
    let ticket = app
        .store
        .write("replace sessions", move |tx| -> Result<(), Error> {
            for session in &sessions {
                outbox::add(tx, Work::Disconnect(*session))?;
            }
            Ok(())
        });
    drop(ticket);
}
