package sim

import (
	"strings"
	"time"
)

// preferences are what Prefer headers ask for (learn.microsoft.com/graph/outlook-immutable-id, and
// event-get for the time zone).
type preferences struct {
	zone      *time.Location // of the times in the answer
	zoneName  string         // as it was asked for
	immutable bool           // another kind of ids, of which Zoom knows nothing
}

// readPreferences reads every preference of every header. Unknown ones are passed over, as is usual.
func readPreferences(headers []string) (preferences, error) {
	p := preferences{zone: time.UTC, zoneName: "UTC"}
	for _, header := range headers {
		for item := range strings.SplitSeq(header, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(item), "=")
			value = strings.Trim(value, `"`)
			switch strings.ToLower(name) {
			case "outlook.timezone":
				zone, ok := graphZone(value)
				if !ok {
					return p, graphError{400, "TimeZoneNotSupportedException",
						"A valid TimeZone value must be specified. The following TimeZone value is not supported: '" + value + "'."}
				}
				p.zone, p.zoneName = zone, value
			case "idtype":
				p.immutable = value == "ImmutableId"
			}
		}
	}
	return p, nil
}

// graphZone knows IANA names and a few of Windows'.
func graphZone(name string) (*time.Location, bool) {
	switch name {
	case "", "Local":
		return nil, false
	case "W. Europe Standard Time":
		name = "Europe/Berlin"
	case "New Zealand Standard Time":
		name = "Pacific/Auckland"
	case "Eastern Standard Time":
		name = "America/New_York"
	}
	zone, err := time.LoadLocation(name)
	return zone, err == nil
}
