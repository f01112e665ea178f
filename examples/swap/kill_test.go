package main

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/chat/chattest"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/examples/internal/demo"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/realtimetest"
	"github.com/murph-chat/murph/storage/integration/pgtest"
)

// envChild makes the test binary the program itself; its value is the choice and the address, as JSON.
const envChild = "MURPH_SWAP_CHILD"

type childConfig struct {
	Host, DB, Addr string
	Outbox         bool
}

func TestMain(m *testing.M) {
	if child := os.Getenv(envChild); child != "" {
		if err := runChild(child); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func runChild(text string) error {
	var cfg childConfig
	if err := json.Unmarshal([]byte(text), &cfg); err != nil {
		return err
	}
	c := choice{transport: "pusher", host: cfg.Host, privacy: "full", outbox: cfg.Outbox}
	transport, err := c.pusher((&broker{}).config())
	if err != nil {
		return err
	}
	app, err := demo.New(context.Background(), demo.Config{DB: cfg.DB}, transport)
	if err != nil {
		return err
	}
	return demo.Serve(context.Background(), app, cfg.Addr, false)
}

// victim is the application as a process that is killed and started again at the same address.
type victim struct {
	t    *testing.T
	cfg  childConfig
	cmd  *exec.Cmd
	said lockedBuffer // all that it has ever written
}

// start returns when the process answers.
func (v *victim) start() {
	v.t.Helper()
	text, err := json.Marshal(v.cfg)
	require.NoError(v.t, err)
	v.cmd = exec.Command(os.Args[0])
	v.cmd.Env = append(os.Environ(), envChild+"="+string(text), "MURPH_SEND_RATE=0") // people here write without a pause
	v.cmd.Stderr = &v.said
	out, err := v.cmd.StdoutPipe()
	require.NoError(v.t, err)
	require.NoError(v.t, v.cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(v.t, err, "the application has not started: %s", v.said.String())
	_, _ = v.said.Write([]byte(line))
}

func (v *victim) kill() {
	v.t.Helper()
	require.NoError(v.t, v.cmd.Process.Kill())
	_ = v.cmd.Wait() // "signal: killed"
}

// writer is a person who sends messages and repeats each until it is acknowledged.
type writer struct {
	url    string
	user   string
	client http.Client
	acked  []chat.Message
}

func (w *writer) do(ctx context.Context, method, path, contentType string, body io.Reader, out any) (int, error) {
	req, err := http.NewRequestWithContext(ctx, method, w.url+path, body)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", contentType)
	req.AddCookie(&http.Cookie{Name: "murph_demo", Value: w.user})
	resp, err := w.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	if out == nil {
		return resp.StatusCode, nil
	}
	return resp.StatusCode, json.NewDecoder(resp.Body).Decode(out)
}

// write sends message after message until ctx ends. A request that has begun goes on to its end: what it stores would
// otherwise come after the counting, or before.
func (w *writer) write(ctx context.Context, acked chan<- struct{}) {
	for i := 0; ctx.Err() == nil; i++ {
		body := fmt.Sprintf(`{"consultationId":"demo","content":"%s %s %d","clientMessageId":"%s-%d"}`, canary, w.user, i, w.user, i)
		for ctx.Err() == nil {
			var m chat.Message
			status, err := w.do(context.WithoutCancel(ctx), "POST", "/api/nachrichten", "application/json", strings.NewReader(body), &m)
			if err == nil && (status == http.StatusCreated || status == http.StatusOK) {
				w.acked = append(w.acked, m)
				select {
				case acked <- struct{}{}:
				default:
				}
				break
			}
			wait(ctx, 20*time.Millisecond) // it is being started again
		}
	}
}

// wait is the pause of a client before it repeats something.
func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// reader is a browser: it follows the events and catches up over HTTP.
type reader struct {
	writer
	broker *broker
	log    *chattest.Log
}

// follow applies events until ctx ends. The broker stays up; only the application dies.
func (r *reader) follow(ctx context.Context) error {
	c, err := realtimetest.Dial(ctx, r.broker.http.URL+"/app/"+appKey+"?protocol=7", nil)
	if err != nil {
		return err
	}
	defer c.Close()
	channel := consultation.Channel("demo", 1)
	var grant realtime.Grant
	form := url.Values{"socket_id": {string(c.SocketID())}, "channel_name": {string(channel)}}.Encode()
	for {
		status, err := r.do(ctx, "POST", "/api/pusher/auth", "application/x-www-form-urlencoded", strings.NewReader(form), &grant)
		if err == nil && status == http.StatusOK {
			break
		}
		if ctx.Err() != nil {
			return fmt.Errorf("auth: %d %w", status, err)
		}
		wait(ctx, 20*time.Millisecond) // the application is being started again
	}
	if err := c.Subscribe(ctx, channel, grant); err != nil {
		return err
	}
	r.catchUp(ctx)
	for {
		f, err := c.NextEvent(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if err := r.log.Apply(realtime.Event{Channel: channel, Name: f.Event, Data: f.Data}); err != nil {
			return err
		}
		if r.log.Behind() {
			r.catchUp(ctx)
		}
	}
}

// catchUp asks for changes until nothing is known to be missing, or the application does not answer.
func (r *reader) catchUp(ctx context.Context) {
	for {
		var answer struct {
			chat.Changes
			Read map[consultation.UserID]chat.ReadMark
		}
		path := fmt.Sprintf("/api/beratungen/demo?since=%d&epoch=%s", r.log.Rev(), r.log.Epoch())
		if status, err := r.do(ctx, "GET", path, "", nil, &answer); err != nil || status != http.StatusOK {
			return // the next event shows the gap again
		}
		r.log.Merge(answer.Changes)
		if !r.log.Behind() {
			return
		}
	}
}

// outcome is what is left after the killing.
type outcome struct {
	kills, acked, stored     int
	lost, doubled, unsettled int // acknowledged and not stored; stored twice; stored and never told of
}

// massacre kills the application at random moments while two people write, and counts.
func massacre(t *testing.T, kills int, outbox bool) outcome {
	t.Helper()
	b := newBroker(t)
	// A service that takes its time, so that most kills hit an event on its way.
	b.before = func() { wait(context.Background(), 5*time.Millisecond) }
	dsn := pgtest.Database(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := listener.Addr().String()
	require.NoError(t, listener.Close())
	v := &victim{t: t, cfg: childConfig{Host: b.host(), DB: dsn, Addr: addr, Outbox: outbox}}
	v.start()
	t.Cleanup(func() { _ = v.cmd.Process.Kill() })

	writing, stop := context.WithCancel(t.Context())
	following, unfollow := context.WithCancel(t.Context())
	defer unfollow()
	defer stop()
	acked := make(chan struct{})
	var writers, readers sync.WaitGroup
	people := []*writer{{url: "http://" + addr, user: "patient-1"}, {url: "http://" + addr, user: "student-1"}}
	browsers := make([]*reader, len(people))
	errs := make([]error, len(people))
	for i, w := range people {
		browsers[i] = &reader{writer: writer{url: w.url, user: w.user}, broker: b, log: chattest.NewLog("demo")}
		readers.Go(func() { errs[i] = browsers[i].follow(following) })
	}
	for _, w := range people {
		writers.Go(func() { w.write(writing, acked) })
	}
	for range kills {
		for range 1 + rand.IntN(10) {
			<-acked
		}
		wait(t.Context(), rand.N(20*time.Millisecond))
		v.kill()
		v.start()
	}
	stop()
	writers.Wait()

	db, err := sql.Open("pgx", dsn)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	require.Eventually(t, func() bool {
		var pending int
		return db.QueryRowContext(t.Context(), `SELECT count(*) FROM murph_outbox`).Scan(&pending) == nil && pending == 0
	}, time.Minute, 50*time.Millisecond, "the outbox does not empty")

	out := outcome{kills: kills}
	stored := map[chat.MessageID]int64{}
	rows, err := db.QueryContext(t.Context(), `SELECT id, rev FROM murph_messages`)
	require.NoError(t, err)
	for rows.Next() {
		var id chat.MessageID
		var rev int64
		require.NoError(t, rows.Scan(&id, &rev))
		stored[id] = rev
	}
	require.NoError(t, rows.Close())
	out.stored = len(stored)
	keys := map[string]int{}
	for _, w := range people {
		for _, m := range w.acked {
			out.acked++
			if _, ok := stored[m.ID]; !ok {
				out.lost++
			}
			if keys[m.ClientMessageID]++; keys[m.ClientMessageID] > 1 {
				out.doubled++
			}
		}
	}
	told := map[chat.MessageID]bool{}
	var resync int64
	for _, ev := range b.published(t) {
		var payload chat.Thin
		require.NoError(t, json.Unmarshal([]byte(ev.Data), &payload))
		told[payload.ID] = true
		if ev.Name == chat.EventResyncRequired {
			resync = max(resync, payload.Rev)
		}
	}
	for id, rev := range stored {
		if !told[id] && rev > resync {
			out.unsettled++
		}
	}

	// The browsers have what is stored, each message once and in order. The last look is the one that a page takes every
	// now and then.
	unfollow()
	readers.Wait()
	for i, r := range browsers {
		require.NoError(t, errs[i])
		r.catchUp(t.Context())
		shown := r.log.Messages()
		require.Len(t, shown, len(stored))
		for i, m := range shown {
			require.Contains(t, stored, m.ID)
			require.True(t, i == 0 || shown[i-1].Seq < m.Seq)
		}
	}
	for _, leak := range []string{secret, canary, "auth_signature"} {
		require.NotContains(t, v.said.String(), leak)
		require.NotContains(t, b.log.String(), leak)
	}
	t.Logf("%+v", out)
	return out
}

// kills is how often, by default and for MURPH_TORTURE.
func killCount() int {
	if os.Getenv("MURPH_TORTURE") != "" {
		return 60
	}
	return 5
}

func TestKill(t *testing.T) {
	t.Parallel()
	out := massacre(t, killCount(), true)
	require.NotZero(t, out.acked)
	require.Zero(t, out.lost)
	require.Zero(t, out.doubled)
	require.Zero(t, out.unsettled)
}

// Without the outbox the same count finds events that nobody was told of: it can fail.
func TestKillWithoutOutbox(t *testing.T) {
	t.Parallel()
	for range 5 { // chance may spare every event of one round
		out := massacre(t, killCount(), false)
		require.Zero(t, out.lost, "what is acknowledged is stored all the same")
		if out.unsettled > 0 {
			return
		}
	}
	t.Error("no event was lost without an outbox")
}
