package docs_test

import (
	"go/ast"
	"go/doc"
	"go/doc/comment"
	"go/token"
	"go/types"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	mdLink    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	mdHeading = regexp.MustCompile(`(?m)^#+ +(.+)$`)
	mdCode    = regexp.MustCompile("(?ms)^```.*?^```$|`[^`\n]*`")
	notInSlug = regexp.MustCompile(`[^\p{L}\p{N}_\- ]`)
)

// slug is the anchor that a heading gets.
func slug(heading string) string {
	return strings.ReplaceAll(notInSlug.ReplaceAllString(strings.ToLower(heading), ""), " ", "-")
}

// TestMarkdownLinks follows every link to a file of the repository, and to a heading in one.
func TestMarkdownLinks(t *testing.T) {
	t.Parallel()
	followed := 0
	for _, name := range markdown(t) {
		for _, found := range mdLink.FindAllStringSubmatch(mdCode.ReplaceAllString(read(t, name), ""), -1) {
			target := found[1]
			if strings.Contains(target, "://") {
				continue
			}
			followed++
			file, anchor, _ := strings.Cut(target, "#")
			to := name
			if file != "" {
				to = path.Join(path.Dir(name), file)
			}
			if _, err := os.Stat(filepath.Join(root(), filepath.FromSlash(to))); err != nil {
				t.Errorf("%s links to %s, which is not there", name, target)
				continue
			}
			if anchor == "" {
				continue
			}
			var anchors []string
			for _, h := range mdHeading.FindAllStringSubmatch(read(t, to), -1) {
				anchors = append(anchors, slug(h[1]))
			}
			require.Contains(t, anchors, anchor, "%s links to %s", name, target)
		}
	}
	require.Greater(t, followed, 5)
}

// linkLike is a text in brackets that means an identifier, and is left over when the identifier does not exist.
var linkLike = regexp.MustCompile(`\[(\*?(?:[\w./-]+\.)?[A-Z]\w*(?:\.\w+)?)\]`)

// TestDocLinks resolves every [link] in the comments of all packages.
func TestDocLinks(t *testing.T) {
	t.Parallel()
	all, ours := packages(t)
	imports := compiled(all)
	links := 0
	for _, p := range ours {
		fset, files := parse(t, p)
		var groups []*ast.CommentGroup
		for _, f := range files {
			groups = append(groups, documented(f)...)
		}
		texts := make(map[*ast.CommentGroup]string)
		for _, g := range groups {
			texts[g] = g.Text() // before go/doc takes the comments away
		}
		documentation, err := doc.NewFromFiles(fset, files, p.ImportPath, doc.AllDecls)
		require.NoError(t, err)
		for _, g := range groups {
			at := short(fset.Position(g.Pos()))
			eachText(documentation.Parser().Parse(texts[g]), func(text comment.Text) {
				switch text := text.(type) {
				case comment.Plain:
					if left := linkLike.FindStringSubmatch(string(text)); left != nil {
						t.Errorf("%s: [%s] leads nowhere", at, left[1])
					}
				case *comment.DocLink:
					links++
					if text.ImportPath != "" && !exists(imports, text) {
						t.Errorf("%s: there is no %s.%s.%s", at, text.ImportPath, text.Recv, text.Name)
					}
				}
			})
		}
	}
	require.Greater(t, links, 200)
}

// documented returns the comments that explain something: of the package, of declarations, of fields and methods.
func documented(f *ast.File) []*ast.CommentGroup {
	var groups []*ast.CommentGroup
	ast.Inspect(f, func(n ast.Node) bool {
		var g *ast.CommentGroup
		switch n := n.(type) {
		case *ast.File:
			g = n.Doc
		case *ast.FuncDecl:
			g = n.Doc
		case *ast.GenDecl:
			g = n.Doc
		case *ast.TypeSpec:
			g = n.Doc
		case *ast.ValueSpec:
			g = n.Doc
		case *ast.Field:
			g = n.Doc
		}
		if g != nil {
			groups = append(groups, g)
		}
		return true
	})
	return groups
}

// eachText calls f for every piece of text outside of code.
func eachText(d *comment.Doc, f func(comment.Text)) {
	var texts func(list []comment.Text)
	texts = func(list []comment.Text) {
		for _, text := range list {
			if link, ok := text.(*comment.Link); ok {
				texts(link.Text)
				continue
			}
			f(text)
		}
	}
	var blocks func(list []comment.Block)
	blocks = func(list []comment.Block) {
		for _, b := range list {
			switch b := b.(type) {
			case *comment.Paragraph:
				texts(b.Text)
			case *comment.Heading:
				texts(b.Text)
			case *comment.List:
				for _, item := range b.Items {
					blocks(item.Content)
				}
			}
		}
	}
	blocks(d.Content)
}

// exists reports whether another package has what a link names.
func exists(imports types.Importer, link *comment.DocLink) bool {
	p, err := imports.Import(link.ImportPath)
	if err != nil {
		return false
	}
	if link.Name == "" {
		return true
	}
	if link.Recv == "" {
		return p.Scope().Lookup(link.Name) != nil
	}
	of := p.Scope().Lookup(link.Recv)
	if of == nil || !token.IsExported(link.Name) {
		return false
	}
	member, _, _ := types.LookupFieldOrMethod(of.Type(), true, p, link.Name)
	return member != nil
}
