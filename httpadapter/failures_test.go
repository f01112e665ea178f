package httpadapter_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/httpadapter"
	"github.com/murph-chat/murph/realtime"
)

func TestFailuresOfTheStore(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err    error
		status int
		code   httpadapter.Code
		log    string
	}{
		"unknown":                          {errors.New("disk full canary-1"), 500, httpadapter.CodeInternal, "level=ERROR"},
		"database trouble":                 {fmt.Errorf("store: %w", consultation.NewUnavailableError("disk full", errors.New("canary-1"))), 503, httpadapter.CodeUnavailable, "level=WARN"},
		"retry":                            {fmt.Errorf("store: %w", consultation.ErrRetryTx), 503, httpadapter.CodeUnavailable, "level=WARN"},
		"deadline":                         {fmt.Errorf("store: %w", context.DeadlineExceeded), 503, httpadapter.CodeUnavailable, "level=WARN"},
		"cancelled, but not by the client": {context.Canceled, 500, httpadapter.CodeInternal, "level=ERROR"},
	} {
		for _, r := range [][3]string{
			{"POST", messages, `{"consultationId":"demo","content":"canary-2"}`}, {"PATCH", messages + "/1", `{"content":"canary-2"}`}, {"DELETE", messages + "/1", ""},
			{"GET", consultations, ""}, {"POST", consultations, `{"topic":"canary-2"}`}, {"GET", consultations + "/demo", ""},
			{"GET", consultations + "/demo?since=1", ""}, {"PATCH", consultations + "/demo", `{"status":"CANCELLED"}`},
			{"POST", consultations + "/demo/gelesen", `{"seq":1}`},
			{"POST", channelAuth, `{"socket_id":"1.1","channel_name":"private-consultation-demo"}`},
		} {
			b := setup(t)
			b.store.fail = func(context.Context) error { return c.err }
			got := b.do(t, "patient-1", r[0], r[1], r[2])
			wantProblem(t, got, c.status, c.code)
			require.NotContains(t, got.body, "canary", name)
			require.Equal(t, c.status == 503, got.header.Get("Retry-After") == "1", name)
			require.Contains(t, b.log.String(), c.log, name)
			require.Contains(t, b.log.String(), "user_id=patient-1")
			require.Contains(t, b.log.String(), "method="+r[0])
			require.NotContains(t, b.log.String(), "canary-2")
		}
	}
}

// TestOneLogLineForEachKindAndMinute lets every request fail. The log gets one
// line of each kind in a minute, and later the number of those in between.
func TestOneLogLineForEachKindAndMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t)
		var err error
		b.store.fail = func(context.Context) error { return err }
		fail := func(n int, with error) {
			err = with
			for range n {
				wantProblem(t, b.do(t, "patient-1", "GET", consultations, ""), 503, httpadapter.CodeUnavailable)
			}
		}
		full := consultation.NewUnavailableError("disk full", errors.New("driver"))
		lines := func() int { return strings.Count(b.log.String(), "request failed") }
		fail(10, full)
		require.Equal(t, 1, lines())
		fail(10, fmt.Errorf("store: %w", consultation.NewUnavailableError("connection lost", errors.New("driver"))))
		fail(10, context.DeadlineExceeded)
		require.Equal(t, 3, lines())
		require.NotContains(t, b.log.String(), "not_logged")
		time.Sleep(time.Minute)
		fail(1, full)
		require.Equal(t, 4, lines())
		require.Contains(t, b.log.String(), "not_logged=9")
		for n := range 100 {
			fail(1, consultation.NewUnavailableError(fmt.Sprint("kind ", n), errors.New("driver")))
		}
		require.Less(t, lines(), 40, "the kinds are bounded")
	})
}

func TestAClientThatHasGoneIsNoError(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, body := range []string{`{"consultationId":"demo","content":"x"}`, `{"consult`} {
		ctx, cancel := context.WithCancel(t.Context())
		r := httptest.NewRequestWithContext(ctx, "POST", messages, &cutBody{text: body, cut: cancel})
		r.Header = http.Header{"Content-Type": {"application/json"}, "Test-User": {"patient-1"}}
		require.Equal(t, 499, exchange(t, b, r).status)
	}
	require.Empty(t, b.log.String())
}

// cutBody is a body whose sender goes away at its end, or in the middle of one that is no JSON.
type cutBody struct {
	text string
	cut  func()
}

func (c *cutBody) Read(p []byte) (int, error) {
	n := copy(p, c.text)
	c.text = c.text[n:]
	if n > 0 {
		return n, nil
	}
	c.cut()
	return 0, errors.New("connection reset")
}

type failingSigner struct{ realtime.Signer }

func (failingSigner) SignChannel(realtime.SocketID, realtime.Channel, *realtime.Member) (realtime.Grant, error) {
	return realtime.Grant{}, errors.New("no key canary")
}

func (failingSigner) SignUser(realtime.SocketID, realtime.Member) (realtime.UserGrant, error) {
	return realtime.UserGrant{}, errors.New("no key canary")
}

func TestASignerThatFails(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *httpadapter.Config) { c.Signer = failingSigner{} })
	for _, got := range []reply{
		b.auth(t, "patient-1", "1.1", "private-consultation-demo"),
		b.do(t, "patient-1", "POST", userAuth, "socket_id=1.1", "Content-Type", formType),
	} {
		wantProblem(t, got, 500, httpadapter.CodeInternal)
		require.NotContains(t, got.body, "canary")
	}
	require.Equal(t, 2, strings.Count(b.log.String(), "level=ERROR"))
}

