//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/murph-chat/murph/realtime/realtimetest"
)

// perAttack is how many clients make the same attack, each from an address of its own. One that is through begins again
// a second after it began, which is what clients do upon 4100.
const perAttack = 4

// attack is one kind of hostile client.
type attack struct {
	name string
	want string
	run  func(*attacker) (end string, err error)
}

var attacks = []attack{
	{"reader at 1 byte a second", "4100", (*attacker).trickle},
	{"never answers a ping", "4201", (*attacker).silence},
	{"half-open socket", "cut", (*attacker).halfOpen},
	{"slowloris handshake", "cut", (*attacker).slowloris},
	{"100,000 channel names", "held back", (*attacker).names},
	{"frame of 16 KiB and a byte", "1009", (*attacker).bigFrame},
	{"deflate bomb", "1002", (*attacker).deflateBomb},
	{"ping flood", "4100", (*attacker).pingFlood},
	{"duplicate keys", "error frame", malformed(`{"event":"pusher:ping","event":"pusher:pong"}`)},
	{"NUL", "error frame", malformed(`{"event":"pusher:ping","data":"\u0000"}`)},
	{"bad UTF-8", "1007", (*attacker).badUTF8},
	{"wrong origin", "4009", (*attacker).wrongOrigin},
	{"captured authorisation", "401", (*attacker).replay},
}

// encounter is what an attacker has to tell of one try.
type encounter struct {
	Attack, End string
	Seconds     float64 // from the connection, or from what the attack begins with, to the end
}

// attackAll attacks until its standard input ends, and then prints what has come of it.
func attackAll(addr string) error {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	var mu sync.Mutex
	encounters := []encounter{}
	var all sync.WaitGroup
	for i, a := range attacks {
		for j := range perAttack {
			all.Go(func() {
				time.Sleep(rand.N(time.Second)) // or what is measured is how many connect at the same moment
				for ctx.Err() == nil {
					again := time.After(time.Second)
					at := &attacker{ctx: ctx, addr: addr, from: fmt.Sprintf("198.51.%d.%d", i+1, j+1), began: time.Now()}
					end, err := a.run(at)
					for _, c := range at.open {
						_ = c.Close()
					}
					if ctx.Err() != nil && a.want != "held back" {
						return
					}
					if err != nil {
						end = err.Error()
					}
					mu.Lock()
					encounters = append(encounters, encounter{a.name, end, time.Since(at.began).Seconds()})
					mu.Unlock()
					select {
					case <-again:
					case <-ctx.Done():
					}
				}
			})
		}
	}
	all.Wait()
	return json.NewEncoder(os.Stdout).Encode(encounters)
}

// attacker is one try of one attack.
type attacker struct {
	ctx        context.Context
	addr, from string
	began      time.Time
	line       net.Conn // the last connection
	open       []net.Conn
}

// dial connects below the protocol.
func (a *attacker) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", a.addr)
	if err == nil {
		a.line, a.open = conn, append(a.open, conn)
	}
	return conn, err
}

func (a *attacker) connect(header http.Header, mute bool) (*realtimetest.Client, error) {
	if header == nil {
		header = http.Header{}
	}
	header.Set("X-Forwarded-For", a.from)
	return realtimetest.Dial(a.ctx, "ws://"+a.addr+"/app/app-key?protocol=7",
		&realtimetest.DialOptions{Header: header, Dial: a.dial, Mute: mute})
}

// code reads to the end and returns the close code.
func (a *attacker) code(c *realtimetest.Client) (string, error) {
	for {
		if _, err := c.Next(a.ctx); err != nil {
			return closeCode(err)
		}
	}
}

func closeCode(err error) (string, error) {
	var ce *realtimetest.CloseError
	if errors.As(err, &ce) {
		return fmt.Sprint(ce.Code), nil
	}
	return "", err
}
