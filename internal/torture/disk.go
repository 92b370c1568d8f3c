package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// disk is a small filesystem on which a kiosk's data folder is.
type disk struct {
	at    string
	image string // of an ext4 filesystem; empty: it is a tmpfs
}

// errNoDisk: what a trial needs isn't possible here.
var errNoDisk = errors.New("not possible here")

// mountTmpfs mounts a small filesystem in memory. The error is errNoDisk where that isn't allowed.
func mountTmpfs(ctx context.Context, at string) (*disk, error) {
	if err := command(ctx, "mount", "-t", "tmpfs", "-o", "size=4m", "torture", at); err != nil {
		return nil, fmt.Errorf("%w: mounting a tmpfs: %w", errNoDisk, err)
	}
	return &disk{at: at}, nil
}

// mountExt4 mounts a small filesystem in a file, as SD cards have it: after an error it is read-only.
func mountExt4(ctx context.Context, at, image string) (*disk, error) {
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		return nil, err
	}
	if err := os.Truncate(image, 16<<20); err != nil {
		return nil, err
	}
	if err := command(ctx, "mkfs.ext4", "-q", "-F", image); err != nil {
		return nil, fmt.Errorf("%w: making a filesystem: %w", errNoDisk, err)
	}
	if err := command(ctx, "mount", "-o", "loop,errors=remount-ro", image, at); err != nil {
		return nil, fmt.Errorf("%w: mounting a file: %w", errNoDisk, err)
	}
	return &disk{at: at, image: image}, nil
}

// unmount has to come after everything that uses the disk has ended.
func (d *disk) unmount() { _ = command(context.Background(), "umount", d.at) }

// readOnly makes it read-only; nobody may have a file of it open for writing.
func (d *disk) readOnly(ctx context.Context) error {
	if err := command(ctx, "mount", "-o", "remount,ro", d.at); err != nil {
		return fmt.Errorf("%w: %w", errNoDisk, err)
	}
	return nil
}

// fail makes it read-only under those who use it, as the kernel does when a card breaks.
func (d *disk) fail(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, "findmnt", "-n", "-o", "SOURCE", d.at).Output()
	if err != nil {
		return fmt.Errorf("%w: finding the device: %w", errNoDisk, err)
	}
	device := filepath.Base(strings.TrimSpace(string(out)))
	if !strings.HasPrefix(device, "loop") {
		return fmt.Errorf("%w: %s isn't a loop device", errNoDisk, device)
	}
	if err := os.WriteFile("/sys/fs/ext4/"+device+"/trigger_fs_error", []byte("torture"), 0); err != nil {
		return fmt.Errorf("%w: breaking the filesystem: %w", errNoDisk, err)
	}
	return nil
}

const filler = "filler"

// fill leaves no byte free.
func (d *disk) fill() error {
	f, err := os.OpenFile(filepath.Join(d.at, filler), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	for b := make([]byte, 64<<10); ; {
		n, err := f.Write(b)
		if errors.Is(err, syscall.ENOSPC) && n == 0 && len(b) == 1 {
			return nil
		}
		if errors.Is(err, syscall.ENOSPC) {
			b = b[:max(1, len(b)/2)]
			continue
		}
		if err != nil {
			return err
		}
	}
}

// free gives back what fill took.
func (d *disk) free() error {
	err := os.Remove(filepath.Join(d.at, filler))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func command(ctx context.Context, name string, args ...string) error {
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(string(out)))
	}
	return nil
}
