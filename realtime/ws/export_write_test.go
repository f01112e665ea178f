package ws

import (
	"context"

	"github.com/murph-chat/murph/realtime"
)

// Stall keeps the fan-out from working, with every shard full. Resume ends that.
func (s *Server) Stall() {
	for _, sh := range s.fanout.shards {
		sh.running.Store(true)
		for len(sh.queue) < cap(sh.queue) {
			sh.queue <- shipment{channel: "nobody", frame: textFrame(nil)}
		}
	}
}

// Resume has the fan-out work on after Stall, or begin to.
func (s *Server) Resume() {
	for _, sh := range s.fanout.shards {
		sh.running.Store(true)
		go sh.run()
	}
}

// Hold keeps the fan-out from working until Resume.
func (s *Server) Hold() {
	for _, sh := range s.fanout.shards {
		sh.running.Store(true)
	}
}

// Flush waits until what was broadcast has been delivered or queued.
func (s *Server) Flush(ctx context.Context) error { return s.fanout.flush(ctx) }

// Boundaries returns after each byte of a client's stream whether a message is half received there.
func Boundaries(stream []byte) []bool {
	var in inbound
	var between []bool
	for i := range stream {
		in.advance(stream[i : i+1])
		between = append(between, in.between())
	}
	return between
}

// BetweenAfter returns what the last element of Boundaries is, for a stream that arrives in two parts.
func BetweenAfter(stream []byte, cut int) bool {
	var in inbound
	in.advance(stream[:cut])
	in.advance(stream[cut:])
	return in.between()
}

// Subscribers returns the number of connections that an event on ch reaches.
func (s *Server) Subscribers(ch realtime.Channel) int { return len(s.hub.subscribers(ch)) }
