// Package ical turns iCalendar text (RFC 5545) into the occurrences that touch a window: series
// expanded, exceptions in their place, times as instants. The caldav and ics kinds share it.
//
// Texts come from many hands. One event that can't be read costs that event alone; only a text that
// isn't iCalendar, or was cut off, is an error, because it must not pass for an empty calendar.
package ical
