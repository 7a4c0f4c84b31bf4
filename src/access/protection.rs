//! What browsers are told about every reply, so that no other page can use it against its reader.

use crate::wire::reply::Reply;

/// What holds for every reply that does not say it otherwise. The page brings a policy of its own.
const EVERY: [(&str, &str); 4] = [
    // A stranger wrote the message: no browser may take it for HTML.
    ("X-Content-Type-Options", "nosniff"),
    // No page of another site may load it as an image or a script, and so find out what is in it.
    ("Cross-Origin-Resource-Policy", "same-origin"),
    // A room's name may be a secret: a site that is linked to does not learn it. `no-referrer` would have browsers
    // send the page's own forms as if they came from elsewhere.
    ("Referrer-Policy", "same-origin"),
    // What is not the page loads nothing, and stands in no frame.
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
];

/// Adds it to a reply.
pub fn protect(reply: &mut Reply) {
    for (name, value) in EVERY {
        if !reply.headers.iter().any(|(field, _)| *field == name) {
            reply.headers.push((name, value.into()));
        }
    }
}
