package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/examples/internal/testenv"
)

// TestPagePicture takes the picture of the page that the README shows; make picture puts it there.
func TestPagePicture(t *testing.T) {
	t.Parallel()
	testenv.Node(t, webDir)
	browser := testenv.Browser(t, webDir)
	shots, err := filepath.Abs(filepath.Join("..", "..", "test-output", "page"))
	require.NoError(t, err)
	h := newHost(t, sqliteFile(t))
	testenv.RunNode(t, webDir, "picture.mjs", "http://"+h.addr, "CHROMIUM="+browser, "MURPH_SCREENSHOTS="+shots)
}

// The README's picture is one that a reader on a slow line gets soon.
func TestPictureIsSmall(t *testing.T) {
	t.Parallel()
	info, err := os.Stat("page.png")
	require.NoError(t, err)
	require.Less(t, info.Size(), int64(150_000))
}
