package main

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	commonutil "helm.sh/helm/v4/pkg/chart/common/util"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"
	release "helm.sh/helm/v4/pkg/release/v1"
)

type capabilitiesRequest struct {
	KubeVersion string   `json:"kubeVersion"`
	APIVersions []string `json:"apiVersions"`
	// The cluster's own discovery list instead of the built-in one with additions.
	OnlyThese bool `json:"onlyThese"`
}

type renderRequest struct {
	Release struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
		Revision  int    `json:"revision"`
		IsUpgrade bool   `json:"isUpgrade"`
	} `json:"release"`
	// Merged in order as `helm -f` does, then Values over them.
	ValuesTexts  []string             `json:"valuesTexts"`
	Values       map[string]any       `json:"values"`
	Capabilities *capabilitiesRequest `json:"capabilities"`
	IncludeCrds  bool                 `json:"includeCrds"`
	SubNotes     bool                 `json:"subNotes"`
	// The archive is a packed folder, so .helmignore counts.
	Folder      bool         `json:"folder"`
	ValuesFiles *valuesFiles `json:"valuesFiles"`
	// Values are not held against the chart's schema.
	SkipSchema bool `json:"skipSchema"`
	// What a schema refers to on the web, by address; absent: nothing is fetched.
	Schemas schemaDocuments `json:"schemas"`
	// Answers by `apiVersion|kind|namespace|name`; absent altogether: every look-up finds nothing, as in `helm template`.
	Lookups map[string]json.RawMessage `json:"lookups"`
}

type document struct {
	Source string          `json:"source"`
	Object json.RawMessage `json:"object"`
}

type lookup struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace"`
	Name       string `json:"name"`
}

type hook struct {
	*release.Hook
	Objects []document `json:"objects"`
}

type renderResult struct {
	Chart    *chart.Metadata `json:"chart"`
	Values   json.RawMessage `json:"values"`
	Manifest string          `json:"manifest"`
	Hooks    []hook          `json:"hooks"`
	Notes    string          `json:"notes"`
	Objects  []document      `json:"objects"`
	Crds     []document      `json:"crds"`
	// Asked and not answered: nothing else in this result may be used.
	Unanswered []lookup `json:"unanswered"`
	// The same for documents on the web that values schemas refer to.
	UnansweredSchemas []string `json:"unansweredSchemas,omitempty"`
}

func renderChart(data []byte, req *renderRequest) (any, error) {
	loaded, err := loadChart(data, req.Folder)
	if err != nil {
		return nil, err
	}
	if err := req.ValuesFiles.use(loaded); err != nil {
		return nil, err
	}
	if err := installable(loaded); err != nil {
		return nil, err
	}
	if err := chartutil.ValidateReleaseName(req.Release.Name); err != nil {
		return nil, at("release", fmt.Errorf("release name %q: %w", req.Release.Name, err))
	}
	values, err := mergedValues(req)
	if err != nil {
		return nil, err
	}
	given, err := json.Marshal(values)
	if err != nil {
		return nil, at("values", err)
	}
	if err := chartutil.ProcessDependencies(loaded, values); err != nil {
		return nil, at("dependencies", fmt.Errorf("chart dependencies processing failed: %w", err))
	}
	caps, err := capabilities(req.Capabilities)
	if err != nil {
		return nil, err
	}
	options := common.ReleaseOptions{
		Name: req.Release.Name, Namespace: req.Release.Namespace, Revision: max(1, req.Release.Revision),
		IsInstall: !req.Release.IsUpgrade, IsUpgrade: req.Release.IsUpgrade,
	}
	if req.Schemas != nil && !req.SkipSchema {
		if missing := req.Schemas.bundle(loaded); len(missing) > 0 {
			return &renderResult{Chart: loaded.Metadata, UnansweredSchemas: missing, Unanswered: []lookup{}}, nil
		}
	}
	top, err := commonutil.ToRenderValuesWithSchemaValidation(loaded, values, options, caps, req.SkipSchema)
	if err != nil {
		return nil, at("schema", err)
	}
	if wanted := loaded.Metadata.KubeVersion; wanted != "" && !chartutil.IsCompatibleRange(wanted, caps.KubeVersion.String()) {
		return nil, at("kubernetes-version", fmt.Errorf("chart requires kubeVersion: %s which is incompatible with Kubernetes %s", wanted, caps.KubeVersion.Version))
	}
	result := &renderResult{Chart: loaded.Metadata, Values: given, Hooks: []hook{}, Unanswered: []lookup{}}
	functions := keyFunctions()
	functions["lookup"] = result.lookupIn(req.Lookups)
	rendering := engine.Engine{CustomTemplateFuncs: functions}
	files, err := rendering.Render(loaded, top)
	if len(result.Unanswered) > 0 {
		return result, nil
	}
	if err != nil {
		return nil, at("template", err)
	}
	result.Notes = takeNotes(files, loaded.Name(), req.SubNotes)
	if err := result.sort(files, loaded, req.IncludeCrds); err != nil {
		return nil, err
	}
	return result, nil
}

func mergedValues(req *renderRequest) (map[string]any, error) {
	values := map[string]any{}
	for _, text := range req.ValuesTexts {
		layer, err := loader.LoadValues(strings.NewReader(text))
		if err != nil {
			return nil, at("values", err)
		}
		values = loader.MergeMaps(values, layer)
	}
	return loader.MergeMaps(values, req.Values), nil
}

func (r *renderResult) lookupIn(answers map[string]json.RawMessage) func(apiVersion, kind, namespace, name string) (map[string]any, error) {
	return func(apiVersion, kind, namespace, name string) (map[string]any, error) {
		found := map[string]any{}
		if answers == nil {
			return found, nil
		}
		asked := lookup{apiVersion, kind, namespace, name}
		answer, ok := answers[strings.Join([]string{apiVersion, kind, namespace, name}, "|")]
		if !ok {
			if !slices.Contains(r.Unanswered, asked) {
				r.Unanswered = append(r.Unanswered, asked)
			}
			return found, nil
		}
		if err := decodeNumbers(answer, &found); err != nil || found == nil {
			return map[string]any{}, err
		}
		return found, nil
	}
}

// takeNotes takes NOTES.txt out of the rendered files, as Helm's install action does.
func takeNotes(files map[string]string, name string, subNotes bool) string {
	var notes []string
	for _, file := range slices.Sorted(keysOf(files)) {
		if !strings.HasSuffix(file, "NOTES.txt") {
			continue
		}
		if subNotes || file == path.Join(name, "templates", "NOTES.txt") {
			notes = append(notes, files[file])
		}
		delete(files, file)
	}
	return strings.Join(notes, "\n")
}
