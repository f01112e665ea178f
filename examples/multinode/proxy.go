package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httputil"
	"sync"
	"time"
)

// proxy hands each request to the next process whose /healthz answers 200.
type proxy struct {
	*httputil.ReverseProxy
	stop context.CancelFunc
	done sync.WaitGroup

	mu      sync.Mutex // guards what follows
	addrs   []string
	healthy []bool
	next    int
}

// watchEvery is how often the processes are asked. It is less than the notice that they give.
const watchEvery = 200 * time.Millisecond

func newProxy(nodes int) *proxy {
	p := &proxy{addrs: make([]string, nodes), healthy: make([]bool, nodes), stop: func() {}}
	p.ReverseProxy = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetXForwarded()
			r.Out.URL.Scheme, r.Out.URL.Host = "http", p.pick()
			r.Out.Host = r.In.Host
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			w.Header().Set("Retry-After", "1")
			http.Error(w, "no process answers", http.StatusBadGateway)
		},
	}
	return p
}

// set says where process i is. It is healthy until it is asked.
func (p *proxy) set(i int, addr string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.addrs[i], p.healthy[i] = addr, true
}

// pick returns the address of the next one that is healthy, or of any.
func (p *proxy) pick() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	for range p.addrs {
		p.next = (p.next + 1) % len(p.addrs)
		if p.healthy[p.next] {
			break
		}
	}
	return p.addrs[p.next]
}

// watch asks the processes again and again until close.
func (p *proxy) watch() {
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	for i := range p.addrs {
		p.done.Go(func() {
			for ctx.Err() == nil {
				p.ask(ctx, i)
				pause(ctx, watchEvery)
			}
		})
	}
}

func (p *proxy) ask(ctx context.Context, i int) {
	p.mu.Lock()
	addr := p.addrs[i]
	p.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	healthy := alive(ctx, addr) == nil
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.addrs[i] == addr {
		p.healthy[i] = healthy
	}
}

func alive(ctx context.Context, addr string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/healthz", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	return nil
}

func (p *proxy) close() {
	p.stop()
	p.done.Wait()
}
