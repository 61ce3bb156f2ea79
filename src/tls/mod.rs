//! TLS of the panel: the certificate that browsers see, its files, and how it is replaced while connections are open, with
//! what a certificate authority may ask for meanwhile. Where we are the ones who connect: whom we trust.
//!
//! Not here: who may replace it and when (`operations::certificates`), the conversation with an authority (`acme`), sockets
//! (`daemon`, `web::server`). Invariants: there
//! is always a certificate to show, since the machine makes its own where no other can be used; a certificate is in use only
//! together with the key that belongs to it; no key reaches a log, an error or a page.

mod challenges;
mod error;
mod facts;
pub mod files;
mod pair;
pub mod self_signed;
pub mod trust;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

pub use challenges::{Challenges, Order, Step};
pub use error::TlsError;
pub use facts::Facts;
pub use pair::Pair;
pub use self_signed::{LIFE, RENEWED_BEFORE};
pub use trust::Fingerprint;

use crate::domain::time::Timestamp;

/// The folder of the certificates in the data folder.
pub const FOLDER: &str = "tls";

/// Where the certificate comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Source {
    /// The machine made it itself.
    #[default]
    SelfSigned,
    /// The owner gave it in the panel.
    Own,
    /// A certificate authority issued it over ACME.
    Acme,
    /// The files that the configuration names.
    Configured,
}

impl Source {
    /// What is stored of the choice; the configuration is no choice of the panel.
    pub fn word(self) -> &'static str {
        match self {
            Source::SelfSigned => "self-signed",
            Source::Own => "own",
            Source::Acme => "acme",
            Source::Configured => "configured",
        }
    }

    /// Anything unknown means the one that is always there.
    pub fn parse(word: &str) -> Source {
        match word {
            "own" => Source::Own,
            "acme" => Source::Acme,
            _ => Source::SelfSigned,
        }
    }
}

/// Certificate and key that the configuration names; both may be the same file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configured {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Configured {
    /// Reads both files. Errors: what cannot be used of them.
    pub fn load(&self) -> Result<Pair, TlsError> {
        let key = crate::crypto::Secret::new(files::read(&self.key)?);
        Pair::parse(&files::read(&self.certificate)?, key.expose())
    }
}

/// What browsers see now.
#[derive(Debug, Clone)]
pub struct InUse {
    /// Where it really comes from; `SelfSigned` too when it stands in for one that cannot be used.
    pub source: Source,
    pub facts: Facts,
    /// Why the chosen one, or its newest files, cannot be used; in words.
    pub fault: Option<String>,
}

/// The certificate in use and the files behind all of them.
pub struct Certificates {
    folder: PathBuf,
    configured: Option<Configured>,
    shown: Arc<Shown>,
    server: Arc<ServerConfig>,
    state: Mutex<State>,
    challenges: Challenges,
}

struct State {
    chosen: Source,
    in_use: Arc<InUse>,
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Certificates").field(&self.in_use()).finish()
    }
}

impl Certificates {
    /// Loads the chosen certificate from the `tls` folder in `data_folder`, or makes a self-signed one when there is none
    /// or it cannot be used: a panel with a warning is better than none. Files of the configuration win over the choice.
    ///
    /// Errors: `SelfSigned` and `Setup`, when the machine cannot even make its own.
    pub fn open(
        data_folder: &Path,
        chosen: Source,
        configured: Option<Configured>,
        now: Timestamp,
    ) -> Result<Certificates, TlsError> {
        let folder = data_folder.join(FOLDER);
        let chosen = match configured {
            Some(_) => Source::Configured,
            None => chosen,
        };
        let (pair, source, fault) = match load(&folder, configured.as_ref(), chosen) {
            Ok(pair) => (pair, chosen, None),
            Err(error) => {
                let fault = (chosen != Source::SelfSigned).then(|| error.to_string());
                if let Some(fault) = &fault {
                    tracing::error!(fault, "the panel shows a self-signed certificate instead");
                }
                (own_pair(&folder, now)?, Source::SelfSigned, fault)
            }
        };
        let in_use = InUse {
            source,
            facts: pair.facts().clone(),
            fault,
        };
        let shown = Arc::new(Shown(ArcSwap::new(pair.certified())));
        Ok(Certificates {
            folder,
            configured,
            server: server_config(&shown)?,
            shown,
            state: Mutex::new(State {
                chosen,
                in_use: Arc::new(in_use),
            }),
            challenges: Challenges::default(),
        })
    }

