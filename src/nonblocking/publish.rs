//! A POST: into the room's mailbox, answered when the broadcast is done.

use super::Server;
use crate::message::{Draft, Kind, PersonName, RoomName, Timestamp};
use crate::wire::refusal::Refusal;
use crate::wire::reply::{self, Reply};
use crate::wire::request::Publish;

/// Publishes, and says so once every waiting subscriber has been handed the message.
pub async fn publish(server: &Server, publish: &Publish) -> Result<Reply, Refusal> {
    let room = server.rooms.whereis(&publish.room)?;
    let published = room
        .publish(Draft {
            kind: Kind::Message,
            name: publish.name.clone(),
            text: publish.text.as_str().into(),
            send_id: publish.send_id.clone(),
            at: Timestamp::now(),
        })
        .await?;
    Ok(reply::published(publish, published))
}

/// Ends somebody's presence, and says so once that is stored and told.
pub async fn leave(server: &Server, room: &RoomName, name: PersonName) -> Result<Reply, Refusal> {
    server.rooms.whereis(room)?.leave(name).await?;
    Ok(reply::left())
}
