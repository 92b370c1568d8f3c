package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"

	"roomkiosk/internal/harness"
)

// build builds the binaries, the kiosk's as it is released.
func (b *bench) build(ctx context.Context) error {
	b.kiosk, b.bare = filepath.Join(b.dir, "kiosk"), filepath.Join(b.dir, "bare")
	for binary, pkg := range map[string]string{b.kiosk: "roomkiosk/cmd/kiosk", b.bare: "roomkiosk/internal/bench/bare"} {
		out, err := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, pkg).CombinedOutput()
		if err != nil {
			return fmt.Errorf("building %s: %w\n%s", pkg, err, out)
		}
		forget(ctx, binary)
	}
	return nil
}

// forget makes the kernel read a file anew, as after a boot. It keeps a file that was just written in
// large pieces, and counts those as resident in whoever touches a byte of them.
func forget(ctx context.Context, file string) {
	// Where dd can't, the figures are a little too high.
	_ = exec.CommandContext(ctx, "dd", "of="+file, "oflag=nocache", "conv=notrunc,fdatasync", "count=0", "status=none").Run()
}

// startBare starts the bare server in one of its modes and returns its base URL.
func (b *bench) startBare(ctx context.Context, mode ...string) (*harness.Process, string, error) {
	addr, err := harness.FreeAddress()
	if err != nil {
		return nil, "", err
	}
	p, err := harness.Launch(ctx, harness.Options{}, b.bare, append([]string{addr}, mode...)...)
	if err != nil {
		return nil, "", err
	}
	if err := p.Answers(ctx, "http://"+addr+"/page", harness.LookOften); err != nil {
		p.Stop()
		return nil, "", err
	}
	return p, "http://" + addr, nil
}
