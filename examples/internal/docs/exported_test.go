package docs_test

import (
	"go/ast"
	"go/token"
	"strings"
	"testing"
)

// TestEveryPackageIsExplained wants a package comment, which begins as the go command shows it.
func TestEveryPackageIsExplained(t *testing.T) {
	t.Parallel()
	_, ours := packages(t)
	for _, p := range ours {
		_, files := parse(t, p)
		var comments []string
		for _, f := range files {
			if f.Doc != nil {
				comments = append(comments, f.Doc.Text())
			}
		}
		switch {
		case len(comments) != 1:
			t.Errorf("%s has %d package comments, want 1", p.ImportPath, len(comments))
		case p.Name != "main" && !strings.HasPrefix(comments[0], "Package "+p.Name+" "):
			t.Errorf("the comment of %s does not begin with Package %s", p.ImportPath, p.Name)
		}
	}
}

// TestEveryExportedIdentifierIsExplained wants a comment on everything that a host can name: constants, variables, types,
// functions, methods, and the fields and methods of exported structs and interfaces. One comment may stand for a group: of
// constants, or of fields without an empty line between them; the comment of a type may name its members too.
func TestEveryExportedIdentifierIsExplained(t *testing.T) {
	t.Parallel()
	_, ours := packages(t)
	seen := 0
	for _, p := range ours {
		if !p.public() {
			continue
		}
		fset, files := parse(t, p)
		check := func(name *ast.Ident, explained bool) {
			if !name.IsExported() {
				return
			}
			seen++
			if !explained {
				t.Errorf("%s: %s has no comment", short(fset.Position(name.Pos())), name.Name)
			}
		}
		for _, f := range files {
			for _, d := range f.Decls {
				switch d := d.(type) {
				case *ast.FuncDecl:
					if receiver(d) == "" || ast.IsExported(receiver(d)) {
						check(d.Name, d.Doc != nil)
					}
				case *ast.GenDecl:
					checkGroup(fset, d, check)
				}
			}
		}
	}
	if seen < 500 {
		t.Errorf("only %d exported identifiers were found", seen)
	}
}

// receiver is the name of a method's type, "" for a function.
func receiver(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return ""
	}
	x := d.Recv.List[0].Type
	if star, ok := x.(*ast.StarExpr); ok {
		x = star.X
	}
	if generic, ok := x.(*ast.IndexExpr); ok {
		x = generic.X
	}
	return x.(*ast.Ident).Name
}

func checkGroup(fset *token.FileSet, d *ast.GenDecl, check func(*ast.Ident, bool)) {
	for _, s := range d.Specs {
		switch s := s.(type) {
		case *ast.ValueSpec:
			for _, name := range s.Names {
				check(name, d.Doc != nil || s.Doc != nil || s.Comment != nil)
			}
		case *ast.TypeSpec:
			doc := s.Doc
			if doc == nil && len(d.Specs) == 1 {
				doc = d.Doc
			}
			check(s.Name, doc != nil)
			if !s.Name.IsExported() {
				continue
			}
			switch body := s.Type.(type) {
			case *ast.StructType:
				checkMembers(fset, body.Fields, doc.Text(), check)
			case *ast.InterfaceType:
				checkMembers(fset, body.Methods, doc.Text(), check)
			}
		}
	}
}

// checkMembers checks fields or methods. said is the comment of their type.
func checkMembers(fset *token.FileSet, members *ast.FieldList, said string, check func(*ast.Ident, bool)) {
	explained, line := false, 0
	for _, m := range members.List {
		begin := m.Pos()
		if m.Doc != nil {
			begin = m.Doc.Pos()
		}
		if fset.Position(begin).Line != line+1 {
			explained = false // an empty line ends the group
		}
		line = fset.Position(m.End()).Line
		explained = explained || m.Doc != nil
		for _, name := range m.Names {
			check(name, explained || m.Comment != nil || strings.Contains(said, name.Name))
		}
	}
}
