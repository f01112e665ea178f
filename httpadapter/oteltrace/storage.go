package oteltrace

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
)

// Chat returns a storage that is store with a span around each call; opts may be nil. A relay and a transaction of the
// host's get the store itself.
func Chat(store chat.Storage, opts *Options) chat.Storage {
	return &chatStorage{store, tracer(opts)}
}

type chatStorage struct {
	store  chat.Storage
	tracer trace.Tracer
}

// MaxReads returns that of the store, see [chat.Service.MaxReads].
func (s *chatStorage) MaxReads() int {
	if pooled, ok := s.store.(interface{ MaxReads() int }); ok {
		return pooled.MaxReads()
	}
	return 0
}

func (s *chatStorage) Append(ctx context.Context, p chat.AppendParams) (chat.Appended, error) {
	return traced(ctx, s.tracer, "murph.send", s.store.Append, p, func(a chat.Appended) []attribute.KeyValue {
		return append(messageAttrs(a.Message), attrReplayed.Bool(a.Replayed))
	}, attrConsultation.String(string(p.ConsultationID)), attrUser.String(string(p.SenderID)), attrBytes.Int(len(p.Content)))
}

func (s *chatStorage) History(ctx context.Context, p chat.HistoryParams) (chat.Page, error) {
	return traced(ctx, s.tracer, "murph.history", s.store.History, p, pageAttrs,
		attrConsultation.String(string(p.ConsultationID)), attrUser.String(string(p.Viewer)))
}

func (s *chatStorage) Changes(ctx context.Context, p chat.ChangesParams) (chat.Changes, error) {
	return traced(ctx, s.tracer, "murph.changes", s.store.Changes, p, func(c chat.Changes) []attribute.KeyValue {
		return append(pageAttrs(c.Page), attrReset.Bool(c.Reset))
	}, attrConsultation.String(string(p.ConsultationID)), attrUser.String(string(p.Viewer)))
}

func (s *chatStorage) Inbox(ctx context.Context, p chat.InboxParams) (chat.InboxPage, error) {
	return traced(ctx, s.tracer, "murph.inbox", s.store.Inbox, p, func(page chat.InboxPage) []attribute.KeyValue {
		return []attribute.KeyValue{attrCount.Int(len(page.Items))}
	}, attrUser.String(string(p.Viewer)), attrStatus.String(string(p.Status)))
}

func (s *chatStorage) MarkRead(ctx context.Context, p chat.ReadParams) (chat.Marked, error) {
	return traced(ctx, s.tracer, "murph.read", s.store.MarkRead, p, func(m chat.Marked) []attribute.KeyValue {
		return []attribute.KeyValue{attrSeq.Int64(m.Mark.Seq), attrUnchanged.Bool(!m.Moved)}
	}, attrConsultation.String(string(p.ConsultationID)), attrUser.String(string(p.Reader)))
}

func (s *chatStorage) Edit(ctx context.Context, p chat.EditParams) (chat.Changed, error) {
	return traced(ctx, s.tracer, "murph.edit", s.store.Edit, p, changedAttrs,
		attrMessage.String(string(p.ID)), attrUser.String(string(p.By)), attrBytes.Int(len(p.Content)))
}

func (s *chatStorage) Delete(ctx context.Context, p chat.DeleteParams) (chat.Changed, error) {
	return traced(ctx, s.tracer, "murph.delete", s.store.Delete, p, changedAttrs,
		attrMessage.String(string(p.ID)), attrUser.String(string(p.By)))
}

func (s *chatStorage) NewEpoch(ctx context.Context) error {
	replace := func(ctx context.Context, _ struct{}) (struct{}, error) { return struct{}{}, s.store.NewEpoch(ctx) }
	_, err := traced(ctx, s.tracer, "murph.new_epoch", replace, struct{}{}, func(struct{}) []attribute.KeyValue { return nil })
	return err
}

func pageAttrs(p chat.Page) []attribute.KeyValue {
	return []attribute.KeyValue{attrCount.Int(len(p.Messages)), attrRev.Int64(p.Consultation.Rev)}
}

func changedAttrs(c chat.Changed) []attribute.KeyValue {
	return append(messageAttrs(c.Message), attrUnchanged.Bool(c.Unchanged))
}

// Consultations returns a storage that is store with a span around each call; opts may be nil.
func Consultations(store consultation.Storage, opts *Options) consultation.Storage {
	return &consultationStorage{store, tracer(opts)}
}

type consultationStorage struct {
	store  consultation.Storage
	tracer trace.Tracer
}

func (s *consultationStorage) Create(ctx context.Context, p consultation.CreateParams) (consultation.Consultation, error) {
	return traced(ctx, s.tracer, "murph.request", s.store.Create, p, consultationAttrs,
		attrConsultation.String(string(p.ID)), attrUser.String(string(p.Patient.UserID)))
}

func (s *consultationStorage) Consultation(ctx context.Context, id consultation.ID, viewer consultation.UserID) (consultation.Consultation, error) {
	read := func(ctx context.Context, id consultation.ID) (consultation.Consultation, error) {
		return s.store.Consultation(ctx, id, viewer)
	}
	return traced(ctx, s.tracer, "murph.consultation", read, id, consultationAttrs,
		attrConsultation.String(string(id)), attrUser.String(string(viewer)))
}

func (s *consultationStorage) Open(ctx context.Context, user consultation.UserID) ([]consultation.ID, error) {
	return traced(ctx, s.tracer, "murph.open", s.store.Open, user, func(ids []consultation.ID) []attribute.KeyValue {
		return []attribute.KeyValue{attrCount.Int(len(ids))}
	}, attrUser.String(string(user)))
}

func (s *consultationStorage) Change(ctx context.Context, p consultation.ChangeParams) (consultation.Changed, error) {
	return traced(ctx, s.tracer, "murph.change", s.store.Change, p, func(c consultation.Changed) []attribute.KeyValue {
		return consultationAttrs(c.Consultation)
	}, attrConsultation.String(string(p.ID)), attrUser.String(string(p.By.Participant().UserID)))
}

func consultationAttrs(c consultation.Consultation) []attribute.KeyValue {
	return []attribute.KeyValue{attrStatus.String(string(c.Status)), attrRev.Int64(c.Rev)}
}
