package httpadapter_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/httpadapter"
	"github.com/murph-chat/murph/realtime/inmem"
	"github.com/murph-chat/murph/realtime/ws"
	"github.com/murph-chat/murph/storage/memstore"
)

const appKey = "test-key"

var people = map[string]consultation.Participant{
	"patient-1": {UserID: "patient-1", Role: consultation.RolePatient, FirstName: "Pia", LastName: "Probst"},
	"patient-2": {UserID: "patient-2", Role: consultation.RolePatient, FirstName: "Paul", LastName: "Pohl"},
	"student-1": {UserID: "student-1", Role: consultation.RoleStudent, FirstName: "Sina", LastName: "Sommer", Image: "/sina.png"},
	"student-2": {UserID: "student-2", Role: consultation.RoleStudent, FirstName: "Sven", LastName: "Stein"},
	"student-3": {UserID: "student-3", Role: consultation.RoleStudent, FirstName: "Suse"},
	"nobody":    {Role: consultation.RolePatient},
	"broken":    {UserID: "broken", FirstName: "no role"},
}

// session authenticates by the header Test-User.
func session(r *http.Request) (consultation.Participant, error) {
	p, ok := people[r.Header.Get("Test-User")]
	if !ok {
		return consultation.Participant{}, errors.New("no session canary-token")
	}
	return p, nil
}

// countingStore counts the calls and fails them on demand. Where a store may return nil for nothing, it does.
type countingStore struct {
	*memstore.Store
	calls atomic.Int64
	fail  func(ctx context.Context) error
}

func (s *countingStore) call(ctx context.Context) error {
	s.calls.Add(1)
	if s.fail != nil {
		return s.fail(ctx)
	}
	return nil
}

func counted[P, R any](s *countingStore, ctx context.Context, p P, f func(context.Context, P) (R, error)) (R, error) {
	if err := s.call(ctx); err != nil {
		var zero R
		return zero, err
	}
	return f(ctx, p)
}

func (s *countingStore) Append(ctx context.Context, p chat.AppendParams) (chat.Appended, error) {
	return counted(s, ctx, p, s.Store.Append)
}

func (s *countingStore) History(ctx context.Context, p chat.HistoryParams) (chat.Page, error) {
	page, err := counted(s, ctx, p, s.Store.History)
	if len(page.Messages) == 0 {
		page.Messages = nil
	}
	if len(page.Reads) == 0 {
		page.Reads = nil
	}
	return page, err
}

func (s *countingStore) Changes(ctx context.Context, p chat.ChangesParams) (chat.Changes, error) {
	return counted(s, ctx, p, s.Store.Changes)
}

func (s *countingStore) Inbox(ctx context.Context, p chat.InboxParams) (chat.InboxPage, error) {
	return counted(s, ctx, p, s.Store.Inbox)
}

func (s *countingStore) MarkRead(ctx context.Context, p chat.ReadParams) (chat.Marked, error) {
	return counted(s, ctx, p, s.Store.MarkRead)
}

func (s *countingStore) Edit(ctx context.Context, p chat.EditParams) (chat.Changed, error) {
	return counted(s, ctx, p, s.Store.Edit)
}

func (s *countingStore) Delete(ctx context.Context, p chat.DeleteParams) (chat.Changed, error) {
	return counted(s, ctx, p, s.Store.Delete)
}

func (s *countingStore) Create(ctx context.Context, p consultation.CreateParams) (consultation.Consultation, error) {
	return counted(s, ctx, p, s.Store.Create)
}

func (s *countingStore) Change(ctx context.Context, p consultation.ChangeParams) (consultation.Changed, error) {
	return counted(s, ctx, p, s.Store.Change)
}

func (s *countingStore) Consultation(ctx context.Context, id consultation.ID, viewer consultation.UserID) (consultation.Consultation, error) {
	if err := s.call(ctx); err != nil {
		return consultation.Consultation{}, err
	}
	return s.Store.Consultation(ctx, id, viewer)
}

// bundle is a handler on real parts. The consultation "demo" is between patient-1 and student-1 and in progress, "open"
// is requested by patient-1, "done" is completed and "off" cancelled.
type bundle struct {
	http.Handler
	store         *countingStore
	events        *inmem.Broadcaster
	server        *ws.Server
	consultations *consultation.Service
	chat          *chat.Service
	log           *strings.Builder
}

