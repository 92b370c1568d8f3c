package main

import (
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// drivers are what the kernel needs for the disk. Those that it has built in aren't there as files.
var drivers = []string{"virtio_pci", "virtio_blk", "crc32c_generic", "ext4"}

// kernel is a kernel of the distribution, unpacked.
type kernel struct {
	image   string
	modules map[string]string // files by name
}

func findKernel(dir string) (kernel, error) {
	k := kernel{modules: make(map[string]string)}
	images, err := filepath.Glob(filepath.Join(dir, "boot", "vmlinuz-*"))
	if err != nil || len(images) != 1 {
		return k, fmt.Errorf("finding the kernel in %s: there are %d; run scripts/need vm", dir, len(images))
	}
	k.image = images[0]
	err = filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if name, ok := moduleName(path); ok {
			k.modules[name] = path
		}
		return err
	})
	if err != nil {
		return k, fmt.Errorf("listing the kernel's modules: %w", err)
	}
	return k, nil
}

// moduleName is what the kernel calls the module of a file. It makes no difference between - and _.
func moduleName(path string) (string, bool) {
	name, rest, _ := strings.Cut(filepath.Base(path), ".ko")
	return strings.ReplaceAll(name, "-", "_"), filepath.Ext(path) == ".ko" || rest == ".xz"
}

// load returns the modules that the drivers need, in the order in which they have to be loaded.
func (k kernel) load(ctx context.Context) ([][]byte, error) {
	var (
		order [][]byte
		seen  []string
		add   func(name string) error
	)
	add = func(name string) error {
		path, ok := k.modules[name]
		if !ok || slices.Contains(seen, name) {
			return nil
		}
		seen = append(seen, name)
		module, err := readModule(ctx, path)
		if err != nil {
			return err
		}
		needed, err := dependencies(module)
		if err != nil {
			return fmt.Errorf("reading the kernel's module %s: %w", name, err)
		}
		for _, n := range needed {
			if err := add(n); err != nil {
				return err
			}
		}
		order = append(order, module)
		return nil
	}
	for _, name := range drivers {
		if err := add(name); err != nil {
			return nil, err
		}
	}
	return order, nil
}

func readModule(ctx context.Context, path string) ([]byte, error) {
	if filepath.Ext(path) == ".xz" {
		text, err := output(ctx, "xz", "--decompress", "--stdout", path)
		return []byte(text), err
	}
	module, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the kernel's modules: %w", err)
	}
	return module, nil
}

// dependencies are the names of the modules that a module says it needs: "depends=a,b" among the
// zero-terminated lines of its section .modinfo.
func dependencies(module []byte) ([]string, error) {
	file, err := elf.NewFile(bytes.NewReader(module))
	if err != nil {
		return nil, err
	}
	section := file.Section(".modinfo")
	if section == nil {
		return nil, errors.New("it has no .modinfo")
	}
	info, err := section.Data()
	if err != nil {
		return nil, err
	}
	for line := range strings.SplitSeq(string(info), "\x00") {
		if list, ok := strings.CutPrefix(line, "depends="); ok && list != "" {
			return strings.Split(strings.ReplaceAll(list, "-", "_"), ","), nil
		}
	}
	return nil, nil
}
