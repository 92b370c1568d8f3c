-- +goose Up

-- What happened in each room, in detail: see rooms.Happening. Details that are old are added up in
-- counts and deleted.
CREATE TABLE history (
    seq         INTEGER PRIMARY KEY,
    room        TEXT    NOT NULL,
    at          INTEGER NOT NULL,
    day         TEXT    NOT NULL, -- of the room's zone: 2026-11-22
    what        TEXT    NOT NULL,
    cause       TEXT    NOT NULL,
    status      TEXT    NOT NULL,
    reservation TEXT    NOT NULL,
    starts_at   INTEGER, -- NULL: about no reservation
    ends_at     INTEGER,
    spent       INTEGER NOT NULL,
    detail      TEXT    NOT NULL
) STRICT;

CREATE INDEX history_of_room
ON history (room, at);

-- Finds the newest and the oldest.
CREATE INDEX history_by_age
ON history (at);

-- What happened to reservations, by day, of which the details are gone.
CREATE TABLE counts (
    room  TEXT    NOT NULL,
    day   TEXT    NOT NULL,
    what  TEXT    NOT NULL,
    cause TEXT    NOT NULL,
    times INTEGER NOT NULL CHECK (times > 0),
    spent INTEGER NOT NULL,
    PRIMARY KEY (room, day, what, cause)
) STRICT;
