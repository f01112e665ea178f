package consultation_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/storage/memstore"
)

// revoking is a recorder that can end subscriptions.
type revoking struct {
	recorder
	calls  map[realtime.Channel][]string // the users to keep
	revs   []int64
	before []int // events broadcast before each call
	ctxErr error
	err    error
	panics bool

	terminated []string
	authorize  realtime.AuthorizeFunc
	rechecks   int
}

func (r *revoking) Revoke(ctx context.Context, rev realtime.Revocation) error {
	if r.panics {
		panic("a bug")
	}
	r.ctxErr = errors.Join(r.ctxErr, ctx.Err())
	if r.calls == nil {
		r.calls = map[realtime.Channel][]string{}
	}
	for _, ch := range rev.Channels {
		r.calls[ch] = rev.Keep
	}
	r.revs = append(r.revs, rev.Rev)
	r.before = append(r.before, len(r.events))
	return r.err
}

func (r *revoking) TerminateUser(_ context.Context, userID string) error {
	r.terminated = append(r.terminated, userID)
	return r.err
}

func (r *revoking) AuthorizeWith(f realtime.AuthorizeFunc) { r.authorize = f }
func (r *revoking) Recheck()                               { r.rechecks++ }

func (r *revoking) reset() {
	r.calls, r.revs, r.before, r.events, r.terminated = nil, nil, nil, nil, nil
}

func revokingService(t *testing.T, to *revoking, opts *consultation.Options) (*consultation.Service, consultation.ID) {
	t.Helper()
	svc, err := consultation.NewService(memstore.New(), to, opts)
	require.NoError(t, err)
	c, err := svc.Request(t.Context(), consultation.RequestParams{Topic: "x", Patient: patient})
	require.NoError(t, err)
	_, err = svc.Accept(t.Context(), by(c.ID, student))
	require.NoError(t, err)
	require.Empty(t, to.calls, "nobody has lost anything")
	to.reset()
	return svc, c.ID
}

// everyChannel maps the channels of the audience and the one before to the users to keep.
func everyChannel(id consultation.ID, audience int, keep ...string) map[realtime.Channel][]string {
	all := map[realtime.Channel][]string{}
	for n := max(1, audience-1); n <= audience; n++ {
		all[consultation.Channel(id, n)] = keep
		all[consultation.PresenceChannel(id, n)] = keep
		all[consultation.EncryptedChannel(id, n)] = keep
	}
	return all
}

// namesAndChannels returns the name and the channel of each event.
func namesAndChannels(events []realtime.Event) []string {
	all := make([]string, 0, len(events))
	for _, ev := range events {
		all = append(all, ev.Name+" "+string(ev.Channel))
	}
	return all
}

func TestReplacedStudentStopsListening(t *testing.T) {
	t.Parallel()
	to := &revoking{}
	svc, id := revokingService(t, to, nil)
	other := student
	other.UserID = "student-2"
	ctx, cancel := context.WithCancel(t.Context())
	_, err := svc.Reassign(ctx, consultation.TransitionParams{ID: id, By: consultation.Host(), Student: &other})
	cancel()
	require.NoError(t, err)
	require.NoError(t, to.ctxErr)
	require.Equal(t, everyChannel(id, 2, string(patient.UserID), "student-2"), to.calls)
	require.Equal(t, []int64{3}, to.revs)
	require.Equal(t, []int{0}, to.before, "an event went out before")
	require.Equal(t, []string{"consultation-updated private-consultation.2-" + string(id), "resync-required private-consultation-" + string(id)},
		namesAndChannels(to.events))
	require.Equal(t, `{"consultationId":"`+string(id)+`","rev":0}`, string(to.events[1].Data), "the channel that was left learns more")
}

// lossy is a store whose answer to a change is lost after the change was stored, and which cannot be read if it is down.
type lossy struct {
	*memstore.Store
	lost, down bool
}

var errLost = errors.New("the connection is lost")

