package prommetrics

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/httpadapter"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/ws"
	"github.com/murph-chat/murph/storage/bunstore"
)

// Config names the parts to show, at least one. A process that has two of a kind makes two collectors and registers each
// with [prometheus.WrapRegistererWith] and a label of its own.
type Config struct {
	Server        *ws.Server            // its connections, queues and bus
	Relay         *realtime.Relay       // what it sends, and the outbox
	Chat          *chat.Service         // sends, refusals and hooks
	Consultations *consultation.Service // what became of them
	HTTP          *httpadapter.Handler  // requests and refusals
	Store         Store                 // statements, and how often others were in the way
	// Timeout bounds the question for the backlog of the outbox, at each scrape. Defaults to 2 seconds.
	Timeout time.Duration
	// Logger gets what the scrape cannot show: why the outbox could not be read. Defaults to slog.Default().
	Logger *slog.Logger
}

// Store is a [bunstore.Store], or what contains one, like the Store of sqlitestore.
type Store interface {
	// Stats returns what the store has done, without asking the database.
	Stats() bunstore.Stats
}

// Collector is a [prometheus.Collector] over the Stats of the parts. It is safe for concurrent use.
type Collector struct{ cfg Config }

var _ prometheus.Collector = (*Collector)(nil)

// New makes a Collector. Nothing is read before the first scrape.
func New(cfg Config) (*Collector, error) {
	if len(descriptions(cfg)) == 0 {
		return nil, errors.New("prommetrics: a collector needs a part to show")
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 2 * time.Second
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	return &Collector{cfg}, nil
}

// Describe implements [prometheus.Collector].
func (c *Collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range descriptions(c.cfg) {
		out <- d
	}
}

// Collect implements [prometheus.Collector]. When the outbox cannot be read, murph_outbox_readable is 0 and the other
// figures of the outbox are absent.
func (c *Collector) Collect(out chan<- prometheus.Metric) {
	if c.cfg.Server != nil {
		st := c.cfg.Server.Stats()
		show(out, serverMetrics, st)
		for code, n := range st.Closes {
			out <- prometheus.MustNewConstMetric(serverCloses, prometheus.CounterValue, float64(n), strconv.Itoa(code))
		}
	}
	if c.cfg.Chat != nil {
		show(out, chatMetrics, c.cfg.Chat.Stats())
	}
	if c.cfg.Consultations != nil {
		show(out, consultationMetrics, c.cfg.Consultations.Stats())
	}
	if c.cfg.Store != nil {
		show(out, storeMetrics, c.cfg.Store.Stats())
	}
	if c.cfg.HTTP != nil {
		st := c.cfg.HTTP.Stats()
		out <- prometheus.MustNewConstMetric(httpRequests, prometheus.CounterValue, float64(st.Requests))
		for code, n := range st.Refusals {
			out <- prometheus.MustNewConstMetric(httpRefusals, prometheus.CounterValue, float64(n), string(code))
		}
	}
	if c.cfg.Relay != nil {
		c.collectRelay(out)
	}
}

func (c *Collector) collectRelay(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), c.cfg.Timeout)
	defer cancel()
	st, err := c.cfg.Relay.Stats(ctx)
	show(out, relayMetrics, st)
	out <- prometheus.MustNewConstSummary(relayHandOff, uint64(st.HandOffs), st.HandOffTime.Seconds(), nil)
	out <- prometheus.MustNewConstMetric(outboxReadable, prometheus.GaugeValue, truth(err == nil))
	if err != nil {
		c.cfg.Logger.Warn("outbox not measured", slog.Any("err", err))
		return
	}
	show(out, outboxMetrics, st.Backlog)
}
