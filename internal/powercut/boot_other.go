//go:build !linux

package main

import "errors"

func prepareGuest() error { return errors.New("the guest has to be Linux") }

func linger() {}
