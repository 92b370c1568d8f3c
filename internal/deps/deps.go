// Package deps holds the versions of modules that are not imported yet.
package deps

import (
	_ "github.com/Azure/go-ntlmssp"
	_ "github.com/emersion/go-ical"
	_ "github.com/icholy/digest"
	_ "github.com/teambition/rrule-go"
)
