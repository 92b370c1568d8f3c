package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// guestCommand makes this program the first process of the virtual machine.
const guestCommand = "guest"

// Where things are in the guest.
const (
	kioskPath = "/bin/kiosk"
	dataDir   = "/data"
	diskPath  = "/dev/vda"
	linePath  = "/dev/ttyS1"
)

func modulePath(n int) string { return fmt.Sprintf("/modules/%02d.ko", n) }

// What the guest tells on its serial line begins with one of these words.
const (
	toldHeld         = "held"         // ID KIND STATE: the journal has this action
	toldUnsound      = "unsound"      // FILE REASON: integrity_check failed
	toldChecked      = "checked"      // that was all that the disk holds
	toldAcknowledged = "acknowledged" // ID KIND STATE: the kiosk answered 202
	toldDone         = "done"         // what there was to do, if it has an end
	toldFault        = "fault"        // SENTENCE: this can't go on
)

// What the guest is to do, once it has looked at its disk.
const (
	toInstall = "install" // let the kiosk run and stop in an orderly way, so that its databases are there
	toTap     = "tap"     // until the power is cut
	toLook    = "look"    // nothing
)

// orders are what the guest is started with.
type orders struct {
	do     string
	folder string    // the kiosk's data folder on the disk
	since  time.Time // actions that were tapped before need not be told
}

// String is one word for each field.
func (o orders) String() string { return fmt.Sprintf("%s %s %d", o.do, o.folder, o.since.UnixMicro()) }

func ordersOf(words []string) (orders, error) {
	if len(words) != 3 {
		return orders{}, fmt.Errorf("reading the orders: %q are not three", words)
	}
	since, err := strconv.ParseInt(words[2], 10, 64)
	if err != nil {
		return orders{}, fmt.Errorf("reading the orders: %w", err)
	}
	return orders{do: words[0], folder: words[1], since: time.UnixMicro(since)}, nil
}

// line is the guest's way to tell. It is safe for concurrent use.
type line struct {
	mu sync.Mutex
	w  io.Writer
}

// tell writes one line, and returns when the kernel has it.
func (l *line) tell(words ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprint(l.w, strings.ReplaceAll(strings.TrimSpace(fmt.Sprintln(words...)), "\n", " | ")+"\n")
}

// beGuest is the life of the guest. It ends with its power.
func beGuest(words []string) {
	told, err := openLine()
	if err == nil {
		err = live(context.Background(), told, words)
	}
	if told != nil && err != nil {
		told.tell(toldFault, err)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "powercut:", err) // the console
	}
	linger()
}

func openLine() (*line, error) {
	if err := mountDevices(); err != nil {
		return nil, err
	}
	w, err := os.OpenFile(linePath, os.O_WRONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("opening the line to the host: %w", err)
	}
	return &line{w: w}, nil
}

// live looks at the disk as the cut left it, then carries out its orders.
func live(ctx context.Context, told *line, words []string) error {
	o, err := ordersOf(words)
	if err != nil {
		return err
	}
	if err := attach(); err != nil {
		return err
	}
	if err := look(ctx, told, dataDir, o.since); err != nil {
		return err
	}
	told.tell(toldChecked)
	switch o.do {
	case toInstall:
		err = install(ctx, o.folder)
	case toTap:
		return tapIn(ctx, told, o.folder)
	}
	if err == nil {
		told.tell(toldDone)
	}
	return err
}

// install lets the kiosk make its databases and stop. They are on the disk then.
func install(ctx context.Context, folder string) error {
	k, err := openKiosk(ctx, folder)
	if err != nil {
		return err
	}
	k.Stop()
	syscall.Sync()
	return nil
}

func tapIn(ctx context.Context, told *line, folder string) error {
	k, err := openKiosk(ctx, folder)
	if err != nil {
		return err
	}
	return k.tapAll(ctx, told)
}

func openKiosk(ctx context.Context, folder string) (*kiosk, error) {
	o, err := openOffice(ctx)
	if err != nil {
		return nil, err
	}
	return startKiosk(ctx, o, filepath.Join(dataDir, folder))
}
