package httpadapter_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/httpadapter"
)

// withChat makes a handler whose chat service has the options.
func withChat(t *testing.T, opts chat.Options) *bundle {
	t.Helper()
	b := setup(t)
	again := *b
	c, err := chat.NewService(b.store, b.events, &opts)
	require.NoError(t, err)
	again.chat = c
	h, err := httpadapter.New(httpadapter.Config{
		Chat: c, Consultations: b.consultations, Authenticator: httpadapter.AuthenticatorFunc(session),
	})
	require.NoError(t, err)
	again.Handler = holdToContract(t, h)
	return &again
}

func TestTheSenderSeesWhyTheHostRefuses(t *testing.T) {
	t.Parallel()
	b := withChat(t, chat.Options{BeforeSend: func(_ context.Context, d chat.Draft) error {
		switch {
		case strings.Contains(d.Content, "0170"):
			return &chat.RefusedError{Reason: "Bitte keine Telefonnummern."}
		case strings.Contains(d.Content, "rude"):
			return &chat.RefusedError{}
		}
		return nil
	}})
	before := b.state(t)
	got := b.do(t, "patient-1", "POST", messages, `{"consultationId":"demo","content":"0170 1234567"}`, "Accept-Language", "en")
	wantProblem(t, got, 422, httpadapter.CodeMessageRefused)
	require.Equal(t, "Bitte keine Telefonnummern.", got.json["error"])
	for lang, sentence := range map[string]string{"de": "Diese Nachricht wurde nicht angenommen.", "en": "This message was not accepted."} {
		got = b.do(t, "patient-1", "POST", messages, `{"consultationId":"demo","content":"rude"}`, "Accept-Language", lang)
		wantProblem(t, got, 422, httpadapter.CodeMessageRefused)
		require.Equal(t, sentence, got.json["error"])
	}
	require.Equal(t, before, b.state(t))

	sent := b.do(t, "patient-1", "POST", messages, `{"consultationId":"demo","content":"polite"}`)
	require.Equal(t, 201, sent.status, sent.body)
	got = b.do(t, "patient-1", "PATCH", messages+"/"+sent.json["id"].(string), `{"content":"0170 1234567"}`)
	wantProblem(t, got, 422, httpadapter.CodeMessageRefused)
}

func TestAHookThatTakesTooLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := withChat(t, chat.Options{BeforeSend: func(ctx context.Context, _ chat.Draft) error {
			<-ctx.Done()
			return ctx.Err()
		}})
		got := b.do(t, "patient-1", "POST", messages, `{"consultationId":"demo","content":"x"}`)
		wantProblem(t, got, 503, httpadapter.CodeUnavailable)
		require.Equal(t, "1", got.header.Get("Retry-After"))
	})
}

func TestTooManyHungHooks(t *testing.T) {
	t.Parallel()
	b := withChat(t, chat.Options{BeforeSend: func(context.Context, chat.Draft) error { return chat.ErrHooksBusy }})
	got := b.do(t, "patient-1", "POST", messages, `{"consultationId":"demo","content":"x"}`)
	wantProblem(t, got, 503, httpadapter.CodeUnavailable)
	require.NotEmpty(t, got.header.Get("Retry-After"))
}

func TestAllWritesAreLimited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := setup(t)
		sent := b.do(t, "patient-1", "POST", messages, `{"consultationId":"demo","content":"x"}`)
		target := messages + "/" + sent.json["id"].(string)
		for range 19 {
			require.Equal(t, 201, b.do(t, "patient-2", "POST", consultations, `{"topic":"Knie"}`).status)
		}
		for range 100 {
			b.do(t, "patient-1", "POST", consultations+"/demo/gelesen", `{"seq":1}`)
			b.do(t, "patient-1", "PATCH", consultations+"/off", `{"status":"CANCELLED"}`)
			b.do(t, "patient-2", "POST", consultations, `{"topic":"Knie"}`)
		}
		state := b.state(t)
		for _, c := range [][4]string{
			{"patient-1", "POST", messages, `{"consultationId":"demo","content":"x"}`},
			{"patient-1", "PATCH", target, `{"content":"y"}`},
			{"patient-1", "DELETE", target, ""},
			{"patient-1", "POST", consultations + "/demo/gelesen", `{"seq":3}`},
			{"patient-1", "PATCH", consultations + "/open", `{"status":"CANCELLED"}`},
			{"patient-2", "POST", consultations, `{"topic":"Knie"}`},
		} {
			got := b.do(t, c[0], c[1], c[2], c[3])
			wantProblem(t, got, 429, httpadapter.CodeRateLimited)
			require.Equal(t, "1", got.header.Get("Retry-After"), c)
		}
		require.Equal(t, state, b.state(t))
	})
}

func TestSendersAreLimited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := withChat(t, chat.Options{WriteRate: chat.Rate{PerSecond: 0.4, Burst: 1}})
		require.Equal(t, 201, b.do(t, "patient-1", "POST", messages, `{"consultationId":"demo","content":"x"}`).status)
		got := b.do(t, "patient-1", "POST", messages, `{"consultationId":"demo","content":"x"}`)
		wantProblem(t, got, 429, httpadapter.CodeRateLimited)
		require.Equal(t, "3", got.header.Get("Retry-After"), "2.5 seconds, rounded up")
		require.Equal(t, "Zu viele Anfragen. Bitte warten Sie einen Moment.", got.json["error"])
		require.Equal(t, 201, b.do(t, "student-1", "POST", messages, `{"consultationId":"demo","content":"x"}`).status)
		<-time.After(3 * time.Second)
		require.Equal(t, 201, b.do(t, "patient-1", "POST", messages, `{"consultationId":"demo","content":"x"}`).status)
	})
}
