package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"roomkiosk/internal/harness"
)

// helping is the first argument of a process that bench starts of itself.
const helping = "helper"

// beHelper is such a process. It ends with its stdin, or the first signal.
func beHelper(as string, args []string) {
	bodies := map[string]func(context.Context, []string, io.Reader, io.Writer) error{"office": beOffice, "crowd": beCrowd, "feed": beFeed}
	if err := bodies[as](context.Background(), args, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", as, err)
		os.Exit(1)
	}
}

// helper is such a process, seen from outside: lines go to and fro.
type helper struct {
	*harness.Process
	out *bufio.Reader
}

func launchHelper(ctx context.Context, args ...string) (*helper, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding the own binary: %w", err)
	}
	from, to := io.Pipe()
	p, err := harness.Launch(ctx, harness.Options{Out: to}, self, append([]string{helping}, args...)...)
	if err != nil {
		return nil, err
	}
	go func() { <-p.Gone; to.Close() }()
	return &helper{Process: p, out: bufio.NewReader(from)}, nil
}

// hear returns the helper's next line.
func (h *helper) hear() (string, error) {
	line, err := h.out.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("hearing a helper: %w; stderr ends: %s", err, h.Said)
	}
	return strings.TrimSpace(line), nil
}

// remoteCrowd is a [crowd] in a process of its own.
type remoteCrowd struct{ *helper }

const ready = "ready" // what it says when its sockets are open, or it knows the mark

func launchCrowd(ctx context.Context, url string, n int) (*remoteCrowd, error) {
	h, err := launchHelper(ctx, "crowd", url, strconv.Itoa(n))
	if err != nil {
		return nil, err
	}
	c := &remoteCrowd{h}
	if err := c.ready(); err != nil {
		h.Stop()
		return nil, err
	}
	return c, nil
}

func (c *remoteCrowd) ready() error {
	line, err := c.hear()
	if err == nil && line != ready {
		err = fmt.Errorf("gathering a crowd: %s", line)
	}
	return err
}

// expect makes the crowd look for a mark from now on.
func (c *remoteCrowd) expect(mark string) error {
	if _, err := fmt.Fprintln(c.In, mark); err != nil {
		return fmt.Errorf("telling a helper: %w", err)
	}
	return c.ready()
}

// await returns when the last one had it.
func (c *remoteCrowd) await() (time.Time, error) {
	line, err := c.hear()
	if err != nil {
		return time.Time{}, err
	}
	at, err := strconv.ParseInt(line, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("waiting for a crowd: %s", line)
	}
	return time.Unix(0, at), nil
}

// beCrowd is the body of a crowd's process.
func beCrowd(ctx context.Context, args []string, stdin io.Reader, stdout io.Writer) error {
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return fmt.Errorf("reading the number of sockets: %w", err)
	}
	c, err := gather(ctx, args[0], n)
	if err != nil {
		return err
	}
	defer c.close()
	fmt.Fprintln(stdout, ready)
	for marks := bufio.NewScanner(stdin); marks.Scan(); {
		all := c.expect(marks.Text())
		fmt.Fprintln(stdout, ready)
		at, err := await(ctx, all)
		if err != nil {
			return err
		}
		fmt.Fprintln(stdout, at.UnixNano())
	}
	return nil
}
