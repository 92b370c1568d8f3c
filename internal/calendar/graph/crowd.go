package graph

import (
	"context"
	"strings"
	"sync"
)

// atOnce is how many requests Graph takes at a time for one app and mailbox; the next one is
// throttled (https://learn.microsoft.com/graph/throttling-limits, Outlook service limits).
const atOnce = 4

// crowd lets requests wait until their mailbox takes one more. The zero value is ready.
type crowd struct {
	mu    sync.Mutex
	boxes map[string]*door // only mailboxes that somebody is in, or waits for
}

type door struct {
	slots chan struct{}
	users int
}

// enter waits for a place. leave gives it back.
func (c *crowd) enter(ctx context.Context, mailbox string) (leave func(), err error) {
	mailbox = strings.ToLower(mailbox)
	d := c.open(mailbox)
	select {
	case d.slots <- struct{}{}:
		return func() { <-d.slots; c.close(mailbox, d) }, nil
	case <-ctx.Done():
		c.close(mailbox, d)
		return nil, ctx.Err()
	}
}

func (c *crowd) open(mailbox string) *door {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := c.boxes[mailbox]
	if d == nil {
		if c.boxes == nil {
			c.boxes = map[string]*door{}
		}
		d = &door{slots: make(chan struct{}, atOnce)}
		c.boxes[mailbox] = d
	}
	d.users++
	return d
}

func (c *crowd) close(mailbox string, d *door) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d.users--
	if d.users == 0 {
		delete(c.boxes, mailbox)
	}
}
