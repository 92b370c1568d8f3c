-- +goose Up

-- The last schedule that was read for each room.
CREATE TABLE schedules (
    room  TEXT    NOT NULL PRIMARY KEY,
    hash  BLOB    NOT NULL CHECK (length(hash) = 32), -- SHA-256 of body
    as_of INTEGER NOT NULL,
    body  TEXT    NOT NULL -- JSON, without as_of
) STRICT;

-- What Zoom says about each room. NULL: it says nothing.
CREATE TABLE profiles (
    room               TEXT    NOT NULL PRIMARY KEY,
    required           INTEGER CHECK (required IN (0, 1)),
    opens_before       INTEGER,
    closes_after       INTEGER,
    under_construction INTEGER NOT NULL CHECK (under_construction IN (0, 1))
) STRICT;
