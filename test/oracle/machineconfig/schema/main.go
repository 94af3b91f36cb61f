// Reads the struct tags of one version of Talos' machinery and prints them as a table.
//
//	go run . PATH-TO-pkg/machinery > schema.json
//
// Only the standard library; nothing is type-checked, so any version can be read without its dependencies.
package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strconv"
	"strings"
)

type field struct {
	Name      string `json:"name"`
	Type      string `json:"type"`
	OmitEmpty bool   `json:"omitEmpty,omitempty"`
	Inline    bool   `json:"inline,omitempty"`
	Replace   bool   `json:"replace,omitempty"`
	IfNil     bool   `json:"ifNil,omitempty"`
	Go        string `json:"go"`
}

type named struct {
	Fields  []field  `json:"fields,omitempty"`
	Alias   string   `json:"alias,omitempty"`
	Methods []string `json:"methods,omitempty"`
	Values  []string `json:"values,omitempty"`
}

type kind struct {
	Type string `json:"type"`
	Name string `json:"name,omitempty"`
}

type pkg struct {
	name    string
	files   []*ast.File
	types   map[string]*ast.TypeSpec
	imports map[string]map[string]string // file position to alias to path
	methods map[string]map[string]*ast.FuncDecl
	consts  map[string]string
}

const module = "github.com/siderolabs/talos/pkg/machinery/"

var (
	root  string
	pkgs  = map[string]*pkg{}
	out   = map[string]*named{}
	kinds = map[string]kind{}
	fset  = token.NewFileSet()
)

func load(path string) *pkg {
	if p, ok := pkgs[path]; ok {
		return p
	}
	p := &pkg{types: map[string]*ast.TypeSpec{}, methods: map[string]map[string]*ast.FuncDecl{}, consts: map[string]string{}, imports: map[string]map[string]string{}}
	pkgs[path] = p
	entries, _ := os.ReadDir(filepath.Join(root, path))
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, filepath.Join(root, path, e.Name()), nil, parser.ParseComments)
		if err != nil {
			panic(err)
		}
		p.name = f.Name.Name
		p.files = append(p.files, f)
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.GenDecl:
				for _, s := range d.Specs {
					switch s := s.(type) {
					case *ast.TypeSpec:
						p.types[s.Name.Name] = s
						p.imports[path+"."+s.Name.Name] = importsOf(f)
					case *ast.ValueSpec:
						for i, n := range s.Names {
							if i < len(s.Values) {
								if l, ok := s.Values[i].(*ast.BasicLit); ok && l.Kind == token.STRING {
									p.consts[n.Name], _ = strconv.Unquote(l.Value)
								}
							}
						}
					}
				}
			case *ast.FuncDecl:
				if d.Recv != nil && len(d.Recv.List) == 1 {
					t := d.Recv.List[0].Type
					if s, ok := t.(*ast.StarExpr); ok {
						t = s.X
					}
					if id, ok := t.(*ast.Ident); ok {
						if p.methods[id.Name] == nil {
							p.methods[id.Name] = map[string]*ast.FuncDecl{}
						}
						p.methods[id.Name][d.Name.Name] = d
					}
				}
			}
		}
	}
	return p
}

func importsOf(f *ast.File) map[string]string {
	m := map[string]string{}
	for _, i := range f.Imports {
		path, _ := strconv.Unquote(i.Path.Value)
		name := path[strings.LastIndex(path, "/")+1:]
		if i.Name != nil {
			name = i.Name.Name
		}
		m[name] = path
	}
	return m
}

func typeName(path string, imports map[string]string, e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return "*" + typeName(path, imports, e.X)
	case *ast.ArrayType:
		return "[]" + typeName(path, imports, e.Elt)
	case *ast.MapType:
		return "map[" + typeName(path, imports, e.Key) + "]" + typeName(path, imports, e.Value)
	case *ast.Ident:
		if _, ok := load(path).types[e.Name]; ok {
			resolve(path, e.Name)
			return path + "." + e.Name
		}
		return e.Name
	case *ast.SelectorExpr:
		imp := imports[e.X.(*ast.Ident).Name]
		if strings.HasPrefix(imp, module) {
			rel := strings.TrimPrefix(imp, module)
			resolve(rel, e.Sel.Name)
			return rel + "." + e.Sel.Name
		}
		return imp + "." + e.Sel.Name
	case *ast.InterfaceType:
		return "any"
	case *ast.StructType:
		return "struct"
	case *ast.IndexExpr:
		return typeName(path, imports, e.X) + "<" + typeName(path, imports, e.Index) + ">"
	}
	return fmt.Sprintf("?%T", e)
}

