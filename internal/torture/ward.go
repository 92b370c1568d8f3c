package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"roomkiosk/internal/harness"
)

// nobody is the user that kiosks run as here when this process is root: for root there is no file
// that it has no right to.
const nobody = 65534

// ward is where one case is treated.
type ward struct {
	*hospital
	injury
	place  place
	disk   *disk
	dice   *rand.Rand
	kiosk  *harness.Process
	api    *api
	kept   map[string]bool // ids of taps that have to be there from now on
	broken []string
	notes  []string
}

// bed prepares a data folder for a case.
func (h *hospital) bed(ctx context.Context, n int, i injury) (*ward, error) {
	c := &ward{hospital: h, injury: i, dice: h.roll(uint64(1000 + n)), kept: map[string]bool{}}
	dir := filepath.Join(h.dir, fmt.Sprintf("damage-%d", n))
	var err error
	if c.place, err = h.office.furnish(dir); err != nil {
		return c, err
	}
	c.api = newAPI(c.place.base)
	switch i.disk {
	case "tmpfs":
		c.disk, err = mountTmpfs(ctx, c.place.data)
	case "ext4":
		c.disk, err = mountExt4(ctx, c.place.data, filepath.Join(dir, "image"))
	}
	if err != nil {
		return c, err
	}
	if !i.fresh {
		if err := copyFolder(c.before(), c.place.data); err != nil {
			c.leave()
			return c, err
		}
	}
	return c, c.handOver(dir)
}

// before is the data folder that the case begins with.
func (c *ward) before() string {
	if c.injury.killed {
		return c.hospital.killed
	}
	return c.old
}

// handOver gives a folder to the kiosk's user.
func (c *ward) handOver(dir string) error {
	if os.Getuid() != 0 {
		return nil
	}
	return filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chown(path, nobody, nobody)
	})
}

func (c *ward) leave() {
	if c.kiosk != nil {
		c.kiosk.Kill()
	}
	if c.disk != nil {
		c.disk.unmount()
	}
}

func (c *ward) fail(format string, args ...any) {
	c.broken = append(c.broken, fmt.Sprintf(format, args...))
}

func (c *ward) note(format string, args ...any) {
	c.notes = append(c.notes, fmt.Sprintf(format, args...))
}

// treatment carries the case out. An error means that it couldn't be; what doesn't hold is in broken.
func (c *ward) treatment(ctx context.Context) error {
	if c.running {
		if err := c.startHealthy(ctx); err != nil {
			return err
		}
	}
	if err := c.hurt(ctx, c.dice, c); err != nil {
		return err
	}
	c.kept = c.readable(ctx)
	if c.running {
		if err := harness.Wait(ctx, damageSettle); err != nil {
			return err
		}
		c.look(ctx)
	} else if err := c.start(ctx); err != nil {
		return err
	}
	if len(c.broken) > 0 {
		return nil // without a panel nothing else can be expected
	}
	c.tapUntilTaken(ctx, c.spare[0], c.mayRefuse)
	c.hear()
	c.schedule(ctx)
	c.count(ctx, "then")
	if !c.late {
		if err := c.cure(ctx); err != nil {
			return err
		}
	}
	if c.kiosk.Ended() {
		c.fail("the kiosk ended: %s", c.kiosk.Said)
	}
	c.kiosk.Kill()
	if c.hidden {
		there := c.readable(ctx)
		maps.DeleteFunc(c.kept, func(id string, _ bool) bool { return !there[id] })
	}
	if err := c.start(ctx); err != nil || len(c.broken) > 0 {
		return err
	}
	if c.late {
		if err := c.cure(ctx); err != nil {
			return err
		}
	}
	c.schedule(ctx)
	c.count(ctx, "after another start")
	return nil
}

// cure undoes the damage, where that is possible: everything has to be well again then.
func (c *ward) cure(ctx context.Context) error {
	if c.heal == nil {
		return nil
	}
	if err := c.heal(ctx, c); err != nil {
		return err
	}
	maps.Copy(c.kept, c.readable(ctx))
	c.tapUntilTaken(ctx, c.spare[1], false)
	c.count(ctx, "healed")
	return nil
}

func (c *ward) startHealthy(ctx context.Context) error {
	if err := c.start(ctx); err != nil {
		return err
	}
	if len(c.broken) > 0 {
		return errors.New("it didn't start unhurt")
	}
	return c.kiosk.Answers(ctx, c.place.base+"/readyz", harness.LookEvery)
}

// start starts the kiosk, and looks for its page.
func (c *ward) start(ctx context.Context) error {
	o := harness.Options{}
	if os.Getuid() == 0 {
		o.Attr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	var err error
	c.kiosk, err = harness.Launch(ctx, o, c.torture.kiosk, "serve", "--config", c.place.file)
	if err != nil {
		return err
	}
	c.look(ctx)
	return nil
}

// look expects the panel's page in time.
func (c *ward) look(ctx context.Context) {
	began := time.Now()
	err := until(ctx, pageWithin, lookGap, func() error { return c.panel(ctx) })
	if err != nil {
		c.fail("no panel within %s: %v", pageWithin, err)
		return
	}
	c.note("page %s", ms(time.Since(began)))
}

// panel reads the panel's page, which has to be the room's and not an explanation.
func (c *ward) panel(ctx context.Context) error {
	d := c.office.doors[0]
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.place.base+"/rooms/"+d.id+"/panel", nil)
	if err != nil {
		return err
	}
	res, err := c.api.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	page, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK || !strings.Contains(string(page), "Room "+d.id) {
		return fmt.Errorf("the page is no panel: %s", res.Status)
	}
	return nil
}

