package main

import (
	"errors"
	"fmt"
	"path"
	"reflect"
	"strings"
	"text/template"

	"go.yaml.in/yaml/v3"
)

// fileFacts is what the host knows of one path: nothing (null), a file with its text, or a folder with its entries.
type fileFacts struct {
	Text    *string     `json:"text"`
	Entries []entryFact `json:"entries"`
}

type entryFact struct {
	Name      string `json:"name"`
	Directory bool   `json:"directory"`
}

// Functions that helmfile calls on the entries that `readDirEntries` returns.
func (e entryFact) IsDir() bool { return e.Directory }

// errUnanswered ends a template that needs a file which the host has not read yet.
var errUnanswered = errors.New("a file is asked for")

// fileReader answers from what the host sent; the first path that it does not know ends the template.
type fileReader struct {
	base    string
	known   map[string]*fileFacts
	missing string
	// A command that is not run becomes a word that names it, for whoever needs what it would have printed.
	deferred bool
}

func (r *fileReader) at(name string) (string, *fileFacts, error) {
	full := name
	if !path.IsAbs(name) {
		full = path.Join(r.base, name)
	}
	facts, ok := r.known[full]
	if !ok {
		r.missing = full
		return full, nil, errUnanswered
	}
	return full, facts, nil
}

func (r *fileReader) readFile(name string) (string, error) {
	full, facts, err := r.at(name)
	switch {
	case err != nil:
		return "", err
	case facts == nil || facts.Text == nil:
		return "", fmt.Errorf("open %s: no such file or directory", full)
	}
	return *facts.Text, nil
}

func (r *fileReader) entries(name string) ([]entryFact, error) {
	full, facts, err := r.at(name)
	switch {
	case err != nil:
		return nil, err
	case facts == nil || facts.Entries == nil:
		return nil, fmt.Errorf("open %s: no such file or directory", full)
	}
	return facts.Entries, nil
}

func (r *fileReader) readDir(name string) ([]string, error) {
	entries, err := r.entries(name)
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, entry := range entries {
		if !entry.Directory {
			paths = append(paths, path.Join(name, entry.Name))
		}
	}
	return paths, nil
}

func (r *fileReader) isFile(name string) (bool, error) {
	_, facts, err := r.at(name)
	return facts != nil && facts.Text != nil, err
}

func (r *fileReader) isDir(name string) (bool, error) {
	_, facts, err := r.at(name)
	return facts != nil && facts.Entries != nil, err
}

// helmfileFunctions are those that helmfile has besides sprig's. Source: helmfile pkg/tmpl/context_funcs.go, get_or_nil.go
func helmfileFunctions(reader *fileReader, env map[string]string, evaluate func(text string, data any) (string, error)) template.FuncMap {
	refuse := func(name string) func(...any) (string, error) {
		return func(...any) (string, error) { return "", fmt.Errorf("%s reaches outside of the repository", name) }
	}
	return template.FuncMap{
		"readFile":       reader.readFile,
		"readDir":        reader.readDir,
		"readDirEntries": reader.entries,
		"isFile":         reader.isFile,
		"isDir":          reader.isDir,
		"exec":           reader.exec,
		"envExec": func(_ map[string]any, command string, args []any, inputs ...string) (string, error) {
			return reader.exec(command, args, inputs...)
		},
		"toYaml":           toYAML,
		"fromYaml":         fromYAML,
		"tpl":              evaluate,
		"get":              getValue,
		"getOrNil":         func(path string, of any) (any, error) { value, _ := getValue(path, nil, of); return value, nil },
		"setValueAtPath":   setValueAtPath,
		"fetchSecretValue": refuse("fetchSecretValue"),
		"expandSecretRefs": refuse("expandSecretRefs"),
		"requiredEnv": func(name string) (string, error) {
			if value := env[name]; value != "" {
				return value, nil
			}
			return "", fmt.Errorf("required env var `%s` is not set", name)
		},
	}
}

// toYAML and fromYAML read as helmfile does, with whole numbers as such and without YAML 1.1's words for booleans.
func toYAML(value any) (string, error) {
	var out strings.Builder
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(value); err != nil {
		return "", err
	}
	return out.String(), encoder.Close()
}

func fromYAML(text string) (any, error) {
	var value any
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		return nil, err
	}
	return withTextKeys(value), nil
}

func withTextKeys(value any) any {
	switch typed := value.(type) {
	case map[any]any:
		named := make(map[string]any, len(typed))
		for key, item := range typed {
			named[fmt.Sprint(key)] = withTextKeys(item)
		}
		return named
	case map[string]any:
		for key, item := range typed {
			typed[key] = withTextKeys(item)
		}
	case []any:
		for index, item := range typed {
			typed[index] = withTextKeys(item)
		}
	}
	return value
}

// getValue is `get PATH [DEFAULT] OBJECT`.
func getValue(dotted string, args ...any) (any, error) {
	if len(args) == 0 || len(args) > 2 {
		return nil, fmt.Errorf("get takes a path, perhaps a default, and an object")
	}
	value := args[len(args)-1]
	for _, key := range strings.Split(dotted, ".") {
		if dotted == "" {
			break
		}
		item := reflect.ValueOf(value)
		if item.Kind() == reflect.Map {
			item = item.MapIndex(reflect.ValueOf(key))
		} else {
			item = reflect.Value{}
		}
		if !item.IsValid() {
			if len(args) == 2 {
				return args[0], nil
			}
			return nil, fmt.Errorf("no value exist for key %q in %v", key, value)
		}
		value = item.Interface()
	}
	return value, nil
}

func setValueAtPath(dotted string, value any, values map[string]any) (map[string]any, error) {
	keys := strings.Split(dotted, ".")
	current := values
	for _, key := range keys[:len(keys)-1] {
		next, ok := current[key].(map[string]any)
		if !ok {
			return nil, fmt.Errorf("failed to set value at path %q: value for key %q was not a map", dotted, key)
		}
		current = next
	}
	current[keys[len(keys)-1]] = value
	return values, nil
}

type yamlTexts struct {
	Texts []string `json:"texts"`
}
