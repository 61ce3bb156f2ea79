//! Counters since the start, added to by socket threads and pages without a lock.

use std::array;
use std::sync::atomic::{AtomicU64, Ordering};

/// Reject reasons that can be told apart. The caller maps its reasons to numbers; those from here on share the last slot.
pub const REJECT_SLOTS: usize = 24;

/// One number that only grows. Relaxed: each counter stands alone, nothing is ordered by it.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub fn increment(&self) {
        self.add(1);
    }

    pub fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What an Accounting-Request said (RFC 2866 s5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountingKind {
    Start,
    Interim,
    Stop,
    /// Accounting-On and Accounting-Off: the router itself came or went.
    OnOff,
    /// Any other Acct-Status-Type.
    Other,
}

impl AccountingKind {
    pub const ALL: [Self; 5] = [
        Self::Start,
        Self::Interim,
        Self::Stop,
        Self::OnOff,
        Self::Other,
    ];
}

/// Why a packet got no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DropReason {
    /// No NAS has the source address.
    UnknownNas,
    /// Too short, a wrong length, broken attributes, or a code that does not belong on this port.
    Malformed,
    /// Message-Authenticator does not verify: usually a wrong secret.
    WrongMessageAuthenticator,
    /// This NAS must send a Message-Authenticator, and did not.
    MissingMessageAuthenticator,
    /// The accounting authenticator does not verify: usually a wrong secret.
    WrongAccountingAuthenticator,
    /// A copy of a request that is still being worked on.
    Duplicate,
    /// A queue was full.
    Overload,
    /// The store could not make the record durable, for example because the disk is full.
    StoreFault,
}

impl DropReason {
    pub const ALL: [Self; 8] = [
        Self::UnknownNas,
        Self::Malformed,
        Self::WrongMessageAuthenticator,
        Self::MissingMessageAuthenticator,
        Self::WrongAccountingAuthenticator,
        Self::Duplicate,
        Self::Overload,
        Self::StoreFault,
    ];
}

/// All counters, grouped by what they count.
#[derive(Debug)]
pub struct Counters {
    /// Access-Requests from a known NAS that passed the protocol's checks.
    pub access_requests: Counter,
    pub access_accepts: Counter,
    /// Cached answers sent again to a repeated request.
    pub resent_replies: Counter,
    /// Accounting-Responses that left.
    pub accounting_responses: Counter,
    /// CoA and Disconnect requests, by outcome.
    pub coa_acks: Counter,
    pub coa_naks: Counter,
    pub coa_timeouts: Counter,
    /// Pages and partials served by the panel.
    pub pages: Counter,
    /// Of these, the ones that ended in a fault of ours (status 500 and above).
    pub page_faults: Counter,
    rejects: [Counter; REJECT_SLOTS],
    accounting: [Counter; AccountingKind::ALL.len()],
    dropped: [Counter; DropReason::ALL.len()],
    /// Where an index outside its array is counted, so that no number is ever lost silently.
    misplaced: Counter,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            access_requests: Counter::default(),
            access_accepts: Counter::default(),
            resent_replies: Counter::default(),
            accounting_responses: Counter::default(),
            coa_acks: Counter::default(),
            coa_naks: Counter::default(),
            coa_timeouts: Counter::default(),
            pages: Counter::default(),
            page_faults: Counter::default(),
            rejects: array::from_fn(|_| Counter::default()),
            accounting: array::from_fn(|_| Counter::default()),
            dropped: array::from_fn(|_| Counter::default()),
            misplaced: Counter::default(),
        }
    }
}

impl Counters {
    /// The counter of Access-Rejects for one reason, by the number the caller gave that reason.
    pub fn rejects(&self, reason: usize) -> &Counter {
        self.rejects
            .get(reason)
            .or(self.rejects.last())
            .unwrap_or(&self.misplaced)
    }

    /// Access-Rejects of every reason.
    pub fn rejects_total(&self) -> u64 {
        self.rejects.iter().map(Counter::get).sum()
    }

    /// The counter of Accounting-Requests of one kind.
    pub fn accounting(&self, kind: AccountingKind) -> &Counter {
        let [start, interim, stop, on_off, other] = &self.accounting;
        match kind {
            AccountingKind::Start => start,
            AccountingKind::Interim => interim,
            AccountingKind::Stop => stop,
            AccountingKind::OnOff => on_off,
            AccountingKind::Other => other,
        }
    }

    /// Accounting-Requests of every kind.
    pub fn accounting_total(&self) -> u64 {
        self.accounting.iter().map(Counter::get).sum()
    }

    /// The counter of packets that got no answer for one reason.
    pub fn dropped(&self, reason: DropReason) -> &Counter {
        let [
            unknown,
            malformed,
            wrong_ma,
            missing_ma,
            wrong_accounting,
            duplicate,
            overload,
            store,
        ] = &self.dropped;
        match reason {
            DropReason::UnknownNas => unknown,
            DropReason::Malformed => malformed,
            DropReason::WrongMessageAuthenticator => wrong_ma,
            DropReason::MissingMessageAuthenticator => missing_ma,
            DropReason::WrongAccountingAuthenticator => wrong_accounting,
            DropReason::Duplicate => duplicate,
            DropReason::Overload => overload,
            DropReason::StoreFault => store,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_its_own_counter() {
        let counters = Counters::default();
        for (n, reason) in (1_u64..).zip(DropReason::ALL) {
            counters.dropped(reason).add(n);
        }
        for (n, reason) in (1_u64..).zip(DropReason::ALL) {
            assert_eq!(counters.dropped(reason).get(), n, "{reason:?}");
        }

        for (n, kind) in (1_u64..).zip(AccountingKind::ALL) {
            counters.accounting(kind).add(n);
        }
        for (n, kind) in (1_u64..).zip(AccountingKind::ALL) {
            assert_eq!(counters.accounting(kind).get(), n, "{kind:?}");
        }
        assert_eq!(counters.accounting_total(), 15);
    }

    #[test]
    fn reject_reasons_beyond_the_slots_share_the_last() {
        let counters = Counters::default();
        counters.rejects(0).increment();
        counters.rejects(REJECT_SLOTS - 1).increment();
        counters.rejects(REJECT_SLOTS).increment();
        counters.rejects(usize::MAX).increment();
        assert_eq!(counters.rejects(0).get(), 1);
        assert_eq!(counters.rejects(1).get(), 0);
        assert_eq!(counters.rejects(REJECT_SLOTS - 1).get(), 3);
        assert_eq!(counters.rejects_total(), 4);
    }

    #[test]
    fn threads_do_not_lose_counts() {
        let counters = Counters::default();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..1000).for_each(|_| counters.access_requests.increment()));
            }
        });
        assert_eq!(counters.access_requests.get(), 4000);
    }
}
