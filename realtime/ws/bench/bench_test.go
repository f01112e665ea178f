//go:build linux

package main

import (
	"os"
	"testing"
	"time"
)

// TestMain lets the test's binary be the servers and the load client too.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "-role" {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestServers runs every server for a moment: nothing may be lost, doubled or out of order, which the load client
// checks. What it measures in so short a time means nothing.
func TestServers(t *testing.T) {
	s := settings{window: 200 * time.Millisecond, warmUp: 50 * time.Millisecond}
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			for _, sc := range []scenario{{"one channel", 60, 1, 4}, {"many channels", 60, 6, 12}} {
				r, err := measure(s, kind, sc)
				if err != nil {
					t.Fatalf("%s: %v", sc.name, err)
				}
				if r.Deliveries == 0 {
					t.Errorf("%s: nothing was delivered", sc.name)
				}
			}
			r, err := measure(s, kind, scenario{"idle", 50, 1, 0})
			if err != nil {
				t.Fatal(err)
			}
			if r.ResidentBefore == 0 || r.Resident < r.ResidentBefore {
				t.Errorf("%+v is no measurement of memory", r)
			}
		})
	}
}

func TestParse(t *testing.T) {
	for name, c := range map[string]struct {
		in   string
		size int
		fail bool
	}{
		"nothing":       {"", 0, false},
		"half a header": {"\x81\x7e\x01", 0, false},
		"half a frame":  {"\x81\x03ab", 0, false},
		"a frame":       {"\x81\x03abcdef", 5, false},
		"a longer one":  {"\x81\x7e\x00\x03abc", 7, false},
		"a close frame": {"\x88\x02\x10\x04", 0, true},
	} {
		payload, size, err := parse([]byte(c.in))
		if size != c.size || (err != nil) != c.fail || size > 0 && string(payload) != "abc" {
			t.Errorf("%s: parse() = %q, %d, %v", name, payload, size, err)
		}
	}
}
