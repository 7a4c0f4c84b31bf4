//! A POST: into the room's mailbox, answered when the broadcast is done.

use super::Server;
use crate::message::{Draft, Kind, SentAs, Timestamp};
use crate::wire::refusal::Refusal;
use crate::wire::reply::{self, Reply};
use crate::wire::request::{Leave, Publish};

/// Publishes, and says so once every waiting subscriber has been handed the message.
pub fn publish(server: &Server, publish: &Publish) -> Result<Reply, Refusal> {
    let room = server.rooms.whereis(&publish.room)?;
    let published = room.publish(Draft {
        kind: Kind::Message,
        name: publish.name.clone(),
        text: publish.text.as_str().into(),
        sent_as: publish.send_id.clone().map(SentAs::now),
        at: Timestamp::now(),
    })?;
    Ok(reply::published(publish, published))
}

/// Ends somebody's presence, and says so once that is stored and told; or has it end after a while.
pub fn leave(server: &Server, leave: Leave) -> Result<Reply, Refusal> {
    server.rooms.whereis(&leave.room)?.leave(leave.name, leave.wait)?;
    Ok(reply::left())
}
