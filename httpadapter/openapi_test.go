package httpadapter_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/httpadapter"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/inmem"
	"github.com/murph-chat/murph/realtime/ws"
	"github.com/murph-chat/murph/storage/memstore"
)

// newDescribed makes a handler with all routes at their defaults.
func newDescribed(changes ...func(*httpadapter.Config)) *httpadapter.Handler {
	server, err1 := ws.New(ws.Config{AppID: "app", Key: appKey, Secret: "secret"})
	messages, err2 := chat.NewService(memstore.New(), server, nil)
	consultations, err3 := consultation.NewService(memstore.New(), server, nil)
	cfg := httpadapter.Config{
		Chat: messages, Consultations: consultations, Authenticator: httpadapter.AuthenticatorFunc(session),
		Signer: server, Socket: server, Transport: httpadapter.Transport{Key: appKey},
	}
	for _, change := range changes {
		change(&cfg)
	}
	h, err4 := httpadapter.New(cfg)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		panic(err)
	}
	return h
}

func paths(document []byte) []string {
	return slices.Sorted(maps.Keys(parse(document)["paths"].(map[string]any)))
}

func TestOpenAPIShowsThePathsAsConfigured(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{
		consultations, consultations + "/{id}", consultations + "/{id}/gelesen", messages, messages + "/{id}", channelAuth, userAuth, "/app/{key}",
	}, paths(newDescribed().OpenAPI()))
	changed := newDescribed(withBase("/v2"), func(c *httpadapter.Config) {
		c.Paths = httpadapter.Paths{
			Messages: "/m", Message: "/m/{id}/it", Consultations: "/c", Consultation: "/c/{id}", Read: "/c/{id}/read",
			ChannelAuth: "/c/auth", UserAuth: "/c/user", Socket: "/rt/app/{key}", OpenAPI: "/openapi.json",
		}
	})
	require.Equal(t, []string{
		"/v2/c", "/v2/c/auth", "/v2/c/user", "/v2/c/{id}", "/v2/c/{id}/read", "/v2/m", "/v2/m/{id}/it", "/v2/rt/app/{key}",
	}, paths(changed.OpenAPI()))
	items := parse(changed.OpenAPI())["paths"].(map[string]any)
	require.Contains(t, items["/v2/c/{id}/read"].(map[string]any)["post"], "requestBody", "each has its own description")
	polling := newDescribed(func(c *httpadapter.Config) { c.Signer, c.Socket, c.Transport = nil, nil, httpadapter.Transport{} })
	require.NotContains(t, paths(polling.OpenAPI()), channelAuth)
	require.NotContains(t, paths(polling.OpenAPI()), "/app/{key}")
}

func TestOpenAPIIsServedOnRequest(t *testing.T) {
	t.Parallel()
	got := do(t, newDescribed(), "", "GET", "/openapi.json", "")
	wantProblem(t, got, 404, httpadapter.CodeNotFound)
	h := newDescribed(func(c *httpadapter.Config) { c.Paths.OpenAPI = "/openapi.json" })
	got = do(t, h, "", "GET", "/openapi.json", "")
	require.Equal(t, 200, got.status)
	require.Equal(t, "application/json", got.header.Get("Content-Type"))
	require.Equal(t, "3.1.1", got.json["openapi"])
	require.JSONEq(t, string(h.OpenAPI()), got.body)
}

// TestEveryProblemHasItsCodeDescribed keeps the list of codes whole.
func TestEveryProblemHasItsCodeDescribed(t *testing.T) {
	t.Parallel()
	problem := schema{root: parse(newDescribed().OpenAPI())}.resolve("#/components/schemas/Problem/properties/code/enum")
	var described []httpadapter.Code
	for _, code := range problem.node.([]any) {
		described = append(described, httpadapter.Code(code.(string)))
	}
	require.ElementsMatch(t, httpadapter.Codes(), described)
}

// TestEventsThatNoRequestCauses are those of an outbox and of the host, and messages that are too large to travel.
func TestEventsThatNoRequestCauses(t *testing.T) {
	t.Parallel()
	store, events := memstore.New(), &inmem.Broadcaster{}
	relay, err := realtime.NewRelay(store, events, nil)
	require.NoError(t, err)
	consultations, err := consultation.NewService(store, relay, nil)
	require.NoError(t, err)
	messages, err := chat.NewService(store, relay, nil)
	require.NoError(t, err)
	sina, sven := people["student-1"], people["student-2"]
	c, err := consultations.Request(t.Context(), consultation.RequestParams{Topic: "x", Patient: people["patient-1"]})
	require.NoError(t, err)
	_, err = consultations.Accept(t.Context(), consultation.TransitionParams{ID: c.ID, By: consultation.Person(sina)})
	require.NoError(t, err)
	for range 20 {
		_, err = messages.Send(t.Context(), chat.SendParams{ConsultationID: c.ID, SenderID: sina.UserID, Content: strings.Repeat("ü", 5000)})
		require.NoError(t, err)
	}
	_, err = relay.Flush(t.Context())
	require.NoError(t, err)
	_, err = consultations.Reassign(t.Context(), consultation.TransitionParams{ID: c.ID, By: consultation.Host(), Student: &sven})
	require.NoError(t, err)
	_, err = relay.Flush(t.Context())
	require.NoError(t, err)
	require.NoError(t, store.InTx(t.Context(), func(tx *memstore.Store) error { // a crowd of entries that are due at once
		for range 20 {
			_, err := messages.SendTx(context.WithoutCancel(t.Context()), tx, chat.SendParams{ConsultationID: c.ID, SenderID: sven.UserID, Content: "x"})
			require.NoError(t, err)
		}
		return nil
	}))
	_, err = relay.Flush(t.Context())
	require.NoError(t, err)
	checkEvents(t, events.Events())
	names := map[string]bool{}
	for _, ev := range events.Events() {
		names[ev.Name] = true
	}
	require.True(t, names[chat.EventResyncRequired] && names[consultation.EventConsultationUpdated], names)
}

// TestRefusalsThatAreRare completes what the other tests meet.
func TestRefusalsThatAreRare(t *testing.T) {
	t.Parallel()
	b := setup(t)
	sent := b.do(t, "patient-1", "POST", messages, `{"consultationId":"demo","content":"x"}`)
	require.Equal(t, 201, sent.status, sent.body)
	target := messages + "/" + sent.json["id"].(string)
	wantProblem(t, b.do(t, "patient-2", "DELETE", target, ""), 404, httpadapter.CodeNotFound)
	require.Equal(t, 200, b.do(t, "student-1", "PATCH", consultations+"/demo", `{"status":"COMPLETED"}`).status)
	wantProblem(t, b.do(t, "patient-1", "DELETE", target, ""), 409, httpadapter.CodeConsultationNotActive)
	long := "socket_id=" + strings.Repeat("1", 9000)
	wantProblem(t, b.do(t, "patient-1", "POST", userAuth, long, "Content-Type", formType), 413, httpadapter.CodeTooLarge)
}
