package oteltrace

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/murph-chat/murph/realtime"
)

// Broadcaster returns a broadcaster that is b with a span around each call; opts may be nil. What b can do besides, take
// batches, hand off to an outbox, end subscriptions, the result can too. Around a relay the hand-off has no span: wrap
// what the relay sends to.
func Broadcaster(b realtime.Broadcaster, opts *Options) realtime.Broadcaster {
	plain := &broadcaster{b, tracer(opts)}
	batch, isBatch := b.(realtime.BatchBroadcaster)
	outbox, isOutbox := b.(realtime.OutboxBroadcaster)
	switch {
	case isBatch && isOutbox:
		return struct {
			*batched
			handsOff
		}{&batched{plain, batch}, handsOff{outbox}}
	case isBatch:
		return &batched{plain, batch}
	case isOutbox:
		return struct {
			*broadcaster
			handsOff
		}{plain, handsOff{outbox}}
	}
	return plain
}

type broadcaster struct {
	to     realtime.Broadcaster
	tracer trace.Tracer
}

// Unwrap returns what the spans are around, for [realtime.Find].
func (b *broadcaster) Unwrap() realtime.Broadcaster { return b.to }

func (b *broadcaster) Broadcast(ctx context.Context, ev realtime.Event) error {
	ctx, span := b.tracer.Start(ctx, "murph.publish", trace.WithSpanKind(trace.SpanKindProducer), trace.WithAttributes(eventAttrs(ev)...))
	err := b.to.Broadcast(ctx, ev)
	end(span, err)
	return err
}

type batched struct {
	*broadcaster
	batch realtime.BatchBroadcaster
}

// BroadcastBatch makes one span, with a span event for each event of the batch.
// The span has the error of the first event that was not sent.
func (b *batched) BroadcastBatch(ctx context.Context, evs []realtime.Event) []error {
	ctx, span := b.tracer.Start(ctx, "murph.publish_batch", trace.WithSpanKind(trace.SpanKindProducer), trace.WithAttributes(attrCount.Int(len(evs))))
	for _, ev := range evs {
		span.AddEvent("murph.event", trace.WithAttributes(eventAttrs(ev)...))
	}
	errs := b.batch.BroadcastBatch(ctx, evs)
	var first error
	if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
		first = errs[i]
	}
	end(span, first)
	return errs
}

// handsOff passes on what makes a broadcaster one with an outbox.
type handsOff struct{ to realtime.OutboxBroadcaster }

func (h handsOff) HandOff(id int64, ev realtime.Event) { h.to.HandOff(id, ev) }
func (h handsOff) Lease() time.Duration                { return h.to.Lease() }

// eventAttrs takes the ids of a message from the thin form of its event, which has no content.
func eventAttrs(ev realtime.Event) []attribute.KeyValue {
	attrs := []attribute.KeyValue{
		attrChannel.String(string(ev.Channel)), attrEvent.String(ev.Name), attrBytes.Int(len(ev.Data)),
	}
	var ids struct {
		ID  string `json:"id"`
		Rev int64  `json:"rev"`
	}
	if ev.Thin == nil || json.Unmarshal(ev.Thin, &ids) != nil {
		return attrs
	}
	if ids.ID != "" {
		attrs = append(attrs, attrMessage.String(ids.ID))
	}
	return append(attrs, attrRev.Int64(ids.Rev))
}
