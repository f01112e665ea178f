// Package prommetrics shows the figures of the library's parts to Prometheus. It is a module of its own, so that only who
// wants it gets Prometheus' client library.
//
//	collector, err := prommetrics.New(prommetrics.Config{Server: server, Relay: relay, Chat: messages})
//	registry.MustRegister(collector)
//
// Names are constant, units stand in them, and there are no labels but the close code of a connection, whose values are
// those of the Pusher protocol: nothing grows with users or channels. The figures are those of the Stats methods, read at
// each scrape; that of a relay asks the store for its backlog, one query.
//
// To alert on: murph_relay_open (the transport is taken for down), murph_outbox_parked and
// murph_outbox_oldest_age_seconds (events that do not go out), murph_outbox_readable (0: the store cannot be asked), and
// the rate of murph_ws_slow_closes_total. It does not measure HTTP requests: middleware of the host does.
package prommetrics
