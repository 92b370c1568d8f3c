-- +goose Up

-- The taps. What a person asked for and when never changes after the insert; from state on a row
-- follows its action.
CREATE TABLE actions (
    seq            INTEGER PRIMARY KEY,
    id             TEXT    NOT NULL UNIQUE CHECK (id <> ''),
    room           TEXT    NOT NULL,
    kind           TEXT    NOT NULL,
    reservation    TEXT    NOT NULL,
    event_id       TEXT    NOT NULL,
    change_key     TEXT    NOT NULL,
    resource_email TEXT    NOT NULL,
    calendar_id    TEXT    NOT NULL,
    starts_at      INTEGER NOT NULL,
    ends_at        INTEGER NOT NULL,
    origin         TEXT    NOT NULL,
    tapped_at      INTEGER NOT NULL,
    state          TEXT    NOT NULL,
    open           INTEGER NOT NULL CHECK (open IN (0, 1)), -- follows from state: still to be brought to Zoom
    reason         TEXT    NOT NULL,
    due_at         INTEGER, -- NULL: nothing is due
    expires_at     INTEGER NOT NULL,
    attempts       INTEGER NOT NULL CHECK (attempts >= 0),
    updated_at     INTEGER NOT NULL
) STRICT;

-- Finds the few rows of a room that matter among years of old ones.
CREATE INDEX actions_of_room
ON actions (room, open, expires_at);
