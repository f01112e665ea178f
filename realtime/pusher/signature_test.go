package pusher_test

import (
	"encoding/json"
	"net/url"
	"testing"

	vendor "github.com/pusher/pusher-http-go/v5"
	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/internal/pusherproto"
)

// The tests in this file hold our signatures to those of the vendor's own library.

var (
	credentials = pusherproto.Credentials{Key: "app-key", Secret: "app-secret"}
	signer      = pusherproto.Signer{Credentials: credentials}
	sockets     = []realtime.SocketID{"1.1", "1234.1234", "18446744073709551615.0"}
)

func client() *vendor.Client {
	return &vendor.Client{AppID: "1", Key: credentials.Key, Secret: credentials.Secret}
}

// form is the body that pusher-js posts to an authorisation endpoint.
func form(s realtime.SocketID, ch realtime.Channel) []byte {
	return []byte(url.Values{"socket_id": {string(s)}, "channel_name": {string(ch)}}.Encode())
}

func TestPrivateChannelSignature(t *testing.T) {
	t.Parallel()
	for _, s := range sockets {
		for _, ch := range []realtime.Channel{"private-a", "private-consultation-0198f0-_=@,.;"} {
			theirs, err := client().AuthorizePrivateChannel(form(s, ch))
			require.NoError(t, err)
			ours, err := signer.SignChannel(s, ch, nil)
			require.NoError(t, err)
			requireSame(t, theirs, ours)
		}
	}
}

func TestPresenceChannelSignature(t *testing.T) {
	t.Parallel()
	for _, m := range []vendor.MemberData{
		{UserID: "1"},
		{UserID: "patient-1", UserInfo: map[string]string{"name": "Anna <Müller> & \"Söhne\""}},
	} {
		theirs, err := client().AuthorizePresenceChannel(form("1.1", "presence-a"), m)
		require.NoError(t, err)
		member := &realtime.Member{UserID: m.UserID}
		if m.UserInfo != nil {
			member.Info, err = json.Marshal(m.UserInfo)
			require.NoError(t, err)
		}
		ours, err := signer.SignChannel("1.1", "presence-a", member)
		require.NoError(t, err)
		requireSame(t, theirs, ours)
	}
}

func TestUserSignature(t *testing.T) {
	t.Parallel()
	for _, s := range sockets {
		theirs, err := client().AuthenticateUser(form(s, ""), map[string]any{"id": "patient-1"})
		require.NoError(t, err)
		ours, err := signer.SignUser(s, realtime.Member{UserID: "patient-1"})
		require.NoError(t, err)
		requireSame(t, theirs, ours)
	}
}

// TestVendorSignsAnything is why the names are checked before anything is signed: the vendor's library turns a channel
// name into somebody's sign-in.
func TestVendorSignsAnything(t *testing.T) {
	t.Parallel()
	const forged = `:user::{"id":"admin"}`
	theirs, err := client().AuthorizePrivateChannel(form("1.1", forged))
	require.NoError(t, err)
	admin, err := signer.SignUser("1.1", realtime.Member{UserID: "admin"})
	require.NoError(t, err)
	require.Contains(t, string(theirs), admin.Auth)

	_, err = signer.SignChannel("1.1", forged, nil)
	require.ErrorIs(t, err, realtime.ErrInvalidChannel)
}

// FuzzSignatures compares both for names and data of any kind.
func FuzzSignatures(f *testing.F) {
	f.Add("1.1", "private-a", "patient-1")
	f.Add("123.456", "presence-b_=@,.;", "10")
	f.Fuzz(func(t *testing.T, socket, channel, user string) {
		s, err := realtime.ParseSocketID(socket)
		ch, err2 := realtime.ParseChannel(channel)
		if err != nil || err2 != nil {
			return
		}
		theirs, err := client().AuthorizePresenceChannel(form(s, ch), vendor.MemberData{UserID: user})
		if err != nil {
			return
		}
		var g realtime.Grant
		if err := json.Unmarshal(theirs, &g); err != nil {
			t.Fatal(err)
		}
		if got := credentials.ChannelAuth(s, ch, g.ChannelData); got != g.Auth {
			t.Errorf("ChannelAuth(%q, %q, %q) = %q, want %q", s, ch, g.ChannelData, got, g.Auth)
		}
	})
}

// requireSame compares the answers of an endpoint member by member.
func requireSame(t *testing.T, theirs []byte, ours any) {
	t.Helper()
	b, err := json.Marshal(ours)
	require.NoError(t, err)
	require.JSONEq(t, string(theirs), string(b))
}
