package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReadmeShowsThisCode(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("main.go")
	require.NoError(t, err)
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	require.NoError(t, err)
	_, shown, ok := strings.Cut(string(source), "func mountChat")
	require.True(t, ok)
	shown, _, ok = strings.Cut(shown, "// authenticate tells")
	require.True(t, ok)
	require.Contains(t, string(readme), "```go\nfunc mountChat"+strings.TrimSuffix(shown, "\n")+"```")
}

func TestReadmeShowsTheCluster(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("cluster_test.go")
	require.NoError(t, err)
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	require.NoError(t, err)
	_, shown, ok := strings.Cut(string(source), "\n\tvar relay")
	require.True(t, ok)
	shown, _, ok = strings.Cut(shown, "\n\treturn server")
	require.True(t, ok)
	require.Contains(t, string(readme), "```go\nvar relay"+strings.ReplaceAll(shown, "\n\t", "\n")+"\n```")
}

func TestMountChat(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mountChat(t.Context(), mux, filepath.Join(t.TempDir(), "chat.db"), "secret")
	for session, status := range map[string]int{"paula": http.StatusCreated, "": http.StatusUnauthorized} {
		r := httptest.NewRequest(http.MethodPost, "/api/beratungen", strings.NewReader(`{"topic": "Knieschmerzen"}`))
		r.Header.Set("Content-Type", "application/json")
		if session != "" {
			r.AddCookie(&http.Cookie{Name: "session", Value: session})
		}
		answer := httptest.NewRecorder()
		mux.ServeHTTP(answer, r)
		require.Equal(t, status, answer.Code)
	}
}
