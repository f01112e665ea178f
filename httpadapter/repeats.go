package httpadapter

import (
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/murph-chat/murph/consultation"
)

const (
	// repeatPause is the time between two log lines of one kind.
	repeatPause = time.Minute
	// maxKinds bounds the kinds that are told apart. All others share one.
	maxKinds = 32
)

// repeats decides which failures are logged. While a database is down every
// request fails for the same reason, so of the answers with 503 one line of each
// kind in a minute is enough. The zero value is ready to use.
type repeats struct {
	mu    sync.Mutex // guards kinds
	kinds map[string]*repeated
}

// repeated is what repeats knows of one kind.
type repeated struct {
	logged  time.Time
	skipped uint64 // since then
}

// log reports whether the failure has to be logged, and how many of its kind
// were not logged since the last one.
func (r *repeats) log(f failure, err error) (log bool, skipped uint64) {
	if f.level <= slog.LevelDebug {
		return false, 0
	}
	if f.status != http.StatusServiceUnavailable {
		return true, 0
	}
	kind := f.is.Error()
	var trouble *consultation.UnavailableError
	if errors.As(err, &trouble) {
		kind = trouble.Reason
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	known, ok := r.kinds[kind]
	if !ok {
		if len(r.kinds) >= maxKinds {
			kind = ""
		}
		if r.kinds == nil {
			r.kinds = map[string]*repeated{}
		}
		if known = r.kinds[kind]; known == nil {
			known = &repeated{}
			r.kinds[kind] = known
		}
	}
	now := time.Now()
	if !known.logged.IsZero() && now.Sub(known.logged) < repeatPause {
		known.skipped++
		return false, 0
	}
	skipped = known.skipped
	*known = repeated{logged: now}
	return true, skipped
}
