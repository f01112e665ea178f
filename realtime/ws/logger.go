package ws

import (
	"context"
	"fmt"
	"log/slog"
)

// containedHandler keeps a panic of the host's handler from taking the host's process with it: what is logged here is
// logged in goroutines that no handler of net/http's looks after. There is nobody left to tell of it.
type containedHandler struct{ slog.Handler }

func (h containedHandler) Enabled(ctx context.Context, level slog.Level) (enabled bool) {
	defer func() { _ = recover() }()
	return h.Handler.Enabled(ctx, level)
}

func (h containedHandler) Handle(ctx context.Context, r slog.Record) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("ws: the logger panicked with a %T", p)
		}
	}()
	return h.Handler.Handle(ctx, r)
}

func (h containedHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return containedHandler{h.Handler.WithAttrs(attrs)}
}

func (h containedHandler) WithGroup(name string) slog.Handler {
	return containedHandler{h.Handler.WithGroup(name)}
}
