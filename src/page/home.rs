//! What makes the chat an app on a device: its manifest and its icons, and the worker that opens it without a network.
//!
//! Their addresses are relative, so the prefix of a public address does not matter. They are made when the first page is
//! asked for.

use std::sync::LazyLock;

use super::assets::{ASSETS, JAVASCRIPT};
use super::join::{self, File};
use super::named::{Named, named, unversioned};

const PNG: &str = "image/png";
const MANIFEST: &str = "application/manifest+json";

/// The files of the app.
pub(super) struct Home {
    pub manifest: Named,
    pub worker: Named,
    pub small: Named,
    pub large: Named,
    pub maskable: Named,
}

impl Home {
    pub fn all(&self) -> [&Named; 5] {
        [&self.manifest, &self.worker, &self.small, &self.large, &self.maskable]
    }
}

/// The worker, and what it imports.
const WORKER: &[File] = &[("early.js", include_str!("early.js")), ("worker.js", include_str!("worker.js"))];

pub(super) static HOME: LazyLock<Home> = LazyLock::new(|| {
    let small = named("icon-192", "png", PNG, include_bytes!("icon-192.png"));
    let large = named("icon-512", "png", PNG, include_bytes!("icon-512.png"));
    let maskable = named("icon-maskable", "png", PNG, include_bytes!("icon-maskable.png"));
    let manifest = include_str!("manifest.json")
        .replace("icon.svg", &ASSETS.icon.name)
        .replace("icon-192.png", &small.name)
        .replace("icon-512.png", &large.name)
        .replace("icon-maskable.png", &maskable.name);
    let worker = join::modules(WORKER, "worker.js");
    Home {
        manifest: named("manifest", "json", MANIFEST, manifest.as_bytes()),
        // A browser asks for it by this name, whatever version it has.
        worker: unversioned("worker.js", JAVASCRIPT, worker.as_bytes()),
        small,
        large,
        maskable,
    }
});
