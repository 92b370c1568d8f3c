package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// moduleOf compiles what a kernel's module is, as far as it matters here.
func moduleOf(t *testing.T, dir, name, depends string) {
	t.Helper()
	source := filepath.Join(dir, name+".c")
	text := `__attribute__((section(".modinfo"), used)) static const char info[] = "license=GPL\0depends=` + depends + `\0name=` + name + `";`
	if err := os.WriteFile(source, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "cc", "-c", "-o", filepath.Join(dir, name+".ko"), source).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func TestModulesComeAfterWhatTheyNeed(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "boot"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "boot", "vmlinuz-6"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	moduleOf(t, dir, "virtio", "")
	moduleOf(t, dir, "virtio-ring", "virtio")
	moduleOf(t, dir, "virtio_pci", "virtio-ring,virtio,builtin")
	moduleOf(t, dir, "virtio_blk", "virtio,virtio_ring")
	moduleOf(t, dir, "sound", "virtio")
	k, err := findKernel(dir)
	if err != nil {
		t.Fatal(err)
	}
	modules, err := k.load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range modules {
		_, name, _ := strings.Cut(string(m), "\x00name=")
		name, _, _ = strings.Cut(name, "\x00")
		got = append(got, name)
	}
	if want := []string{"virtio", "virtio-ring", "virtio_pci", "virtio_blk"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestNoKernel(t *testing.T) {
	if _, err := findKernel(t.TempDir()); err == nil || !strings.Contains(err.Error(), "scripts/need vm") {
		t.Errorf("got %v", err)
	}
}
