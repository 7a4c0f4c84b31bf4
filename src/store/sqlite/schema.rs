//! All the SQL: the tables, version by version, and each statement by its name.

/// Marks the file as ours (`cmch`), so that another program's database is not written to.
pub(super) const APPLICATION_ID: i32 = 0x636d_6368;

/// Step `n` brings a file from schema version `n` (`PRAGMA user_version`) to `n + 1`.
/// A released step is never changed. A new one is added after it.
pub(super) const MIGRATIONS: [&str; 7] = [
    "
    PRAGMA application_id = 0x636d6368;

    -- One row. Counting `undone` is a write of its own, see UNDO.
    CREATE TABLE store (
        epoch INTEGER NOT NULL,
        undone INTEGER NOT NULL DEFAULT 0
    ) STRICT;

    -- Kept for ever, so that a sequence is never given twice.
    CREATE TABLE rooms (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        oldest INTEGER NOT NULL, -- the first sequence that is still shown; latest + 1 if none is
        latest INTEGER NOT NULL, -- the last sequence that was given
        at INTEGER NOT NULL      -- when that was, in milliseconds since 1970 UTC
    ) STRICT;

    -- Of each room an unbroken run of sequences, up to its latest.
    CREATE TABLE messages (
        room INTEGER NOT NULL,
        sequence INTEGER NOT NULL,
        kind INTEGER NOT NULL,   -- 0 message, 1 joined, 2 left, 3 edited, 4 deleted
        name TEXT,
        text TEXT NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY (room, sequence)
    ) STRICT, WITHOUT ROWID;

    -- What was sent in the last ten minutes under an id of the sender's.
    CREATE TABLE sent (
        room INTEGER NOT NULL,
        send_id TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY (room, send_id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX sent_by_time ON sent (at);

    -- Who has joined and not left since.
    CREATE TABLE present (
        room INTEGER NOT NULL,
        name TEXT NOT NULL,
        since INTEGER NOT NULL,
        PRIMARY KEY (room, name)
    ) STRICT, WITHOUT ROWID;
",
    "
    -- Of the name and text, to know an id that is used for something else; NULL in older rows.
    ALTER TABLE sent ADD COLUMN fingerprint INTEGER;

    -- When a message came by the clock of that moment, by which its age is told; NULL if that is its at.
    ALTER TABLE messages ADD COLUMN came INTEGER;

    -- How many of a room's messages that are shown were said, and where they are.
    ALTER TABLE rooms ADD COLUMN said INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX said ON messages (room, sequence) WHERE kind = 0;
    UPDATE rooms SET said = (
        SELECT count(*) FROM messages WHERE room = id AND kind = 0 AND sequence >= oldest
    );

    CREATE INDEX rooms_by_time ON rooms (at, name);

    -- Every check of the server's health left a message.
    DELETE FROM messages WHERE room IN (SELECT id FROM rooms WHERE name LIKE '~%');
    DELETE FROM rooms WHERE name LIKE '~%';
",
    "
    -- A message's mark, and that of the message before it; 0 if it is not known. `mark_of` is this program's.
    ALTER TABLE messages ADD COLUMN mark INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE messages ADD COLUMN previous INTEGER NOT NULL DEFAULT 0;
    UPDATE messages SET
        mark = mark_of(sequence, kind, name, text, at),
        previous = coalesce((
            SELECT mark_of(earlier.sequence, earlier.kind, earlier.name, earlier.text, earlier.at)
            FROM messages AS earlier
            WHERE earlier.room = messages.room AND earlier.sequence = messages.sequence - 1
        ), 0);

    -- The mark of the last message.
    ALTER TABLE rooms ADD COLUMN mark INTEGER NOT NULL DEFAULT 0;
    UPDATE rooms SET mark = coalesce((
        SELECT messages.mark FROM messages WHERE messages.room = rooms.id AND sequence = latest
    ), 0);

    -- The mark of what was sent.
    ALTER TABLE sent ADD COLUMN mark INTEGER NOT NULL DEFAULT 0;
    UPDATE sent SET mark = coalesce((
        SELECT messages.mark FROM messages
        WHERE messages.room = sent.room AND messages.sequence = sent.sequence
    ), 0);
",
    "
    -- With what keys are hashed, as long as this file lives.
    ALTER TABLE store ADD COLUMN secret BLOB;
    UPDATE store SET secret = randomblob(32);

    -- By which key, as its hash, a name is held and a message was sent; NULL without one.
    ALTER TABLE present ADD COLUMN holder BLOB;
    ALTER TABLE messages ADD COLUMN holder BLOB;
",
    "
    -- The sequence and mark of the message that this one answers, edits or deletes.
    ALTER TABLE messages ADD COLUMN about INTEGER;
    ALTER TABLE messages ADD COLUMN about_mark INTEGER;

    -- When it was edited or deleted, and whether the operator did that.
    ALTER TABLE messages ADD COLUMN edited INTEGER;
    ALTER TABLE messages ADD COLUMN deleted INTEGER;
    ALTER TABLE messages ADD COLUMN operator INTEGER NOT NULL DEFAULT 0;

    -- The edits of each message.
    CREATE INDEX edits ON messages (room, about, sequence) WHERE kind = 3;
",
    "
    -- Of each room the entries that are in force as its rules, kept longer than their like in `messages`.
    CREATE TABLE rules (
        room INTEGER NOT NULL,
        sequence INTEGER NOT NULL,
        kind INTEGER NOT NULL,   -- 5 topic, 6 muted, 7 removed, 9 slowed, 10 locked
        name TEXT,
        text TEXT NOT NULL,
        at INTEGER NOT NULL,
        mark INTEGER NOT NULL,
        previous INTEGER NOT NULL,
        holder BLOB,
        operator INTEGER NOT NULL,
        PRIMARY KEY (room, sequence)
    ) STRICT, WITHOUT ROWID;
",
    "
    -- What is known of the file that came with a message: `png 1234 640x480 a picture.png`, and `gone` before it if the
    -- file is no longer kept.
    ALTER TABLE messages ADD COLUMN file TEXT;

    -- The files, away from the rows that are read with every message. Their lengths are in an index, which is read alone.
    CREATE TABLE files (
        room INTEGER NOT NULL,
        sequence INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        content BLOB NOT NULL
    ) STRICT;
    CREATE INDEX files_by_place ON files (room, sequence, bytes);
",
];

/// The log is written ahead, and is on the disk before a commit returns. `fullfsync` makes a Mac's disk empty
/// its own cache too, and does nothing elsewhere. A log that has grown is cut back to 64 MiB. What is deleted is overwritten.
pub(super) const WRITER_PRAGMAS: &str = "
    PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
    PRAGMA checkpoint_fullfsync = ON;
    PRAGMA journal_size_limit = 67108864;
    PRAGMA secure_delete = ON;
";

/// Answers first whether somebody else was in the way.
pub(super) const EMPTY_LOG: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

pub(super) const ANY_TABLE: &str = "SELECT EXISTS (SELECT 1 FROM sqlite_schema)";

pub(super) const LIFE: &str = "SELECT epoch, secret FROM store";

pub(super) const BEGIN_LIFE: &str = "INSERT INTO store (epoch, secret) VALUES (?1, ?2)";

pub(super) const UNDO: &str = "UPDATE store SET undone = undone + 1";

/// Begins what one letter changes, so that it can be undone alone.
pub(super) const BEGIN_PART: &str = "SAVEPOINT part";

pub(super) const KEEP_PART: &str = "RELEASE part";

pub(super) const UNDO_PART: &str = "ROLLBACK TO part";

/// Changes nothing, but is written to the disk.
pub(super) const CHECK: &str = "UPDATE store SET undone = undone";

pub(super) const ROOM: &str = "SELECT id, oldest, latest, at, said, mark FROM rooms WHERE name = ?1";

pub(super) const NEXT_ROOMS: &str = "
    SELECT id, oldest, latest, at, said, mark FROM rooms WHERE id > ?1 ORDER BY id LIMIT ?2
";

pub(super) const MAKE_ROOM: &str = "INSERT INTO rooms (name, oldest, latest, at) VALUES (?1, 1, 0, 0)";

pub(super) const ADVANCE: &str = "
    UPDATE rooms SET oldest = ?2, latest = ?3, at = ?4, said = ?5, mark = ?6 WHERE id = ?1
";

/// Some rooms by name, after this one.
pub(super) const ROOMS: &str = "
    SELECT name, latest, at, (SELECT count(*) FROM present WHERE room = id) AS people, mark FROM rooms
    WHERE name > ?1 AND (oldest <= latest OR EXISTS (SELECT 1 FROM present WHERE room = id))
    ORDER BY name LIMIT ?2
";

/// Some rooms by time, after this time and name.
pub(super) const RECENT_ROOMS: &str = "
    SELECT name, latest, at, (SELECT count(*) FROM present WHERE room = id) AS people, mark FROM rooms
    WHERE (at, name) < (?1, ?2) AND (oldest <= latest OR EXISTS (SELECT 1 FROM present WHERE room = id))
    ORDER BY at DESC, name DESC LIMIT ?3
";

pub(super) const TIME_OF_ROOM: &str = "SELECT at FROM rooms WHERE name = ?1";

pub(super) const PEOPLED: &str = "
    SELECT name FROM rooms WHERE id IN (SELECT room FROM present) ORDER BY name LIMIT ?1
";

pub(super) const STORE_MESSAGE: &str = "
    INSERT INTO messages (room, sequence, kind, name, text, at, came, mark, previous, holder, about, about_mark, operator, file)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, nullif(?7, ?6), ?8, ?9, ?10, ?11, ?12, ?13, ?14)
";

/// What must be known of a message to change it.
pub(super) const TO_CHANGE: &str = "
    SELECT mark, name, holder FROM messages WHERE room = ?1 AND sequence = ?2 AND kind = 0 AND deleted IS NULL
";

pub(super) const EDIT: &str = "
    UPDATE messages SET text = ?3, edited = ?4, operator = ?5 WHERE room = ?1 AND sequence = ?2
";

pub(super) const DELETE: &str = "
    UPDATE messages SET text = ?3, deleted = ?4, operator = ?5, file = NULL WHERE room = ?1 AND sequence = ?2
";

/// Empties the newest edit of a message before another entry.
pub(super) const OVERTAKE: &str = "
    UPDATE messages SET text = '' WHERE room = ?1 AND sequence = (
        SELECT max(sequence) FROM messages INDEXED BY edits
        WHERE kind = 3 AND room = ?1 AND about = ?2 AND sequence < ?3
    )
";

/// The messages of a room from one sequence on (inclusive), oldest first.
pub(super) const MESSAGES_FROM: &str = "
    SELECT sequence, kind, name, text, at, mark, previous, holder, about, about_mark, edited, deleted, operator, file
    FROM messages
    WHERE room = ?1 AND sequence >= ?2
    ORDER BY sequence LIMIT ?3
";

/// The messages of a room from one sequence (inclusive) up to another (exclusive), newest first: of these kinds.
pub(super) const MESSAGES_BEFORE: &str = "
    SELECT sequence, kind, name, text, at, mark, previous, holder, about, about_mark, edited, deleted, operator, file
    FROM messages
    WHERE room = ?1 AND sequence >= ?2 AND sequence < ?3 AND (1 << kind) & ?5
    ORDER BY sequence DESC LIMIT ?4
";

/// Goes back over so many said messages, from one sequence (exclusive) to another (inclusive), and gives the
/// next one. The index is named because SQLite may prefer the primary key, and would then read every join and
/// leave.
pub(super) const SAID_BACK: &str = "
    SELECT sequence FROM messages INDEXED BY said
    WHERE room = ?1 AND kind = 0 AND sequence >= ?2 AND sequence < ?3
    ORDER BY sequence DESC LIMIT 1 OFFSET ?4
";

/// Skips so many said messages from a sequence on, and gives the next one.
pub(super) const SAID_ON: &str = "
    SELECT sequence FROM messages INDEXED BY said
    WHERE room = ?1 AND kind = 0 AND sequence >= ?2
    ORDER BY sequence LIMIT 1 OFFSET ?3
";

/// How many messages were said from one sequence on (inclusive), up to another (exclusive).
pub(super) const SAID_BETWEEN: &str = "
    SELECT count(*) FROM messages INDEXED BY said WHERE room = ?1 AND kind = 0 AND sequence >= ?2 AND sequence < ?3
";

/// The same as `MESSAGES_BEFORE`, of what was said only.
pub(super) const SAID_BEFORE: &str = "
    SELECT sequence, kind, name, text, at, mark, previous, holder, about, about_mark, edited, deleted, operator, file
    FROM messages INDEXED BY said
    WHERE room = ?1 AND kind = 0 AND sequence >= ?2 AND sequence < ?3
    ORDER BY sequence DESC LIMIT ?4
";

/// Goes back over so many messages of some kinds, down to one sequence (inclusive), and gives the next one.
pub(super) const NEWEST_BUT: &str = "
    SELECT sequence, mark FROM messages
    WHERE room = ?1 AND sequence >= ?2 AND (1 << kind) & ?3
    ORDER BY sequence DESC LIMIT 1 OFFSET ?4
";

/// The first message of a room from one sequence on (inclusive), up to another (exclusive), that came
/// between two times.
pub(super) const FIRST_THAT_CAME: &str = "
    SELECT sequence FROM messages
    WHERE room = ?1 AND sequence >= ?2 AND sequence < ?3 AND coalesce(came, at) BETWEEN ?4 AND ?5
    ORDER BY sequence LIMIT 1
";

/// The last message of a room from one sequence on (inclusive), up to another (exclusive), that came
/// before a time.
pub(super) const LAST_THAT_CAME_BEFORE: &str = "
    SELECT sequence FROM messages
    WHERE room = ?1 AND sequence >= ?2 AND sequence < ?3 AND coalesce(came, at) < ?4
    ORDER BY sequence DESC LIMIT 1
";

/// Deletes a room's oldest messages that are before a sequence, at most so many.
pub(super) const DELETE_OLDEST: &str = "
    DELETE FROM messages
    WHERE room = ?1
    AND sequence < min(?2, (SELECT min(sequence) FROM messages WHERE room = ?1) + ?3)
";

pub(super) const STORE_FILE: &str =
    "INSERT INTO files (room, sequence, bytes, content) VALUES (?1, ?2, length(?3), ?3)";

/// Where a file is kept, and how long it is.
pub(super) const FILE: &str =
    "SELECT rowid, bytes FROM files INDEXED BY files_by_place WHERE room = ?1 AND sequence = ?2";

pub(super) const DELETE_FILE: &str = "DELETE FROM files WHERE room = ?1 AND sequence = ?2";

/// Deletes the files of a room whose messages are deleted: those before its oldest, or before this sequence.
pub(super) const DELETE_FILES: &str = "
    DELETE FROM files
    WHERE room = ?1 AND sequence < coalesce((SELECT min(sequence) FROM messages WHERE room = ?1), ?2)
";

/// The files of a room, newest first, by sequence and length.
pub(super) const FILES: &str = "
    SELECT sequence, bytes FROM files INDEXED BY files_by_place WHERE room = ?1 ORDER BY sequence DESC
";

/// Has a message say that its file is no longer kept.
pub(super) const FILE_IS_GONE: &str = "
    UPDATE messages SET file = 'gone ' || file WHERE room = ?1 AND sequence = ?2 AND file IS NOT NULL
";

pub(super) const SENT: &str = "
    SELECT sent.sequence, sent.at, sent.fingerprint, messages.name, messages.text, sent.mark FROM sent
    LEFT JOIN messages ON sent.fingerprint IS NULL
        AND messages.room = sent.room AND messages.sequence = sent.sequence
    WHERE sent.room = ?1 AND sent.send_id = ?2
";

pub(super) const REMEMBER_SENT: &str = "
    INSERT OR REPLACE INTO sent (room, send_id, sequence, at, fingerprint, mark) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
";

pub(super) const FORGET_SENT: &str = "
    DELETE FROM sent WHERE (room, send_id) IN (
        SELECT room, send_id FROM sent WHERE at <= ?1 ORDER BY at LIMIT ?2
    )
";

pub(super) const PRESENT: &str = "SELECT name, since, holder FROM present WHERE room = ?1 ORDER BY name";

/// Changes a row only if the person is present.
pub(super) const HOLD: &str =
    "UPDATE present SET holder = coalesce(?3, holder) WHERE room = ?1 AND name = ?2";

pub(super) const JOIN: &str = "INSERT INTO present (room, name, since, holder) VALUES (?1, ?2, ?3, ?4)";

pub(super) const LEAVE: &str = "DELETE FROM present WHERE room = ?1 AND name = ?2";

/// The same columns as of messages.
pub(super) const RULES: &str = "
    SELECT sequence, kind, name, text, at, mark, previous, holder, NULL, NULL, NULL, NULL, operator, NULL
    FROM rules WHERE room = ?1 ORDER BY sequence
";

pub(super) const FORGET_RULES: &str = "DELETE FROM rules WHERE room = ?1";

pub(super) const ADD_RULE: &str = "
    INSERT INTO rules (room, sequence, kind, name, text, at, mark, previous, holder, operator)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
";

/// What was said last, and by whom: the newest, at most so many.
pub(super) const SAID_LATELY: &str = "
    SELECT holder, name, coalesce(came, at) FROM messages INDEXED BY said
    WHERE room = ?1 AND kind = 0 AND sequence >= ?2 ORDER BY sequence DESC LIMIT ?3
";

/// The key of who is present under a name, or else said something last under it, among so many messages.
pub(super) const WHOSE: &str = "
    SELECT holder FROM (
        SELECT holder, name, 1 AS is_present FROM present WHERE room = ?1 AND name = ?2 AND holder IS NOT NULL
        UNION ALL
        SELECT holder, name, 0 FROM (
            SELECT holder, name FROM messages INDEXED BY said
            WHERE room = ?1 AND kind = 0 AND sequence >= ?3 ORDER BY sequence DESC LIMIT ?4
        )
    ) WHERE name = ?2 LIMIT 1
";
