package main

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestQuickstartPrintsWhatTheOtherReceives(t *testing.T) {
	source, err := os.ReadFile("main.go")
	require.NoError(t, err)
	require.Less(t, strings.Count(string(source), "\n"), 60)

	read, write, err := os.Pipe()
	require.NoError(t, err)
	stdout := os.Stdout
	os.Stdout = write
	err = run(t.Context())
	os.Stdout = stdout
	require.NoError(t, err)
	require.NoError(t, write.Close())
	out, err := io.ReadAll(read)
	require.NoError(t, err)
	require.Contains(t, string(out), `Stefan received new-message: {`)
	require.Contains(t, string(out), `"content":"Guten Tag!"`)
}
