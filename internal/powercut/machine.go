package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"
)

const (
	diskSize   = 256 << 20 // bytes
	memorySize = "512"     // MiB
	plugIn     = time.Minute
)

// machine is a virtual machine that isn't running.
type machine struct {
	kernel string
	initrd string // the guest's programs
	disk   string // outlives the power
	socket string // the guest's second serial line, on which it tells what happens
}

// newMachine makes a machine with an empty disk, in which this program and that kiosk run.
func newMachine(ctx context.Context, dir, name string, k kernel, kiosk string) (machine, error) {
	m := machine{
		kernel: k.image, initrd: filepath.Join(dir, name+".initrd"), disk: filepath.Join(dir, name+".disk"),
		socket: filepath.Join(dir, name+".socket"),
	}
	initrd, err := programs(ctx, k, kiosk)
	if err != nil {
		return m, err
	}
	if err := os.WriteFile(m.initrd, initrd, 0o600); err != nil {
		return m, fmt.Errorf("writing the guest's programs: %w", err)
	}
	return m, m.format(ctx)
}

// programs is what the guest starts with: this program as its first process, the kiosk, the libraries
// of both, and the kernel's modules.
func programs(ctx context.Context, k kernel, kiosk string) ([]byte, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding the own binary: %w", err)
	}
	a := newArchive()
	a.console()
	for _, dir := range []string{"proc", "tmp", dataDir} {
		a.dir(strings.TrimPrefix(dir, "/"))
	}
	libraries, err := librariesOf(ctx, self, kiosk)
	if err != nil {
		return nil, err
	}
	files := map[string]string{"init": self, strings.TrimPrefix(kioskPath, "/"): kiosk}
	for _, l := range libraries {
		files[strings.TrimPrefix(l, "/")] = l
	}
	for name, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("reading a program: %w", err)
		}
		a.program(name, content)
	}
	modules, err := k.load(ctx)
	if err != nil {
		return nil, err
	}
	for i, module := range modules {
		a.program(strings.TrimPrefix(modulePath(i), "/"), module)
	}
	return a.end(), nil
}

var libraryPath = regexp.MustCompile(`/\S+`)

// librariesOf are the shared libraries that programs are started with, the loader included.
func librariesOf(ctx context.Context, programs ...string) ([]string, error) {
	var paths []string
	for _, p := range programs {
		out, err := output(ctx, "ldd", p)
		if err != nil {
			return nil, fmt.Errorf("finding libraries: %w", err)
		}
		for line := range strings.Lines(out) {
			if found := libraryPath.FindString(line); found != "" {
				paths = append(paths, found)
			}
		}
	}
	return paths, nil
}

func (m machine) format(ctx context.Context) error {
	if err := os.WriteFile(m.disk, nil, 0o600); err != nil {
		return fmt.Errorf("making the disk: %w", err)
	}
	if err := os.Truncate(m.disk, diskSize); err != nil {
		return fmt.Errorf("making the disk: %w", err)
	}
	mkfs := "mkfs.ext4"
	if _, err := exec.LookPath(mkfs); err != nil {
		mkfs = "/usr/sbin/mkfs.ext4" // not in everybody's PATH
	}
	_, err := output(ctx, mkfs, "-q", "-F", m.disk)
	return err
}

// powered is a machine that runs.
type powered struct {
	cmd     *exec.Cmd
	lines   chan string // what the guest told; closed after its last whole line
	console *tail
}

// powerOn starts the machine with its clock at an instant and orders for the guest.
func (m machine) powerOn(ctx context.Context, clock time.Time, o orders) (*powered, error) {
	_ = os.Remove(m.socket) // of the time before
	listener, err := net.Listen("unix", m.socket)
	if err != nil {
		return nil, fmt.Errorf("listening to the guest: %w", err)
	}
	defer listener.Close()
	p := &powered{cmd: m.command(ctx, clock, o), lines: make(chan string), console: &tail{}}
	p.cmd.Stdout, p.cmd.Stderr = p.console, p.console
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the machine: %w", err)
	}
	if err := listener.(*net.UnixListener).SetDeadline(time.Now().Add(plugIn)); err != nil {
		return nil, errors.Join(err, p.cut())
	}
	conn, err := listener.Accept()
	if err != nil {
		_ = p.cut()
		return nil, fmt.Errorf("listening to the guest: %w; its console ends:\n%s", err, p.console)
	}
	go p.listen(conn)
	return p, nil
}

// command is the machine with as little as possible in it. With cache=writeback QEMU hands what the
// guest writes to this machine's kernel: it is there when QEMU dies, and what the guest didn't write
// isn't.
func (m machine) command(ctx context.Context, clock time.Time, o orders) *exec.Cmd {
	return exec.CommandContext(ctx, "qemu-system-x86_64",
		"-accel", "tcg", "-cpu", "max", "-m", memorySize, "-rtc", "base="+clock.UTC().Format("2006-01-02T15:04:05"),
		"-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
		"-kernel", m.kernel, "-initrd", m.initrd,
		"-append", "console=ttyS0 quiet panic=-1 mitigations=off -- "+guestCommand+" "+o.String(),
		"-drive", "if=virtio,format=raw,cache=writeback,file="+m.disk,
		"-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console",
		"-chardev", "socket,id=told,path="+m.socket, "-serial", "chardev:told")
}

// listen passes on what the guest tells, until it is gone. A line that the cut broke off is no line.
func (p *powered) listen(conn net.Conn) {
	defer close(p.lines)
	defer conn.Close()
	for in := bufio.NewReader(conn); ; {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		p.lines <- strings.TrimRight(line, "\r\n")
	}
}

// cut cuts the power. What the guest told before it can still be heard.
func (p *powered) cut() error {
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("cutting the power: %w", err)
	}
	_ = p.cmd.Wait() // it was killed
	return nil
}

// tail keeps the end of what was written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailSize = 4000

// Write never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if n := len(t.text); n > tailSize {
		t.text = append([]byte{}, t.text[n-tailSize:]...)
	}
	return len(p), nil
}

// String is that end.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimSpace(t.text))
}
