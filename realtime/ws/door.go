package ws

import (
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// door counts who comes in, in all and from one address.
type door struct {
	cfg Config

	mu       sync.Mutex // guards what follows
	all      pace
	visitors map[netip.Prefix]*visitor
	prune    int // look through the visitors when there are this many
}

// visitor is one address, of IPv6 one network: a customer gets at least a /64.
type visitor struct {
	conns int
	pace  pace
}

// minPrune keeps a small map from being looked through all the time.
const minPrune = 1024

func newDoor(cfg Config) *door {
	return &door{cfg: cfg, visitors: make(map[netip.Prefix]*visitor), prune: minPrune}
}

// enter counts a connection from the address, which is zero if it is unknown. If
// it does not refuse the connection, leave must be called when that ends.
func (d *door) enter(from netip.Addr, now time.Time) refusal {
	d.mu.Lock()
	defer d.mu.Unlock()
	conns, rate := d.limits(from)
	counted := conns > 0 || rate.PerSecond > 0
	var v *visitor
	var stranger bool
	if counted { // first: who is refused for their own address uses up nobody else's turn
		v, stranger = d.visitor(from, now)
		switch {
		case v.pace.take(rate, now) > 0:
			return overCapacity("Too many new connections from this address", "AddressConnectRate")
		case conns > 0 && v.conns >= conns:
			return overCapacity("Too many connections from this address", "MaxAddressConnections")
		}
	}
	if d.all.take(d.cfg.ConnectRate, now) > 0 {
		if stranger {
			delete(d.visitors, network(from)) // a flood from everywhere is not remembered
		}
		return overCapacity("Too many new connections", "ConnectRate")
	}
	if counted {
		v.conns++
	}
	return refusal{}
}

// limits returns what holds for an address. The defaults hold for public addresses only: a loopback or private one is
// a developer's or, more often, that of a proxy with all the world behind it, which [Config.TrustedProxies] has not been
// told of.
func (d *door) limits(from netip.Addr) (conns int, rate Rate) {
	conns, rate = d.cfg.MaxAddressConnections, d.cfg.AddressConnectRate
	if !from.IsValid() {
		return -1, Rate{PerSecond: -1}
	}
	if isPublic(from) {
		return conns, rate
	}
	if d.cfg.defaultAddressConnections {
		conns = -1
	}
	if d.cfg.defaultAddressRate {
		rate = Rate{PerSecond: -1}
	}
	return conns, rate
}

// visitor returns the entry of an address. Entries that say nothing any more are dropped from time to time, so that
// nobody fills the memory by coming from everywhere.
func (d *door) visitor(from netip.Addr, now time.Time) (v *visitor, stranger bool) {
	key := network(from)
	v = d.visitors[key]
	if stranger = v == nil; stranger {
		if len(d.visitors) >= d.prune {
			for k, o := range d.visitors {
				if o.conns == 0 && o.pace.idle(now) {
					delete(d.visitors, k)
				}
			}
			d.prune = max(minPrune, 2*len(d.visitors))
		}
		v = new(visitor)
		d.visitors[key] = v
	}
	return v, stranger
}

// leave is the end of a connection that enter has let in.
func (d *door) leave(from netip.Addr) {
	if !from.IsValid() {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if v := d.visitors[network(from)]; v != nil && v.conns > 0 {
		v.conns--
		if v.conns == 0 && v.pace.idle(time.Now()) {
			delete(d.visitors, network(from))
		}
	}
}

func network(a netip.Addr) netip.Prefix {
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, _ := a.WithZone("").Prefix(bits)
	return p
}

// clientAddr tells where a request comes from: the peer of the connection or, if that is one of our proxies, the
// right-most address in X-Forwarded-For that is none of them. What stands to the left of it anybody may have written.
func (c Config) clientAddr(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{} // a Unix socket, a pipe
	}
	addr := peer.Addr().Unmap()
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && c.trusts(addr); i-- {
		next, ok := parseHop(strings.TrimSpace(hops[i]))
		if !ok {
			break // the proxy's own address is the last that is sure
		}
		addr = next
	}
	return addr
}

func (c Config) trusts(a netip.Addr) bool {
	for _, p := range c.TrustedProxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// parseHop reads an address with or without a port, as proxies write both.
func parseHop(s string) (netip.Addr, bool) {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap(), true
	}
	a, err := netip.ParseAddr(strings.Trim(s, "[]"))
	return a.Unmap(), err == nil
}
