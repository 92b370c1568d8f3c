//go:build !linux

package main

import "errors"

var errNotLinux = errors.New("the guest has to be Linux")

func mountDevices() error { return errNotLinux }

func attach() error { return errNotLinux }

func linger() {}