func setup(t *testing.T, changes ...func(*httpadapter.Config)) *bundle {
	t.Helper()
	b := &bundle{store: &countingStore{Store: memstore.New()}, events: &inmem.Broadcaster{}, log: &strings.Builder{}}
	logger := slog.New(slog.NewTextHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	b.server, err = ws.New(ws.Config{AppID: "app", Key: appKey, Secret: "secret", Logger: logger})
	require.NoError(t, err)
	b.consultations, err = consultation.NewService(b.store, b.events, nil)
	require.NoError(t, err)
	b.chat, err = chat.NewService(b.store, b.events, nil)
	require.NoError(t, err)

	ctx, pia, sina := t.Context(), people["patient-1"], people["student-1"]
	for _, id := range []consultation.ID{"demo", "open", "done", "off"} {
		_, err = b.consultations.Request(ctx, consultation.RequestParams{ID: id, Topic: "Rücken <" + string(id) + ">", Patient: pia})
		require.NoError(t, err)
		change := consultation.TransitionParams{ID: id, By: consultation.Host(), Student: &sina}
		if id == "demo" || id == "done" {
			_, err = b.consultations.Accept(ctx, change)
			require.NoError(t, err)
		}
		change.Student = nil
		switch id {
		case "done":
			_, err = b.consultations.Complete(ctx, change)
		case "off":
			_, err = b.consultations.Cancel(ctx, change)
		}
		require.NoError(t, err)
	}

	cfg := httpadapter.Config{
		Chat: b.chat, Consultations: b.consultations, Authenticator: httpadapter.AuthenticatorFunc(session),
		Signer: b.server, Socket: b.server, Transport: httpadapter.Transport{Key: appKey, Presence: true}, Logger: logger,
	}
	for _, change := range changes {
		change(&cfg)
	}
	h, err := httpadapter.New(cfg)
	require.NoError(t, err)
	b.Handler = holdToContract(t, h)
	t.Cleanup(func() { checkEvents(t, b.events.Events()) })
	b.store.calls.Store(0)
	return b
}

// reply is an answer. JSON bodies are decoded.
type reply struct {
	status int
	header http.Header
	body   string
	json   map[string]any
}

func (r reply) list(name string) []any {
	l, _ := r.json[name].([]any)
	return l
}

// do sends a request as the user. headers are names and values in turn; a body gets the type of JSON if it has none.
func (b *bundle) do(t *testing.T, user, method, target, body string, headers ...string) reply {
	t.Helper()
	return do(t, b, user, method, target, body, headers...)
}

// request makes a request as the user, with a body of JSON.
func request(ctx context.Context, user, method, target, body string) *http.Request {
	r := httptest.NewRequestWithContext(ctx, method, target, strings.NewReader(body))
	r.Header = http.Header{"Content-Type": {"application/json"}, "Test-User": {user}}
	return r
}

func do(t *testing.T, h http.Handler, user, method, target, body string, headers ...string) reply {
	t.Helper()
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	r := httptest.NewRequestWithContext(t.Context(), method, target, in)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if user != "" {
		r.Header.Set("Test-User", user)
	}
	for i := 0; i < len(headers); i += 2 {
		switch headers[i+1] {
		case "<none>":
			r.Header.Del(headers[i])
		default:
			if headers[i] == "Content-Type" {
				r.Header.Del(headers[i])
			}
			r.Header.Add(headers[i], headers[i+1])
		}
	}
	return exchange(t, h, r)
}

func exchange(t *testing.T, h http.Handler, r *http.Request) reply {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	out := reply{status: w.Code, header: w.Result().Header, body: w.Body.String()}
	if strings.Contains(out.header.Get("Content-Type"), "json") {
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &out.json), out.body)
	}
	return out
}

// state is all that there is, to see that a refused request has written nothing.
func (b *bundle) state(t *testing.T) string {
	t.Helper()
	var all []any
	for _, user := range []consultation.UserID{"patient-1", "patient-2", "student-1", "student-2"} {
		inbox, err := b.store.Store.Inbox(t.Context(), chat.InboxParams{Viewer: user, Limit: 100})
		require.NoError(t, err)
		for _, it := range inbox.Items {
			page, err := b.store.Store.History(t.Context(), chat.HistoryParams{ConsultationID: it.Consultation.ID, Viewer: user, Limit: 100})
			require.NoError(t, err)
			all = append(all, page)
		}
	}
	text, err := json.Marshal(append(all, len(b.events.Events())))
	require.NoError(t, err)
	return string(text)
}

// wantProblem checks everything that refusals have in common.
func wantProblem(t *testing.T, r reply, status int, code httpadapter.Code) {
	t.Helper()
	require.Equal(t, status, r.status, r.body)
	require.Equal(t, "application/problem+json", r.header.Get("Content-Type"))
	require.Equal(t, "no-store", r.header.Get("Cache-Control"))
	require.Equal(t, string(code), r.json["code"], r.body)
	require.EqualValues(t, status, r.json["status"])
	require.Equal(t, "about:blank", r.json["type"])
	require.Equal(t, http.StatusText(status), r.json["title"])
	require.NotEmpty(t, r.json["detail"])
	require.NotEmpty(t, r.json["error"])
}
