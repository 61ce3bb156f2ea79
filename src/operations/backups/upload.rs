//! A backup that was made elsewhere and is brought into the folder of backups.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use crate::app::App;
use crate::archive;
use crate::domain::audit::Actor;
use crate::operations::Error;

use super::files::{self, ENDING, UPLOAD_ENDING, is_backup_name};
use super::note;

/// Octets of a backup that is brought in; that of a large ISP with years of history is far below.
pub const LARGEST: u64 = 16 << 30;

/// A file on its way in. Dropped before `finish`, nothing is left of it.
pub struct Upload {
    file: File,
    part: PathBuf,
    path: PathBuf,
    name: String,
    is_finished: bool,
}

impl Upload {
    /// `length` is what is expected. Errors: `Refused` without room, and for a file that is there already.
    pub fn begin(app: &App, file_name: &str, length: u64) -> Result<Upload, Error> {
        let folder = &app.config.backup.folder;
        files::make_folder(folder)?;
        files::check_room(folder, length)?;
        let name = match is_backup_name(file_name) {
            true => file_name.to_owned(),
            false => {
                let at = app.settings().calendar.format(app.now());
                format!(
                    "uploaded_{}{ENDING}",
                    at.replace(' ', "_").replace(':', "-")
                )
            }
        };
        let path = folder.join(&name);
        if path.exists() {
            return Err(Error::Refused(format!("{name} is here already")));
        }
        let part = folder.join(format!("{name}{UPLOAD_ENDING}"));
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&part)
            .map_err(|error| files::at("write", &part, error))?;
        Ok(Upload {
            file,
            part,
            path,
            name,
            is_finished: false,
        })
    }

    pub fn write(mut self, octets: &[u8]) -> Result<Upload, Error> {
        self.file
            .write_all(octets)
            .map_err(|error| files::at("write", &self.part, error))?;
        Ok(self)
    }

    /// Gives the file its name, if it begins as a backup does. Returns the name. Errors: `Refused` for any other file.
    pub fn finish(mut self, app: &App, actor: &Actor) -> Result<String, Error> {
        self.file.sync_all()?;
        archive::look(File::open(&self.part)?)
            .map_err(|error| Error::Refused(error.to_string()))?;
        fs::rename(&self.part, &self.path)?;
        self.is_finished = true;
        files::sync_folder(&app.config.backup.folder)?;
        note(app, actor, "backup uploaded", &self.name)?;
        Ok(self.name.clone())
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if !self.is_finished {
            // Gone already is as good.
            let _ = fs::remove_file(&self.part);
        }
    }
}
