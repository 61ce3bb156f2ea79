//! Updates of this program: asked for, downloaded, and handed over to the package manager.
//!
//! Without a vendor in the configuration nothing here does anything. Invariants: nothing looks at a package before its size,
//! its SHA-256 and the vendor's signature are known to be right; no version is offered or handed over that is not newer; the
//! daemon installs nothing itself: a unit of root takes what lies in the folder `ready`, trusts nothing of it, and checks again.

mod hand_over;
mod results;
mod verify;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::app::{App, UpdateProgress};
use crate::config::Vendor;
use crate::domain::audit::{Actor, Difference};
use crate::domain::time::{Calendar, DAY, HOUR, Timestamp};
use crate::http_client::HttpError;
use crate::licence::wire::{BASE, Update};
use crate::licence::{ARCHITECTURE, LicenceKey, Release, ReleaseError, package_name};
use crate::store::updates::{self as rows, UpdateRow};
use crate::store::{Read, Tx};

use super::backups::{check_room, make_folder};
use super::trail::{self, part};
use super::{Error, blocking, licence};
pub use hand_over::install;
pub use results::{Outcome, RESULTS, follow, outcome};
pub use verify::verify;

/// The name of the job that asks, downloads and follows.
pub const JOB: &str = "updates";
/// Where packages lie, in the data folder.
pub const FOLDER: &str = "updates";
/// How often the vendor is asked, and how soon again after no answer.
const EVERY: i64 = DAY;
const AGAIN_AFTER: i64 = HOUR;

/// What a page or a terminal shows.
pub struct Status {
    pub has_vendor: bool,
    /// Only who has a licence gets updates.
    pub is_activated: bool,
    pub last_good: Option<Timestamp>,
    /// What went wrong when the vendor was last asked; empty when nothing did.
    pub problem: String,
    /// The newest version, when it is newer than this one.
    pub offered: Option<Release>,
    /// Its package is here.
    pub is_downloaded: bool,
    pub progress: Option<UpdateProgress>,
    /// Why there is no package, after a download was tried.
    pub download_problem: Option<String>,
    /// What was handed over, newest first.
    pub history: Vec<UpdateRow>,
}

impl Status {
    /// Whether something was handed over and has not come to an end.
    pub fn is_installing(&self) -> bool {
        self.history
            .first()
            .is_some_and(|row| row.ended_at.is_none())
    }
}

/// Looks at the disk for one file.
pub fn status(app: &App) -> Result<Status, Error> {
    let view = app.store.view()?;
    let offer = rows::offer(&view)?;
    let offered = offered(app)?.map(|(release, _)| release);
    let history = rows::newest(&view, rows::MOST_UPDATES)?;
    let is_downloaded = offered.as_ref().is_some_and(|release| {
        let metadata = package(app, release)
            .ok()
            .and_then(|path| fs::metadata(path).ok());
        metadata.is_some_and(|metadata| metadata.len() == release.octets)
    });
    Ok(Status {
        has_vendor: app.config.licence.vendor.is_some(),
        is_activated: licence::key(app)?.is_some(),
        last_good: Some(Timestamp(offer.last_good)).filter(|at| at.0 > 0),
        problem: offer.problem,
        is_downloaded,
        offered,
        progress: app.updates.progress(),
        download_problem: app.updates.problem(),
        history: history.into_iter().map(|(_, row)| row).collect(),
    })
}

/// What the vendor last offered and signed, with the signed text; nothing when it is not newer than this program.
pub fn offered(app: &App) -> Result<Option<(Release, String)>, Error> {
    let Some(vendor) = &app.config.licence.vendor else {
        return Ok(None);
    };
    let manifest = rows::offer(&app.store.view()?)?.manifest;
    if manifest.is_empty() {
        return Ok(None);
    }
    // Another vendor's, after the configuration changed, or that of a version which is installed by now.
    let release = Release::open(&vendor.key, &manifest).ok();
    let newer = release.filter(|release| release.check_fits(licence::VERSION).is_ok());
    Ok(newer.map(|release| (release, manifest)))
}

