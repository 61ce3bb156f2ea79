//! What can go wrong, switched at run time.

use std::time::Duration;

use tokio::sync::watch;

/// What the API does to whoever connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ApiFault {
    #[default]
    None,
    /// The port is closed. Connections that are open stay.
    Refuse,
    /// Connections are taken, and nothing is ever said; TLS does not even begin. Open ones fall silent too.
    Silent,
    /// Each sentence is answered with these octets.
    Garbage(&'static [u8]),
    /// Each sentence is answered with the beginning of a row, then the connection closes.
    CloseMidSentence,
    /// Each sentence is answered with a word of 64 MB.
    HugeWord,
    /// Each sentence of an answer waits so long before it leaves.
    Slow(Duration),
    /// At the next sentence the router closes its side, and goes on reading.
    HalfClosed,
}

/// What happens to CoA and Disconnect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CoaFault {
    #[default]
    None,
    Silent,
    /// Silent to requests without this attribute.
    Wants(u8),
    /// Nothing is changed; the answer is a NAK with this Error-Cause.
    Nak(u32),
    /// Done at once, answered late.
    Slow(Duration),
    /// Done, but the answer is lost: what a router with a lossy way back looks like.
    LoseAnswer,
}

/// All switches. The default is a sound router.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    pub api: ApiFault,
    /// Every login is refused, as if the password had been changed.
    pub refuse_login: bool,
    /// Every add, set, remove and the like fails with this text.
    pub trap_on_write: Option<String>,
    /// So many subscribers more in the lists of sessions; they are not there otherwise.
    pub crowd: u32,
    pub coa: CoaFault,
    /// The router has another secret than the server, for requests and for CoA.
    pub wrong_secret: bool,
    /// No records at all: sessions are only seen over the API.
    pub no_accounting: bool,
    /// Counters of 32 bits that wrap.
    pub no_gigawords: bool,
    /// Input and Output swapped (the warning box of mikrotik.md a5).
    pub swapped_direction: bool,
    pub start_without_address: bool,
    /// Each interim record is sent a second time, as a packet of its own.
    pub duplicate_interims: bool,
}

/// Where tests switch faults on and off.
#[derive(Clone)]
pub struct Switches(watch::Sender<Faults>);

impl Switches {
    pub(super) fn new() -> Switches {
        Switches(watch::Sender::new(Faults::default()))
    }

    /// Changes some of them, for example `router.faults().change(|faults| faults.api = ApiFault::Silent)`.
    pub fn change(&self, change: impl FnOnce(&mut Faults)) {
        self.0.send_modify(change);
    }

    /// A sound router again.
    pub fn clear(&self) {
        self.0.send_replace(Faults::default());
    }

    pub fn now(&self) -> Faults {
        self.0.borrow().clone()
    }

    /// Waits until the API has, or has no more, a certain fault.
    pub(super) async fn api(&self, wanted: impl Fn(ApiFault) -> bool) {
        let mut faults = self.0.subscribe();
        // The sender is held here, so the channel stays open.
        let _open = faults.wait_for(|faults| wanted(faults.api)).await;
    }
}
