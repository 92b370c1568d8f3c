package sim

import (
	"net/url"
	"slices"
	"strconv"
	"time"
)

// parameters reads a query strictly. The first refusal is kept in err.
type parameters struct {
	url.Values
	err error
}

func (p *parameters) refuse(err googleError) {
	if p.err == nil {
		p.err = err
	}
}

// allow refuses names that the operation doesn't know, and repetitions of what can't be repeated.
func (p *parameters) allow(names []string) {
	repeatable := []string{"eventTypes", "privateExtendedProperty", "sharedExtendedProperty"}
	for name, values := range p.Values {
		if !slices.Contains(names, name) && !slices.Contains(commonParameters, name) {
			p.refuse(badParameter(name, "Unknown name \""+name+"\": Cannot bind query parameter."))
		}
		if len(values) > 1 && !slices.Contains(repeatable, name) {
			p.refuse(badParameter(name, "Parameter "+name+" may be given only once."))
		}
	}
	if alt := p.Get("alt"); alt != "" && alt != "json" {
		p.refuse(badParameter("alt", "Invalid value: "+alt))
	}
}

// instant reads an RFC 3339 time, which must have an offset. Fractions of a second are ignored.
func (p *parameters) instant(name string) time.Time {
	if !p.Has(name) {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339Nano, p.Get(name))
	if err != nil {
		p.refuse(googleError{400, "global", "badRequest", "Bad Request", name})
		return time.Time{}
	}
	return at.Truncate(time.Second)
}

func (p *parameters) flag(name string) bool {
	if !p.Has(name) {
		return false
	}
	on, err := strconv.ParseBool(p.Get(name))
	if err != nil || len(p.Get(name)) < 4 { // strconv knows 1 and t, too
		p.refuse(badParameter(name, "Invalid boolean value: '"+p.Get(name)+"'."))
	}
	return on
}

// number reads an integer of at least 1.
func (p *parameters) number(name string, fallback int) int {
	if !p.Has(name) {
		return fallback
	}
	n, err := strconv.Atoi(p.Get(name))
	if err != nil || n < 1 {
		p.refuse(badParameter(name, "Invalid value '"+p.Get(name)+"'. Values must be within the range: [1, 2147483647]"))
	}
	return n
}

// zone reads timeZone, an IANA name; without it the calendar's zone is meant.
func (p *parameters) zone(fallback *time.Location) *time.Location {
	name := p.Get("timeZone")
	if name == "" {
		return fallback
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		p.refuse(googleError{400, "global", "invalid", "Invalid value for: Invalid time zone: " + name, "timeZone"})
		return fallback
	}
	return zone
}

// mask reads the fields parameter.
func (p *parameters) mask(schema *fieldMask) *fieldMask {
	if !p.Has("fields") {
		return nil
	}
	mask, err := parseFields(p.Get("fields"), schema)
	if err != nil {
		p.refuse(badParameter("fields", err.Error()))
	}
	return mask
}