func resolve(path, name string) {
	key := path + "." + name
	if _, ok := out[key]; ok {
		return
	}
	n := &named{}
	out[key] = n
	p := load(path)
	ts := p.types[name]
	if ts == nil {
		n.Alias = "missing"
		return
	}
	for m := range p.methods[name] {
		switch m {
		case "UnmarshalYAML", "MarshalYAML", "UnmarshalText", "MarshalText", "IsZero", "Merge":
			n.Methods = append(n.Methods, m)
		}
	}
	sort.Strings(n.Methods)
	imports := p.imports[key]
	st, ok := ts.Type.(*ast.StructType)
	if !ok {
		n.Alias = typeName(path, imports, ts.Type)
		n.Values = enumValues(p, name)
		return
	}
	for _, f := range st.Fields.List {
		var tag reflect.StructTag
		if f.Tag != nil {
			raw, _ := strconv.Unquote(f.Tag.Value)
			tag = reflect.StructTag(raw)
		}
		y := strings.Split(tag.Get("yaml"), ",")
		t := typeName(path, imports, f.Type)
		one := field{Name: y[0], Type: t}
		for _, o := range y[1:] {
			if o == "omitempty" {
				one.OmitEmpty = true
			}
			if o == "inline" {
				one.Inline = true
			}
		}
		for _, o := range strings.Split(tag.Get("merge"), ",") {
			if o == "replace" {
				one.Replace = true
			}
		}
		if tag.Get("talos") == "omitonlyifnil" {
			one.IfNil = true
		}
		if y[0] == "-" {
			continue
		}
		if len(f.Names) == 0 {
			one.Go = t[strings.LastIndex(t, ".")+1:]
			n.Fields = append(n.Fields, one)
			continue
		}
		for _, fn := range f.Names {
			if !fn.IsExported() {
				continue
			}
			c := one
			c.Go = fn.Name
			if c.Name == "" && !c.Inline {
				c.Name = strings.ToLower(fn.Name)
			}
			n.Fields = append(n.Fields, c)
		}
	}
}

// enumValues finds the names that enumer generated for a type.
func enumValues(p *pkg, name string) []string {
	var values []string
	for _, f := range p.files {
		ast.Inspect(f, func(n ast.Node) bool {
			vs, ok := n.(*ast.ValueSpec)
			if !ok || len(vs.Names) != 1 || len(vs.Values) != 1 {
				return true
			}
			if vs.Names[0].Name != "_"+name+"NameToValueMap" {
				return true
			}
			lit := vs.Values[0].(*ast.CompositeLit)
			for _, e := range lit.Elts {
				kv := e.(*ast.KeyValueExpr)
				if sl, ok := kv.Key.(*ast.SliceExpr); ok {
					id := sl.X.(*ast.Ident).Name
					low, _ := strconv.Atoi(sl.Low.(*ast.BasicLit).Value)
					high, _ := strconv.Atoi(sl.High.(*ast.BasicLit).Value)
					values = append(values, p.consts[id][low:high])
				}
			}
			return true
		})
	}
	return values
}

func main() {
	root = os.Args[1]
	_ = filepath.WalkDir(filepath.Join(root, "config", "types"), func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		load(rel)
		return nil
	})
	paths := []string{}
	for path := range pkgs {
		paths = append(paths, path)
	}
	sort.Strings(paths)
	for _, path := range paths {
		p := pkgs[path]
		for _, f := range p.files {
			ast.Inspect(f, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok || len(call.Args) != 2 {
					return true
				}
				sel, ok := call.Fun.(*ast.SelectorExpr)
				if !ok || sel.Sel.Name != "Register" {
					return true
				}
				id, ok := call.Args[0].(*ast.Ident)
				kindName := ""
				if ok {
					kindName = p.consts[id.Name]
				} else if l, ok := call.Args[0].(*ast.BasicLit); ok {
					kindName, _ = strconv.Unquote(l.Value)
				} else {
					return true
				}
				ast.Inspect(call.Args[1], func(n ast.Node) bool {
					u, ok := n.(*ast.UnaryExpr)
					if !ok || u.Op != token.AND {
						return true
					}
					lit, ok := u.X.(*ast.CompositeLit)
					if !ok {
						return true
					}
					tn := lit.Type.(*ast.Ident).Name
					resolve(path, tn)
					k := kind{Type: path + "." + tn}
					if m := p.methods[tn]["Name"]; m != nil && m.Body != nil && len(m.Body.List) == 1 {
						if r, ok := m.Body.List[0].(*ast.ReturnStmt); ok {
							k.Name = exprText(r.Results[0])
						}
					}
					kinds[kindName] = k
					return true
				})
				return true
			})
		}
	}
	b, _ := json.MarshalIndent(map[string]any{"kinds": kinds, "types": out}, "", " ")
	fmt.Println(string(b))
}

func exprText(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.SelectorExpr:
		return exprText(e.X) + "." + e.Sel.Name
	case *ast.Ident:
		return e.Name
	case *ast.CallExpr:
		return exprText(e.Fun) + "()"
	}
	return fmt.Sprintf("%T", e)
}
