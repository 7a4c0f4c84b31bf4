//! An address as a QR code for phones.

use qrcode::QrCode;
use qrcode::render::svg::Color;

/// An address as a QR code in SVG; `None` if it is too long (over about 2,300 bytes).
pub fn qr_svg(address: &str) -> Option<String> {
    let code = QrCode::new(address).ok()?;
    Some(code.render::<Color<'_>>().build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_fits_has_a_code() {
        let svg = qr_svg("http://192.168.1.5:8080/chat/gr%C3%B6%C3%9Fe").unwrap();
        assert!(svg.contains("<svg") && !svg.contains("script"));
        assert!(qr_svg(&"x".repeat(5_000)).is_none());
    }
}
