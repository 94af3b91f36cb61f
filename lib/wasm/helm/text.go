package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"sort"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig/v3"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	releaseutil "helm.sh/helm/v4/pkg/release/v1/util"
	"helm.sh/helm/v4/pkg/strvals"
	"sigs.k8s.io/yaml"
)

type templateRequest struct {
	Name string          `json:"name"`
	Text string          `json:"text"`
	Data json.RawMessage `json:"data"`
	// Further templates by name, which `template` and `include` reach.
	Partials map[string]string `json:"partials"`
	// What `env` and `expandenv` see; the process' own environment is out of reach.
	Env map[string]string `json:"env"`
	// default, zero or error: what a missing key gives.
	MissingKey string `json:"missingKey"`
	Left       string `json:"left"`
	Right      string `json:"right"`
	// helmfile's functions, with paths relative to Base and answers by path; absent: there are no files.
	Files map[string]*fileFacts `json:"files"`
	Base  string                `json:"base"`
	// What a command would print may stand for itself; see `notRun`.
	Deferred bool `json:"deferred"`
}

type templateResult struct {
	Text string `json:"text"`
	// A path that the template needs and the host did not send; nothing else may be used then.
	Missing string `json:"missing,omitempty"`
}

// renderGoTemplate runs text/template with sprig and the YAML functions of Helm's engine, or with helmfile's functions.
func renderGoTemplate(req *templateRequest) (any, error) {
	var data any
	if len(req.Data) > 0 {
		if err := decodeNumbers(req.Data, &data); err != nil {
			return nil, at("values", err)
		}
	}
	reader := &fileReader{base: req.Base, known: req.Files, deferred: req.Deferred}
	text, err := executeGoTemplate(req, reader, req.Text, data)
	if reader.missing != "" {
		return templateResult{Missing: reader.missing}, nil
	}
	if err != nil {
		return nil, at("template", err)
	}
	return templateResult{Text: text}, nil
}

func executeGoTemplate(req *templateRequest, reader *fileReader, text string, data any) (string, error) {
	root := template.New(req.Name).Delims(req.Left, req.Right)
	if req.MissingKey != "" {
		root = root.Option("missingkey=" + req.MissingKey)
	}
	functions := sprig.TxtFuncMap()
	maps.Copy(functions, keyFunctions())
	functions["env"] = func(name string) string { return req.Env[name] }
	functions["expandenv"] = func(text string) string { return expand(text, req.Env) }
	functions["getHostByName"] = func(string) string { return "" }
	functions["toYaml"] = func(value any) string {
		encoded, err := yaml.Marshal(value)
		if err != nil {
			return ""
		}
		return strings.TrimSuffix(string(encoded), "\n")
	}
	functions["fromYaml"] = func(text string) map[string]any {
		value := map[string]any{}
		if err := yaml.Unmarshal([]byte(text), &value); err != nil {
			value["Error"] = err.Error()
		}
		return value
	}
	functions["required"] = func(message string, value any) (any, error) {
		if text, isText := value.(string); value == nil || (isText && text == "") {
			return nil, fmt.Errorf("%s", message)
		}
		return value, nil
	}
	functions["include"] = func(name string, data any) (string, error) {
		var out strings.Builder
		err := root.ExecuteTemplate(&out, name, data)
		return out.String(), err
	}
	if req.Files != nil {
		functions["sprigGet"] = functions["get"]
		for name, function := range helmfileFunctions(reader, req.Env, func(inner string, with any) (string, error) {
			return executeGoTemplate(req, reader, inner, with)
		}) {
			functions[name] = function
		}
	}
	root.Funcs(functions)
	for _, name := range sortedKeys(req.Partials) {
		if _, err := root.New(name).Parse(req.Partials[name]); err != nil {
			return "", err
		}
	}
	if _, err := root.Parse(text); err != nil {
		return "", err
	}
	var out strings.Builder
	err := root.Execute(&out, data)
	return out.String(), err
}

func expand(text string, env map[string]string) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "$")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		name := rest
		if after, braced := strings.CutPrefix(rest, "{"); braced {
			name, rest, _ = strings.Cut(after, "}")
		} else {
			end := strings.IndexFunc(rest, func(r rune) bool {
				return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
			})
			if end == -1 {
				end = len(rest)
			}
			name, rest = rest[:end], rest[end:]
		}
		out.WriteString(env[name])
		text = rest
	}
}

type documentsResult struct {
	Documents []json.RawMessage `json:"documents"`
}

// parseDocuments reads YAML as Kubernetes and Helm read it: 0400 is 256, `on` stays a word where a string is wanted.
func parseDocuments(text string) (any, error) {
	result := documentsResult{Documents: []json.RawMessage{}}
	for _, part := range splitDocuments(text) {
		encoded, err := yaml.YAMLToJSON([]byte(part))
		if err != nil {
			return nil, at("values", err)
		}
		if string(encoded) != "null" {
			result.Documents = append(result.Documents, encoded)
		}
	}
	return result, nil
}

