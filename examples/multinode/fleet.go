package main

import (
	"context"
	"crypto/rand"
	"errors"
	"time"
)

// fleet is all the processes, and the proxy in front of them.
type fleet struct {
	cfg   settings
	env   []string
	nodes []*node
	proxy *proxy
	// engineOf returns the address at which a process finds the engine.
	engineOf func(i int) string
}

func startFleet(ctx context.Context, cfg settings) (*fleet, error) {
	f := &fleet{cfg: cfg, proxy: newProxy(cfg.nodes), engineOf: func(int) string { return cfg.engineAddr }}
	return f, f.start(ctx)
}

// start starts all processes and the proxy's look at them. They have the same credentials, or they would not hear each
// other.
func (f *fleet) start(ctx context.Context) error {
	f.env = []string{
		"PUSHER_APP_ID=demo", "PUSHER_KEY=murph-demo", "PUSHER_SECRET=" + rand.Text(), "PUSHER_CLUSTER=self", "MURPH_SEND_RATE=0",
	}
	f.nodes = make([]*node, f.cfg.nodes)
	for i := range f.nodes {
		if err := f.begin(i); err != nil {
			f.stop()
			return err
		}
	}
	f.proxy.watch()
	return nil
}

// begin starts process i.
func (f *fleet) begin(i int) error {
	n, err := startNode(nodeConfig{Engine: f.cfg.engine, EngineAddr: f.engineOf(i), DB: f.cfg.db, Web: f.cfg.web}, f.env)
	if err != nil {
		return err
	}
	f.nodes[i] = n
	f.proxy.set(i, n.addr)
	return nil
}

// restart drains process i and starts it again.
func (f *fleet) restart(ctx context.Context, i int) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := f.nodes[i].stop(ctx); err != nil {
		return err
	}
	return f.begin(i)
}

// drain ends all processes one by one, as when the machine is shut down.
func (f *fleet) drain() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var errs []error
	for _, n := range f.nodes {
		errs = append(errs, n.stop(ctx))
	}
	return errors.Join(errs...)
}

// stop ends everything without a word.
func (f *fleet) stop() {
	f.proxy.close()
	for _, n := range f.nodes {
		if n != nil {
			n.kill()
		}
	}
}
