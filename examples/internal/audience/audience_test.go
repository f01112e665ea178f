//lint:file-ignore SA1019 the frozen path of the library is the one that the project depends on

package audience

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver for Postgres
	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/storage/bunstore"
	"github.com/murph-chat/murph/storage/integration/pgtest"
	"github.com/murph-chat/murph/storage/memstore"
	"github.com/murph-chat/murph/storage/sqlitestore"
)

// TestAudienceUnderFaults runs random schedules in each world. MURPH_SEED repeats one, MURPH_TORTURE=1 runs many.
func TestAudienceUnderFaults(t *testing.T) {
	t.Parallel()
	stores := map[string]func(t *testing.T) store{
		"memory": func(*testing.T) store { return memstore.New() },
		"sqlite": func(t *testing.T) store {
			st, err := sqlitestore.Open(t.Context(), sqlitestore.InMemory, nil)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, st.Close()) })
			return st
		},
		"postgres": func(t *testing.T) store {
			db, err := sql.Open("pgx", pgtest.Schema(t))
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, db.Close()) })
			st, err := bunstore.NewPostgres(db, nil)
			require.NoError(t, err)
			require.NoError(t, st.Migrate(t.Context()))
			return st
		},
	}
	steps, rounds := 200, 1
	if os.Getenv("MURPH_TORTURE") != "" {
		steps, rounds = 600, 20
	}
	for name, open := range stores {
		for _, kind := range []transportKind{overWS, overBus, overFixed, overPusher} {
			for round := range rounds {
				t.Run(fmt.Sprintf("%s/%s/%d", name, kind, round), func(t *testing.T) {
					t.Parallel()
					run(t, open(t), kind, steps)
				})
			}
		}
	}
}

func seed(t *testing.T) uint64 {
	t.Helper()
	if s := os.Getenv("MURPH_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		require.NoError(t, err)
		return n
	}
	return rand.Uint64()
}

// run plays one schedule and checks the invariant.
func run(t *testing.T, st store, kind transportKind, steps int) {
	first := seed(t)
	t.Logf("MURPH_SEED=%d", first)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	s := &schedule{
		world: newWorld(t, st, kind, 2), kind: kind, random: rand.New(rand.NewPCG(first, 0)),
		students: []consultation.UserID{"student-1", "student-2", "student-3"},
	}
	t.Cleanup(func() {
		for _, c := range s.clients {
			c.close()
		}
	})
	for i := range 2 {
		s.begin(ctx, consultation.ID(fmt.Sprintf("room-%d", i)))
	}
	for range steps {
		var together sync.WaitGroup
		for range 1 + s.random.IntN(3) {
			together.Go(s.next(ctx))
		}
		together.Wait()
	}
	s.settle(ctx)
	leaks, right := s.truth.leaks()
	for _, leak := range leaks {
		t.Error(leak)
	}
	t.Logf("%d texts received rightly", right)
	require.Greater(t, right, 5, "hardly anything was received: the schedule proves nothing")
}

// schedule chooses steps at random. Its fields are for the goroutine of run; the steps that it returns run side by side.
type schedule struct {
	*world
	kind     transportKind
	random   *rand.Rand
	students []consultation.UserID
	rooms    []consultation.ID
	clients  []*client
	lastRoom int

	sent sync.Mutex // guards own
	own  []chat.Message
}

func pick[T any](s *schedule, from []T) T { return from[s.random.IntN(len(from))] }

// begin makes a consultation of a patient of its own, with the first student.
func (s *schedule) begin(ctx context.Context, id consultation.ID) {
	p := s.processes[0]
	s.lastRoom++
	patient := person(consultation.UserID(fmt.Sprintf("patient-%d", s.lastRoom)))
	_, err := p.consultations.Request(ctx, consultation.RequestParams{ID: id, Topic: "x", Patient: patient})
	require.NoError(s.t, err)
	student := person("student-1")
	_, err = p.consultations.Accept(ctx, consultation.TransitionParams{ID: id, By: consultation.Host(), Student: &student})
	require.NoError(s.t, err)
	s.rooms = append(s.rooms, id)
	s.follow(ctx, s.client(ctx, pick(s, s.processes), patient.UserID), id)
	s.follow(ctx, s.client(ctx, pick(s, s.processes), student.UserID), id)
}

// client opens a connection.
func (s *schedule) client(ctx context.Context, p *process, user consultation.UserID) *client {
	c, err := s.connect(ctx, p, user)
	require.NoError(s.t, err)
	s.clients = append(s.clients, c)
	return c
}

