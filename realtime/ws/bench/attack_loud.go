//go:build linux

package main

import (
	"bytes"
	"compress/flate"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/realtimetest"
)

// send sends one frame and reads how the connection ends.
func (a *attacker) send(opcode byte, payload []byte) (string, error) {
	c, err := a.connect(nil, false)
	if err != nil {
		return "", err
	}
	if err := c.SendFrame(a.ctx, opcode, true, payload); err != nil {
		return "", err
	}
	return a.code(c)
}

func (a *attacker) bigFrame() (string, error) {
	return a.send(realtimetest.OpText, make([]byte, 16<<10+1))
}

func (a *attacker) badUTF8() (string, error) {
	return a.send(realtimetest.OpText, []byte("{\"event\":\"\xc3\x28\"}"))
}

// bomb is 15 MB in 16 kB.
var bomb = sync.OnceValue(func() []byte {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestCompression)
	_, _ = w.Write(make([]byte, 15<<20))
	_ = w.Flush()
	return b.Bytes()
})

func (a *attacker) deflateBomb() (string, error) {
	b := bomb()
	a.began = time.Now()
	c, err := a.connect(http.Header{"Sec-Websocket-Extensions": {"permessage-deflate"}}, false)
	if err != nil {
		return "", err
	}
	if err := c.SendFrame(a.ctx, 0x40|realtimetest.OpText, true, b); err != nil {
		return "", err
	}
	return a.code(c)
}

// names subscribes to made-up channels for as long as it can.
func (a *attacker) names() (string, error) {
	c, err := a.connect(nil, false)
	if err != nil {
		return "", err
	}
	go func() {
		for i := 0; i < 100_000; i++ {
			text := fmt.Sprintf(`{"event":"pusher:subscribe","data":{"channel":"made-up-%s-%d"}}`, a.from, i)
			if c.SendText(a.ctx, text) != nil {
				return
			}
		}
	}()
	for {
		_, err := c.Next(a.ctx)
		if err == nil {
			continue
		}
		if end, err := closeCode(err); err == nil {
			return end, nil
		}
		if a.ctx.Err() != nil {
			return "held back", nil
		}
		return "", err
	}
}

func (a *attacker) pingFlood() (string, error) {
	c, err := a.connect(nil, false)
	if err != nil {
		return "", err
	}
	go func() {
		ping := make([]byte, 125)
		for c.SendFrame(a.ctx, realtimetest.OpPing, true, ping) == nil {
		}
	}()
	return a.code(c)
}

// malformed expects an error frame for the message, and the connection to go on.
func malformed(message string) func(*attacker) (string, error) {
	return func(a *attacker) (string, error) {
		c, err := a.connect(nil, false)
		if err != nil {
			return "", err
		}
		if err := c.SendText(a.ctx, message); err != nil {
			return "", err
		}
		f, err := c.Next(a.ctx)
		if err != nil {
			return closeCode(err)
		}
		if f.Event == "pusher:error" {
			return "error frame", c.Sync(a.ctx)
		}
		return f.Event, nil
	}
}

func (a *attacker) wrongOrigin() (string, error) {
	_, err := a.connect(http.Header{"Origin": {"https://evil.example"}}, false)
	return closeCode(err)
}

// replay uses the authorisation of another connection.
func (a *attacker) replay() (string, error) {
	victim, err := a.connect(nil, false)
	if err != nil {
		return "", err
	}
	thief, err := a.connect(nil, false)
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, []byte("app-secret"))
	_, _ = fmt.Fprintf(mac, "%s:private-a", victim.SocketID())
	captured := realtime.Grant{Auth: "app-key:" + hex.EncodeToString(mac.Sum(nil))}
	if err := victim.Subscribe(a.ctx, "private-a", captured); err != nil {
		return "", err
	}
	var refused *realtimetest.RefusedError
	if err := thief.Subscribe(a.ctx, "private-a", captured); !errors.As(err, &refused) {
		return "", fmt.Errorf("let in: %w", err)
	}
	var answer struct{ Status int }
	err = json.Unmarshal(refused.Data, &answer)
	return fmt.Sprint(answer.Status), err
}