// writeDocuments gives each object as Kubernetes' own writer puts it: keys sorted, quotes only where they are needed.
func writeDocuments(documents []json.RawMessage) (any, error) {
	result := yamlTexts{Texts: []string{}}
	for _, encoded := range documents {
		written, err := yaml.JSONToYAML(encoded)
		if err != nil {
			return nil, at("values", err)
		}
		result.Texts = append(result.Texts, string(written))
	}
	return result, nil
}

type valuesRequest struct {
	// In the order of Flux's `valuesFrom`.
	Layers []valuesLayer `json:"layers"`
	// `spec.values`, which wins over the layers.
	Values map[string]any `json:"values"`
}

type valuesLayer struct {
	Text string `json:"text"`
	// The text is one value for this place, in the syntax of `--set`; Literal: of `--set-literal`.
	TargetPath string `json:"targetPath"`
	Literal    bool   `json:"literal"`
}

type valuesResult struct {
	Values map[string]any `json:"values"`
}

// mergeValues puts the values of a HelmRelease together as helm-controller does (fluxcd/pkg/chartutil values.go).
func mergeValues(req *valuesRequest) (any, error) {
	result := map[string]any{}
	for index, layer := range req.Layers {
		if layer.TargetPath == "" {
			values, err := loader.LoadValues(strings.NewReader(layer.Text))
			if err != nil {
				return nil, at("values-layer", fmt.Errorf("%d %w", index, err))
			}
			result = loader.MergeMaps(result, values)
			continue
		}
		result = loader.MergeMaps(result, req.Values)
		if err := setValue(result, layer); err != nil {
			return nil, at("values-layer", fmt.Errorf("%d %w", index, err))
		}
	}
	return valuesResult{loader.MergeMaps(result, req.Values)}, nil
}

var literalEscapes = strings.NewReplacer(`\`, `\\`, `,`, `\,`, `[`, `\[`, `]`, `\]`, `{`, `\{`, `}`, `\}`)

func setValue(values map[string]any, layer valuesLayer) error {
	quoted := func(mark string) bool {
		return strings.HasPrefix(layer.Text, mark) && strings.HasSuffix(layer.Text, mark)
	}
	switch {
	case layer.Literal:
		return strvals.ParseIntoString(layer.TargetPath+"="+literalEscapes.Replace(layer.Text), values)
	case quoted(`'`) || quoted(`"`):
		return strvals.ParseIntoString(layer.TargetPath+"="+strings.Trim(layer.Text, `'"`), values)
	default:
		return strvals.ParseInto(layer.TargetPath+"="+layer.Text, values)
	}
}

// normalYAML writes each document the way Flux does before it substitutes variables: keys sorted, quotes only where they are needed.
func normalYAML(text string) (any, error) {
	var out strings.Builder
	for _, part := range splitDocuments(text) {
		encoded, err := yaml.YAMLToJSON([]byte(part))
		if err != nil {
			return nil, at("values", err)
		}
		if string(encoded) == "null" {
			continue
		}
		written, err := yaml.JSONToYAML(encoded)
		if err != nil {
			return nil, at("values", err)
		}
		out.WriteString("---\n")
		out.Write(written)
	}
	return templateResult{Text: out.String()}, nil
}

func splitDocuments(text string) []string {
	parts := releaseutil.SplitManifests(text)
	names := sortedKeys(parts)
	sort.Sort(releaseutil.BySplitManifestsOrder(names))
	ordered := make([]string, 0, len(names))
	for _, name := range names {
		ordered = append(ordered, parts[name])
	}
	return ordered
}

// decodeNumbers decodes JSON with whole numbers as integers, the way Kubernetes' own decoder does.
func decodeNumbers[T any](encoded []byte, into *T) error {
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	decoder.UseNumber()
	var raw any
	if err := decoder.Decode(&raw); err != nil {
		return err
	}
	value, _ := wholeNumbers(raw).(T)
	*into = value
	return nil
}

func wholeNumbers(value any) any {
	switch typed := value.(type) {
	case json.Number:
		if whole, err := typed.Int64(); err == nil {
			return whole
		}
		fraction, _ := typed.Float64()
		return fraction
	case map[string]any:
		for key, item := range typed {
			typed[key] = wholeNumbers(item)
		}
	case []any:
		for index, item := range typed {
			typed[index] = wholeNumbers(item)
		}
	}
	return value
}

func keysOf(of map[string]string) iter.Seq[string] { return maps.Keys(of) }

func sortedKeys(of map[string]string) []string {
	names := make([]string, 0, len(of))
	for name := range of {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
