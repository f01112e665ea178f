package httpadapter_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/httpadapter"
)

func TestStatsCountRefusalsByTheirCode(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := b.Handler.(*contract).Handler
	require.Zero(t, h.Stats())
	require.Equal(t, 201, b.do(t, "patient-1", "POST", messages, `{"consultationId":"demo","content":"x"}`).status)
	for range 2 {
		require.Equal(t, 409, b.do(t, "patient-1", "POST", messages, `{"consultationId":"done","content":"x"}`).status)
	}
	require.Equal(t, 401, b.do(t, "", "GET", consultations, "").status)
	require.Equal(t, 404, b.do(t, "", "GET", "/elsewhere", "").status)
	require.Equal(t, httpadapter.Stats{Requests: 5, Refusals: map[httpadapter.Code]uint64{
		httpadapter.CodeConsultationNotActive: 2, httpadapter.CodeUnauthenticated: 1, httpadapter.CodeNotFound: 1,
	}}, h.Stats())
}
