package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	chart "helm.sh/helm/v4/pkg/chart/v2"
)

// schemaDocuments are what a host found at an address; null: nothing.
type schemaDocuments map[string]*string

// bundle puts documents that values schemas refer to on the web into those schemas: Helm fetches them itself, and nothing in here can.
// What it returns is still asked for.
func (d schemaDocuments) bundle(loaded *chart.Chart) []string {
	missing := map[string]bool{}
	d.bundleInto(loaded, missing)
	return slices.Sorted(maps.Keys(missing))
}

func (d schemaDocuments) bundleInto(loaded *chart.Chart, missing map[string]bool) {
	for _, dependency := range loaded.Dependencies() {
		d.bundleInto(dependency, missing)
	}
	var root map[string]any
	if !strings.Contains(string(loaded.Schema), `"$ref"`) || decodeNumbers(loaded.Schema, &root) != nil || root == nil {
		return
	}
	found := map[string]any{}
	isWhole := true
	wanted := references(root, nil)
	for len(wanted) > 0 {
		next := wanted[0]
		wanted = wanted[1:]
		if _, ok := found[next]; ok {
			continue
		}
		text, ok := d[next]
		if !ok {
			missing[next], isWhole = true, false
			continue
		}
		var document map[string]any
		if text == nil || decodeNumbers([]byte(*text), &document) != nil || document == nil {
			continue
		}
		document["$id"] = next
		found[next] = document
		wanted = append(wanted, references(document, nil)...)
	}
	if !isWhole || len(found) == 0 {
		return
	}
	if bundled, err := json.Marshal(withDocuments(root, found)); err == nil {
		loaded.Schema = bundled
	}
}

// withDocuments adds documents where the schema's own draft looks for others.
func withDocuments(root map[string]any, found map[string]any) map[string]any {
	isOld := strings.Contains(fmt.Sprint(root["$schema"]), "draft-0")
	key := "$defs"
	if isOld {
		key = "definitions"
		if _, ok := root["$ref"]; ok {
			// Beside a reference these drafts see nothing else.
			root = map[string]any{"$schema": root["$schema"], "allOf": []any{root}}
		}
	}
	definitions, ok := root[key].(map[string]any)
	if !ok {
		definitions = map[string]any{}
	}
	for index, address := range slices.Sorted(maps.Keys(found)) {
		definitions[fmt.Sprintf("bundled-%d", index)] = found[address]
	}
	root[key] = definitions
	return root
}

// references lists the addresses on the web that a schema refers to, without those of its own parts.
func references(value any, base *url.URL) []string {
	var found []string
	own := map[string]bool{}
	var walk func(value any, base *url.URL)
	walk = func(value any, base *url.URL) {
		switch typed := value.(type) {
		case map[string]any:
			if id, ok := typed["$id"].(string); ok {
				if resolved := resolve(base, id); resolved != nil {
					base = resolved
					own[withoutFragment(resolved)] = true
				}
			}
			if reference, ok := typed["$ref"].(string); ok {
				if resolved := resolve(base, reference); resolved != nil && (resolved.Scheme == "http" || resolved.Scheme == "https") {
					found = append(found, withoutFragment(resolved))
				}
			}
			for _, key := range slices.Sorted(maps.Keys(typed)) {
				walk(typed[key], base)
			}
		case []any:
			for _, item := range typed {
				walk(item, base)
			}
		}
	}
	walk(value, base)
	return slices.DeleteFunc(found, func(address string) bool { return own[address] || isMetaSchema(address) })
}

// Drafts of JSON Schema are known to the validator.
func isMetaSchema(address string) bool {
	return strings.HasPrefix(address, "http://json-schema.org/") || strings.HasPrefix(address, "https://json-schema.org/")
}

func resolve(base *url.URL, reference string) *url.URL {
	parsed, err := url.Parse(reference)
	if err != nil {
		return nil
	}
	if base == nil {
		return parsed
	}
	return base.ResolveReference(parsed)
}

func withoutFragment(address *url.URL) string {
	plain := *address
	plain.Fragment, plain.RawFragment = "", ""
	return plain.String()
}