    /// For listeners of the panel: TLS 1.2 and 1.3 by ring, HTTP/1.1, no client certificates. Follows every change.
    pub fn server_config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.server)
    }

    /// For listeners with a configuration of their own. Follows every change.
    pub fn resolver(&self) -> Arc<dyn ResolvesServerCert> {
        Arc::clone(&self.shown) as Arc<dyn ResolvesServerCert>
    }

    pub fn in_use(&self) -> Arc<InUse> {
        Arc::clone(&self.state().in_use)
    }

    /// Answers to the questions of a certificate authority, and how far an order has come.
    pub fn challenges(&self) -> &Challenges {
        &self.challenges
    }

    /// Whether the configuration names the files, so that nothing can be chosen in the panel.
    pub fn is_configured(&self) -> bool {
        self.configured.is_some()
    }

    /// Reads the files again, as after a renewal by another program. New connections get what is there then; those that are
    /// open go on. Says whether something changed. Blocks for a small file.
    ///
    /// Errors: what cannot be used; then the certificate stays, and the fault is kept for pages.
    pub fn reload(&self, now: Timestamp) -> Result<bool, TlsError> {
        let mut state = self.state();
        let loaded = match load(&self.folder, self.configured.as_ref(), state.chosen) {
            Err(_) if state.chosen == Source::SelfSigned => own_pair(&self.folder, now),
            loaded => loaded,
        };
        match loaded {
            Ok(pair) => {
                let chosen = state.chosen;
                Ok(self.show(&mut state, chosen, &pair))
            }
            Err(error) => {
                let fault = Some(error.to_string());
                if state.in_use.fault != fault {
                    let in_use = InUse {
                        fault,
                        ..(*state.in_use).clone()
                    };
                    state.in_use = Arc::new(in_use);
                }
                Err(error)
            }
        }
    }

    /// Stores a certificate as the newest of its source, without showing it. Errors: `File`.
    pub fn store(&self, source: Source, pair: &Pair) -> Result<(), TlsError> {
        files::write(&path(&self.folder, source), pair)
    }

    /// Chooses a source, and shows what is stored of it. Errors: as [`Certificates::reload`]; then the choice stays as it was.
    pub fn choose(&self, source: Source) -> Result<(), TlsError> {
        let mut state = self.state();
        let pair = load(&self.folder, self.configured.as_ref(), source)?;
        state.chosen = source;
        self.show(&mut state, source, &pair);
        Ok(())
    }

    /// A fresh self-signed certificate for the names that this machine has now. Errors: `SelfSigned`.
    pub fn make_self_signed(&self, now: Timestamp) -> Result<Pair, TlsError> {
        self_signed::make(&self_signed::own_names(), now)
    }

    /// What is stored of a source; `None` when there is nothing that can be used.
    pub fn stored(&self, source: Source) -> Option<Facts> {
        let pair = load(&self.folder, self.configured.as_ref(), source).ok()?;
        Some(pair.facts().clone())
    }

    fn show(&self, state: &mut State, source: Source, pair: &Pair) -> bool {
        let in_use = InUse {
            source,
            facts: pair.facts().clone(),
            fault: None,
        };
        let before = &state.in_use;
        let is_new =
            before.facts.fingerprint != in_use.facts.fingerprint || before.source != source;
        // The same certificate may come with another chain, so it is always taken over.
        self.shown.0.store(pair.certified());
        state.in_use = Arc::new(in_use);
        is_new
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn path(folder: &Path, source: Source) -> PathBuf {
    folder.join(format!("{}.pem", source.word()))
}

fn load(folder: &Path, configured: Option<&Configured>, source: Source) -> Result<Pair, TlsError> {
    match (source, configured) {
        (Source::Configured, Some(files)) => files.load(),
        _ => {
            let text = crate::crypto::Secret::new(files::read(&path(folder, source))?);
            Pair::parse(text.expose(), text.expose())
        }
    }
}

/// The stored self-signed certificate, or a new one. One that cannot be stored, such as on a full disk, is shown none the
/// less, until the next start.
fn own_pair(folder: &Path, now: Timestamp) -> Result<Pair, TlsError> {
    if let Ok(pair) = load(folder, None, Source::SelfSigned) {
        return Ok(pair);
    }
    let pair = self_signed::make(&self_signed::own_names(), now)?;
    if let Err(error) = files::write(&path(folder, Source::SelfSigned), &pair) {
        tracing::warn!(%error, "the self-signed certificate could not be kept");
    }
    Ok(pair)
}

impl Pair {
    /// For a server that shows this one as long as it runs. Errors: `Setup`.
    pub fn server_config(&self) -> Result<Arc<ServerConfig>, TlsError> {
        server_config(&Arc::new(Shown(ArcSwap::new(self.certified()))))
    }
}

fn server_config(shown: &Arc<Shown>) -> Result<Arc<ServerConfig>, TlsError> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Setup)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(shown) as Arc<dyn ResolvesServerCert>);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Gives every handshake the certificate of that moment, whatever name the browser asked for: there is one panel.
struct Shown(ArcSwap<CertifiedKey>);

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shown")
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

#[cfg(test)]
mod tests;
