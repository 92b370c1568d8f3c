package main

import (
	"context"
	"sync"

	"roomkiosk/internal/rooms"
)

// newsAtMost is how much news may wait for the keepers. They take it up in microseconds, but for the
// time that a slow disk needs.
const newsAtMost = 4096

// told hands what concerns all keepers on to them, in order, without keeping whoever says it waiting.
type told struct {
	mu      sync.Mutex
	waiting []func(*rooms.Keeper)
	more    chan struct{} // something waits
}

func newTold() *told { return &told{more: make(chan struct{}, 1)} }

// say queues it. It is false for a hint that finds no room; everything else always does.
func (t *told) say(it func(*rooms.Keeper), hint bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if hint && len(t.waiting) >= newsAtMost {
		return false
	}
	t.waiting = append(t.waiting, it)
	select {
	case t.more <- struct{}{}:
	default: // it is known that there is something
	}
	return true
}

func (t *told) take() []func(*rooms.Keeper) {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := t.waiting
	t.waiting = nil
	return all
}

// hear passes news on. What is lost of it the calendar tells, too, if later.
func (k *kiosk) hear(n rooms.News) {
	if !k.told.say(func(keeper *rooms.Keeper) { keeper.Hear(n) }, true) {
		k.in.log.Error("news of zoom's lost, the rooms take it up too slowly")
	}
}

func (k *kiosk) listening(up bool) {
	if !up {
		k.deafSince.Store(k.in.clock.Now().UnixMicro())
	}
	k.told.say(func(keeper *rooms.Keeper) { keeper.Listening(up) }, false)
}

func (k *kiosk) reach(why *rooms.Fault) {
	k.told.say(func(keeper *rooms.Keeper) { keeper.ZoomReach(why) }, false)
}

// tell passes on what was said until the context ends.
func (k *kiosk) tell(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-k.told.more:
		}
		for _, it := range k.told.take() {
			for _, keeper := range k.keepers {
				it(keeper)
			}
		}
	}
}
