//! The page: plain files without a build step, and the code that serves them.

mod assets;
mod gzip;
mod home;
mod html;
mod join;
mod markup;
mod named;
mod phrases;
mod refused;
mod ruled;
mod share;

pub use self::assets::SVG;
pub use self::gzip::gzip;
pub use self::html::{Login, Page, policy, render, render_backlog, render_login};
pub use self::join::{File, modules};
pub use self::named::Asset;
pub use self::phrases::Language;
pub use self::refused::{Refused, Written, render_refused};
pub use self::share::qr_svg;

/// The file of this name under `/page/`, if there is one.
pub fn asset(name: &str) -> Option<&'static Asset> {
    assets::asset(name)
        .or_else(|| home::HOME.all().into_iter().find(|file| file.name == name).map(|file| &file.asset))
}
