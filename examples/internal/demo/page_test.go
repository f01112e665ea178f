package demo

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPageThatIsNotBuilt(t *testing.T) {
	t.Parallel()
	answer := httptest.NewRecorder()
	page(filepath.Join(t.TempDir(), "dist")).ServeHTTP(answer, httptest.NewRequest("GET", "/", nil))
	require.Equal(t, http.StatusNotFound, answer.Code)
	require.Contains(t, answer.Body.String(), "make web")
}
