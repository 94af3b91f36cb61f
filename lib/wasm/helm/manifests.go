package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	chart "helm.sh/helm/v4/pkg/chart/v2"
	release "helm.sh/helm/v4/pkg/release/v1"
	releaseutil "helm.sh/helm/v4/pkg/release/v1/util"
	"sigs.k8s.io/yaml"
)

func (r *renderResult) sort(files map[string]string, loaded *chart.Chart, includeCrds bool) error {
	hooks, manifests, encoded, err := sortManifests(files)
	if err != nil {
		return at("manifest", err)
	}
	var manifest bytes.Buffer
	if r.Crds, err = crdDocuments(loaded); err != nil {
		return err
	}
	if includeCrds {
		for _, crd := range loaded.CRDObjects() {
			fmt.Fprintf(&manifest, "---\n# Source: %s\n%s\n", crd.Filename, string(crd.File.Data))
		}
	}
	r.Objects = []document{}
	for _, part := range manifests {
		fmt.Fprintf(&manifest, "---\n# Source: %s\n%s\n", part.Name, part.Content)
		objects, err := encoded.objectsIn(part.Name, part.Content)
		if err != nil {
			return err
		}
		r.Objects = append(r.Objects, objects...)
	}
	for _, part := range hooks {
		objects, err := encoded.objectsIn(part.Path, part.Manifest)
		if err != nil {
			return err
		}
		r.Hooks = append(r.Hooks, hook{part, objects})
	}
	r.Manifest = manifest.String()
	return nil
}

// encodedDocuments holds the JSON of documents that were read already, by their text.
type encodedDocuments map[string][]byte

// sortManifests is Helm's SortManifests without reading each document twice: it is handed short documents that hold nothing but the
// heads by which it sorts, and what it sorted is put back in their place. Whatever is out of the ordinary it is handed as it is.
func sortManifests(files map[string]string) ([]*release.Hook, []releaseutil.Manifest, encodedDocuments, error) {
	encoded, original := encodedDocuments{}, map[string]string{}
	short := make(map[string]string, len(files))
	for file, text := range files {
		if strings.HasPrefix(path.Base(file), "_") || strings.TrimSpace(text) == "" {
			continue
		}
		documents := releaseutil.SplitManifests(text)
		names := slices.Collect(keysOf(documents))
		slices.SortFunc(names, func(a, b string) int {
			if (releaseutil.BySplitManifestsOrder{a, b}).Less(0, 1) {
				return -1
			}
			return 1
		})
		var heads strings.Builder
		for _, name := range names {
			whole := documents[name]
			head, ok := encoded.headOf(whole)
			if !ok {
				return sortWhole(files)
			}
			// The number keeps equal heads apart.
			head = fmt.Sprintf("# %d\n%s\n", len(original), head)
			original[head] = whole
			heads.WriteString("---\n" + head)
		}
		short[file] = heads.String()
	}
	hooks, manifests, err := releaseutil.SortManifests(short, nil, releaseutil.InstallOrder)
	if err != nil {
		return sortWhole(files)
	}
	known := true
	putBack := func(text *string) {
		whole, ok := original[*text]
		*text, known = whole, known && ok
	}
	for index := range manifests {
		putBack(&manifests[index].Content)
	}
	for _, hook := range hooks {
		putBack(&hook.Manifest)
	}
	if !known {
		return sortWhole(files)
	}
	return hooks, manifests, encoded, nil
}

func sortWhole(files map[string]string) ([]*release.Hook, []releaseutil.Manifest, encodedDocuments, error) {
	hooks, manifests, err := releaseutil.SortManifests(files, nil, releaseutil.InstallOrder)
	return hooks, manifests, nil, err
}

// headOf says no to a document whose head Helm would have to convert: a number for a name, a list of annotations.
func (e encodedDocuments) headOf(text string) (string, bool) {
	encoded, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		return "", false
	}
	var head releaseutil.SimpleHead
	if err := json.Unmarshal(encoded, &head); err != nil {
		return "", false
	}
	short, err := json.Marshal(head)
	if err != nil {
		return "", false
	}
	e[text] = encoded
	return string(short), true
}

func (e encodedDocuments) objectsIn(source, text string) ([]document, error) {
	if encoded, ok := e[text]; ok {
		return flatten(source, encoded)
	}
	return objectsIn(source, text)
}

func crdDocuments(loaded *chart.Chart) ([]document, error) {
	documents := []document{}
	for _, crd := range loaded.CRDObjects() {
		for _, text := range splitDocuments(string(crd.File.Data)) {
			objects, err := objectsIn(crd.Filename, text)
			if err != nil {
				return nil, err
			}
			documents = append(documents, objects...)
		}
	}
	return documents, nil
}

// objectsIn reads one document with the YAML reader that Kubernetes uses and flattens lists, as kubectl and Helm do.
func objectsIn(source, text string) ([]document, error) {
	encoded, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		return nil, at("manifest", fmt.Errorf("YAML parse error on %s: %w", source, err))
	}
	return flatten(source, encoded)
}

func flatten(source string, encoded []byte) ([]document, error) {
	if string(encoded) == "null" {
		return []document{}, nil
	}
	if encoded[0] == '{' && !bytes.Contains(encoded, []byte(`"items":`)) {
		return []document{{source, encoded}}, nil
	}
	var list struct {
		Kind  string            `json:"kind"`
		Items []json.RawMessage `json:"items"`
	}
	if err := json.Unmarshal(encoded, &list); err != nil {
		return nil, at("manifest", fmt.Errorf("YAML parse error on %s: not an object", source))
	}
	if !strings.HasSuffix(list.Kind, "List") || list.Items == nil {
		return []document{{source, encoded}}, nil
	}
	flat := []document{}
	for _, item := range list.Items {
		flat = append(flat, document{source, item})
	}
	return flat, nil
}
