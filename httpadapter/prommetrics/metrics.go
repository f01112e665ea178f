package prommetrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/ws"
	"github.com/murph-chat/murph/storage/bunstore"
)

// metric is one figure out of the stats S.
type metric[S any] struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	read func(S) float64
}

func (m metric[S]) of(st S) prometheus.Metric {
	return prometheus.MustNewConstMetric(m.desc, m.kind, m.read(st))
}

func counter[S any](name, help string, read func(S) float64) metric[S] {
	return metric[S]{prometheus.NewDesc("murph_"+name+"_total", help, nil, nil), prometheus.CounterValue, read}
}

func gauge[S any](name, help string, read func(S) float64) metric[S] {
	return metric[S]{prometheus.NewDesc("murph_"+name, help, nil, nil), prometheus.GaugeValue, read}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// The figures that are no single numbers.
var (
	serverCloses   = prometheus.NewDesc("murph_ws_closes_total", "Connections that the server has refused or closed, by close code.", []string{"code"}, nil)
	httpRequests   = prometheus.NewDesc("murph_http_requests_total", "Requests of the HTTP interface.", nil, nil)
	httpRefusals   = prometheus.NewDesc("murph_http_refusals_total", "Requests that were refused or failed, by the code of the problem.", []string{"code"}, nil)
	relayHandOff   = prometheus.NewDesc("murph_relay_hand_off_seconds", "Time from the hand-off of an event to the answer of the transport.", nil, nil)
	outboxReadable = prometheus.NewDesc("murph_outbox_readable", "1 if the outbox could be read for this scrape.", nil, nil)
)

var serverMetrics = []metric[ws.Stats]{
	gauge("ws_connections", "Connections.", func(s ws.Stats) float64 { return float64(s.Connections) }),
	gauge("ws_channels", "Channels with at least one subscriber.", func(s ws.Stats) float64 { return float64(s.Channels) }),
	gauge("ws_subscriptions", "Subscriptions.", func(s ws.Stats) float64 { return float64(s.Subscriptions) }),
	gauge("ws_queued_bytes", "What waits for clients that do not take it.", func(s ws.Stats) float64 { return float64(s.QueuedBytes) }),
	counter("ws_received_messages", "Messages from clients.", func(s ws.Stats) float64 { return float64(s.MessagesIn) }),
	counter("ws_sent_messages", "Messages to clients, one for each receiver.", func(s ws.Stats) float64 { return float64(s.MessagesOut) }),
	counter("ws_received_bytes", "Bytes from clients, without handshakes.", func(s ws.Stats) float64 { return float64(s.BytesIn) }),
	counter("ws_sent_bytes", "Bytes to clients, without handshakes.", func(s ws.Stats) float64 { return float64(s.BytesOut) }),
	counter("ws_slow_closes", "Connections closed because they did not keep up.", func(s ws.Stats) float64 { return float64(s.SlowCloses) }),
	counter("ws_refused_connections", "Connections that were refused.", func(s ws.Stats) float64 { return float64(s.RefusedConnections) }),
	counter("ws_refused_subscriptions", "Subscriptions that were refused.", func(s ws.Stats) float64 { return float64(s.RefusedSubscriptions) }),
	counter("ws_ended_subscriptions", "Subscriptions ended because their users may no longer listen.",
		func(s ws.Stats) float64 { return float64(s.EndedSubscriptions) }),
	counter("ws_api_calls", "Calls of the HTTP API that were served.", func(s ws.Stats) float64 { return float64(s.APICalls) }),
	counter("ws_api_refusals", "Calls of the HTTP API that were refused.", func(s ws.Stats) float64 { return float64(s.APIRefusals) }),
	counter("ws_webhook_events", "Events that an endpoint has taken.", func(s ws.Stats) float64 { return float64(s.WebhookEvents) }),
	counter("ws_webhook_failures", "Attempts at an endpoint that failed.", func(s ws.Stats) float64 { return float64(s.WebhookFailures) }),
	gauge("ws_bus_up", "1 while the bus to the other nodes is up; 0 also without a bus.", func(s ws.Stats) float64 { return truth(s.BusUp) }),
	gauge("ws_nodes", "Other nodes that are alive.", func(s ws.Stats) float64 { return float64(s.Nodes) }),
	counter("ws_bus_received_frames", "Frames from other nodes.", func(s ws.Stats) float64 { return float64(s.BusFramesIn) }),
	counter("ws_bus_sent_frames", "Frames to other nodes.", func(s ws.Stats) float64 { return float64(s.BusFramesOut) }),
	counter("ws_bus_failed_frames", "Frames that the bus did not take.", func(s ws.Stats) float64 { return float64(s.BusFramesFailed) }),
	counter("ws_bus_refused_frames", "Frames that no node with the same version and secret has made.",
		func(s ws.Stats) float64 { return float64(s.BusFramesRefused) }),
	counter("ws_bus_drops", "Events that were one too many in front of the bus.", func(s ws.Stats) float64 { return float64(s.BusDrops) }),
	counter("ws_bus_gaps", "Losses on the bus that were noticed.", func(s ws.Stats) float64 { return float64(s.BusGaps) }),
	counter("ws_resyncs", "Channels whose subscribers were told to fetch what they may have missed.",
		func(s ws.Stats) float64 { return float64(s.Resyncs) }),
	counter("ws_webhook_drops", "Events for an endpoint that were given up.", func(s ws.Stats) float64 { return float64(s.WebhookDrops) }),
}

var relayMetrics = []metric[realtime.RelayStats]{
	counter("relay_attempts", "Calls of the transport for an event.", func(s realtime.RelayStats) float64 { return float64(s.Attempts) }),
	counter("relay_published", "Events that the transport took.", func(s realtime.RelayStats) float64 { return float64(s.Published) }),
	counter("relay_left", "Hand-offs that were left to be claimed.", func(s realtime.RelayStats) float64 { return float64(s.Left) }),
	counter("relay_parked", "Events set aside for a human.", func(s realtime.RelayStats) float64 { return float64(s.Parked) }),
	counter("relay_collapsed", "Entries that a resync stood in for.", func(s realtime.RelayStats) float64 { return float64(s.Collapsed) }),
	counter("relay_purged", "Entries removed for their age.", func(s realtime.RelayStats) float64 { return float64(s.Purged) }),
	gauge("relay_queued", "Events that wait on the fast way.", func(s realtime.RelayStats) float64 { return float64(s.Queued) }),
	gauge("relay_queued_bytes", "Their size.", func(s realtime.RelayStats) float64 { return float64(s.QueuedBytes) }),
	gauge("relay_down", "1 while the transport is taken for down.", func(s realtime.RelayStats) float64 { return truth(s.Down) }),
}

var outboxMetrics = []metric[realtime.Backlog]{
	gauge("outbox_pending", "Entries that wait or are leased.", func(b realtime.Backlog) float64 { return float64(b.Pending) }),
	gauge("outbox_parked", "Entries set aside for a human.", func(b realtime.Backlog) float64 { return float64(b.Parked) }),
	gauge("outbox_oldest_age_seconds", "Age of the oldest entry that waits.", func(b realtime.Backlog) float64 { return b.OldestAge.Seconds() }),
}

var chatMetrics = []metric[chat.Stats]{
	counter("chat_sent", "Messages stored.", func(s chat.Stats) float64 { return float64(s.Sent) }),
	counter("chat_replayed", "Sends that were stored before.", func(s chat.Stats) float64 { return float64(s.Replayed) }),
	counter("chat_refused", "Texts that the host refused.", func(s chat.Stats) float64 { return float64(s.Refused) }),
	counter("chat_rate_limited", "Writes above the rate.", func(s chat.Stats) float64 { return float64(s.RateLimited) }),
	counter("chat_hook_failures", "Hooks that panicked, failed or took too long.", func(s chat.Stats) float64 { return float64(s.HookFailures) }),
	counter("chat_hooks_dropped", "Messages that no hook was told of.", func(s chat.Stats) float64 { return float64(s.HooksDropped) }),
	gauge("chat_hooks_hung", "Calls of hooks that run although their time is over.", func(s chat.Stats) float64 { return float64(s.HooksHung) }),
	gauge("chat_hooks_queued", "Messages that a hook is yet to be told of.", func(s chat.Stats) float64 { return float64(s.HooksQueued) }),
}

var consultationMetrics = []metric[consultation.Stats]{
	counter("consultation_requested", "Consultations stored.", func(s consultation.Stats) float64 { return float64(s.Requested) }),
	counter("consultation_accepted", "Consultations that were begun.", func(s consultation.Stats) float64 { return float64(s.Accepted) }),
	counter("consultation_completed", "Consultations that were completed.", func(s consultation.Stats) float64 { return float64(s.Completed) }),
	counter("consultation_cancelled", "Consultations that were called off.", func(s consultation.Stats) float64 { return float64(s.Cancelled) }),
	counter("consultation_reassigned", "Changes of the student.", func(s consultation.Stats) float64 { return float64(s.Reassigned) }),
	counter("consultation_rate_limited", "Requests and transitions above the rate.", func(s consultation.Stats) float64 { return float64(s.RateLimited) }),
}

var storeMetrics = []metric[bunstore.Stats]{
	counter("store_statements", "Statements that were run.", func(s bunstore.Stats) float64 { return float64(s.Statements) }),
	counter("store_failures", "Statements that ended with an error.", func(s bunstore.Stats) float64 { return float64(s.Failures) }),
	counter("store_repeats", "Tries after another transaction was in the way.", func(s bunstore.Stats) float64 { return float64(s.Repeats) }),
	counter("store_given_up", "Calls that failed because others were in the way.", func(s bunstore.Stats) float64 { return float64(s.GivenUp) }),
}

// show writes the metrics of one part.
func show[S any](out chan<- prometheus.Metric, metrics []metric[S], st S) {
	for _, m := range metrics {
		out <- m.of(st)
	}
}

// named appends the descriptions of metrics.
func named[S any](all []*prometheus.Desc, metrics []metric[S]) []*prometheus.Desc {
	for _, m := range metrics {
		all = append(all, m.desc)
	}
	return all
}

// descriptions are those of what a collector shows.
func descriptions(cfg Config) (all []*prometheus.Desc) {
	if cfg.Server != nil {
		all = named(append(all, serverCloses), serverMetrics)
	}
	if cfg.Chat != nil {
		all = named(all, chatMetrics)
	}
	if cfg.Consultations != nil {
		all = named(all, consultationMetrics)
	}
	if cfg.Store != nil {
		all = named(all, storeMetrics)
	}
	if cfg.HTTP != nil {
		all = append(all, httpRequests, httpRefusals)
	}
	if cfg.Relay != nil {
		all = named(append(all, relayHandOff, outboxReadable), relayMetrics)
		all = named(all, outboxMetrics)
	}
	return all
}