/// Whether the vendor is to be asked now. `jitter` keeps machines from asking together.
pub fn is_due(app: &App, now: Timestamp, jitter: i64) -> Result<bool, Error> {
    if app.config.licence.vendor.is_none() || licence::key(app)?.is_none() {
        return Ok(false);
    }
    let offer = rows::offer(&app.store.view()?)?;
    let pause = match offer.problem.is_empty() {
        true => EVERY.saturating_add(jitter),
        false => AGAIN_AFTER,
    };
    // A clock that was turned back must not stop it.
    let since = now.0.saturating_sub(offer.last_tried);
    Ok(since >= pause || since < 0)
}

/// Asks the vendor for a newer version and keeps what it says. Errors: `Refused` without a vendor or a licence, and with
/// the reason when there is no answer that can be believed.
pub async fn check(app: &App) -> Result<Option<Release>, Error> {
    let (vendor, key) = access(app)?;
    let heard = ask(vendor, &key).await;
    let now = app.now();
    let kept = heard
        .as_ref()
        .map(|(_, manifest)| manifest.clone())
        .map_err(ToString::to_string);
    app.store
        .write("update offer", move |tx| {
            let mut row = rows::offer(tx)?;
            row.last_tried = now.0;
            match &kept {
                Ok(manifest) => {
                    row.last_good = now.0;
                    row.problem.clear();
                    row.manifest.clone_from(manifest);
                }
                // What was offered before still holds.
                Err(problem) => row.problem.clone_from(problem),
            }
            Ok::<_, Error>(rows::put_offer(tx, &row)?)
        })
        .await?;
    heard.map(|(release, _)| release)
}

/// The newer release and its signed text; nothing and an empty text when there is none.
async fn ask(vendor: &Vendor, key: &LicenceKey) -> Result<(Option<Release>, String), Error> {
    let url = format!("{}{BASE}/update/check?arch={ARCHITECTURE}", vendor.url);
    let client = licence::client(vendor).await.map_err(http)?;
    let update: Update = client
        .get_json(&url, Some(key.expose()))
        .await
        .map_err(http)?;
    if update.version.is_empty() {
        return Ok((None, String::new()));
    }
    let release = Release::open(&vendor.key, &update.manifest).map_err(not_taken)?;
    match release.check_fits(licence::VERSION) {
        Ok(_) => Ok((Some(release), update.manifest)),
        Err(ReleaseError::NotNewer { .. }) => Ok((None, String::new())),
        Err(error) => Err(not_taken(error)),
    }
}

/// Fetches the package that is offered, and checks it. Asking again when it is here already does no harm.
///
/// Errors: `Refused` without an offer, without room, while another download is under way, when the vendor does not answer,
/// and for a package that is not what was signed; `Cancelled`. After an error no package is there.
pub async fn download(app: &App) -> Result<Release, Error> {
    let (vendor, key) = access(app)?;
    let (release, _) = offered(app)?.ok_or_else(nothing_newer)?;
    let turn = app.updates.begin(&release.version, release.octets);
    let turn = turn.ok_or_else(|| Error::Refused("An update is being downloaded".to_owned()))?;
    let path = package(app, &release)?;
    let (folder, wanted, keep) = (folder(app), release.octets, path.clone());
    blocking(move || make_room(&folder, wanted, &keep)).await??;
    if check_file(&path, &release).await.is_ok() {
        return Ok(release);
    }
    let client = licence::client(vendor).await.map_err(http)?;
    // The only character of a version that means something else in a query.
    let version = release.version.replace('+', "%2B");
    let url = format!(
        "{}{BASE}/download/update?version={version}&arch={ARCHITECTURE}",
        vendor.url
    );
    let fetching = client.download(
        &url,
        Some(key.expose()),
        &path,
        release.octets,
        |done, _| turn.step(done),
    );
    let fetched = tokio::select! {
        fetched = fetching => fetched.map_err(http),
        () = turn.cancelled() => Err(Error::Cancelled),
    };
    let checked = match fetched {
        Ok(got) if got.octets != release.octets => Err(not_taken(ReleaseError::OtherSize {
            said: release.octets,
            got: got.octets,
        })),
        Ok(got) => release.check_digest(&got.sha256).map_err(not_taken),
        Err(error) => Err(error),
    };
    if let Err(error) = checked {
        let folder = self::folder(app);
        blocking(move || clear(&folder, None)).await??;
        return Err(error);
    }
    Ok(release)
}

