package docs_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// module is the path that all modules of the workspace begin with.
const module = "github.com/murph-chat/murph"

// root is the folder of the repository.
var root = sync.OnceValue(func() string {
	dir, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		panic(err) // there is no working directory
	}
	return dir
})

// pkg is what the go command says about a package.
type pkg struct {
	ImportPath, Name, Dir, Export string
	Standard                      bool
	GoFiles                       []string
}

// ours reports whether the package is one of the workspace.
func (p pkg) ours() bool {
	return p.ImportPath == module || strings.HasPrefix(p.ImportPath, module+"/")
}

// public reports whether hosts can import the package.
func (p pkg) public() bool {
	return p.ours() && p.Name != "main" && !slices.Contains(strings.Split(p.ImportPath, "/"), "internal")
}

// workspace is every package of all modules and whatever they need, by import path.
var workspace = sync.OnceValues(func() (map[string]pkg, error) {
	cmd := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Name,Dir,Export,Standard,GoFiles", "work")
	cmd.Dir = root()
	cmd.Env = append(os.Environ(), "GOWORK="+filepath.Join(root(), "go.work"), "GOFLAGS=")
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, exit.Stderr)
		}
		return nil, fmt.Errorf("go list: %w", err)
	}
	all := make(map[string]pkg)
	for list := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		switch err := list.Decode(&p); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, fmt.Errorf("read the output of go list: %w", err)
		}
		all[p.ImportPath] = p
	}
})

// packages returns the workspace, ours in order.
func packages(t *testing.T) (all map[string]pkg, ours []pkg) {
	t.Helper()
	all, err := workspace()
	require.NoError(t, err)
	for _, p := range all {
		if p.ours() {
			ours = append(ours, p)
		}
	}
	slices.SortFunc(ours, func(a, b pkg) int { return strings.Compare(a.ImportPath, b.ImportPath) })
	require.Greater(t, len(ours), 30)
	return all, ours
}

// parse reads the files of a package, without its tests.
func parse(t *testing.T, p pkg) (*token.FileSet, []*ast.File) {
	t.Helper()
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range p.GoFiles {
		f, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.ParseComments|parser.SkipObjectResolution)
		require.NoError(t, err)
		files = append(files, f)
	}
	return fset, files
}

// compiled imports packages from what the go command has built of them.
func compiled(all map[string]pkg) types.Importer {
	return importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		p, ok := all[path]
		if !ok || p.Export == "" {
			return nil, fmt.Errorf("%s is not part of the workspace", path)
		}
		return os.Open(p.Export)
	})
}

// markdown returns the paths of the Markdown files, from the root.
func markdown(t *testing.T) []string {
	t.Helper()
	var files []string
	require.NoError(t, filepath.WalkDir(root(), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); d.IsDir() && (name == "node_modules" || name == "dist" || name == "test-output" || name == ".git") {
			return fs.SkipDir
		}
		if filepath.Ext(path) == ".md" {
			rel, err := filepath.Rel(root(), path)
			files = append(files, filepath.ToSlash(rel))
			return err
		}
		return nil
	}))
	require.Subset(t, files, []string{"README.md", "CONTRIBUTING.md", "CHANGELOG.md"})
	return files
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root(), filepath.FromSlash(name)))
	require.NoError(t, err)
	return string(b)
}

// short is a position without the folder of the repository.
func short(pos token.Position) string {
	rel, err := filepath.Rel(root(), pos.Filename)
	if err != nil {
		rel = pos.Filename
	}
	return fmt.Sprintf("%s:%d", filepath.ToSlash(rel), pos.Line)
}
