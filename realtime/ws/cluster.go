package ws

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
	"unicode/utf8"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/internal/pusherproto"
	"github.com/murph-chat/murph/realtime/ws/internal/cluster"
)

// Bus is what [Config.Bus] takes; see realtime/redisbus, realtime/natsbus and realtime/pgbus.
type Bus = realtime.Bus

// join prepares the server for a cluster, if there is a bus.
func (s *Server) join() error {
	if s.cfg.Bus == nil {
		return nil
	}
	node, err := cluster.NewNode(cluster.Config{
		Bus: s.cfg.Bus, Secret: s.cfg.Secret, App: s.cfg.AppID + "\x00" + s.cfg.Key, Local: local{s}, Logger: s.cfg.Logger,
	})
	if err != nil {
		return fmt.Errorf("ws: %w", err)
	}
	s.node, s.resyncs = node, newResyncs(s)
	s.hub.away.stir = s.node.Stir
	return nil
}

// Run makes the server part of the cluster on [Config.Bus] until ctx ends or Shutdown is through, and then tells the
// other nodes that it goes. Call it once; before it, and without a Bus, the server is alone, and without one Run does
// nothing but wait. With a Bus it returns an error at once when there is neither [Config.Authorize] nor a function of
// [Server.AuthorizeWith], and may be called again once there is. Do not give it the context that a signal ends: the other nodes would see this one's users as gone while
// Shutdown still drains. Shutdown ends Run by itself.
//
// Afterwards Broadcast fails, because it would reach nobody elsewhere: an event that is still to be sent then, after a
// request that has taken long, waits in the outbox for another node's relay. Only when the bus has given up, which the
// error of Run says, the server goes on alone.
func (s *Server) Run(ctx context.Context) error {
	ctx, done, err := s.startRun(ctx)
	if err != nil || done == nil {
		return err
	}
	defer close(done)
	defer s.stopRun()
	if s.node == nil {
		<-ctx.Done()
		return nil
	}
	resynced := make(chan struct{})
	go func() {
		defer close(resynced)
		s.resyncs.run(ctx)
	}()
	s.hub.tellOthers(true)
	err = s.node.Run(ctx)
	s.hub.tellOthers(false)
	s.stopRun()
	<-resynced
	if err != nil {
		return fmt.Errorf("ws: run: %w", err)
	}
	return nil
}

// startRun returns a context that ends with Run, and a channel to close then, or nil when the server is shut down already.
func (s *Server) startRun(ctx context.Context) (context.Context, chan struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.stopRun != nil:
		return nil, nil, errors.New("ws: run: called twice")
	case s.draining:
		return nil, nil, nil
	case s.node != nil && s.authorizeFuncLocked() == nil:
		return nil, nil, errors.New("ws: run: Config.Bus may lose revocations: " +
			"set Config.Authorize, or call AuthorizeWith before Run")
	}
	ctx, s.stopRun = context.WithCancel(ctx)
	s.runDone = make(chan struct{})
	return ctx, s.runDone, nil
}

// endRun has Run say goodbye. left waits until it has, and nothing comes from the other nodes any more; done until it has
// returned.
func (s *Server) endRun(ctx context.Context) (left, done func()) {
	s.mu.Lock()
	stop, returned := s.stopRun, s.runDone
	s.mu.Unlock()
	if stop == nil {
		return func() {}, func() {}
	}
	stop()
	wait := func(c <-chan struct{}) func() {
		return func() {
			select {
			case <-c:
			case <-returned:
			case <-ctx.Done():
			}
		}
	}
	if s.node == nil {
		return wait(returned), wait(returned)
	}
	return wait(s.node.Gone()), wait(returned)
}

// Wake has all nodes call [Config.OnWake], this one too, because there is something in the outbox that nobody has been
// told of. It never blocks.
func (s *Server) Wake() {
	if s.node != nil {
		s.node.Wake()
	}
	s.woken()
}

