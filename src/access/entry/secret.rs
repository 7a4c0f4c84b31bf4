//! Files that hold secrets.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// The text of a file that nobody else should read. An error is a sentence.
pub fn read_secret(path: &Path) -> Result<String, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("can't read {}: {error}", path.display()))?;
    // Where a secret is mounted into a container, everybody there may read it.
    let mode = fs::metadata(path).map_or(0, |file| file.permissions().mode());
    if mode & 0o004 != 0 {
        let path = path.display();
        tracing::warn!("every user of this machine may read {path}: chmod o= {path}");
    }
    Ok(text.strip_prefix('\u{feff}').map_or(text.clone(), str::to_owned))
}
