package ws_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/realtimetest"
	"github.com/murph-chat/murph/realtime/ws"
)

// revoke applies a revocation on the server.
func (f *fixture) revoke(rev int64, keep []string, channels ...realtime.Channel) {
	f.t.Helper()
	require.NoError(f.t, f.Revoke(f.t.Context(), realtime.Revocation{Channels: channels, Keep: keep, Rev: rev}))
}

// requireRevoked shows that the server refuses a grant because of a revocation.
func requireRevoked(t *testing.T, err error, why ...any) {
	t.Helper()
	var refused *realtimetest.RefusedError
	require.ErrorAs(t, err, &refused, why...)
	require.Contains(t, string(refused.Data), "No longer authorized", why...)
}

// fillRules makes the server remember as many revocations as it has room for.
func (f *fixture) fillRules() {
	f.t.Helper()
	channels := make([]realtime.Channel, ws.MaxRules)
	for i := range channels {
		channels[i] = realtime.Channel(fmt.Sprint("private-filler-", i))
	}
	f.revoke(0, nil, channels...)
}

// TestOlderRevocationChangesNothing applies two assignments in the wrong order.
func TestOlderRevocationChangesNothing(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		patient, older, newer, back := f.connect(), f.connect(), f.connect(), f.connect()
		f.join(patient, private, "patient")
		f.join(older, private, "older")
		f.join(newer, private, "newer")
		old := f.grantFor(back, private, &realtime.Member{UserID: "older"})
		f.revoke(7, []string{"patient", "newer"}, private)
		require.Equal(t, revoked(private), next(t, older))
		f.revoke(6, []string{"patient", "older"}, private, room)
		silent(t, patient, newer, older)
		requireRevoked(t, back.Subscribe(t.Context(), private, old), "revocation 6 must not allow what 7 forbids")
		require.NoError(t, newer.Unsubscribe(t.Context(), private))
		f.join(newer, private, "newer")

		f.revoke(0, []string{"patient", "newer"}, private)
		f.revoke(6, []string{"patient", "older"}, private)
		silent(t, patient, newer)
		f.revoke(7, []string{"newer"}, private)
		require.Equal(t, revoked(private), next(t, patient), "an equal number is applied")
		f.revoke(0, nil, private)
		require.Equal(t, revoked(private), next(t, newer), "a revocation without a number is applied")
	})
}

// TestClusterRevocationsInReverseOrder makes the command of the older assignment arrive after that of the newer one.
func TestClusterRevocationsInReverseOrder(t *testing.T) {
	t.Parallel()
	inCluster(t, 3, func(t *testing.T, nodes []*peer) {
		patient, older, newer, tab := nodes[0].connect(), nodes[2].connect(), nodes[2].connect(), nodes[1].connect()
		nodes[0].join(patient, private, "patient")
		nodes[2].join(older, private, "older")
		nodes[2].join(newer, private, "newer")
		pass(3 * time.Second)
		nodes[2].bus.Drop(1)
		nodes[0].bus.Drop(1)
		nodes[1].revoke(6, []string{"patient", "older"}, private, room)
		require.Empty(t, anything(older), "the command was lost and is sent again later")
		nodes[0].revoke(7, []string{"patient", "newer"}, private, room)
		require.Len(t, anything(older), 1)
		nodes[1].join(tab, private, "newer")
		pass(2 * time.Second)
		require.Empty(t, anything(newer))
		require.Empty(t, anything(patient))
		require.Empty(t, anything(tab))
		nodes[1].broadcast(private, `"1"`)
		require.Empty(t, anything(older))
		require.Equal(t, []string{`new-message "1"`}, anything(newer))
		require.Equal(t, []string{`new-message "1"`}, anything(tab))
	})
}

// TestFullTableForgetsNoRevocation makes the server drop the rule against a replaced student.
func TestFullTableForgetsNoRevocation(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		student, patient, foreign := f.connect(), f.connect(), f.connect()
		old := f.grantFor(student, private, &realtime.Member{UserID: "student"})
		signIn, err := f.SignUser(student.SocketID(), realtime.Member{UserID: "student"})
		require.NoError(t, err)
		require.NoError(t, f.TerminateUser(t.Context(), "student"))
		f.revoke(1, []string{"patient"}, private)
		pass(2 * time.Second)
		f.fillRules()
		require.Equal(t, ws.MaxRules, f.Rules())
		requireRevoked(t, student.Subscribe(t.Context(), private, old))
		requireRevoked(t, student.SignIn(t.Context(), signIn))
		requireRevoked(t, foreign.Subscribe(t.Context(), private, signed(foreign, private, `{"user_id":"student"}`)))

		f.join(patient, private, "patient")
		f.join(f.connect(), "private-other", "student")
		f.subscribe(student, lobby)
		late := f.connect()
		require.NoError(t, late.Subscribe(t.Context(), private, signed(late, private, `{"user_id":"patient"}`)))
		f.signIn(late, "patient", "")
	})
}

