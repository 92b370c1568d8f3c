package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"
	"unsafe"
)

// diskLimit bounds the wait for the disk: the kernel looks for it in the background.
const diskLimit = time.Minute

// mountDevices makes the devices visible. The first process of a machine has to see to that.
func mountDevices() error {
	for _, m := range []struct{ kind, at string }{{"devtmpfs", "/dev"}, {"proc", "/proc"}} {
		if err := syscall.Mount(m.kind, m.at, m.kind, 0, ""); err != nil {
			return fmt.Errorf("mounting %s: %w", m.at, err)
		}
	}
	return nil
}

// attach brings the disk and the loopback network up.
func attach() error {
	if err := loadModules(); err != nil {
		return err
	}
	if err := awaitDisk(); err != nil {
		return err
	}
	if err := syscall.Mount(diskPath, dataDir, "ext4", 0, ""); err != nil {
		return fmt.Errorf("mounting the disk: %w", err)
	}
	return raiseLoopback()
}

func loadModules() error {
	for n := 0; ; n++ {
		module, err := os.ReadFile(modulePath(n))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading module %d: %w", n, err)
		}
		none := []byte{0}
		_, _, failed := syscall.Syscall(syscall.SYS_INIT_MODULE,
			uintptr(unsafe.Pointer(&module[0])), uintptr(len(module)), uintptr(unsafe.Pointer(&none[0])))
		if failed != 0 && failed != syscall.EEXIST {
			return fmt.Errorf("loading module %d: %w", n, failed)
		}
	}
}

func awaitDisk() error {
	ctx, cancel := context.WithTimeout(context.Background(), diskLimit)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := os.Stat(diskPath); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.New("waiting for the disk: there is none")
		case <-tick.C:
		}
	}
}

// raiseLoopback makes 127.0.0.0/8 reachable, as netdevice(7) has it.
func raiseLoopback() error {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM, 0)
	if err != nil {
		return fmt.Errorf("raising loopback: %w", err)
	}
	defer func() { _ = syscall.Close(fd) }()
	request := struct {
		name  [syscall.IFNAMSIZ]byte
		flags uint16
		_     [22]byte
	}{name: [syscall.IFNAMSIZ]byte{'l', 'o'}, flags: syscall.IFF_UP}
	if _, _, failed := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), syscall.SIOCSIFFLAGS, uintptr(unsafe.Pointer(&request))); failed != 0 {
		return fmt.Errorf("raising loopback: %w", failed)
	}
	return nil
}

// linger waits for the power to be cut. The first process of a machine must not end.
func linger() {
	for {
		_ = syscall.Pause()
	}
}
