package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"syscall"
	"time"
)

const (
	listenAt  = "127.0.0.1:8080"
	baseURL   = "http://" + listenAt
	readyIn   = 3 * time.Minute
	lookEvery = 20 * time.Millisecond
)

// kiosk is one that runs in the guest.
type kiosk struct {
	cmd   *exec.Cmd
	said  *tail
	gone  chan struct{}
	rooms []string
}

// startKiosk starts the kiosk of an office and waits until it has a schedule for every room.
func startKiosk(ctx context.Context, o *office, data string) (*kiosk, error) {
	file, err := o.configuration(listenAt, data)
	if err != nil {
		return nil, err
	}
	k := &kiosk{
		cmd:  exec.CommandContext(ctx, kioskPath, "serve", "--config", file),
		said: &tail{}, gone: make(chan struct{}), rooms: o.rooms,
	}
	k.cmd.Stderr = k.said
	if err := k.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the kiosk: %w", err)
	}
	go func() {
		defer close(k.gone)
		_ = k.cmd.Wait() // that it ended is what matters
	}()
	return k, k.ready(ctx)
}

// stop stops it in an orderly way.
func (k *kiosk) stop() error {
	if err := k.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return k.failed(fmt.Errorf("stopping the kiosk: %w", err))
	}
	<-k.gone
	return nil
}

// ready waits until the kiosk says that it is.
func (k *kiosk) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyIn)
	defer cancel()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for !isReady(ctx) {
		select {
		case <-ctx.Done():
			return k.failed(errors.New("waiting for the kiosk: it is not ready"))
		case <-k.gone:
			return k.failed(errors.New("waiting for the kiosk: it has ended"))
		case <-tick.C:
		}
	}
	return nil
}

// failed adds what the kiosk said last.
func (k *kiosk) failed(err error) error { return fmt.Errorf("%w; it said: %s", err, k.said) }

func isReady(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, baseURL+"/readyz", nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return err == nil && res.StatusCode == http.StatusOK
}
