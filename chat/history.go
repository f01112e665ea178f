package chat

import (
	"context"

	"github.com/murph-chat/murph/consultation"
)

// History returns a page of messages with the consultation's header, all from one snapshot. Only the patient and the
// student assigned at this moment may read; everybody else gets [consultation.ErrNotFound].
func (s *Service) History(ctx context.Context, p HistoryParams) (Page, error) {
	if err := checkIDs(p.ConsultationID, p.Viewer); err != nil {
		return Page{}, err
	}
	if p.Before < 0 {
		return Page{}, &consultation.InvalidError{Field: "before", Reason: "must not be negative"}
	}
	var err error
	if p.Limit, err = checkLimit(p.Limit); err != nil {
		return Page{}, err
	}
	page, err := s.store.History(ctx, p)
	if err != nil {
		return Page{}, err
	}
	s.hideReceipts(&page, p.Viewer)
	return page, nil
}

// Changes returns what a client has missed that is complete up to the rev Since. It works after any absence: a client
// that is too far behind, or whose rev is from before a backup was restored, is told to start afresh.
func (s *Service) Changes(ctx context.Context, p ChangesParams) (Changes, error) {
	if err := checkIDs(p.ConsultationID, p.Viewer); err != nil {
		return Changes{}, err
	}
	if p.Since < 0 {
		return Changes{}, &consultation.InvalidError{Field: "since", Reason: "must not be negative"}
	}
	if !validEpoch(p.Epoch) {
		return Changes{}, &consultation.InvalidError{Field: "epoch", Reason: "must be the epoch of an earlier answer"}
	}
	var err error
	if p.Limit, err = checkLimit(p.Limit); err != nil {
		return Changes{}, err
	}
	p.MaxBehind = int64(s.opts.MaxCatchUp)
	changes, err := s.store.Changes(ctx, p)
	if err != nil {
		return Changes{}, err
	}
	s.hideReceipts(&changes.Page, p.Viewer)
	return changes, nil
}

// maxEpoch is the length of the longest epoch.
const maxEpoch = 32

// validEpoch reports whether a store can have given the epoch. No epoch is valid too.
func validEpoch(epoch string) bool {
	for _, c := range []byte(epoch) {
		switch {
		case c >= '0' && c <= '9', c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c == '-', c == '_':
		default:
			return false
		}
	}
	return len(epoch) <= maxEpoch
}

func (s *Service) hideReceipts(p *Page, viewer consultation.UserID) {
	if s.opts.ReadReceipts == ReceiptsShared {
		return
	}
	own, ok := p.Reads[viewer]
	p.Reads = map[consultation.UserID]ReadMark{}
	if ok {
		p.Reads[viewer] = own
	}
}

// Inbox lists consultations, the newest activity first. OpenRequests needs the role STUDENT, or gives
// [consultation.ErrForbidden]; what is somebody else's is reduced to [consultation.Consultation.Open]. It asks no policy:
// [Service.OpenRequests] does.
func (s *Service) Inbox(ctx context.Context, viewer consultation.Participant, p InboxParams) (InboxPage, error) {
	if err := viewer.Validate(); err != nil {
		return InboxPage{}, err
	}
	p.Viewer = viewer.UserID
	if p.Status != "" && !p.Status.Valid() {
		reason := "must be REQUESTED, IN_PROGRESS, COMPLETED or CANCELLED"
		return InboxPage{}, &consultation.InvalidError{Field: "status", Reason: reason}
	}
	if p.OpenRequests && viewer.Role != consultation.RoleStudent {
		return InboxPage{}, consultation.ErrForbidden
	}
	var err error
	if p.Limit, err = checkLimit(p.Limit); err != nil {
		return InboxPage{}, err
	}
	page, err := s.store.Inbox(ctx, p)
	if err != nil {
		return InboxPage{}, err
	}
	for i := range page.Items {
		if c := &page.Items[i].Consultation; p.OpenRequests {
			if _, own := c.Participant(p.Viewer); !own {
				*c = c.Open()
			}
		}
	}
	return page, nil
}
