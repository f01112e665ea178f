package ws

// Contain runs f on every connection as if it were part of handling a message.
func (s *Server) Contain(f func()) {
	s.mu.Lock()
	var conns []*conn
	for c := range s.conns {
		conns = append(conns, c)
	}
	s.mu.Unlock()
	for _, c := range conns {
		c.contain(f)
	}
}
