// Package calendar holds what all kinds of calendars share: the limits of a conversation over HTTP,
// and how dates and texts of unknown origin are read. The kinds are its sub-packages; each turns its
// wire format into reservations of package rooms, and none knows another.
package calendar
