package pusher

// SpoilHost gives the broadcaster a host that makes no address.
func SpoilHost(b *Broadcaster) { b.cfg.Host = "[" }
