package pgbus_test

import (
	"testing"
	"time"

	"github.com/murph-chat/murph/realtime/pgbus"
)

func TestCrowdCountsBusyNodes(t *testing.T) {
	t.Parallel()
	var c pgbus.Crowd
	now := time.Unix(1000, 0)
	size := func(what string, want int) {
		t.Helper()
		if got := c.Size(now); got != want {
			t.Errorf("%s: %d busy nodes, want %d", what, got, want)
		}
	}
	size("nobody", 0)
	for i := range 40 { // two nodes that are busy, and one that is not
		c.Note(1+uint32(i)%2, now)
	}
	c.Note(3, now)
	size("the window is not over", 0)
	now = now.Add(time.Second)
	size("the window before", 2)
	for pid := range uint32(30) {
		for range 10 {
			c.Note(pid, now)
		}
	}
	now = now.Add(time.Second)
	size("very many", 9)
	now = now.Add(time.Second)
	size("nobody again", 0)
	for range 10 {
		c.Note(1, now)
	}
	now = now.Add(time.Hour)
	size("long ago", 0)
}