func (s *lossy) Change(ctx context.Context, p consultation.ChangeParams) (consultation.Changed, error) {
	done, err := s.Store.Change(ctx, p)
	if s.lost && err == nil {
		return consultation.Changed{}, errLost
	}
	return done, err
}

func (s *lossy) Consultation(ctx context.Context, id consultation.ID, viewer consultation.UserID) (consultation.Consultation, error) {
	if s.down {
		return consultation.Consultation{}, errLost
	}
	return s.Store.Consultation(ctx, id, viewer)
}

func TestChangeOfUnknownOutcomeEndsSubscriptions(t *testing.T) {
	t.Parallel()
	for _, down := range []bool{false, true} {
		store, to := &lossy{Store: memstore.New()}, &revoking{}
		svc, err := consultation.NewService(store, to, nil)
		require.NoError(t, err)
		c, err := svc.Request(t.Context(), consultation.RequestParams{Topic: "x", Patient: patient})
		require.NoError(t, err)
		_, err = svc.Accept(t.Context(), by(c.ID, student))
		require.NoError(t, err)
		store.lost, store.down = true, down
		ctx, cancel := context.WithCancel(t.Context())
		_, err = svc.Reassign(ctx, byHost(c.ID, &other))
		cancel()
		require.ErrorIs(t, err, errLost)
		if down {
			require.Empty(t, to.calls)
			require.Equal(t, 1, to.rechecks)
			continue
		}
		require.Equal(t, everyChannel(c.ID, 2, string(patient.UserID), string(other.UserID)), to.calls)
	}
	// What certainly was not stored ends nothing.
	to := &revoking{}
	svc, id := revokingService(t, to, nil)
	_, err := svc.Complete(t.Context(), by(id, other))
	require.ErrorIs(t, err, consultation.ErrNotParticipant)
	require.Empty(t, to.calls)
	require.Zero(t, to.rechecks)
}

func TestRecheckerAsksTheService(t *testing.T) {
	t.Parallel()
	to := &revoking{}
	_, id := revokingService(t, to, nil)
	ch := consultation.Channel(id, 1)
	allowed, err := to.authorize(t.Context(), []realtime.Listener{
		{UserID: string(student.UserID), Channel: ch}, {UserID: string(other.UserID), Channel: ch},
	})
	require.NoError(t, err)
	require.Equal(t, []bool{true, false}, allowed)
}

// TestCompletedConsultationsStayAudible shows that completing ends what the host's policy says, and nothing by default.
func TestCompletedConsultationsStayAudible(t *testing.T) {
	t.Parallel()
	to := &revoking{}
	svc, id := revokingService(t, to, nil)
	_, err := svc.Complete(t.Context(), by(id, student))
	require.NoError(t, err)
	require.Equal(t, everyChannel(id, 1, string(patient.UserID), string(student.UserID)), to.calls)

	to = &revoking{}
	svc, id = revokingService(t, to, &consultation.Options{Listeners: func(c consultation.Consultation) []consultation.UserID {
		if c.Status == consultation.StatusCompleted {
			return nil
		}
		return []consultation.UserID{c.Patient.UserID}
	}})
	_, err = svc.Complete(t.Context(), by(id, student))
	require.NoError(t, err)
	require.Equal(t, everyChannel(id, 1), to.calls)
}

func TestFailedRevocationDoesNotFailTheChange(t *testing.T) {
	t.Parallel()
	for _, to := range []*revoking{{err: errors.New("down")}, {panics: true}} {
		var log strings.Builder
		opts := &consultation.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}
		svc, err := consultation.NewService(memstore.New(), to, opts)
		require.NoError(t, err)
		c, err := svc.Request(t.Context(), consultation.RequestParams{Topic: "x", Patient: patient})
		require.NoError(t, err)
		_, err = svc.Cancel(t.Context(), by(c.ID, patient))
		require.NoError(t, err)
		require.Len(t, to.events, 1)
		require.Equal(t, 1, strings.Count(log.String(), "subscriptions not ended"))
	}
}