func TestTheAuthenticatorIsTheHostsBusiness(t *testing.T) {
	t.Parallel()
	b := setup(t)
	got := b.do(t, "", "GET", consultations, "")
	wantProblem(t, got, 401, httpadapter.CodeUnauthenticated)
	require.NotContains(t, got.body, "canary")
	require.Empty(t, b.log.String(), "its error may hold a token")
	wantProblem(t, b.do(t, "broken", "GET", consultations, ""), 500, httpadapter.CodeInternal)
	require.Contains(t, b.log.String(), "level=ERROR")
	require.Contains(t, b.log.String(), "role")
}

func TestAPolicyRefuses(t *testing.T) {
	t.Parallel()
	var consultationsService *consultation.Service
	answer := fmt.Errorf("%w: %w", consultation.ErrForbidden, &consultation.InvalidError{Field: "canary", Reason: "of the policy"})
	b := setup(t, func(c *httpadapter.Config) {
		var err error
		consultationsService, err = consultation.NewService(&countingStore{}, realtime.BroadcasterFunc(nil), &consultation.Options{
			Policy: func(context.Context, consultation.Action, consultation.ID, consultation.Participant) error {
				return answer
			},
		})
		require.NoError(t, err)
		c.Consultations = consultationsService
	})
	got := b.do(t, "patient-1", "POST", consultations, `{"topic":"x"}`)
	wantProblem(t, got, 403, httpadapter.CodeForbidden)
	require.NotContains(t, got.body, "canary")
	require.Empty(t, b.log.String())

	answer = errors.New("canary of the policy: the database is down")
	got = b.do(t, "patient-1", "POST", consultations, `{"topic":"x"}`)
	wantProblem(t, got, 500, httpadapter.CodeInternal)
	require.NotContains(t, got.body, "canary")
	require.Contains(t, b.log.String(), "canary of the policy", "somebody has to learn why")
	answer = fmt.Errorf("count the consultations: %w", context.DeadlineExceeded)
	wantProblem(t, b.do(t, "patient-1", "POST", consultations, `{"topic":"x"}`), 503, httpadapter.CodeUnavailable)
}

func TestAnAuthenticatorThatCannotTell(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *httpadapter.Config) {
		c.Authenticator = httpadapter.AuthenticatorFunc(func(*http.Request) (consultation.Participant, error) {
			return people["patient-1"], fmt.Errorf("%w: the store of the sessions: %w: canary", httpadapter.ErrUnavailable, consultation.ErrNotFound)
		})
	})
	for _, got := range []reply{
		b.do(t, "", "GET", consultations, ""),
		b.auth(t, "", "1.1", "private-consultation-demo"),
	} {
		wantProblem(t, got, 503, httpadapter.CodeUnavailable)
		require.Equal(t, "1", got.header.Get("Retry-After"))
		require.NotContains(t, got.body, "canary")
	}
	require.Equal(t, 1, strings.Count(b.log.String(), "level=WARN"))
	require.Contains(t, b.log.String(), "the store of the sessions")
}

func TestSentencesAreInTheUsersLanguage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const de, en = "Diese Beratung ist nicht aktiv.", "This consultation is not active."
	for accept, want := range map[string]string{
		"": de, "de": de, "de-AT,de;q=0.9,en;q=0.8": de, "fr": de, "*": de, "fr-FR, en;q=0.5": en, "en": en, "EN-gb": en,
		"en,de": en, "de,en": de, "de;q=0.5, en;q=0.9": en, "en;q=0": de, "de;q=0,en;q=0.1": en, "en;q=x": de, "en;q=2": de, "en;q=NaN": de,
		"english": de, ";;,,;q=": de,
	} {
		got := b.do(t, "patient-1", "POST", messages, `{"consultationId":"done","content":"x"}`, "Accept-Language", accept)
		wantProblem(t, got, 409, httpadapter.CodeConsultationNotActive)
		require.Equal(t, want, got.json["error"], "%q", accept)
	}
	two := b.do(t, "patient-1", "POST", messages, `{"consultationId":"done","content":"x"}`, "Accept-Language", "fr", "Accept-Language", "en")
	require.Equal(t, en, two.json["error"])
	blank := b.do(t, "patient-1", "POST", messages, `{"consultationId":"demo","content":" "}`)
	require.Equal(t, "Die Nachricht ist leer, zu lang oder enthält unzulässige Zeichen.", blank.json["error"])
	require.Equal(t, "content must not be blank", blank.json["detail"])
}

func FuzzSend(f *testing.F) {
	for _, body := range badBodies {
		f.Add([]byte(body))
	}
	f.Add([]byte(`{"consultationId":"demo","content":"\ud83d\ude00 \\ud83d \\\u00e4"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		b := setup(t)
		before := b.state(t)
		got := b.do(t, "patient-1", "POST", messages, string(body), "Content-Type", "application/json")
		require.Contains(t, []int{201, 400, 404, 409, 413}, got.status, got.body)
		if got.status != 201 {
			require.Equal(t, before, b.state(t))
			return
		}
		require.Equal(t, "demo", got.json["consultationId"])
		require.NotContains(t, got.json["content"].(string), "\x00")
		if !strings.Contains(string(body), "\ufffd") && !strings.Contains(strings.ToLower(string(body)), `ufffd`) {
			require.NotContains(t, got.json["content"].(string), "\ufffd", "what is stored is what was sent")
		}
	})
}
