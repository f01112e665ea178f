package inmem_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/inmem"
	"github.com/murph-chat/murph/realtime/realtimetest"
)

// mutant is a broadcaster that breaks one sentence.
type mutant struct {
	clause   string // the subtest that has to fail
	sentence string
	wrap     func(*inmem.Broadcaster) realtime.BroadcasterFunc
	batch    func(*inmem.Broadcaster) batchFunc
}

var mutants = map[string]mutant{
	"fails without subscribers": wrapMutant("Taken", "1: a nil error", func(b *inmem.Broadcaster) realtime.BroadcasterFunc {
		first := true
		return func(ctx context.Context, ev realtime.Event) error {
			if first {
				first = false
				return context.DeadlineExceeded
			}
			return b.Broadcast(ctx, ev)
		}
	}),
	"duplicates": wrapMutant("AtMostOnce", "1: delivery is at most once", func(b *inmem.Broadcaster) realtime.BroadcasterFunc {
		b.Inject(func(realtime.Event) inmem.Fault { return inmem.Fault{Duplicate: true} })
		return b.Broadcast
	}),
	"drops": wrapMutant("FanOut", "2: the event goes to every connection", func(b *inmem.Broadcaster) realtime.BroadcasterFunc {
		n := 0
		b.Inject(func(realtime.Event) inmem.Fault { n++; return inmem.Fault{Drop: n == 2} })
		return b.Broadcast
	}),
	"knows no exception": wrapMutant("Except", "2: but the one named by Except", func(b *inmem.Broadcaster) realtime.BroadcasterFunc {
		return func(ctx context.Context, ev realtime.Event) error {
			ev.Except = ""
			return b.Broadcast(ctx, ev)
		}
	}),
	"garbles": wrapMutant("Payload", "2: the event goes to every connection, as it is", func(b *inmem.Broadcaster) realtime.BroadcasterFunc {
		return func(ctx context.Context, ev realtime.Event) error {
			if string(ev.Data) == "null" {
				ev.Data = []byte("{}")
			}
			return b.Broadcast(ctx, ev)
		}
	}),
	"reorders": wrapMutant("Order", "3: two calls", func(b *inmem.Broadcaster) realtime.BroadcasterFunc {
		b.Inject(func(realtime.Event) inmem.Fault { return inmem.Fault{Hold: true} })
		return func(ctx context.Context, ev realtime.Event) error {
			err := b.Broadcast(ctx, ev)
			if len(b.Held()) == 4 {
				b.Release(2, 3, 0, 1)
			}
			return err
		}
	}),
	"ignores the context": wrapMutant("EndedContext", "4: with a ctx that has already ended", func(b *inmem.Broadcaster) realtime.BroadcasterFunc {
		return func(ctx context.Context, ev realtime.Event) error {
			return b.Broadcast(context.WithoutCancel(ctx), ev)
		}
	}),
	"returns another error": wrapMutant("Stalled", "4: the call returns when ctx ends", func(b *inmem.Broadcaster) realtime.BroadcasterFunc {
		return func(ctx context.Context, ev realtime.Event) error {
			if b.Broadcast(ctx, ev) != nil {
				return os.ErrClosed
			}
			return nil
		}
	}),
	"swallows what is invalid": wrapMutant("Invalid", "5: an event that Validate refuses", func(b *inmem.Broadcaster) realtime.BroadcasterFunc {
		return func(ctx context.Context, ev realtime.Event) error {
			if ev.Validate() != nil {
				return nil
			}
			return b.Broadcast(ctx, ev)
		}
	}),
	"hides what is permanent": wrapMutant("Permanent", "6: a failure that repeating", func(b *inmem.Broadcaster) realtime.BroadcasterFunc {
		return func(ctx context.Context, ev realtime.Event) error {
			if ev.Validate() != nil {
				return os.ErrClosed
			}
			return b.Broadcast(ctx, ev)
		}
	}),
	"loses the errors of a batch": batchMutant("Batch", "8: BroadcastBatch", func(b *inmem.Broadcaster) batchFunc {
		return func(ctx context.Context, evs []realtime.Event) []error {
			b.BroadcastBatch(ctx, evs)
			return make([]error, len(evs))
		}
	}),
	"returns one error for a batch": batchMutant("Batch", "8: BroadcastBatch", func(b *inmem.Broadcaster) batchFunc {
		return func(ctx context.Context, evs []realtime.Event) []error {
			return []error{errors.Join(b.BroadcastBatch(ctx, evs)...)}
		}
	}),
	"reverses a batch": batchMutant("BatchOrder", "9: events of one batch", func(b *inmem.Broadcaster) batchFunc {
		return func(ctx context.Context, evs []realtime.Event) []error {
			slices.Reverse(evs)
			return b.BroadcastBatch(ctx, evs)
		}
	}),
	"refuses a whole batch": batchMutant("BatchInvalid", "10: an invalid event", func(b *inmem.Broadcaster) batchFunc {
		return func(ctx context.Context, evs []realtime.Event) []error {
			for _, ev := range evs {
				if err := ev.Validate(); err != nil {
					return slices.Repeat([]error{err}, len(evs))
				}
			}
			return b.BroadcastBatch(ctx, evs)
		}
	}),
}

func wrapMutant(clause, sentence string, wrap func(*inmem.Broadcaster) realtime.BroadcasterFunc) mutant {
	return mutant{clause: clause, sentence: sentence, wrap: wrap}
}

func batchMutant(clause, sentence string, batch func(*inmem.Broadcaster) batchFunc) mutant {
	return mutant{clause: clause, sentence: sentence, batch: batch}
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
	realtimetest.Run(t, harness(m.wrap, m.batch))
}