func TestPanicOfListenersDoesNotFailTheChange(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	to := &revoking{}
	svc, err := consultation.NewService(memstore.New(), to, &consultation.Options{
		Logger:    slog.New(slog.NewTextHandler(&log, nil)),
		Listeners: func(consultation.Consultation) []consultation.UserID { panic("canary") },
	})
	require.NoError(t, err)
	c, err := svc.Request(t.Context(), consultation.RequestParams{Topic: "x", Patient: patient})
	require.NoError(t, err)
	_, err = svc.Cancel(t.Context(), by(c.ID, patient))
	require.NoError(t, err)
	require.Len(t, to.events, 1)
	require.Empty(t, to.calls)
	require.Equal(t, 1, strings.Count(log.String(), "subscriptions not ended"))
	require.NotContains(t, log.String(), "canary")
}

// TestRevokerIsFoundBehindARelay is how a host with an outbox is wired.
func TestRevokerIsFoundBehindARelay(t *testing.T) {
	t.Parallel()
	to, store := &revoking{}, memstore.New()
	relay, err := realtime.NewRelay(store, to, nil)
	require.NoError(t, err)
	svc, err := consultation.NewService(store, relay, nil)
	require.NoError(t, err)
	c, err := svc.Request(t.Context(), consultation.RequestParams{Topic: "x", Patient: patient})
	require.NoError(t, err)
	_, err = svc.Cancel(t.Context(), by(c.ID, patient))
	require.NoError(t, err)
	require.Equal(t, everyChannel(c.ID, 1, string(patient.UserID)), to.calls)
}

func TestMayListen(t *testing.T) {
	t.Parallel()
	store := &counted{Store: memstore.New()}
	svc, err := consultation.NewService(store, &recorder{}, nil)
	require.NoError(t, err)
	c, err := svc.Request(t.Context(), consultation.RequestParams{Topic: "x", Patient: patient})
	require.NoError(t, err)
	store.calls = 0
	listener := func(user consultation.UserID, ch realtime.Channel) realtime.Listener {
		return realtime.Listener{UserID: string(user), Channel: ch}
	}
	allowed, err := svc.MayListen(t.Context(), []realtime.Listener{
		listener(patient.UserID, consultation.Channel(c.ID, 1)),
		listener(student.UserID, consultation.Channel(c.ID, 1)),
		listener(patient.UserID, consultation.PresenceChannel(c.ID, 1)),
		listener(patient.UserID, consultation.Channel("unknown", 1)),
		listener("not a user id", consultation.Channel(c.ID, 1)),
		listener(student.UserID, "private-of-the-host"),
	})
	require.NoError(t, err)
	require.Equal(t, []bool{true, false, true, false, false, true}, allowed)
	require.Equal(t, 2, store.calls, "each consultation is looked up once")
}

func TestMayListenAsksTheHostsPolicyAndTheRecord(t *testing.T) {
	t.Parallel()
	store := &counted{Store: memstore.New()}
	svc, err := consultation.NewService(store, &recorder{}, &consultation.Options{
		Listeners: func(c consultation.Consultation) []consultation.UserID {
			return []consultation.UserID{"supervisor", student.UserID}
		},
	})
	require.NoError(t, err)
	c, err := svc.Request(t.Context(), consultation.RequestParams{Topic: "x", Patient: patient})
	require.NoError(t, err)
	_, err = svc.Accept(t.Context(), by(c.ID, student))
	require.NoError(t, err)
	ch := consultation.Channel(c.ID, 1)
	batch := []realtime.Listener{
		{UserID: "supervisor", Channel: ch}, {UserID: string(student.UserID), Channel: ch}, {UserID: string(patient.UserID), Channel: ch},
	}
	allowed, err := svc.MayListen(t.Context(), batch)
	require.NoError(t, err)
	require.Equal(t, []bool{false, true, false}, allowed, "nobody gets in who takes no part")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = svc.MayListen(ended, batch)
	require.ErrorIs(t, err, context.Canceled)
}
