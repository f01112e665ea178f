package httpadapter_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/httpadapter"
)

// withPolicy makes a handler whose consultation service has the policy.
func withPolicy(t *testing.T, policy consultation.Policy) *bundle {
	t.Helper()
	b := setup(t)
	again := *b
	var err error
	again.consultations, err = consultation.NewService(b.store, b.events, &consultation.Options{Policy: policy})
	require.NoError(t, err)
	h, err := httpadapter.New(httpadapter.Config{
		Chat: b.chat, Consultations: again.consultations, Authenticator: httpadapter.AuthenticatorFunc(session),
	})
	require.NoError(t, err)
	again.Handler = holdToContract(t, h)
	return &again
}

// otherClinic is a policy that lets student-2 do nothing with other patients' consultations.
func otherClinic(_ context.Context, _ consultation.Action, _ consultation.ID, by consultation.Participant) error {
	if by.UserID == "student-2" {
		return consultation.ErrForbidden
	}
	return nil
}

func TestThePolicyNarrowsTheList(t *testing.T) {
	t.Parallel()
	b := withPolicy(t, otherClinic)
	const target = consultations + "?status=REQUESTED"
	require.Len(t, b.do(t, "student-1", "GET", target, "").list("consultations"), 1)
	got := b.do(t, "student-2", "GET", target, "")
	require.Equal(t, 200, got.status, got.body)
	require.Contains(t, got.body, `"consultations":[]`)
	require.NotContains(t, got.json, "nextCursor")
}

// TestAStrangersPatchTellsNothing compares the answers for a consultation that exists with those for one that does not.
func TestAStrangersPatchTellsNothing(t *testing.T) {
	t.Parallel()
	b := withPolicy(t, otherClinic)
	state := b.state(t)
	for _, user := range []string{"patient-2", "student-2"} {
		for _, status := range []string{"IN_PROGRESS", "COMPLETED", "CANCELLED"} {
			body := `{"status":"` + status + `"}`
			before := b.store.calls.Load()
			unknown := b.do(t, user, "PATCH", consultations+"/unknown", body)
			wantProblem(t, unknown, 404, httpadapter.CodeNotFound)
			work := b.store.calls.Load() - before
			for _, id := range []string{"open", "demo", "done", "off"} {
				before = b.store.calls.Load()
				got := b.do(t, user, "PATCH", consultations+"/"+id, body)
				require.Equal(t, unknown, got, "%s %s %s", user, id, status)
				require.Equal(t, work, b.store.calls.Load()-before)
			}
			require.Equal(t, unknown.body, b.do(t, user, "GET", consultations+"/demo", "").body)
		}
	}
	require.Equal(t, state, b.state(t))
	race := b.do(t, "student-3", "PATCH", consultations+"/demo", `{"status":"IN_PROGRESS"}`)
	wantProblem(t, race, 409, httpadapter.CodeConflict)
}