// TestRulesLiveAsLongAsConnections shows when a rule is dropped.
func TestRulesLiveAsLongAsConnections(t *testing.T) {
	t.Parallel()
	for age, want := range map[time.Duration]int{time.Hour: 1, -1: 3} {
		inBubble(t, func(t *testing.T, f *fixture) {
			f.revoke(1, nil, "private-1")
			require.NoError(t, f.TerminateUser(t.Context(), "ann"))
			pass(time.Hour)
			f.revoke(1, nil, "private-1")
			require.Equal(t, 2, f.Rules(), "a rule lives for one hour and the grace")
			f.revoke(1, nil, "private-2")
			pass(time.Hour + 2*time.Second)
			f.revoke(1, nil, "private-2")
			require.Equal(t, want, f.Rules())
		}, func(c *ws.Config) { c.MaxSessionAge = age })
	}
}

// TestGrantWithoutTime shows that a grant of another SDK is as old as its connection.
func TestGrantWithoutTime(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		before := f.connect()
		f.revoke(0, []string{"patient"}, private)
		soon := f.connect()
		pass(time.Second)
		after := f.connect()
		for name, c := range map[string]*realtimetest.Client{"before": before, "within the grace": soon} {
			requireRevoked(t, c.Subscribe(t.Context(), private, signed(c, private, `{"user_id":"student"}`)), name)
			requireRevoked(t, c.Subscribe(t.Context(), private, signed(c, private, "")), name)
		}
		require.NoError(t, after.Subscribe(t.Context(), private, signed(after, private, `{"user_id":"student"}`)))
		f.subscribe(f.connect(), private)
	})
}

// TestCheckedBeforeRevocation asks the store before a revocation and signs after it.
func TestCheckedBeforeRevocation(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		c := f.connect()
		member := &realtime.Member{UserID: "student", CheckedAt: time.Now()}
		pass(2 * time.Second)
		f.revoke(1, []string{"patient"}, private, room)
		pass(2 * time.Second)
		for _, ch := range []realtime.Channel{private, room} {
			requireRevoked(t, c.Subscribe(t.Context(), ch, f.grantFor(c, ch, member)))
		}
		member.CheckedAt = time.Now()
		f.join(c, room, "student")
		require.NoError(t, c.Subscribe(t.Context(), private, f.grantFor(c, private, member)))
	})
}

// TestGrantFromTheFuture has a signing process whose clock is ahead.
func TestGrantFromTheFuture(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		c := f.connect()
		member := &realtime.Member{UserID: "student", CheckedAt: time.Now().Add(time.Hour)}
		grant := f.grantFor(c, private, member)
		f.revoke(1, []string{"patient"}, private)
		requireRevoked(t, c.Subscribe(t.Context(), private, grant))
	})
}

// TestSweepAnswersTooLate has the host answer about a time before a revocation that keeps the user.
func TestSweepAnswersTooLate(t *testing.T) {
	t.Parallel()
	var asked, answer chan struct{}
	inBubble(t, func(t *testing.T, f *fixture) {
		student := f.connect()
		f.join(student, private, "student")
		<-asked
		pass(time.Second)
		f.revoke(1, []string{"student"}, private)
		pass(time.Second)
		close(answer)
		silent(t, student)
		require.Zero(t, f.Stats().EndedSubscriptions)
	}, func(c *ws.Config) {
		asked, answer = make(chan struct{}), make(chan struct{})
		c.AuthorizeInterval = 10 * time.Second
		c.Authorize = func(_ context.Context, batch []realtime.Listener) ([]bool, error) {
			close(asked)
			<-answer
			return make([]bool, len(batch)), nil
		}
	})
}

// TestClusterRevokesManyChannels revokes more than fits into one command.
func TestClusterRevokesManyChannels(t *testing.T) {
	t.Parallel()
	inCluster(t, 2, func(t *testing.T, nodes []*peer) {
		channels := make([]realtime.Channel, 8000)
		for i := range channels {
			channels[i] = realtime.Channel(fmt.Sprintf("private-%0180d", i))
		}
		c := nodes[1].connect()
		nodes[1].join(c, channels[0], "ann")
		nodes[1].join(c, channels[len(channels)-1], "ann")
		nodes[0].revoke(1, nil, channels...)
		require.Len(t, anything(c), 2)
	})
}
