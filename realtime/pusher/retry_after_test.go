package pusher_test

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/pusher"
)

// asked returns the wait that an error asks for.
func asked(t *testing.T, err error) time.Duration {
	t.Helper()
	require.Error(t, err)
	var refused *realtime.RefusedError
	var limited *realtime.RateLimitError
	switch {
	case errors.As(err, &refused):
		return refused.ProbeAfter
	case errors.As(err, &limited):
		return limited.RetryAfter
	}
	return 0
}

func TestRetryAfterIsReadInEveryForm(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]time.Duration{
		"7":                                7 * time.Second,
		" 7 ":                              7 * time.Second,
		"007":                              7 * time.Second,
		"0":                                0,
		"3600":                             time.Hour,
		"3601":                             time.Hour,
		"9223372037":                       time.Hour, // more seconds than a time.Duration holds
		"99999999999999999999":             time.Hour, // more than an int64 holds
		"-7":                               0,
		"+7":                               0,
		"1.5":                              0,
		"7s":                               0,
		"soon":                             0,
		"":                                 0,
		"Sat, 01 Jan 2000 00:01:30 GMT":    90 * time.Second,
		"Saturday, 01-Jan-00 00:01:30 GMT": 90 * time.Second,
		"Sat Jan  1 00:01:30 2000":         90 * time.Second,
		"Fri, 31 Dec 1999 23:00:00 GMT":    0,
		"Fri, 31 Dec 9999 23:00:00 GMT":    time.Hour,
	} {
		for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusForbidden} {
			t.Run(value+" "+http.StatusText(status), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { // it is midnight of 2000-01-01
					b := over(t, roundTrip(func(r *http.Request) (*http.Response, error) {
						resp := answer(r, status)
						resp.Header.Set("Retry-After", value)
						return resp, nil
					}))
					require.Equal(t, want, asked(t, b.Broadcast(t.Context(), event())))
				})
			})
		}
	}
}

// The date in Retry-After is one of the service's clock.
func TestRetryAfterDoesNotDependOnOurClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := over(t, roundTrip(func(r *http.Request) (*http.Response, error) {
			resp := answer(r, http.StatusTooManyRequests)
			resp.Header.Set("Date", "Sat, 01 Jan 2000 00:05:00 GMT")
			resp.Header.Set("Retry-After", "Sat, 01 Jan 2000 00:05:20 GMT")
			return resp, nil
		}))
		require.Equal(t, 20*time.Second, asked(t, b.Broadcast(t.Context(), event())))
	})
}

// over makes a Broadcaster over the transport.
func over(t *testing.T, transport http.RoundTripper) *pusher.Broadcaster {
	t.Helper()
	b, err := pusher.New(pusher.Config{
		AppID: appID, Key: key, Secret: secret, Cluster: "eu", Transport: transport, Privacy: pusher.PrivacyThin,
	})
	require.NoError(t, err)
	return b
}
