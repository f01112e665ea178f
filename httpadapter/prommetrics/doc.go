// Package prommetrics shows the figures of the library's parts to Prometheus. It is a module of its own, so that only who
// wants it gets Prometheus' client library.
//
//	collector, err := prommetrics.New(prommetrics.Config{
//		Server: server, Relay: relay, Chat: chatService, Consultations: consultationService, HTTP: handler, Store: store,
//	})
//	registry.MustRegister(collector)
//
// Names are constant, units stand in them, and there are no labels but two codes, that of a closed connection and that of
// a refused request, whose values are few and fixed: nothing grows with users or channels. The figures are those of the
// Stats methods, read at each scrape; that of a relay asks the store for its backlog, one query.
//
// To alert on: murph_relay_down (the transport is taken for down), murph_outbox_parked and
// murph_outbox_oldest_age_seconds (events that do not go out), murph_outbox_readable (0: the store cannot be asked), and
// the rates of murph_ws_slow_closes_total, murph_store_given_up_total and murph_http_refusals_total{code="internal"}. In
// a server with a bus also murph_ws_bus_up (0: nodes are cut off from one another); without a bus it is always 0 and says
// nothing. How long requests take is for middleware of the host to measure.
package prommetrics