// follow does what a page does: it asks for the channel and subscribes.
func (s *schedule) follow(ctx context.Context, c *client, id consultation.ID) {
	if ch := c.channel(ctx, id); ch != "" && c.authorize(ctx, ch) {
		c.subscribe(ctx, 0)
	}
}

// next returns the next step. All random choices are made before the step runs.
func (s *schedule) next(ctx context.Context) func() {
	p, id := pick(s, s.processes), pick(s, s.rooms)
	c, n := pick(s, s.clients), s.random.IntN(5)
	switch s.random.IntN(20) {
	case 0, 1, 2, 3, 4:
		now := s.truth.current(id)
		user := pick(s, []consultation.UserID{now.patient, now.patient, now.student, now.student, pick(s, s.students)})
		return func() { s.send(ctx, p, id, user) }
	case 5:
		pickMessage := s.random.Uint64()
		return func() { s.edit(ctx, p, pickMessage) }
	case 6, 7:
		student := person(pick(s, s.students))
		lost := s.random.IntN(4) == 0
		return func() { s.reassign(ctx, p, id, student, lost) }
	case 8, 9, 10:
		return func() { s.follow(ctx, c, id) }
	case 11:
		return func() { c.subscribe(ctx, n) } // with an old grant
	case 12:
		student := person(pick(s, s.students))
		return func() { s.authorizeLate(ctx, c, id, p, student) }
	case 13:
		now := s.truth.current(id)
		fresh := s.client(ctx, p, pick(s, []consultation.UserID{c.user, now.patient, now.student, now.student}))
		return func() { s.follow(ctx, fresh, id) }
	case 14:
		if c.ended() || s.random.IntN(3) > 0 {
			return func() {}
		}
		return func() { _ = c.conn.CloseNow() }
	case 15:
		if p.bus == nil {
			return func() {}
		}
		return func() { p.bus.Drop(1 + n) }
	case 16:
		if s.kind == overFixed || s.random.IntN(15) > 0 || len(s.students) < 2 {
			return func() {}
		}
		user := pick(s, s.students)
		s.students = without(s.students, user)
		return func() { _ = s.suspend(ctx, p, user) } // without a bus it may say that connections are left
	default:
		return func() { _, _ = p.relay.Flush(ctx) }
	}
}

func without(users []consultation.UserID, gone consultation.UserID) (rest []consultation.UserID) {
	for _, u := range users {
		if u != gone {
			rest = append(rest, u)
		}
	}
	return rest
}

func (s *schedule) send(ctx context.Context, p *process, id consultation.ID, user consultation.UserID) {
	s.world.mu.Lock()
	refused := s.refused[user]
	s.world.mu.Unlock()
	if refused {
		return
	}
	sent, err := p.messages.Send(ctx, chat.SendParams{ConsultationID: id, SenderID: user, Content: s.truth.token()})
	if err != nil {
		return // the user takes no part
	}
	s.sent.Lock()
	defer s.sent.Unlock()
	s.own = append(s.own, sent.Message)
}

func (s *schedule) edit(ctx context.Context, p *process, which uint64) {
	s.sent.Lock()
	if len(s.own) == 0 {
		s.sent.Unlock()
		return
	}
	m := s.own[which%uint64(len(s.own))]
	s.sent.Unlock()
	_, _ = p.messages.Edit(ctx, chat.OwnMessageParams{ID: m.ID, By: m.SenderID}, s.truth.token()) // the sender may have left
}

func (s *schedule) reassign(ctx context.Context, p *process, id consultation.ID, to consultation.Participant, lost bool) {
	if lost {
		s.store.mu.Lock()
		s.store.loseChange = true
		s.store.mu.Unlock()
	}
	_, _ = p.consultations.Reassign(ctx, consultation.TransitionParams{ID: id, By: consultation.Host(), Student: &to})
}

// authorizeLate has the student replaced between the read of the authorisation and its signature.
func (s *schedule) authorizeLate(ctx context.Context, c *client, id consultation.ID, p *process, to consultation.Participant) {
	ch := c.channel(ctx, id)
	if ch == "" {
		return
	}
	s.store.mu.Lock()
	s.store.afterRead = func(read consultation.ID) {
		_, _ = p.consultations.Reassign(ctx, consultation.TransitionParams{ID: read, By: consultation.Host(), Student: &to})
	}
	s.store.mu.Unlock()
	if c.authorize(ctx, ch) {
		c.subscribe(ctx, 0)
	}
}

// settle sends what is queued and waits until every open connection has answered, so that all frames are in.
func (s *schedule) settle(ctx context.Context) {
	for range 3 {
		for _, p := range s.processes {
			_, _ = p.relay.Flush(ctx)
		}
	}
	for _, c := range s.clients {
		if !c.ended() {
			c.sync(ctx)
		}
	}
}
