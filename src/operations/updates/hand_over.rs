//! The package goes to the unit of root: it is put into the folder `ready`, which that unit watches.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use super::{folder, not_taken, note, nothing_newer, offered, package, pending};
use crate::app::App;
use crate::domain::audit::Actor;
use crate::licence::Release;
use crate::operations::{Error, blocking, licence};
use crate::store::updates::{self as rows, UpdateRow};

/// `packaging/apply-update` and `debian/proxpanel.proxpanel-update.path` name these too.
pub(super) const READY: &str = "ready";
const PACKAGE: &str = "package.deb";
const MANIFEST: &str = "manifest";

/// Checks the package that was downloaded once more and hands it over. What becomes of it is in the history.
///
/// Errors: `Refused` without an offer or its package, for a package that is not what was signed, and while another one is
/// being installed.
pub async fn install(app: &App, actor: &Actor) -> Result<Release, Error> {
    let (release, manifest) = offered(app)?.ok_or_else(nothing_newer)?;
    if app.updates.is_busy() {
        return Err(Error::Refused("It is still being downloaded".to_owned()));
    }
    let path = package(app, &release)?;
    let checked = release.clone();
    let look = path.clone();
    blocking(move || {
        let file = File::open(&look)
            .map_err(|_| Error::Refused("Download the new version first".to_owned()))?;
        checked.check_package(file).map_err(not_taken)
    })
    .await??;
    let now = app.now();
    let row = UpdateRow {
        version: release.version.clone(),
        from: licence::VERSION.to_owned(),
        by: actor.name(),
        handed_over_at: now.0,
        ..UpdateRow::default()
    };
    let who = actor.clone();
    // Before the files: the daemon may be stopped as soon as they are there.
    let (id, row) = app
        .store
        .write("hand update over", move |tx| {
            if pending(tx)?.is_some() {
                let busy = "Another update is being installed";
                return Err(Error::Refused(busy.to_owned()));
            }
            let id = rows::add(tx, &row)?;
            note(tx, &who, "update handed over", &row, now)?;
            Ok((id, row.clone()))
        })
        .await?;
    let folder = folder(app);
    let moved = blocking(move || put_ready(&folder, &path, &manifest)).await?;
    if let Err(error) = moved {
        let failed = UpdateRow {
            ended_at: Some(now.0),
            problem: error.to_string(),
            ..row
        };
        app.store
            .write("update not handed over", move |tx| {
                Ok::<_, Error>(rows::put(tx, id, &failed)?)
            })
            .await?;
        return Err(error);
    }
    Ok(release)
}

/// Moves the package and its manifest into the folder that is watched; it appears whole. Blocks.
fn put_ready(folder: &Path, package: &Path, manifest: &str) -> Result<(), Error> {
    let draft = folder.join("ready.new");
    remove(&draft)?;
    remove(&folder.join(READY))?;
    DirBuilder::new().mode(0o700).create(&draft)?;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(draft.join(MANIFEST))?;
    file.write_all(manifest.as_bytes())?;
    file.sync_all()?;
    fs::rename(package, draft.join(PACKAGE))?;
    Ok(fs::rename(&draft, folder.join(READY))?)
}

pub(super) fn remove(folder: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