// Check reports why this node should get no new clients: it is shutting down.
// An error whose chain has a method Degraded() bool says that it works, but may
// reach the clients of other nodes only through the database: the bus is down,
// this node does not hear one that lives or is not heard by it, or another node
// has gone without a goodbye within the last minute. Frames that programs
// without the secret have written to the engine are no reason. Check makes no
// calls.
func (s *Server) Check(ctx context.Context) error {
	s.mu.Lock()
	draining := s.draining
	s.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("ws: check: %w", ctx.Err())
	case draining:
		return errors.New("ws: shutting down")
	case s.node == nil:
		return nil
	}
	if reason := clusterTrouble(s.node.Stats()); reason != "" {
		return degraded("ws: " + reason)
	}
	return nil
}

// clusterTrouble says what keeps this node and others apart and where to look,
// or returns "".
func clusterTrouble(st cluster.Stats) string {
	const look = "; look at the connection to the engine and at the rights of its user"
	switch {
	case !st.Up:
		return "the bus to the other nodes is down"
	case st.Mute:
		return "what this node publishes on the bus does not come back to it" + look
	case st.Unheard > 0:
		return fmt.Sprintf("nodes that others hear and this one does not: %d", st.Unheard) + look
	case st.Deaf > 0:
		return fmt.Sprintf("nodes that do not hear this one: %d of %d", st.Deaf, st.Nodes) + look
	case st.Dead > 0:
		return "lost a node without a word: it died, or is cut off from here"
	}
	return ""
}

// degraded is an error of a server that works all the same.
type degraded string

func (d degraded) Error() string { return string(d) }

// Degraded tells the host's health check that this is no reason to take the server out of service.
func (d degraded) Degraded() bool { return true }

// share sends an event to the other nodes. It fails when this one has left the cluster.
func (s *Server) share(e cluster.Event) error {
	if s.node == nil {
		return nil
	}
	return s.node.Publish(e)
}

// order has the other nodes carry out c, and returns how to wait for that.
func (s *Server) order(ctx context.Context, c cluster.Command) (wait func() error) {
	if s.node == nil {
		return func() error { return nil } // there is nobody else
	}
	return s.node.Order(ctx, c)
}

// woken tells the host that the outbox may have something.
func (s *Server) woken() {
	defer func() {
		if p := recover(); p != nil {
			s.panicked(p)
		}
	}()
	if s.cfg.OnWake != nil {
		s.cfg.OnWake()
	}
}

// local carries out what other nodes say. It checks everything like any input
// from a network, although only nodes with the same secret can have sealed it.
type local struct{ s *Server }

func (l local) Event(e cluster.Event) {
	p := publication{channel: e.Channel, name: "e", except: e.Except}
	if len(e.Message) == 0 {
		p.name, p.data = e.Name, e.Data
	}
	if err := p.validate(); err != nil || !utf8.Valid(e.Message) {
		l.s.cfg.Logger.Warn("ws: another node has sent what cannot be passed on", slog.Int("bytes", len(e.Message)))
		return
	}
	if len(e.Message) > 0 {
		_ = l.s.deliverHere(context.Background(), e) // a shard never waits for long
	} else if pusherproto.IsCache(e.Channel) {
		l.s.hub.publish(realtime.Event{
			Channel: e.Channel, Name: e.Name, Data: []byte(e.Data), Except: e.Except, Audience: e.Audience,
		})
	}
}

func (l local) Missed(shard uint8) {
	if shard == 0 {
		l.s.sweepSoon() // a revocation may have been among them
		return
	}
	l.s.resyncs.mark(shard)
}

func (l local) Changes(all bool) ([]cluster.State, cluster.Totals) { return l.s.hub.changes(all) }

func (l local) Merge(node cluster.NodeID, states []cluster.State, whole bool) cluster.Totals {
	return l.s.hub.merge(node, states, whole)
}

func (l local) Do(c cluster.Command) {
	if c.CloseUser != "" {
		l.s.terminateUser(c.CloseUser)
	}
	if len(c.Revoke) > 0 {
		l.s.hub.retain(c.Revoke, c.Keep, c.Rev)
	}
}

func (l local) Lead(lead bool, since time.Time) {
	if lead {
		l.s.notices.speak(since)
	} else {
		l.s.notices.hush(since)
	}
}

func (l local) Woken() { l.s.woken() }
