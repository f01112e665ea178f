package httpadapter_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/httpadapter"
)

// lateBody gives its first byte after a while.
type lateBody struct {
	wait time.Duration
	rest io.Reader
}

func (b *lateBody) Read(p []byte) (int, error) {
	<-time.After(b.wait)
	b.wait = 0
	return b.rest.Read(p)
}

// TestHeldBodyDoesNotOutlastASuspension has the host refuse the user while the body of a write is on its way.
func TestHeldBodyDoesNotOutlastASuspension(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ method, path, body string }{
		{http.MethodPost, messages, `{"consultationId":"demo","content":"late"}`},
		{http.MethodPatch, consultations + "/open", `{"status":"IN_PROGRESS"}`},
	} {
		synctest.Test(t, func(t *testing.T) {
			var suspended atomic.Bool
			b := setup(t, func(cfg *httpadapter.Config) {
				before := cfg.Authenticator
				cfg.Authenticator = httpadapter.AuthenticatorFunc(func(r *http.Request) (consultation.Participant, error) {
					if suspended.Load() {
						return consultation.Participant{}, errors.New("suspended")
					}
					return before.Authenticate(r)
				})
			})
			time.AfterFunc(time.Second, func() { suspended.Store(true) })
			r := httptest.NewRequest(c.method, c.path, &lateBody{2 * time.Second, strings.NewReader(c.body)})
			r.Header = http.Header{"Content-Type": {"application/json"}, "Test-User": {"student-1"}}
			answer := httptest.NewRecorder()
			b.ServeHTTP(answer, r)
			require.Equal(t, http.StatusUnauthorized, answer.Code, c.path)
		})
	}
}
