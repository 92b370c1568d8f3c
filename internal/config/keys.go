package config

import (
	"fmt"
	"slices"
	"strings"
)

// tableKeys is every table of the contract with its keys (design, section 5).
func tableKeys() map[string][]string {
	all := map[string][]string{
		"":     {"listen", "data_dir", "time_zone", "language", "clock", "hosts", "zoom", "calendar", "room"},
		"zoom": {"account_id", "client_id", "client_secret", "client_secret_file", "api_url", "token_url", "body", "exchange_ids", "events_url", "webhook_secret", "webhook_secret_file"},
		"room": {"id", "name", "zoom_room_id", "calendar", "calendar_id", "capacity", "equipment", "location", "time_zone", "language", "check_in"},

		"room.check_in": {"required", "opens_before", "closes_after"},
	}
	for _, kind := range kinds() {
		for _, key := range calendarKeys(kind) {
			if !slices.Contains(all["calendar"], key) {
				all["calendar"] = append(all["calendar"], key)
			}
		}
	}
	return all
}

// kinds is every kind of calendar.
func kinds() []Kind { return []Kind{Google, Graph, EWS, CalDAV, ICS} }

// calendarKeys is what a [[calendar]] of a kind can say.
func calendarKeys(kind Kind) []string {
	keys := []string{"name", "kind", "poll"}
	switch kind {
	case Google:
		return append(keys, "url", "credentials_file", "delegate")
	case Graph:
		return append(keys, "url", "token_url", "tenant_id", "client_id", "client_secret", "client_secret_file")
	case EWS:
		return append(keys, "url", "user", "password", "password_file", "auth", "impersonate")
	case CalDAV, ICS:
		return append(keys, "user", "password", "password_file")
	}
	return keys
}

// finish reports the keys of the table that nobody asked for.
func (t *table) finish() {
	for _, key := range t.unclaimed() {
		t.fail(key, fmt.Sprintf("unknown key %s", brief(key)), unknownRemedy(t.name, key))
	}
}

// unknownRemedy says what to do about a key that the table doesn't have.
func unknownRemedy(table, key string) string {
	all := tableKeys()
	if near := nearest(key, all[table]); near != "" {
		return fmt.Sprintf("Did you mean %q?", near)
	}
	for _, other := range []string{"", "zoom", "calendar", "room", "room.check_in"} {
		if !slices.Contains(all[other], key) {
			continue
		}
		switch other {
		case "":
			return "Move it to the top of the file, above the first table."
		case "calendar", "room":
			return fmt.Sprintf("It belongs in [[%s]].", other)
		default:
			return fmt.Sprintf("It belongs in [%s].", other)
		}
	}
	return "Remove it. Known here: " + strings.Join(all[table], ", ") + "."
}

// nearest returns the candidate that key is most likely a slip of; empty: none is near.
func nearest(key string, candidates []string) string {
	best, limit := "", 1+len(key)/4
	for _, c := range candidates {
		if d := editDistance(strings.ToLower(strings.ReplaceAll(key, "-", "_")), c, limit); d <= limit {
			best, limit = c, d-1
		}
	}
	return best
}

// editDistance counts the insertions, deletions, replacements and swaps of neighbours that turn a
// into b (optimal string alignment), in bytes. Texts whose lengths differ by more than limit get
// limit+1.
func editDistance(a, b string, limit int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return limit + 1
	}
	before, row := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next := make([]int, len(b)+1)
		next[0] = i
		for j := 1; j <= len(b); j++ {
			replace := row[j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			next[j] = min(row[j]+1, next[j-1]+1, replace)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
