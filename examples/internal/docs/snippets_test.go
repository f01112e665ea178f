package docs_test

import (
	"fmt"
	"go/ast"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// known is what the reader of a snippet knows: the type of each name that it uses and does not declare.
var known = map[string]string{
	"ctx": "context.Context", "mux": "*http.ServeMux", "err": "error", "t": "*testing.T", "tb": "testing.TB",
	"db": "*bun.DB", "tx": "*sql.Tx", "registry": "*prometheus.Registry",
	"store": "*bunstore.Store", "relay": "*realtime.Relay", "server": "*ws.Server", "handler": "*httpadapter.Handler",
	"broadcaster": "realtime.Broadcaster", "transport": "realtime.Broadcaster", "events": "realtime.Broadcaster",
	"hosted": "*pusher.Broadcaster", "bus": "realtime.Bus", "event": "realtime.Event",
	"chatService": "*chat.Service", "consultationService": "*consultation.Service", "messages": "*chat.Service", "svc": "*chat.Service",
	"whoIs": "func(*http.Request) (consultation.Participant, error)", "authenticate": "func(*http.Request) (consultation.Participant, error)",
	"patient": "consultation.Participant", "student": "consultation.Participant", "me": "consultation.UserID",
	"id": "consultation.ID", "params": "chat.SendParams", "socketID": "realtime.SocketID", "channel": "realtime.Channel",
	"secret": "string", "day": "string",
	"c":         "struct { messages *chat.Service; store *bunstore.Store }",
	"subscribe": "func(*testing.T, realtime.Broadcaster, ...realtime.Channel) realtimetest.Subscriber",
	"mystore":   "struct { New func() storagetest.Store }",
}

// helpers are functions that snippets call as those of the README do.
const helpers = `
func must[T any](v T, err error) T { return v }
`

// foreign says which package a name in a snippet means, where the last part of the path does not say it alone.
var foreign = map[string]string{
	"redis": "github.com/redis/go-redis/v9", "nats": "github.com/nats-io/nats.go", "pgx": "github.com/jackc/pgx/v5",
	"pusher": module + "/realtime/pusher",
}

var goBlock = regexp.MustCompile("(?ms)^```go\n(.*?)^```$")

// TestMarkdownCode compiles every Go block of the Markdown files.
func TestMarkdownCode(t *testing.T) {
	t.Parallel()
	c := newCompiler(t)
	blocks := 0
	for _, name := range markdown(t) {
		for i, found := range goBlock.FindAllStringSubmatch(read(t, name), -1) {
			blocks++
			if err := c.compile(found[1]); err != nil {
				t.Errorf("%s, Go block %d: %v", name, i+1, err)
			}
		}
	}
	require.Greater(t, blocks, 5)
}

// notGo are the beginnings of code blocks in package comments that are something else: commands and JSON.
var notGo = regexp.MustCompile(`^(go |cd |make |PUSHER_|\{)`)

// TestPackageComments compiles every Go block of the packages' comments, and wants one in each package that hosts import.
func TestPackageComments(t *testing.T) {
	t.Parallel()
	c := newCompiler(t)
	_, ours := packages(t)
	for _, p := range ours {
		_, files := parse(t, p)
		blocks := 0
		for _, f := range files {
			if f.Doc == nil {
				continue
			}
			for _, b := range new(comment.Parser).Parse(f.Doc.Text()).Content {
				code, ok := b.(*comment.Code)
				if !ok || notGo.MatchString(code.Text) {
					continue
				}
				blocks++
				if err := c.compile(code.Text); err != nil {
					t.Errorf("%s: %v", p.ImportPath, err)
				}
			}
		}
		if blocks == 0 && p.public() && !withoutSnippet[strings.TrimPrefix(p.ImportPath, module+"/")] {
			t.Errorf("the comment of %s shows no code", p.ImportPath)
		}
	}
}

// withoutSnippet are packages with nothing to show: they hold tests only, or types that other packages' snippets use.
var withoutSnippet = map[string]bool{
	"storage/integration": true, "realtime/integration": true, "realtime/integration/redistest": true,
	"httpadapter/openapitest": true, "realtime/ws/codertest": true,
}

// compiler type-checks snippets against the packages of the workspace.
type compiler struct {
	byName  map[string]string // import paths by package name
	imports types.Importer
}

func newCompiler(t *testing.T) *compiler {
	t.Helper()
	all, _ := packages(t)
	c := &compiler{byName: make(map[string]string), imports: compiled(all)}
	for _, path := range slices.Sorted(maps.Keys(all)) {
		p := all[path]
		internal := slices.Contains(strings.Split(path, "/"), "internal")
		if internal || p.Name == "main" || p.Export == "" {
			continue
		}
		taken, ok := c.byName[p.Name]
		if !ok || p.ours() || (p.Standard && !all[taken].ours()) && len(path) < len(taken) {
			c.byName[p.Name] = path
		}
	}
	maps.Copy(c.byName, foreign)
	return c
}

// compile checks a snippet: declarations, or statements with or without declared results.
func (c *compiler) compile(snippet string) error {
	if _, err := parser.ParseFile(token.NewFileSet(), "", "package snippet\n"+snippet, 0); err != nil {
		snippet = "func _() {\n" + snippet + "\n}"
	}
	source := "package snippet\n" + snippet
	if !strings.Contains(snippet, "func must[") {
		source += helpers
	}
	var header strings.Builder
	imported := make(map[string]bool)
	// A prelude can need packages of its own, so it is looked through too.
	for pending := source; pending != ""; {
		names, err := unresolved(pending)
		if err != nil {
			return err
		}
		pending = ""
		for _, name := range names {
			path, isPackage := c.byName[name]
			typ, isKnown := known[name]
			switch {
			case types.Universe.Lookup(name) != nil || imported[name]:
			case isKnown:
				imported[name] = true
				declaration := fmt.Sprintf("var %s %s\n", name, typ)
				source += declaration
				pending = "package snippet\n" + strings.TrimPrefix(pending, "package snippet\n") + declaration
			case isPackage:
				imported[name] = true
				fmt.Fprintf(&header, "import %s %q\n", name, path)
			default:
				return fmt.Errorf("%s is declared nowhere", name)
			}
		}
	}
	source = strings.Replace(source, "package snippet\n", "package snippet\n"+header.String(), 1)
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "snippet.go", source, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	var problems []error
	config := types.Config{Importer: c.imports, Error: func(err error) {
		if !strings.Contains(err.Error(), "declared and not used") { // a snippet ends before the use
			problems = append(problems, err)
		}
	}}
	_, _ = config.Check("snippet", fset, []*ast.File{f}, nil) // told of by Error
	if len(problems) > 0 {
		return fmt.Errorf("%w, in\n%s", problems[0], snippet)
	}
	return nil
}

// unresolved returns the names that a file uses and does not declare.
func unresolved(source string) ([]string, error) {
	f, err := parser.ParseFile(token.NewFileSet(), "", source, 0)
	if err != nil {
		return nil, err
	}
	names := make(map[string]bool)
	for _, name := range f.Unresolved {
		names[name.Name] = true
	}
	return slices.Sorted(maps.Keys(names)), nil
}
