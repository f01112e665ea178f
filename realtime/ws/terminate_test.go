package ws_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/realtimetest"
)

// TestTerminateUser closes what is tied to a user by a sign-in or by a signed subscription, and nothing else.
func TestTerminateUser(t *testing.T) {
	t.Parallel()
	for name, terminate := range map[string]func(*fixture){
		"method": func(f *fixture) { require.NoError(t, f.TerminateUser(t.Context(), "ann")) },
		"API": func(f *fixture) {
			status, answer := f.caller().do("POST", "/apps/1/users/ann/terminate_connections", "{}")
			require.Equal(t, 200, status, answer)
		},
	} {
		f := start(t)
		signedIn, onPresence, onPrivate, mixed := f.connect(), f.connect(), f.connect(), f.connect()
		bob, anonymous := f.connect(), f.connect()
		f.signIn(signedIn, "ann", "")
		f.join(signedIn, room, "bob")
		f.join(onPresence, room, "ann")
		f.join(onPrivate, private, "ann")
		f.signIn(mixed, "bob", "")
		f.join(mixed, "private-other", "ann")
		f.signIn(bob, "bob", "")
		f.join(bob, private, "bob")
		f.subscribe(anonymous, private)
		terminate(f)
		for _, c := range []*realtimetest.Client{signedIn, onPresence, onPrivate, mixed} {
			require.Equal(t, 4009, closeCode(t, c), name)
		}
		require.EqualValues(t, 4, f.Stats().Closes[4009], name)
		silent(t, bob, anonymous)
		require.Empty(t, f.Users(room), name)
	}
}

// TestTerminatedUserKeepsNoGrant uses grants and sign-ins from before the termination, and later ones.
func TestTerminatedUserKeepsNoGrant(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, f *fixture) {
		c, foreign := f.connect(), f.connect()
		member := realtime.Member{UserID: "ann"}
		onPrivate, onRoom := f.grantFor(c, private, &member), f.grantFor(c, room, &member)
		signIn, err := f.SignUser(c.SocketID(), member)
		require.NoError(t, err)
		checked := realtime.Member{UserID: "ann", CheckedAt: time.Now()}
		pass(2 * time.Second)
		require.NoError(t, f.TerminateUser(t.Context(), "ann"))
		pass(2 * time.Second)
		requireRevoked(t, c.Subscribe(t.Context(), private, onPrivate))
		requireRevoked(t, c.Subscribe(t.Context(), room, onRoom))
		requireRevoked(t, c.SignIn(t.Context(), signIn))
		signIn, err = f.SignUser(c.SocketID(), checked)
		require.NoError(t, err)
		requireRevoked(t, c.SignIn(t.Context(), signIn), "the store was asked before")
		requireRevoked(t, foreign.Subscribe(t.Context(), private, signed(foreign, private, `{"user_id":"ann"}`)))
		requireRevoked(t, foreign.SignIn(t.Context(), userGrant(foreign, `{"id":"ann"}`)))
		f.revoke(0, []string{"ann"}, private)
		requireRevoked(t, c.Subscribe(t.Context(), private, onPrivate), "a revocation does not lift a termination")
		f.join(c, "private-other", "bob")

		late := f.connect()
		require.NoError(t, late.SignIn(t.Context(), userGrant(late, `{"id":"ann"}`)))
		f.signIn(foreign, "ann", "")
		f.join(foreign, private, "ann")
		f.join(foreign, room, "ann")
	})
}

// TestTerminateUserNeedsAnID would otherwise forbid every subscription that is tied to no user.
func TestTerminateUserNeedsAnID(t *testing.T) {
	t.Parallel()
	f := start(t)
	require.Error(t, f.TerminateUser(t.Context(), ""))
	require.Error(t, f.TerminateUser(t.Context(), strings.Repeat("x", 129)))
	f.subscribe(f.connect(), private)
}

// TestClusterTermination ends connections on other nodes, and the grants that were made before.
func TestClusterTermination(t *testing.T) {
	t.Parallel()
	inCluster(t, 2, func(t *testing.T, nodes []*peer) {
		member, other := nodes[1].connect(), nodes[1].connect()
		nodes[1].join(member, private, "ann")
		ann := realtime.Member{UserID: "ann"}
		grant := nodes[0].grantFor(other, private, &ann)
		signIn, err := nodes[0].SignUser(other.SocketID(), ann)
		require.NoError(t, err)
		require.NoError(t, nodes[0].TerminateUser(t.Context(), "ann"))
		require.Equal(t, 4009, closeCode(t, member))
		requireRevoked(t, other.Subscribe(t.Context(), private, grant))
		requireRevoked(t, other.SignIn(t.Context(), signIn))
	})
}
