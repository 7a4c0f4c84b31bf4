//! Parsing a whole request.

use super::get::get;
use super::head::Head;
use super::intent::Intent;
use super::post::post;
use super::route::Place;
use crate::message::Seal;
use crate::wire::refusal::Refusal;

/// Says what a request asks for, or why it can't be had. Of a key only the hash by this seal is left. The body is whole, and within [`TEXT_LIMIT`](crate::config::TEXT_LIMIT).
pub fn parse(head: &Head<'_>, body: &[u8], seal: &Seal) -> Result<Intent, Refusal> {
    let (path, query) = head.path_and_query();
    if head.method == "OPTIONS" && path == "*" {
        return Ok(Intent::Options("GET, HEAD, POST, OPTIONS"));
    }
    let place = Place::parse(path)?;
    match head.method {
        "OPTIONS" => Ok(Intent::Options(place.allow())),
        "GET" | "HEAD" => get(head, place, query, seal),
        "POST" => post(head, place, query, body, seal),
        _ => Err(Refusal::MethodNotAllowed(place.allow())),
    }
}
