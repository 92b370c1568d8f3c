package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"roomkiosk/internal/harness"
)

const (
	diskSize   = 256 << 20 // bytes
	memorySize = "512"     // MiB
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

// powered is a machine that runs. To cut its power is to kill it.
type powered struct {
	*harness.Process
	lines   chan string // what the guest told; closed after its last whole line
	console *harness.Tail
}

// powerOn starts the machine with its clock at an instant and orders for the guest.
func (m machine) powerOn(ctx context.Context, clock time.Time, o orders) (*powered, error) {
	_ = os.Remove(m.socket) // of the time before
	listener, err := net.Listen("unix", m.socket)
	if err != nil {
		return nil, fmt.Errorf("listening to the guest: %w", err)
	}
	defer listener.Close()
	p := &powered{lines: make(chan string), console: &harness.Tail{}}
	if p.Process, err = harness.Launch(ctx, harness.Options{Out: p.console}, "qemu-system-x86_64", m.arguments(clock, o)...); err != nil {
		return nil, err
	}
	go func() {
		<-p.Gone
		_ = listener.Close() // nobody will come
	}()
	conn, err := listener.Accept()
	if err != nil {
		p.Kill()
		return nil, p.failed(fmt.Errorf("listening to the guest: %w", err))
	}
	go p.listen(conn)
	return p, nil
}

// failed adds what was to be seen last.
func (p *powered) failed(err error) error {
	return fmt.Errorf("%w; the console ends:\n%s\n%s", err, p.console, p.Said)
}

// arguments make QEMU a machine with as little as possible in it. With cache=writeback it hands what
// the guest writes to this machine's kernel: that is there when QEMU dies, and what the guest didn't
// write isn't. The kernel must not check its timer: on a busy machine the emulated one fails.
func (m machine) arguments(clock time.Time, o orders) []string {
	return []string{
		"-accel", "tcg", "-cpu", "max", "-m", memorySize, "-rtc", "base=" + clock.UTC().Format("2006-01-02T15:04:05"),
		"-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
		"-kernel", m.kernel, "-initrd", m.initrd,
		"-append", "console=ttyS0 quiet panic=-1 mitigations=off no_timer_check nowatchdog -- " + guestCommand + " " + o.String(),
		"-drive", "if=virtio,format=raw,cache=writeback,file=" + m.disk,
		"-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console",
		"-chardev", "socket,id=told,path=" + m.socket, "-serial", "chardev:told",
	}
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
