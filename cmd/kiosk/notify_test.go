package main

import (
	"context"
	"testing"
	"time"

	"roomkiosk/internal/config"
)

// The watchdog is fed only while the keeper of every room takes up what it is told.
func TestAnswers(t *testing.T) {
	r := newRig(t)
	cfg, err := config.Load(r.config)
	if err != nil {
		t.Fatal(err)
	}
	k, err := build(t.Context(), cfg, surroundings{clock: wallClock{}, rate: 1, log: newLog(&output{})})
	defer k.close()
	if err != nil {
		t.Fatal(err)
	}
	answers := func() error {
		limited, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		return k.answers(limited)
	}
	if answers() == nil {
		t.Error("a keeper that doesn't run answers")
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- k.keepers[0].Run(ctx) }()
	eventually(t, "an answer", func() bool { return answers() == nil })
	stop()
	<-done //nolint:errcheck // it was stopped
	if answers() == nil {
		t.Error("a keeper that has stopped answers")
	}
}
