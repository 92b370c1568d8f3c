package main

import (
	"context"

	"roomkiosk/internal/rooms"
)

// toldAtMost is how much news may wait for the keepers. They take it up in microseconds, but for the
// time that a slow disk needs.
const toldAtMost = 4096

// told hands what concerns all keepers on to them, in order, without keeping whoever says it waiting.
type told chan func(*rooms.Keeper)

// say queues it. What finds no room is lost: it is a hint, and the calendar is read anyway.
func (k *kiosk) say(it func(*rooms.Keeper)) {
	select {
	case k.told <- it:
	default:
		k.in.log.Error("news for the rooms lost, they take it up too slowly")
	}
}

func (k *kiosk) hear(n rooms.News)      { k.say(func(keeper *rooms.Keeper) { keeper.Hear(n) }) }
func (k *kiosk) listening(up bool)      { k.say(func(keeper *rooms.Keeper) { keeper.Listening(up) }) }
func (k *kiosk) reach(why *rooms.Fault) { k.say(func(keeper *rooms.Keeper) { keeper.ZoomReach(why) }) }

// tell passes on what was said until the context ends.
func (k *kiosk) tell(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case it := <-k.told:
			for _, keeper := range k.keepers {
				it(keeper)
			}
		}
	}
}