/// Leaves the wish for a download to the job. Errors: `Refused` when there is nothing newer or one is under way.
pub fn begin_download(app: &App) -> Result<(), Error> {
    access(app)?;
    offered(app)?.ok_or_else(nothing_newer)?;
    if !app.updates.wish() {
        return Err(Error::Refused("An update is being downloaded".to_owned()));
    }
    app.jobs.run_now(JOB);
    Ok(())
}

/// One line of the history for a terminal.
pub fn line(row: &UpdateRow, calendar: &Calendar) -> String {
    let at = calendar.format(Timestamp(row.handed_over_at));
    let said = match outcome(row) {
        Outcome::Failed => format!("FAILED: {}", row.problem),
        outcome => outcome.words().to_owned(),
    };
    format!(
        "{at}  {} to {}  by {}  {said}",
        row.from, row.version, row.by
    )
}

fn access(app: &App) -> Result<(&Vendor, LicenceKey), Error> {
    let vendor = app.config.licence.vendor.as_ref().ok_or_else(|| {
        let none =
            "No vendor is configured: new versions come from where this one came from, such as apt";
        Error::Refused(none.to_owned())
    })?;
    let key = licence::key(app)?.ok_or_else(|| {
        Error::Refused("The vendor gives updates with a licence; activate one first".to_owned())
    })?;
    Ok((vendor, key))
}

fn folder(app: &App) -> PathBuf {
    app.config.data_dir.join(FOLDER)
}

/// Where the package of a release lies. The version was checked, so that the name stays in its folder.
fn package(app: &App, release: &Release) -> Result<PathBuf, Error> {
    let version = release.check_fits(licence::VERSION).map_err(not_taken)?;
    Ok(folder(app).join(package_name(&version, ARCHITECTURE)))
}

async fn check_file(path: &Path, release: &Release) -> Result<(), Error> {
    let (path, release) = (path.to_owned(), release.clone());
    blocking(move || {
        let file = File::open(&path)?;
        release.check_package(file).map_err(not_taken)
    })
    .await?
}

/// Makes the folder, removes what lies there from before, and sees that there is room. Blocks.
fn make_room(folder: &Path, wanted: u64, keep: &Path) -> Result<(), Error> {
    make_folder(folder)?;
    clear(folder, Some(keep))?;
    check_room(folder, wanted)
}

/// Removes packages and halves of them, but not what was handed over. Blocks.
fn clear(folder: &Path, keep: Option<&Path>) -> Result<(), Error> {
    /// Entries that are looked at; there is one, or two.
    const MOST_ENTRIES: usize = 100;
    for entry in fs::read_dir(folder)?.take(MOST_ENTRIES) {
        let path = entry?.path();
        if path.is_file() && Some(path.as_path()) != keep {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

fn nothing_newer() -> Error {
    Error::Refused("No newer version is known; ask the vendor first".to_owned())
}

fn http(error: HttpError) -> Error {
    Error::Refused(error.to_string())
}

fn not_taken(error: ReleaseError) -> Error {
    Error::Refused(error.to_string())
}

fn note(
    tx: &mut Tx<'_>,
    actor: &Actor,
    action: &str,
    row: &UpdateRow,
    now: Timestamp,
) -> Result<(), Error> {
    let mut difference = Difference::default();
    difference.field("version", &row.from, &row.version);
    trail::note(tx, actor, action, &part("update"), difference, now)
}

/// The update that was handed over and has not come to an end.
fn pending(read: &impl Read) -> Result<Option<(u32, UpdateRow)>, Error> {
    let newest = rows::newest(read, 1)?.into_iter().next();
    Ok(newest.filter(|(_, row)| row.ended_at.is_none()))
}
