package audience

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/consultation"
)

// heldBody calls first before it gives a byte of rest. It stands for a client
// that sends its header and holds the body back.
type heldBody struct {
	first func()
	rest  io.Reader
}

func (b *heldBody) Read(p []byte) (int, error) {
	if b.first != nil {
		b.first()
		b.first = nil
	}
	return b.rest.Read(p)
}

// hold makes a request of the user whose body comes after first has returned.
func (c *client) hold(method, path, contentType, body string, first func()) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, &heldBody{first, strings.NewReader(body)})
	r.Header.Set("X-User", string(c.user))
	r.Header.Set("Content-Type", contentType)
	answer := httptest.NewRecorder()
	c.p.api.ServeHTTP(answer, r)
	return answer
}

func TestSuspendedStudentWithASlowAuthorization(t *testing.T) {
	t.Parallel()
	for _, kind := range []transportKind{overWS, overBus, overFixed, overPusher} {
		s := newScene(t, kind, 1)
		fresh := s.client(s.ctx, s.processes[0], "student-1") // nothing ties it to the user
		number := 2
		if kind == overFixed {
			number = 1
		}
		form := url.Values{
			"socket_id":    {string(fresh.socket)},
			"channel_name": {string(consultation.Channel(room, number))},
		}
		answer := fresh.hold(http.MethodPost, "/api/pusher/auth", "application/x-www-form-urlencoded", form.Encode(), func() {
			require.NoError(t, s.suspend(s.ctx, s.processes[0], "student-1"))
		})
		require.Equal(t, http.StatusUnauthorized, answer.Code, "%s: %s", kind, answer.Body)
	}
}

func TestSuspendedStudentWithASlowSignIn(t *testing.T) {
	t.Parallel()
	s := newScene(t, overWS, 1)
	fresh := s.client(s.ctx, s.processes[0], "student-1")
	form := url.Values{"socket_id": {string(fresh.socket)}}
	answer := fresh.hold(http.MethodPost, "/api/pusher/user-auth", "application/x-www-form-urlencoded", form.Encode(), func() {
		require.NoError(t, s.suspend(s.ctx, s.processes[0], "student-1"))
	})
	require.Equal(t, http.StatusUnauthorized, answer.Code, answer.Body)
}

// The suspension comes between the read of the store and the signature.
func TestSuspendedStudentBeforeTheSignature(t *testing.T) {
	t.Parallel()
	for _, kind := range []transportKind{overWS, overPusher} {
		s := newScene(t, kind, 1)
		s.store.afterRead = func(consultation.ID) {
			require.NoError(t, s.suspend(s.ctx, s.processes[0], "student-1"))
		}
		require.False(t, s.former.authorize(s.ctx, consultation.Channel(room, 1)), kind)
	}
}
