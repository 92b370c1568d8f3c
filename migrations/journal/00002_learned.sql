-- +goose Up

-- What the kiosk found out about the services that it talks to, and would have to pay for finding
-- out again: such as which form of Exchange ids Zoom wants.
CREATE TABLE learned (
    name  TEXT NOT NULL PRIMARY KEY CHECK (name <> ''),
    value TEXT NOT NULL
) STRICT;
