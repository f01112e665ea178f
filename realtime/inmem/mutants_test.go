package inmem_test

import (
	"context"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/inmem"
	"github.com/murph-chat/murph/realtime/realtimetest"
)

// mutants are broadcasters that break one sentence each.
var mutants = map[string]struct {
	clause   string // the subtest that has to fail
	sentence string
	wrap     func(*inmem.Broadcaster) realtime.BroadcasterFunc
}{
	"fails without subscribers": {"Taken", "1: a nil error", func(b *inmem.Broadcaster) realtime.BroadcasterFunc {
		first := true
		return func(ctx context.Context, ev realtime.Event) error {
			if first {
				first = false
				return context.DeadlineExceeded
			}
			return b.Broadcast(ctx, ev)
		}
	}},
	"duplicates": {"AtMostOnce", "1: delivery is at most once", func(b *inmem.Broadcaster) realtime.BroadcasterFunc {
		b.Inject(func(realtime.Event) inmem.Fault { return inmem.Fault{Duplicate: true} })
		return b.Broadcast
	}},
	"drops": {"FanOut", "2: the event goes to every connection", func(b *inmem.Broadcaster) realtime.BroadcasterFunc {
		n := 0
		b.Inject(func(realtime.Event) inmem.Fault { n++; return inmem.Fault{Drop: n == 2} })
		return b.Broadcast
	}},
	"knows no exception": {"Except", "2: but the one named by Except", func(b *inmem.Broadcaster) realtime.BroadcasterFunc {
		return func(ctx context.Context, ev realtime.Event) error {
			ev.Except = ""
			return b.Broadcast(ctx, ev)
		}
	}},
	"garbles": {"Payload", "2: the event goes to every connection, as it is", func(b *inmem.Broadcaster) realtime.BroadcasterFunc {
		return func(ctx context.Context, ev realtime.Event) error {
			if string(ev.Data) == "null" {
				ev.Data = []byte("{}")
			}
			return b.Broadcast(ctx, ev)
		}
	}},
	"reorders": {"Order", "3: two calls", func(b *inmem.Broadcaster) realtime.BroadcasterFunc {
		b.Inject(func(realtime.Event) inmem.Fault { return inmem.Fault{Hold: true} })
		return func(ctx context.Context, ev realtime.Event) error {
			err := b.Broadcast(ctx, ev)
			if len(b.Held()) == 4 {
				b.Release(2, 3, 0, 1)
			}
			return err
		}
	}},
	"ignores the context": {"EndedContext", "4: with a ctx that has already ended", func(b *inmem.Broadcaster) realtime.BroadcasterFunc {
		return func(ctx context.Context, ev realtime.Event) error {
			return b.Broadcast(context.WithoutCancel(ctx), ev)
		}
	}},
	"returns another error": {"Stalled", "4: the call returns when ctx ends", func(b *inmem.Broadcaster) realtime.BroadcasterFunc {
		return func(ctx context.Context, ev realtime.Event) error {
			if b.Broadcast(ctx, ev) != nil {
				return os.ErrClosed
			}
			return nil
		}
	}},
	"swallows what is invalid": {"Invalid", "5: an event that Validate refuses", func(b *inmem.Broadcaster) realtime.BroadcasterFunc {
		return func(ctx context.Context, ev realtime.Event) error {
			if ev.Validate() != nil {
				return nil
			}
			return b.Broadcast(ctx, ev)
		}
	}},
	"hides what is permanent": {"Permanent", "6: a failure that repeating", func(b *inmem.Broadcaster) realtime.BroadcasterFunc {
		return func(ctx context.Context, ev realtime.Event) error {
			if ev.Validate() != nil {
				return os.ErrClosed
			}
			return b.Broadcast(ctx, ev)
		}
	}},
}

const mutantEnv = "MURPH_REALTIMETEST_MUTANT"

// TestSuiteFindsMutants runs the suite in a process of its own for every broken broadcaster, because a test cannot
// watch itself fail.
func TestSuiteFindsMutants(t *testing.T) {
	t.Parallel()
	for name, m := range mutants {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestMutant$/^"+m.clause+"$", "-test.timeout=60s")
			cmd.Env = append(os.Environ(), mutantEnv+"="+name)
			out, err := cmd.CombinedOutput()
			require.Error(t, err, "the suite passes")
			require.Contains(t, string(out), "violates realtime.Broadcaster, sentence "+m.sentence)
		})
	}
}

// TestMutant is what TestSuiteFindsMutants runs.
func TestMutant(t *testing.T) {
	m, ok := mutants[os.Getenv(mutantEnv)]
	if !ok {
		t.Skip("only for TestSuiteFindsMutants")
	}
	realtimetest.Run(t, harness(m.wrap))
}
