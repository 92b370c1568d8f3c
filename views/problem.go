package views

import "roomkiosk/static"

// Problem is a page about something that went wrong, for people.
type Problem struct {
	Page      Page
	Title     string // a sentence: what happened
	Detail    string // what to do
	Reference string // finds it in the log; may be empty
}

// NewProblem makes an error page's view model.
func NewProblem(title, detail, reference, build string, a *static.Assets) Problem {
	return Problem{
		Page:  newPage(title, ViewPlain, "", build, a),
		Title: title, Detail: detail, Reference: reference,
	}
}

// SetupFault is a mistake in the configuration.
type SetupFault struct {
	Line   int    // 0: none in particular
	Reason string // what is wrong
	Remedy string // what to do
}

// Setup is the page that stands in for all others while the configuration is broken.
type Setup struct {
	Page   Page
	File   string // where the configuration is
	Faults []SetupFault
}

// NewSetup makes its view model. The page looks again by itself.
func NewSetup(file string, faults []SetupFault, build string, a *static.Assets) Setup {
	p := newPage(say("setup.title"), ViewPlain, "", build, a)
	p.Refresh = "30"
	return Setup{Page: p, File: file, Faults: faults}
}
