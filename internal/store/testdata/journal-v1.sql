PRAGMA journal_mode = WAL;
CREATE TABLE goose_db_version (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		version_id INTEGER NOT NULL,
		is_applied INTEGER NOT NULL,
		tstamp TIMESTAMP DEFAULT (datetime('now'))
	);
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
CREATE INDEX actions_of_room
ON actions (room, open, expires_at);
INSERT INTO goose_db_version VALUES (1, 0, 1, '2026-11-22 21:12:53');
INSERT INTO goose_db_version VALUES (2, 1, 1, '2026-11-22 21:12:53');
INSERT INTO actions VALUES (1, 'old-0', 'ada', 'check_in', 'r-old-0', 'e', 'k', 'ada@example.com', 'c', 1795424400123456, 1795428000123456, 'panel', 1795424400123456, 'held', 1, '', 1795424400123456, 1795428000123456, 0, 1795424400123456);
INSERT INTO actions VALUES (2, 'old-1', 'ada', 'check_in', 'r-old-1', 'e', 'k', 'ada@example.com', 'c', 1795424400123456, 1795428000123456, 'panel', 1795424400123456, 'queued', 1, '', 1795424400123456, 1795428000123456, 1, 1795424460123456);
INSERT INTO actions VALUES (3, 'old-2', 'ada', 'check_in', 'r-old-2', 'e', 'k', 'ada@example.com', 'c', 1795424400123456, 1795428000123456, 'panel', 1795424400123456, 'sent', 1, '', 1795424400123456, 1795428000123456, 2, 1795424520123456);
INSERT INTO actions VALUES (4, 'old-3', 'ada', 'check_in', 'r-old-3', 'e', 'k', 'ada@example.com', 'c', 1795424400123456, 1795428000123456, 'panel', 1795424400123456, 'accepted', 0, '', NULL, 1795428000123456, 3, 1795424580123456);
INSERT INTO actions VALUES (5, 'old-4', 'ada', 'check_in', 'r-old-4', 'e', 'k', 'ada@example.com', 'c', 1795424400123456, 1795428000123456, 'panel', 1795424400123456, 'confirmed', 0, '', NULL, 1795428000123456, 4, 1795424640123456);
INSERT INTO actions VALUES (6, 'old-5', 'ada', 'release', 'it''s "quoted"', 'e', 'k', 'ada@example.com', 'c', 1795424400123456, 1795428000123456, 'panel', 1795424400123456, 'failed', 0, 'gone', NULL, 1795428000123456, 5, 1795424700123456);
INSERT INTO actions VALUES (7, 'old-6', 'ada', 'check_in', 'r-old-6', 'e', 'k', 'ada@example.com', 'c', 1795424400123456, 1795428000123456, 'panel', 1795424400123456, 'expired', 0, '', NULL, 1795428000123456, 6, 1795424760123456);
INSERT INTO actions VALUES (8, 'old-7', 'ada', 'check_in', 'r-old-7', 'e', 'k', 'ada@example.com', 'c', 1795424400123456, 1795428000123456, 'panel', 1795424400123456, 'undone', 0, '', NULL, 1795428000123456, 7, 1795424820123456);
INSERT INTO actions VALUES (9, 'old-8', 'ada', 'check_in', 'r-old-8', 'e', 'k', 'ada@example.com', 'c', 1795424400123456, 1795428000123456, 'panel', 1795424400123456, 'superseded', 0, '', NULL, 1795428000123456, 8, 1795424880123456);
