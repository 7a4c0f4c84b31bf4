//! A POST: into the room's mailbox, answered when the broadcast is done.

use std::sync::Arc;

use super::room::Rooms;
use crate::wire::refusal::Refusal;
use crate::wire::reply::{self, Reply};
use crate::wire::request::{Leave, Publish};

/// Publishes, and says so once every waiting subscriber has been handed the message.
pub async fn publish(rooms: &Arc<Rooms>, publish: Publish) -> Result<Reply, Refusal> {
    let room = rooms.whereis(&publish.room)?;
    let published = room.publish(publish.draft()).await?;
    Ok(reply::published(&publish, published))
}

/// Ends somebody's presence, and says so once that is stored and told; or has it end after a while.
/// The other instances hear of it.
pub async fn leave(rooms: &Arc<Rooms>, leave: Leave) -> Result<Reply, Refusal> {
    let room = rooms.whereis(&leave.room)?;
    room.leave(leave.who.clone(), leave.wait).await?;
    rooms.store.tell_leaves(&leave.room, &leave.who, leave.wait);
    Ok(reply::left())
}
