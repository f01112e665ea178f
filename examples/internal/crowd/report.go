package crowd

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// Report is what a crowd has seen.
type Report struct {
	Tabs                    int
	Written, Acked, Retried int
	Stored, Lost, Doubled   int // Lost: acknowledged and not stored; Doubled: stored twice
	Echoes                  int // events that came back to the connection they were sent from
	Contradictions          int // members who came twice, or went without having come
	Resyncs, CatchUps       int
	Deliveries              int
	P50, P99                time.Duration // from the commit to another client
	Reconnects              int
	OfflineP99, OfflineMax  time.Duration // of those who lost their connection
	ConnectsPerSecond       int           // the most in one second
}

// String is one line of figures.
func (r Report) String() string {
	return fmt.Sprintf("%d tabs, %d messages (%d acknowledged, %d stored, %d lost, %d doubled), %d deliveries p50 %s p99 %s, "+
		"%d echoes, %d contradictions, %d resyncs, %d catch-ups, %d reconnects (offline p99 %s max %s, at most %d connects/s)",
		r.Tabs, r.Written, r.Acked, r.Stored, r.Lost, r.Doubled, r.Deliveries, r.P50.Round(100*time.Microsecond),
		r.P99.Round(100*time.Microsecond), r.Echoes, r.Contradictions, r.Resyncs, r.CatchUps, r.Reconnects,
		r.OfflineP99.Round(time.Millisecond), r.OfflineMax.Round(time.Millisecond), r.ConnectsPerSecond)
}

// book is where the tabs write down what happens to them.
type book struct {
	mu        sync.Mutex // guards what follows
	sum       Report
	latencies []time.Duration
	gaps      []time.Duration
	rates     map[int64]int // connects by second
}

func (b *book) count(f func(*Report)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f(&b.sum)
}

func (b *book) acks()         { b.count(func(r *Report) { r.Acked++ }) }
func (b *book) retries()      { b.count(func(r *Report) { r.Retried++ }) }
func (b *book) echoed()       { b.count(func(r *Report) { r.Echoes++ }) }
func (b *book) contradicted() { b.count(func(r *Report) { r.Contradictions++ }) }
func (b *book) resynced()     { b.count(func(r *Report) { r.Resyncs++ }) }
func (b *book) catchesUp()    { b.count(func(r *Report) { r.CatchUps++ }) }

// writes counts a message and returns its number.
func (b *book) writes() (n int) {
	b.count(func(r *Report) { r.Written++; n = r.Written })
	return n
}

func (b *book) delivered(after time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.latencies = append(b.latencies, after)
}

func (b *book) offline(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.gaps = append(b.gaps, d)
}

func (b *book) connects() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rates == nil {
		b.rates = make(map[int64]int)
	}
	b.rates[time.Now().Unix()]++
}

// Mark forgets the figures so far, but for the counts of messages.
func (c *Crowd) Mark() {
	b := &c.book
	b.mu.Lock()
	defer b.mu.Unlock()
	b.latencies, b.gaps, b.rates = nil, nil, nil
	b.sum.Resyncs, b.sum.CatchUps = 0, 0
}

func (b *book) report() Report {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.sum
	r.Deliveries, r.P50, r.P99 = len(b.latencies), quantile(b.latencies, 0.5), quantile(b.latencies, 0.99)
	r.Reconnects, r.OfflineP99, r.OfflineMax = len(b.gaps), quantile(b.gaps, 0.99), quantile(b.gaps, 1)
	for _, n := range b.rates {
		r.ConnectsPerSecond = max(r.ConnectsPerSecond, n)
	}
	return r
}

// quantile sorts its argument.
func quantile(d []time.Duration, q float64) time.Duration {
	if len(d) == 0 {
		return 0
	}
	slices.Sort(d)
	return d[min(len(d)-1, int(q*float64(len(d))))]
}