// readable are the taps that can be read off the journal as it is, as they were tapped: those have to
// be carried over.
func (c *ward) readable(ctx context.Context) map[string]bool {
	whole := map[string]bool{}
	if c.fresh {
		return whole
	}
	old := c.rowsIn(ctx, c.before())
	for id, now := range c.rowsIn(ctx, c.from()) {
		if then, ok := old[id]; ok && now == then || !ok && c.kept[id] {
			whole[id] = true
		}
	}
	return whole
}

// from is the folder whose journal the kiosk has to be able to read.
func (c *ward) from() string {
	if c.journal {
		return c.place.data
	}
	return c.before()
}

// rowsIn are the rows of a journal, by id. It is copied first; one that can't be has none.
func (c *ward) rowsIn(ctx context.Context, dir string) map[string]string {
	path := filepath.Join(dir, "journal.db")
	for _, file := range []string{path, path + "-wal"} {
		info, err := os.Stat(file)
		if err == nil && (!info.Mode().IsRegular() || info.Mode().Perm() == 0) {
			return nil
		}
	}
	copied := filepath.Join(c.dir, "readable.db")
	for _, suffix := range []string{"", "-wal", "-shm"} {
		_ = os.Remove(copied + suffix) // of the case before
	}
	if err := copyDatabase(path, copied); err != nil {
		return nil
	}
	return readable(ctx, copied, oldTaps+spareTaps)
}

// tapUntilTaken taps until the tap is taken. Refusals have to say why, in a sentence; where nothing
// can be written, that is enough.
func (c *ward) tapUntilTaken(ctx context.Context, reservation string, mayRefuse bool) {
	d := c.office.doors[0]
	refused := 0
	err := until(ctx, tapWithin, tapGap, func() error {
		status, action, why := c.api.press(ctx, d.id, doCheckIn, reservation)
		switch {
		case status == http.StatusAccepted:
			c.kept[action] = true
			return nil
		case status == http.StatusServiceUnavailable && why.Title != "" && why.Detail != "":
			refused++
			if mayRefuse {
				return nil
			}
		case status != http.StatusNotFound && status != 0: // the schedule may not be back yet
			c.fail("a tap is answered %d: %s %s", status, why.Title, why.Detail)
			return nil
		}
		return fmt.Errorf("answered %d: %s", status, why.Title)
	})
	switch {
	case err != nil:
		c.fail("no tap taken within %s: %v", tapWithin, err)
	case refused > 0:
		c.note("tap refused %d times", refused)
	}
}

// hear expects a word for IT.
func (c *ward) hear() {
	if c.told && len(c.complaints()) == 0 {
		c.fail("IT isn't told: %s", c.kiosk.Said)
	}
}

// complaints are the last lines of the kiosk's log that are for IT.
func (c *ward) complaints() []string {
	const most = 6
	var lines []string
	if c.kiosk == nil {
		return nil
	}
	for line := range strings.Lines(c.kiosk.Said.String()) {
		if strings.Contains(line, "level=WARN") || strings.Contains(line, "level=ERROR") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines[max(0, len(lines)-most):]
}

// schedule expects one that is read anew.
func (c *ward) schedule(ctx context.Context) {
	began := time.Now()
	err := until(ctx, backWithin, harness.LookEvery, func() error {
		room, err := c.api.room(ctx, c.office.doors[0].id)
		switch {
		case err != nil:
			return err
		case room.Schedule.Error != "":
			return errors.New(room.Schedule.Error)
		case room.Schedule.AsOf.Before(began) || len(room.Reservations) < oldTaps:
			return fmt.Errorf("%d reservations as of %s", len(room.Reservations), room.Schedule.AsOf)
		}
		return nil
	})
	if err != nil {
		c.fail("the schedule isn't back within %s: %v", backWithin, err)
	}
}

// count expects the taps that have to be there, soon at least.
func (c *ward) count(ctx context.Context, then string) {
	there := map[string]bool{}
	err := until(ctx, backWithin, harness.LookEvery, func() error {
		room, err := c.api.room(ctx, c.office.doors[0].id)
		if err != nil {
			return err
		}
		for _, a := range room.Actions {
			there[a.ID] = true
		}
		lost := 0
		for id := range c.kept {
			if !there[id] {
				lost++
			}
		}
		if lost > 0 {
			return fmt.Errorf("%d of %d taps that can be read or were acknowledged are lost", lost, len(c.kept))
		}
		return nil
	})
	c.note("%s %d taps, %d expected", then, len(there), len(c.kept))
	if err != nil {
		c.fail("%s: %v", then, err)
	}
}
