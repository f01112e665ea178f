package oteltrace

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
)

// scope names this package towards OpenTelemetry.
const scope = "github.com/murph-chat/murph/httpadapter/oteltrace"

// The attributes of the spans.
const (
	attrConsultation = attribute.Key("murph.consultation.id")
	attrMessage      = attribute.Key("murph.message.id")
	attrUser         = attribute.Key("murph.user.id")
	attrSeq          = attribute.Key("murph.seq")
	attrRev          = attribute.Key("murph.rev")
	attrBytes        = attribute.Key("murph.bytes")
	attrReplayed     = attribute.Key("murph.replayed")
	attrUnchanged    = attribute.Key("murph.unchanged")
	attrCount        = attribute.Key("murph.count")
	attrReset        = attribute.Key("murph.reset")
	attrStatus       = attribute.Key("murph.status")
	attrChannel      = attribute.Key("murph.channel")
	attrEvent        = attribute.Key("murph.event")
	attrRefusal      = attribute.Key("murph.refusal")
)

// Options changes how the spans are made. The zero value is ready to use.
type Options struct {
	// TracerProvider makes the spans. Defaults to [otel.GetTracerProvider].
	TracerProvider trace.TracerProvider
}

func tracer(o *Options) trace.Tracer {
	if o == nil || o.TracerProvider == nil {
		return otel.GetTracerProvider().Tracer(scope)
	}
	return o.TracerProvider.Tracer(scope)
}

// refusals are the errors that are answers.
var refusals = []struct {
	is   error
	name string
}{
	{consultation.ErrNotParticipant, "not_participant"},
	{consultation.ErrNotFound, "not_found"},
	{consultation.ErrForbidden, "forbidden"},
	{consultation.ErrNotActive, "not_active"},
	{consultation.ErrConflict, "conflict"},
	{consultation.ErrExists, "exists"},
	{chat.ErrMessageNotFound, "message_not_found"},
	{chat.ErrNotSender, "not_sender"},
	{chat.ErrWindowClosed, "window_closed"},
	{chat.ErrDeleted, "deleted"},
	{chat.ErrStale, "stale"},
}

// end ends the span with what came of it. The errors of this library have neither content nor secrets in their texts.
func end(span trace.Span, err error, attrs ...attribute.KeyValue) {
	defer span.End()
	if err == nil {
		span.SetAttributes(attrs...)
		return
	}
	for _, r := range refusals {
		if errors.Is(err, r.is) {
			span.SetAttributes(attrRefusal.String(r.name))
			return
		}
	}
	span.RecordError(err)
	span.SetStatus(codes.Error, err.Error())
}

// traced runs one call of a store in a span, with the attributes that its result has.
func traced[P, R any](ctx context.Context, t trace.Tracer, name string, call func(context.Context, P) (R, error), p P,
	describe func(R) []attribute.KeyValue, attrs ...attribute.KeyValue) (R, error) {
	ctx, span := t.Start(ctx, name, trace.WithAttributes(attrs...))
	result, err := call(ctx, p)
	if err != nil {
		end(span, err)
		return result, err
	}
	end(span, nil, describe(result)...)
	return result, nil
}

func messageAttrs(m chat.Message) []attribute.KeyValue {
	return []attribute.KeyValue{
		attrConsultation.String(string(m.ConsultationID)), attrMessage.String(string(m.ID)), attrSeq.Int64(m.Seq), attrRev.Int64(m.Rev),
	}
}
